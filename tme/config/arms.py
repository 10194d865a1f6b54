"""Arms that use other arms: one flat therapy, or what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

KINDS = ("drugs", "antibodies", "nanoparticles", "events")


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
    """The arm with all that the arms it uses give; everything keeps its own dose and schedule, and adds up."""
    own, given = arms[name], [arms[member] for member in members(arms, name)]
    merged = {kind: tuple(item for arm in given for item in getattr(arm, kind)) for kind in KINDS}
    return own.model_copy(update={**merged, "use": ()})
