"""Cells sense the fields of their voxel, each at the clock of that field."""

from __future__ import annotations

from tme.core.mechanism import Mechanism, Phase
from tme.kernels import threads
from tme.kernels.transfer import read

SENSED = {"oxygen": "oxygen", "cystine": "cystine", "ifng": "ifng", "peroxide": "peroxide", "arachidonic": "aa"}


class Sensing(Mechanism):
    """Gather oxygen, cystine, IFN-gamma, peroxide (and arachidonic acid) at every tumour cell."""

    name = "sensing"
    switchable = False
    phase = Phase.SENSE
    ids = ("M02",)
    about = "tumour cells sense their voxel"

    def __init__(self, model) -> None:
        super().__init__(model)
        there = [name for name in SENSED if name in model.fields]
        self.reads = ("tumour.voxel", *(f"field.{name}.concentration" for name in there))
        self.writes = tuple(f"tumour.{SENSED[name]}" for name in there)
        self.sensed = [(model.clock[name], model.fields[name], SENSED[name]) for name in there]

    def step(self, model) -> None:
        """Gather the fields that were solved this tick."""
        self.gather(model, only_solved=True)

    def gather(self, model, only_solved: bool) -> None:
        """Gather all sensed fields, or those whose clock struck."""
        t = model.tumour
        steps: list[threads.Call] = [
            (read, (t.col.voxel, field.read_view, getattr(t.col, column)))
            for every, field, column in self.sensed
            if not only_solved or model.tick % every == 0
        ]
        if steps:
            threads.over_rows(threads.in_sequence, t.n, *steps)
