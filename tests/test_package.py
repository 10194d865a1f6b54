"""What importing the package sets up."""

import os
import subprocess
import sys


def test_compiled_code_is_kept_by_the_digest_of_its_sources_also_where_numba_came_first(tmp_path):
    """In the source tree numba would not notice an edit of another file."""
    env = {k: v for k, v in os.environ.items() if k != "NUMBA_CACHE_DIR"} | {"XDG_CACHE_HOME": str(tmp_path)}
    code = "import numba, tme; from tme.kernels.movement import grant; print(grant._cache._cache_path)"
    done = subprocess.run([sys.executable, "-c", code], env=env | {"NUMBA_DISABLE_JIT": "0"}, capture_output=True, text=True, check=True)
    assert done.stdout.startswith(f"{tmp_path}/tme/kernels/movement-")
