"""Dendritic cells, immature until DAMPs and antigen mature them; mature ones leave for the lymph node."""

from __future__ import annotations

from tme.core.population import Column, Population


class Dendritic(Population):
    """Dendritic cells."""

    kind = "dendritic"
    code = 4
    columns = (
        Column("heading", "i1", "direction", -1, "reset"),
        Column("speed", "f8", "um/min", 2.5),
        Column("held", "i1", "bool", 0, "reset"),
        Column("mature", "i1", "bool", 0, "reset"),
        Column("mature_tick", "i4", "tick", -1, "reset"),
        Column("antigen", "f8", "1", 0.0, "reset", about="tumour antigen taken up, 0-1"),
        Column("blunting", "f8", "1", 0.0, "reset", about="oxidised lipid met, lowers cross-presentation"),
    )
