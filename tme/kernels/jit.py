"""The compiler settings every kernel of the package shares.

`sweep` compiles a loop over rows or voxels that may run on several threads; thread *i* writes item *i*
only, so the bits do not depend on the thread count. `serial` compiles a loop whose order matters.
`rule` compiles a scalar law; LLVM inlines it into the sweeps that use it.

fastmath stays off and the error model is numpy's (no branch per division), which keeps results
identical between scalar and vector code.
"""

from __future__ import annotations

import numba

SETTINGS = {"error_model": "numpy", "cache": True, "no_cfunc_wrapper": True}
rule = numba.njit(**SETTINGS)
serial = numba.njit(**SETTINGS, nogil=True)
sweep = numba.njit(**SETTINGS, nogil=True, parallel=True)
