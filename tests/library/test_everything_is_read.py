"""A number that nothing reads is a lie about the model: every parameter and library key is used somewhere."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import tme
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
    unread = [p.name for p in GROUPS[group] if p.name not in names_read]
    assert not unread, unread
