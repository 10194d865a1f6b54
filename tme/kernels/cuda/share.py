"""Scalar laws compiled for the processor, compiled again for the device: no law is written twice."""

from __future__ import annotations

from types import FunctionType
from typing import Any

from numba import cuda

_done: dict[Any, Any] = {}


def device_law(law: Any) -> Any:
    """The device function of a compiled law, with every law it calls, at any depth, exchanged for its own."""
    if law in _done:
        return _done[law]
    plain = law.py_func
    names = {
        name: device_law(value)
        for name, value in plain.__globals__.items()
        if name in plain.__code__.co_names and hasattr(value, "py_func")
    }
    twin = FunctionType(
        plain.__code__, {**plain.__globals__, **names}, plain.__name__, plain.__defaults__, plain.__closure__
    )
    twin.__module__, twin.__doc__ = plain.__module__, plain.__doc__
    _done[law] = cuda.jit(device=True)(twin)
    return _done[law]
