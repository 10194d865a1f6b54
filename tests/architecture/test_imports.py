"""Imports point one way; files stay readable."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2] / "tme"
BELOW = {
    "kernels": {"kernels"},
    "core": {"core", "kernels"},
    "library": {"library", "kernels", "core"},
    "config": {"config", "kernels", "core", "library"},
    "populations": {"populations", "kernels", "core", "library", "config"},
    "mechanisms": {"mechanisms", "kernels", "core", "library", "config"},
    "therapy": {"therapy", "kernels", "core", "library", "config"},
    "readouts": {"readouts", "kernels", "core", "library", "config"},
    "statistics": {"statistics"},
    "viz": {"viz", "statistics"},
}
HEAVY = {"matplotlib", "pandas", "scipy", "mesa", "numba", "numpy", "h5py"}


def imported(path: Path) -> set[str]:
    """Top-level names imported anywhere in a file, tme's as `tme.x`."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {a.name for a in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
            found |= {f"{node.module}.{a.name}" for a in node.names if node.module == "tme"}
    return found


@pytest.mark.parametrize("package", sorted(BELOW))
def test_a_package_imports_only_from_those_below_it(package):
    wrong = []
    for path in (ROOT / package).rglob("*.py"):
        for name in imported(path):
            parts = name.split(".")
            if parts[0] == "tme" and len(parts) > 1 and (ROOT / parts[1]).is_dir() and parts[1] not in BELOW[package]:
                wrong.append(f"{path.relative_to(ROOT)}: {name}")
            if name in ("tme.model", "tme.build", "tme.initial"):
                wrong.append(f"{path.relative_to(ROOT)}: {name}")
    assert not wrong, wrong


def test_kernels_need_only_numpy_and_numba():
    wrong = []
    for path in (ROOT / "kernels").glob("*.py"):
        for name in imported(path):
            if name.split(".")[0] in {"matplotlib", "pandas", "scipy", "mesa", "h5py", "pydantic", "ruamel"}:
                wrong.append(f"{path.name}: {name}")
    assert not wrong, wrong


def test_the_command_line_imports_the_heavy_parts_late():
    top = [n for n in ast.parse((ROOT / "cli.py").read_text()).body if isinstance(n, (ast.Import, ast.ImportFrom))]
    names = {(n.names[0].name if isinstance(n, ast.Import) else n.module).split(".")[0] for n in top}
    assert not names & HEAVY, names


def test_no_file_grows_beyond_420_lines():
    long = {str(p.relative_to(ROOT)): n for p in ROOT.rglob("*.py") if (n := len(p.read_text().splitlines())) > 420}
    assert not long, long
