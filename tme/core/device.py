"""Where fields and chemistry are computed: the processor ("cpu"), or a CUDA device ("cuda").

The device is an option: nothing here imports its package before a device is asked for.
"""

from __future__ import annotations

import os
from importlib import metadata
from typing import Any

CPU, CUDA = "cpu", "cuda"
DEVICES = (CPU, CUDA)
SIMULATOR = "numba's CUDA simulator"


class DeviceError(Exception):
    """The device asked for is not there; the message says why and what to do."""

    exit_code = 2


def check(device: str) -> str:
    """What will compute; DeviceError where it cannot. The processor is always there."""
    if device not in DEVICES:
        raise DeviceError(f"--device {device}: unknown device; expected one of {', '.join(DEVICES)}")
    if device == CPU:
        return CPU
    # the coarse lattices of a solve are small by nature; numba.cuda reads this when it is imported
    os.environ.setdefault("NUMBA_CUDA_LOW_OCCUPANCY_WARNINGS", "0")
    import numba

    if numba.config.ENABLE_CUDASIM:
        return SIMULATOR
    try:
        metadata.version("numba-cuda")
        from numba import cuda
    except (metadata.PackageNotFoundError, ImportError) as error:
        raise DeviceError(
            "--device cuda: the package numba-cuda is missing (pip install 'tme[cuda]'); --device cpu needs nothing"
        ) from error
    if not cuda.is_available():
        raise DeviceError(
            "--device cuda: no CUDA device was found (is there an NVIDIA GPU, and does `nvidia-smi` list it?); "
            "--device cpu needs none"
        )
    name = cuda.get_current_device().name
    return name.decode() if isinstance(name, bytes) else str(name)


def workspace(device: str, shape: tuple[int, int, int], periodic: tuple[bool, bool, bool]) -> Any:
    """The field solver's scratch arrays for one lattice, on the processor or on the device."""
    if device == CPU:
        from tme.kernels.multigrid import Workspace

        return Workspace(shape, periodic)
    check(device)
    from tme.kernels.cuda.solver import CudaWorkspace

    return CudaWorkspace(shape, periodic)
