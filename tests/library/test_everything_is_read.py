"""A number that nothing reads is a lie about the model: every parameter and library key is used somewhere."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import tme
from tme.library import cells, load_library
from tme.model import parameter_registry

SOURCES = sorted(Path(tme.__file__).parent.rglob("*.py"))
GROUPS = parameter_registry()


@pytest.fixture(scope="module")
def names_read() -> set[str]:
    """Every name read as an attribute, or named as text outside of a parameter's own declaration."""
    found = set()
    for path in SOURCES:
        tree = ast.parse(path.read_text())
        declared = set()
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "par":
                declared |= {id(n) for n in ast.walk(node)}
        for node in ast.walk(tree):
            if id(node) in declared:
                continue
            if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
                found.add(node.attr)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.add(node.value)
    return found


@pytest.mark.parametrize("group", sorted(GROUPS))
def test_every_parameter_of_a_group_is_read(group, names_read):
    library = load_library()
    named = {name for entry in library.cells.values() for name in entry.parameters.values()} | {e.half_uptake for e in library.fields.values()}
    unread = [p.name for p in GROUPS[group] if p.name not in names_read and f"{group}.{p.name}" not in named]
    assert not unread, unread


def test_cell_types_name_parameters_that_exist_in_their_unit():
    for kind, entry in load_library().cells.items():
        for key, name in entry.parameters.items():
            group, _, parameter = name.partition(".")
            assert parameter in GROUPS[group], f"{kind}.{key}: {name}"
            part = entry
            for step in key.split(".")[:-1]:
                part = part[int(step)] if step.isdigit() else getattr(part, step)
            unit = type(part).unit_of(key.split(".")[-1])
            assert unit in ("*", GROUPS[group].parameters[parameter].unit), f"{kind}.{key}: {unit}"


PARTS = sorted(cells.CellPart.__subclasses__(), key=lambda c: c.__name__)


@pytest.mark.parametrize("part", PARTS, ids=lambda c: c.__name__)
def test_every_key_of_a_cell_type_is_read(part, names_read):
    unread = [key for key in part.model_fields if key not in names_read]
    assert not unread, unread
