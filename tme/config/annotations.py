"""What a type annotation holds: parts of the schema and of library entries are found by walking it."""

from __future__ import annotations

import types
import typing
from typing import Any


def bare(kind: Any, data: Any) -> Any:
    """An annotation without Annotated and Optional; a union of models by the data's `kind`."""
    while typing.get_origin(kind) is typing.Annotated:
        kind = typing.get_args(kind)[0]
    if typing.get_origin(kind) in (typing.Union, types.UnionType):
        options = [bare(a, data) for a in typing.get_args(kind) if a is not type(None)]
        tag = data.get("kind") if isinstance(data, dict) else None
        for option in options:
            own = getattr(option, "model_fields", {}).get("kind") if isinstance(option, type) else None
            if own is not None and tag in typing.get_args(own.annotation):
                return option
        return options[0]
    return kind


def inside(kind: Any) -> Any:
    """What a mapping or list holds."""
    args = typing.get_args(kind)
    if typing.get_origin(kind) is dict:
        return args[1]
    return args[0] if typing.get_origin(kind) in (tuple, list) else None
