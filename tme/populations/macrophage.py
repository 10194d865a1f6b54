"""Tumour-associated macrophages on a continuous M2-M1 axis."""

from __future__ import annotations

from tme.core.population import Column, Population


class Macrophage(Population):
    """Macrophages: polarisation m1 (0 = M2, 1 = M1) and the particles they have taken up."""

    kind = "macrophage"
    code = 3
    columns = (
        Column("heading", "i1", "direction", -1, "reset"),
        Column("speed", "f8", "um/min", 0.75),
        Column("held", "i1", "bool", 0, "reset"),
        Column("m1", "f8", "1", 0.4, about="polarisation, 0 M2 to 1 M1"),
        Column("iron_load", "f8", "uM/min", 0.0, about="labile iron released inside by particles"),
    )
