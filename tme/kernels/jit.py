"""The compiler settings every kernel of the package shares.

`serial` compiles a kernel; it runs on the thread that calls it, without Python's lock, so that a `team` can call
it on several. `rule` compiles a scalar law; LLVM inlines it into the kernels that use it.

fastmath stays off and the error model is numpy's (no branch per division), which keeps results
identical between scalar and vector code.
"""

from __future__ import annotations

import numba

SETTINGS = {"error_model": "numpy", "cache": True, "no_cfunc_wrapper": True}
rule = numba.njit(**SETTINGS)
serial = numba.njit(**SETTINGS, nogil=True)
