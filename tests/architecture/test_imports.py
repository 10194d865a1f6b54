"""Imports point one way, without circles; files stay readable.

A file directly under `tme/` belongs to the package that `HOME` names. Every import counts, wherever in a file it
stands: a late one hides a circle and does not mend it.
"""

from __future__ import annotations

import ast
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2] / "tme"
HOME = {"precompile": "experiments", "__main__": "cli"}
# What each package may import of the others; the laws never import each other: they meet in columns, fields and terms.
BASE = {"kernels", "core", "library", "config"}
LAWS = {"populations", "rules", "pathways", "mechanisms", "therapy", "readouts"}
MODEL = {*BASE, *LAWS, "model"}
ABOVE = {*MODEL, "statistics", "spatial", "experiments", "studies"}
MAY_IMPORT: dict[str, set[str]] = {
    "kernels": set(),
    "statistics": set(),
    "core": {"kernels"},
    "spatial": {*BASE, "statistics"},
    "library": {"kernels", "core"},
    "config": {"kernels", "core", "library"},
    **dict.fromkeys(LAWS, BASE),
    "model": {*BASE, *LAWS, "statistics"},
    "experiments": {*MODEL, "statistics", "spatial"},
    "studies": {*MODEL, "statistics", "spatial", "experiments"},
    "importing": {*MODEL, "experiments", "viz"},
    "exporting": {*MODEL, "experiments"},
    "targets": ABOVE,
    "bench": ABOVE,
    "viz": {"statistics", "spatial"},
    "cli": {*ABOVE, "exporting", "targets", "bench", "viz", "importing"},
}
OUTSIDE = {"kernels": {"numpy", "numba", "scipy", "llvmlite"}, "statistics": {"numpy", "numba", "scipy"}}
HEAVY = {"matplotlib", "pandas", "scipy", "mesa", "numba", "numpy", "h5py", "pydantic", "ruamel"}


@cache
def modules() -> dict[str, Path]:
    """Every file of the package by its dotted name; `__init__` files carry the name of their folder."""
    out = {}
    for path in sorted(ROOT.rglob("*.py")):
        parts = path.relative_to(ROOT.parent).with_suffix("").parts
        out[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return out


@cache
def imports(path: Path) -> frozenset[str]:
    """What a file imports anywhere: modules of `tme` by their full name, others by the name given."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {a.name for a in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            inner = {f"{node.module}.{a.name}" for a in node.names}
            known = inner & set(modules())
            found |= known | ({node.module} if known != inner else set())
    return frozenset(found)


def package(module: str) -> str:
    """The package a module belongs to; "" is `tme/__init__.py`, the face that every part may ask for the version."""
    parts = module.split(".")
    if len(parts) == 1:
        return ""
    return HOME.get(parts[1], parts[1])


def edges() -> list[tuple[str, str]]:
    """(importing module, imported module) within the package, the face left out."""
    return [(m, i) for m, path in modules().items() for i in sorted(imports(path)) if i in modules() and i != m and package(m) and package(i)]


def circles(graph: dict[str, set[str]]) -> list[list[str]]:
    """Groups of two and more nodes each of which leads to all others of its group."""
    reach = {node: set(after) for node, after in graph.items()}
    for middle in graph:
        for after in reach.values():
            if middle in after:
                after |= reach[middle]
    groups = {frozenset(b for b in reach[a] if a in reach.get(b, ())) for a in graph if a in reach[a]}
    return sorted(sorted(g) for g in groups if len(g) > 1)


def graph_of(pairs: list[tuple[str, str]]) -> dict[str, set[str]]:
    """The pairs as sets of followers; every node is a key."""
    graph: dict[str, set[str]] = {}
    for a, b in pairs:
        graph.setdefault(a, set()).add(b)
        graph.setdefault(b, set())
    return graph


def test_every_folder_and_file_has_its_place_in_the_layout():
    assert {package(m) for m in modules() if package(m)} <= set(MAY_IMPORT)


@pytest.mark.parametrize("name", sorted(MAY_IMPORT))
def test_a_package_imports_only_what_the_layout_allows(name):
    wrong = [f"{a} imports {b}" for a, b in edges() if package(a) == name and package(b) not in MAY_IMPORT[name] | {name}]
    assert not wrong, wrong


def test_no_circle_runs_through_the_layout():
    assert circles({name: set(after) for name, after in MAY_IMPORT.items()}) == []


def test_no_packages_import_each_other():
    pairs = [(package(a), package(b)) for a, b in edges() if package(a) != package(b)]
    assert circles(graph_of(pairs)) == []


def test_no_files_import_each_other_in_a_circle():
    assert circles(graph_of(edges())) == []


def test_a_circle_is_found():
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"a", "d"}, "d": set()}) == [["a", "b", "c"]]
    assert circles({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == []


@pytest.mark.parametrize("name", sorted(OUTSIDE))
def test_numbers_in_numbers_out_needs_only_these_libraries(name):
    wrong = []
    for module, path in modules().items():
        if package(module) == name:
            roots = {i.split(".")[0] for i in imports(path)} - set(sys.stdlib_module_names) - {"tme"}
            wrong += [f"{module} imports {r}" for r in sorted(roots - OUTSIDE[name])]
    assert not wrong, wrong


def test_figures_are_drawn_in_viz_alone():
    wrong = [m for m, path in modules().items() if package(m) != "viz" and any(i.split(".")[0] == "matplotlib" for i in imports(path))]
    assert wrong == []


def test_the_command_line_imports_the_heavy_parts_late():
    names = set()
    for path in (ROOT / "cli").glob("*.py"):
        top = [n for n in ast.parse(path.read_text()).body if isinstance(n, (ast.Import, ast.ImportFrom))]
        names |= {(n.names[0].name if isinstance(n, ast.Import) else n.module).split(".")[0] for n in top}
    assert not names & HEAVY, names


def test_no_file_grows_beyond_420_lines():
    long = {str(p.relative_to(ROOT)): n for p in ROOT.rglob("*.py") if (n := len(p.read_text().splitlines())) > 420}
    assert not long, long
