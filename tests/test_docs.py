"""The documents say what the code says: tables, ids, configs, links."""

import gzip
import importlib.util
import json
import re
from pathlib import Path

import pytest

from tme.model.describe import mechanism_table
from tme.model.registry import parameter_registry

ROOT = Path(__file__).parents[1]
MODEL = (ROOT / "docs" / "model.md").read_text(encoding="utf-8")
PAGES = [ROOT / "README.md", ROOT / "configs" / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def script(name):
    spec = importlib.util.spec_from_file_location(name, ROOT / "docs" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def make_tables():
    return script("make_tables")


def test_tables_of_the_model_page_are_up_to_date(make_tables):
    assert make_tables.render(MODEL) == MODEL, "run `python docs/make_tables.py`"


def test_the_readme_counts_its_numbers_as_they_are(make_tables):
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "<!-- count -->Of the" in text
    assert make_tables.render_readme(text) == text, "run `python docs/make_tables.py`"


def test_the_page_of_the_main_result_says_what_its_stored_study_found(tmp_path):
    made = script("make_robustness")
    found, page = json.loads(made.SUMMARY.read_text(encoding="utf-8")), made.PAGE.read_text(encoding="utf-8")
    assert set(re.findall(r"<!-- made: (\S+) -->", page)) == set(made.blocks(found))
    assert made.render(page, found) == page, "run `python docs/make_robustness.py`"
    readme = made.README.read_text(encoding="utf-8")
    assert "<!-- robust -->Over " in readme and made.render_readme(readme, found) == readme, "run `python docs/make_robustness.py`"
    assert len(gzip.decompress(made.RESULTS.read_bytes()).splitlines()) == found["made"]["simulations"]
    made.draw(found, tmp_path / "robustness.png", dpi=40)
    assert (tmp_path / "robustness.png").stat().st_size > 5_000


def test_every_table_that_can_be_made_is_on_the_page(make_tables):
    assert set(re.findall(r"<!-- table: (\S+) -->", MODEL)) == set(make_tables.makers())


def test_every_parameter_is_named_on_the_page():
    missing = [f"{g}.{p.name}" for g, s in parameter_registry().items() for p in s if f"| `{p.name}` |" not in MODEL]
    assert not missing


def test_every_mechanism_id_is_explained_on_the_page():
    missing = [row["id"] for row in mechanism_table() if f"| {row['id']} |" not in MODEL]
    assert not missing


def test_every_config_has_its_paragraph():
    text = (ROOT / "configs" / "README.md").read_text(encoding="utf-8")
    told = set(re.findall(r"^### `(\w+)`", text, re.MULTILINE))
    assert told == {p.stem for p in (ROOT / "configs").glob("*.yaml")}


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_relative_links_lead_somewhere(page):
    links = re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8"))
    broken = [t for t in links if "://" not in t and not (page.parent / t).exists()]
    assert not broken


def test_every_factor_of_credibility_and_element_of_trace_links_its_evidence():
    text = (ROOT / "docs" / "credibility.md").read_text(encoding="utf-8").partition("## Credibility factors")[2]
    rows = [line for line in text.splitlines() if line.startswith("| **")]
    assert len(rows) == 13 + 8
    assert [r for r in rows if "](" not in r] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_named_files_and_folders_exist(page):
    """Code spans that look like a path of this repository."""
    named = re.findall(r"`((?:tme|tests|configs|docs|benchmarks)/[\w/.*-]+)`", page.read_text(encoding="utf-8"))
    assert not [n for n in named if not list(ROOT.glob(n))]


def test_what_the_continuous_integration_runs_exists():
    text = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    named = re.findall(r"tests/[\w/]+(?:\.py)?", text)
    assert len(named) > 5 and not [n for n in named if not (ROOT / n).exists()]


def test_the_continuous_integration_runs_what_is_skipped_without_a_browser_or_a_widget():
    """By default these are skipped: a file that nothing names would be run nowhere."""
    text, needs = (ROOT / ".ci" / "run").read_text(encoding="utf-8"), re.compile(r'importorskip\("(?:playwright|anywidget)')
    files = [p.relative_to(ROOT).as_posix() for p in (ROOT / "tests").rglob("test_*.py") if needs.search(p.read_text(encoding="utf-8"))]
    assert len(files) > 5 and not [f for f in files if f not in text]
