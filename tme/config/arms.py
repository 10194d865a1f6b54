"""Arms that use other arms: one flat therapy, or what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

KINDS = ("drugs", "antibodies", "nanoparticles")


def members(arms: Mapping[str, Any], name: str, above: tuple[str, ...] = ()) -> Iterator[str]:
    """The arm's constituents, used ones first, each once. ValueError names a cycle."""
    if name in above:
        raise ValueError(" -> ".join((*above[above.index(name) :], name)))
    seen = set()
    for used in arms[name].use:
        for member in members(arms, used, (*above, name)):
            if member not in seen:
                seen.add(member)
                yield member
    yield name


def resolve(arms: Mapping[str, Any], name: str) -> Any:
    """The arm with the agents of all arms it uses; equal agents at equal doses share one schedule."""
    merged: dict[str, dict[str, Any]] = {kind: {} for kind in KINDS}
    for member in members(arms, name):
        for kind in KINDS:
            for item in getattr(arms[member], kind):
                former = merged[kind].get(item.name)
                if former is not None:
                    item = former.model_copy(update={"day": tuple(sorted({*former.day, *item.day}))})
                merged[kind][item.name] = item
    own = arms[name]
    return own.model_copy(update={**{k: tuple(v.values()) for k, v in merged.items()}, "use": ()})


def disagree(a: Any, b: Any) -> bool:
    """Whether two items of one agent cannot share a schedule."""
    return any(getattr(a, k, None) != getattr(b, k, None) for k in ("dose_mg_kg", "bath_uM", "route"))
