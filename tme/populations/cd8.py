"""CD8 T cells specific for the tumour."""

from __future__ import annotations

from tme.core.population import Column, Population


class Cd8(Population):
    """Effector CD8 T cells: searching, engaged, exhausted."""

    kind = "cd8"
    code = 2
    columns = (
        Column("heading", "i1", "direction", -1, "reset"),
        Column("speed", "f8", "um/min", 3.0, about="present speed: slow or fast mode"),
        Column("engaged", "i1", "bool", 0, "reset"),
        Column("target_uid", "u8", "1", 0, "reset"),
        Column("target_voxel", "i4", "1", -1, "reset"),
        Column("function", "f8", "1", 1.0, about="effector function left by exhaustion, PD-1 and suppression"),
        Column("pd1_signal", "f8", "1", 0.0, "reset", about="ligand met times PD-1 left free, 0 to about 1"),
        Column("exhaustion", "f8", "1", 0.0, about="0 naive to 1 terminally exhausted"),
        Column("kills", "i4", "1", 0, "reset"),
    )
