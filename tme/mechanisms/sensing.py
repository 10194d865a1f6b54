"""Cells sense the fields of their voxel, each at the clock of that field."""

from __future__ import annotations

from tme.core.mechanism import Mechanism, Phase
from tme.kernels.jit import serial

SENSED = {"oxygen": "oxygen", "cystine": "cystine", "ifng": "ifng", "peroxide": "peroxide", "arachidonic": "aa"}


@serial
def sense(n, voxel, concentration, out):
    """out[i] = concentration at the cell's voxel."""
    for i in range(n):
        out[i] = concentration[voxel[i]]


class Sensing(Mechanism):
    """Gather oxygen, cystine, IFN-gamma, peroxide (and arachidonic acid) at every tumour cell."""

    name = "sensing"
    switchable = False
    phase = Phase.SENSE
    ids = ("M02",)
    about = "tumour cells sense their voxel"
    reads = ("field.oxygen", "field.cystine", "field.ifng", "field.peroxide")
    writes = ("tumour.oxygen", "tumour.cystine", "tumour.ifng", "tumour.peroxide", "tumour.aa")

    def step(self, model) -> None:
        """Gather the fields that were solved this tick."""
        self.gather(model, only_solved=True)

    def gather(self, model, only_solved: bool) -> None:
        """Gather all sensed fields, or those whose clock struck."""
        t = model.tumour
        for name, column in SENSED.items():
            if name in model.fields and (not only_solved or model.solved(name)):
                sense(t.n, t.col.voxel, model.fields[name].concentration, getattr(t.col, column))
