"""Mutants: a change of config that takes away what a target rests on, so that the target must miss (`tme targets --ablate`)."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Mutant:
    """What is broken, in words, and the sections of an experiment file that break it."""

    name: str
    change: Mapping[str, Any] = field(hash=False)


_changes: list[Mapping[str, Any]] = []  # in force now


def mutated(sections: Mapping[str, Any]) -> dict[str, Any]:
    """The sections of an experiment file with the mutant in force on top of them, mapping by mapping."""
    out = dict(sections)
    for change in _changes:
        out = _laid_over(out, change)
    return out


def _laid_over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    out = dict(below)
    for key, value in above.items():
        former = out.get(key)
        out[key] = _laid_over(former, value) if isinstance(former, Mapping) and isinstance(value, Mapping) else value
    return out


def parameters(group: str) -> dict[str, float]:
    """What the mutant in force says of the parameters of one group of laws."""
    return dict(mutated({}).get("mechanisms", {}).get(group, {}))


@contextmanager
def under(mutant: Mutant) -> Iterator[None]:
    """Every model that a check builds has the mutant's change; what checks keep of earlier models is forgotten, before and after."""
    _changes.append(mutant.change)
    forget()
    try:
        yield
    finally:
        _changes.remove(mutant.change)
        forget()


def forget() -> None:
    """Drop what checks have kept of models that they share."""
    for name, module in list(sys.modules.items()):
        if name.startswith("tme.targets."):
            for value in vars(module).values():
                if hasattr(value, "cache_clear") and value.__module__ == name:
                    value.cache_clear()
