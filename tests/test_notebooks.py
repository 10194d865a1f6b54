"""Notebooks of the docs: small, of their scripts, without a fault; what their cells do still works."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support import module

ROOT = Path(__file__).parents[1]


maker = module(ROOT / "docs" / "make_notebook.py")
NAMES = maker.names()


def text_of(cell) -> str:
    return "".join(cell["source"])


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_is_of_its_script_and_was_run_without_a_fault(name):
    source, path = (maker.SCRIPTS / f"{name}.py").read_text(encoding="utf-8"), maker.SCRIPTS / f"{name}.ipynb"
    book, plain = json.loads(path.read_text(encoding="utf-8")), maker.unrun(source)
    again = f"run `python docs/make_notebook.py {name}`"
    assert book["metadata"]["script"] == plain["metadata"]["script"], again
    assert [(c["cell_type"], text_of(c)) for c in book["cells"]] == [(c["cell_type"], c["source"]) for c in plain["cells"]], again
    code = [c for c in book["cells"] if c["cell_type"] == "code"]
    assert [c["execution_count"] for c in code] == list(range(1, len(code) + 1))
    shown = [o for c in code for o in c["outputs"]]
    assert shown and not [o for o in shown if o["output_type"] in ("error", "stream")]
    assert path.stat().st_size < 300_000 and str(ROOT) not in path.read_text(encoding="utf-8")


def test_the_notebook_shows_run_viewer_figure_comparison_and_three_kinds_of_tables():
    book = json.loads((maker.SCRIPTS / "look_at_a_run.ipynb").read_text(encoding="utf-8"))
    kinds = maker.kinds(book)
    assert kinds[0] == [] and "text/html" in kinds[1] and kinds[2] == ["text/plain"] and "image/png" in kinds[3]
    assert ["text/html" in k for k in kinds[4:]] == [True, True, False, True]
    said = ["".join(o["data"]["text/plain"]) for c in book["cells"] if c["cell_type"] == "code" for o in c["outputs"]]
    assert "viewer of small" in said[1] and said[5].startswith("AnnData object") and said[6].startswith("<xarray.Dataset")


def test_a_page_names_the_notebook_and_the_command_that_makes_it():
    page = (ROOT / "docs" / "viewer.md").read_text(encoding="utf-8")
    assert all(f"notebooks/{name}.ipynb" in page for name in NAMES) and "python docs/make_notebook.py" in page


def test_an_unknown_notebook_and_missing_packages_are_told(capsys, monkeypatch):
    assert maker.main(["luk"]) == 2 and "no notebook 'luk'; there are look_at_a_run" in capsys.readouterr().err
    monkeypatch.setattr(maker, "find_spec", lambda name: None if name == "nbclient" else object())
    assert maker.main([]) == 2 and "pip install nbclient" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.skipif(bool(maker.missing()), reason=f"needs {', '.join(maker.missing())}")
@pytest.mark.parametrize("name", NAMES)
def test_the_cells_of_a_notebook_run_and_show_what_they_showed(name):
    assert maker.main(["--check", name]) == 0
