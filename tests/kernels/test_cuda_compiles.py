"""Every device kernel compiles to machine code for an H100 (sm_90), with NVIDIA's compiler and without a device.

Skipped where numba-cuda and its toolkit (the extra `cuda`) are not installed.
"""

from __future__ import annotations

from importlib import metadata
from types import SimpleNamespace

import numba
import pytest
from numba import types

try:
    metadata.version("numba-cuda")
except metadata.PackageNotFoundError:
    pytest.skip("numba-cuda is not installed", allow_module_level=True)
if numba.config.ENABLE_CUDASIM:
    pytest.skip("the simulator does not compile", allow_module_level=True)

from numba import cuda

from tme.kernels.cuda import stencil
from tme.pathways.ferroptosis import PARAMETERS, PATHWAY
from tme.pathways.store import device_kernel

f8, i8 = types.float64, types.int64
row, table, index, mask = f8[::1], f8[:, ::1], i8[:, ::1], types.uint8[::1]
geo, k, faces = types.UniTuple(i8, 6), types.UniTuple(f8, 3), types.UniTuple(f8, 6)
SIGNATURES = {
    "prepare": (*(row,) * 9, mask, i8, f8, f8, f8, f8, geo, k, faces),
    "start": (*(row,) * 5, mask, i8, geo, k, table),
    "direction": (row, row, row),
    "apply": (row, row, row, mask, i8, geo, k, table),
    "shrink": (*(row,) * 6, table),
    "clip": (row,),
    "budget": (row, row, row, table),
    "fold": (table, table),
    "conclude": (table, row, i8),
    "coarsen": (row, row, row, row, geo, geo, k, f8, f8, f8),
    "leave": (row, row, row, geo, k),
    "restrict": (row, row, geo, geo, index, table, index, table, index, table),
    "interpolate": (row, row, row, row, geo, geo, k, index, index, index),
    "scale": (row, row, row, table),
    "sweep": (row, row, row, row, geo, k, table),
}


@pytest.fixture(autouse=True)
def no_device(monkeypatch):
    """Device functions ask the device for its capability: an H100's is answered for it."""
    from numba.cuda import dispatcher

    monkeypatch.setattr(dispatcher, "get_current_device", lambda: SimpleNamespace(compute_capability=(9, 0)))


def test_every_kernel_of_the_solver_is_listed():
    kernels = {n for n, f in vars(stencil).items() if hasattr(f, "py_func") and not f.targetoptions.get("device")}
    assert kernels == set(SIGNATURES)


@pytest.mark.parametrize("name", sorted(SIGNATURES))
def test_a_field_kernel_compiles(name):
    text, _ = cuda.compile_ptx(getattr(stencil, name).py_func, SIGNATURES[name], device=False, cc=(9, 0))
    assert ".visible .entry" in text


def test_the_chemistry_compiles():
    parameters = numba.typeof(PARAMETERS.build())
    text, _ = cuda.compile_ptx(device_kernel(PATHWAY).step_cells.py_func, (row, i8, parameters), device=False, cc=(9, 0))
    assert "sqrt.rn.f64" in text
