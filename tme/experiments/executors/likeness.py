"""Which workers may compute one run: those whose code is ours and whose processors give the same bits."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

CODE = ("tme", "source_sha256")  # always as here
LIBRARIES = ("python", "numpy", "numba", "llvmlite", "scipy")
PROCESSOR = ("processor", "features")


@cache
def _facts() -> tuple[tuple[str, str], ...]:
    from tme.experiments.provenance import machine, source_digest, versions

    known, here = versions(), machine()
    out = {name: known.get(name, "none") for name in ("tme", *LIBRARIES)}
    out |= {"source_sha256": source_digest(), "processor": here["cpu"], "features": here["features"]}
    return tuple(out.items())


def facts() -> dict[str, str]:
    """What the bits of this process depend on: versions, sources, processor model and features."""
    return dict(_facts())


def differences(found: Mapping[str, str], code: Mapping[str, str], processor: Mapping[str, str]) -> tuple[list[str], list[str]]:
    """What forbids a worker, and what only makes its last digits its own: in words.

    `found` are its facts, `code` those of the caller, `processor` those of the processor that the run is computed on.
    """
    forbidden = [f"{_called(k)} {_short(found, k)} instead of {_short(code, k)}" for k in CODE if found.get(k) != code.get(k)]
    unlike = [f"{_called(k)} {_short(found, k)} instead of {_short(code, k)}" for k in LIBRARIES if found.get(k) != code.get(k)]
    if found.get("processor") != processor.get("processor"):
        unlike.append(f"processor {found.get('processor')} instead of {processor.get('processor')}")
    elif found.get("features") != processor.get("features"):
        theirs, ours = (set(str(f.get("features", "")).split()) for f in (found, processor))
        lacks, has = " ".join(sorted(ours - theirs)), " ".join(sorted(theirs - ours))
        unlike.append("processor features: " + ", ".join(t for t in (lacks and f"lacks {lacks}", has and f"has {has} besides") if t))
    return forbidden, unlike


def _called(key: str) -> str:
    return "sources of tme" if key == "source_sha256" else key


def _short(of: Mapping[str, Any], key: str) -> str:
    value = str(of.get(key, "unknown"))
    return value[:8] if key == "source_sha256" else value
