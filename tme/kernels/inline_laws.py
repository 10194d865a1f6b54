"""Sweeps that are written without their laws, and get them by name."""

from __future__ import annotations

import types
from collections.abc import Callable
from typing import Any


def with_laws(sweep: Callable[..., Any], file: str, **laws: Callable[..., Any]) -> Callable[..., Any]:
    """`sweep`, in which the names of `laws` mean these functions; to be compiled by `jit.serial`.

        strike = serial(with_laws(contacts.strike, __file__, effector_function=effector_function))

    Laws become constants of the sweep, so that they are inlined. `file`, where the laws stand, becomes the file it
    is compiled from: compiled code is kept by that file and all it imports (`source_digest`), the sweep's own among them, and
    under a name that tells which laws it was given.
    NameError if the sweep does not use a law of that name.
    """
    unused = set(laws) - set(sweep.__code__.co_names)
    if unused:
        raise NameError(f"{sweep.__name__} uses no law {sorted(unused)}")
    code = sweep.__code__.replace(co_filename=file)
    bound = types.FunctionType(code, {**sweep.__globals__, **laws}, sweep.__name__, sweep.__defaults__)
    bound.__module__, bound.__doc__ = sweep.__module__, sweep.__doc__
    bound.__qualname__ = "-".join((sweep.__qualname__, *(laws[name].__qualname__ for name in sorted(laws))))
    return bound
