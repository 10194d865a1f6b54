"""The table "to add X, touch Y, test Z" of CONTRIBUTING.md, row by row."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tme import mechanisms, pathways, therapy
from tme.cli import app
from tme.library import load_library
from tme.library.kinds import KINDS

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| (an? .*?) \| (.*?) \| (.*?) \|$", TEXT, re.MULTILINE)


def names_in(module_path: Path, base: str) -> set[str]:
    """Classes of a file that inherit from `base` and have a name in the plan."""
    found = [n for n in ast.parse(module_path.read_text()).body if isinstance(n, ast.ClassDef) and any(getattr(b, "id", "") == base for b in n.bases)]
    return {n.name for n in found if any(isinstance(b, ast.Assign) and getattr(b.targets[0], "id", "") == "name" for b in n.body)}


def laws_of(folder: str) -> set[str]:
    return {name for path in (ROOT / "tme" / folder).glob("*.py") for name in names_in(path, "Mechanism")}


def test_the_table_has_its_rows():
    assert len(ROWS) > 18


@pytest.mark.parametrize(("what", "touch", "test"), ROWS, ids=[r[0] for r in ROWS])
def test_what_a_row_names_is_there(what, touch, test):
    for path in re.findall(r"`(tme/[\w/.]+)`", touch):
        assert (ROOT / path).exists(), path
    (name,) = re.findall(r"`(tests/[\w/.:]+)`", test)
    path, _, function = name.partition("::")
    assert (ROOT / path).exists(), path
    if function:
        assert re.search(rf"^def {function}\(", (ROOT / path).read_text(), re.MULTILINE), function


@pytest.mark.parametrize("kind", KINDS, ids=lambda k: k.name)
def test_every_kind_of_entry_has_its_row_and_its_file(kind):
    assert any(f"`tme/library/{kind.name}.yaml`" in touch for _, touch, _ in ROWS)
    assert load_library().entries[kind.name]


@pytest.mark.parametrize(("folder", "listed"), [("mechanisms", mechanisms.MECHANISMS), ("therapy", therapy.THERAPIES), ("pathways", pathways.entries(load_library().cells))])
def test_a_law_is_in_the_plan_by_its_line_in_the_package(folder, listed):
    laws = laws_of(folder) - {"PathwayEntry", "PathwayDeath"}
    assert laws and laws <= {cls.__name__ for cls in listed}


def test_a_command_is_a_file_and_a_line():
    files = {p.stem for p in (ROOT / "tme" / "cli").glob("*.py")} - {"__init__", "shared", "study", "text"}
    files -= {f for f in files if f.startswith("import_")}  # commands of a group
    assert {"list" if f == "listing" else f for f in files} == {c.name for c in app.registered_commands}
    assert [g.name for g in app.registered_groups] == ["import"]
