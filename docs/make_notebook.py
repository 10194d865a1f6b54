"""Run the cells of docs/notebooks and write them with what they showed as notebooks: `python docs/make_notebook.py [NAME...]`.

A script is written as those of docs/tutorials: its docstring is the head, `# %%` begins a cell, the comment below it is the text, the
rest is code. The notebook carries a digest of its script, so that a test sees an old one without running anything; `--check` runs the
cells, writes nothing, and ends with code 1 where a cell fails or shows another kind of thing. Needs `tme[notebook,spatial]`, nbclient and ipykernel.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
SCRIPTS = ROOT / "docs" / "notebooks"
NEEDED = ("nbclient", "nbformat", "ipykernel", "anywidget", "anndata", "xarray")


def tutorials() -> Any:
    """docs/make_tutorials.py, which knows how scripts are read."""
    spec = importlib.util.spec_from_file_location("make_tutorials", ROOT / "docs" / "make_tutorials.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def names() -> list[str]:
    """Notebooks there are."""
    return sorted(p.stem for p in SCRIPTS.glob("*.py"))


def missing() -> list[str]:
    """Packages that running a notebook needs and that are not there."""
    return [name for name in NEEDED if find_spec(name) is None]


def unrun(source: str) -> dict[str, Any]:
    """The notebook of a script without outputs."""
    read = tutorials()
    head, cells = read.parse(source)
    out = [_cell("markdown", head)]
    for cell in cells:
        out += [_cell(kind, text) for kind, text in (("markdown", cell.text), ("code", cell.code)) if text]
    for k, cell in enumerate(out):
        cell["id"] = f"cell-{k}"
    about = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}, "language_info": {"name": "python"}, "script": read.digest(source)}
    return {"cells": out, "metadata": about, "nbformat": 4, "nbformat_minor": 5}


def _cell(kind: str, text: str) -> dict[str, Any]:
    return {"cell_type": kind, "metadata": {}, "source": text, **({"execution_count": None, "outputs": []} if kind == "code" else {})}


def executed(source: str, folder: Path) -> dict[str, Any]:
    """The notebook of a script, its cells run in `folder` (empty; it gets configs/)."""
    import nbformat
    from nbclient import NotebookClient

    shutil.copytree(ROOT / "configs", folder / "configs")
    os.environ["PYTHONPATH"] = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])  # the kernel's too
    book = nbformat.from_dict(unrun(source))
    # what a widget draws is no part of the file: it would be the viewer's whole code, and nothing to draw
    NotebookClient(book, timeout=900, store_widget_state=False, resources={"metadata": {"path": str(folder)}}).execute()
    for cell in book.cells:
        cell.metadata.pop("execution", None)
        for output in cell.get("outputs", []):
            output.get("data", {}).pop("application/vnd.jupyter.widget-view+json", None)
    return json.loads(nbformat.writes(book))


def kinds(book: dict[str, Any]) -> list[list[str]]:
    """What each code cell showed, as kinds of data."""
    return [[kind for o in cell["outputs"] for kind in sorted(o.get("data", {o["output_type"]: 0}))] for cell in book["cells"] if cell["cell_type"] == "code"]


def main(words: list[str]) -> int:
    """Write or check the named notebooks, by default all."""
    check, wanted = "--check" in words, [w for w in words if w != "--check"] or names()
    unknown = [w for w in wanted if w not in names()]
    if unknown:
        print(f"no notebook '{unknown[0]}'; there are {', '.join(names())}", file=sys.stderr)
        return 2
    if missing():
        print(f"needs {', '.join(missing())}: pip install {' '.join(missing())}", file=sys.stderr)
        return 2
    good = True
    for name in wanted:
        path = SCRIPTS / f"{name}.ipynb"
        with tempfile.TemporaryDirectory(prefix="notebook-") as place:
            book = executed((SCRIPTS / f"{name}.py").read_text(encoding="utf-8"), Path(place))
        if check:
            good &= path.exists() and kinds(book) == kinds(json.loads(path.read_text(encoding="utf-8")))
        else:
            path.write_text(json.dumps(book, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        print(f"{name}: {'written' if not check else 'as it was' if good else 'would differ'}", flush=True)
    return int(not good)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
