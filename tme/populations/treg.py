"""Regulatory T cells."""

from __future__ import annotations

from tme.core.population import Column, Population


class Treg(Population):
    """Regulatory T cells: secrete suppressive cytokines."""

    kind = "treg"
    code = 5
    columns = (
        Column("heading", "i1", "direction", -1, "reset"),
        Column("speed", "f8", "um/min", 2.0),
        Column("held", "i1", "bool", 0, "reset"),
    )
