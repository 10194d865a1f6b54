"""Spatial statistics of cells, measured or simulated.

    >>> from tme import spatial                                                       # doctest: +SKIP
    >>> of = spatial.read("field.csv").groups[""]                                     # doctest: +SKIP
    >>> spatial.enrichment(of).table()                                                # doctest: +SKIP
    >>> spatial.correlation(of, far_um=100).g                                         # doctest: +SKIP

Lengths are um, cells are `Cells`: points with types in a window. The same functions take tables (`read`), snapshots of a run
(`runs`) and a simulation's own table (`names.of_table`).
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_LATE = {
    "analysis": ("Ask", "Sample", "analyse"),
    "cell": ("Cells", "SpatialError", "cells"),
    "pair_correlation": ("Correlation", "correlation"),
    "deaths": ("clusters", "front", "propagation_index"),
    "distances": ("nearest", "nearest_um"),
    "contact": ("Enrichment", "enrichment"),
    "margin": ("profile", "region"),
    "marks": ("Weighted", "weighted"),
    "mixing_score": ("assortativity", "mixing"),
    "names": ("values",),
    "neighbourhood": ("Graph", "neighbours"),
    "niche": ("Niches", "niches"),
    "tables": ("Reading", "read"),
    "window": ("Window", "around", "box"),
}
_HOME = {name: module for module, names in _LATE.items() for name in names}


def __getattr__(name: str) -> Any:
    """Import a part on first use: what only wants one of them does without the others."""
    if name in _HOME:
        return getattr(import_module(f"tme.spatial.{_HOME[name]}"), name)
    raise AttributeError(f"module 'tme.spatial' has no attribute {name!r}")


__all__ = sorted(_HOME)
