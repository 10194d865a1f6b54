"""What importing the package sets up."""

import os
import subprocess
import sys
import tomllib
from fnmatch import fnmatch
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_compiled_code_is_kept_by_the_digest_of_its_sources_also_where_numba_came_first(tmp_path):
    """In the source tree numba would not notice an edit of another file."""
    env = {k: v for k, v in os.environ.items() if k != "NUMBA_CACHE_DIR"} | {"XDG_CACHE_HOME": str(tmp_path)}
    code = "import numba, tme; from tme.kernels.movement import grant; print(grant._cache._cache_path)"
    done = subprocess.run([sys.executable, "-c", code], env=env | {"NUMBA_DISABLE_JIT": "0"}, capture_output=True, text=True, check=True)
    assert done.stdout.startswith(f"{tmp_path}/tme/kernels/movement-")


def test_a_wheel_takes_every_file_of_the_package_along():
    """Modules in packages, and data that a pattern of its package names; a pattern does not reach into folders."""
    patterns = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]
    left = []
    for path in (p for p in (ROOT / "tme").rglob("*") if p.is_file() and "__pycache__" not in p.parts):
        package = next(f for f in path.parents if (f / "__init__.py").exists())
        inside, name = path.relative_to(package).as_posix(), package.relative_to(ROOT).as_posix().replace("/", ".")
        mine = ["*.py", *patterns["*"], *patterns.get(name, ())]
        if not any(fnmatch(inside, m) and inside.count("/") == m.count("/") for m in mine):
            left.append(path.relative_to(ROOT).as_posix())
    assert left == []
