"""What a type annotation holds: parts of the schema and of library entries are found by walking it."""

from __future__ import annotations

import types
import typing
from typing import Any

TAGS = ("kind", "shape")  # keys that tell which member of a union is meant


def bare(kind: Any, data: Any) -> Any:
    """An annotation without Annotated and Optional; a union of models by the data's `kind` or `shape`."""
    while typing.get_origin(kind) is typing.Annotated:
        kind = typing.get_args(kind)[0]
    if typing.get_origin(kind) in (typing.Union, types.UnionType):
        options = [bare(a, data) for a in typing.get_args(kind) if a is not type(None)]
        for option in options:
            for key in TAGS if isinstance(option, type) and isinstance(data, dict) else ():
                own = getattr(option, "model_fields", {}).get(key)
                if own is not None and data.get(key) in typing.get_args(own.annotation):
                    return option
        return options[0]
    return kind


def inside(kind: Any) -> Any:
    """What a mapping or list holds."""
    args = typing.get_args(kind)
    if typing.get_origin(kind) is dict:
        return args[1]
    return args[0] if typing.get_origin(kind) in (tuple, list) else None
