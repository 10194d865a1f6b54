"""Vessels open at the growing rim and collapse in the core; what they carry exchanges with tissue.

A segment is open where its rank is below the factor of its zone, times g where rules act on the density of vessels
(VEGF, rule M108.vessels): g' = (what the rules say at the segment - g) / tau. So vessels that had collapsed open again,
up to the density of the rim. Where rules act on the passage out of vessels (matrix, rule M111.matrix_passage), exchange of drugs
and antibodies and the leak of particles are multiplied by it; this stands for the matrix's hindrance of diffusion.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from tme.core.mechanism import Mechanism, Phase
from tme.core.parameters import ParameterSet, par
from tme.core.terms import Term

PARAMETERS = ParameterSet(
    "vessels",
    par("per_mm2", 75.0, "1/mm^2", 0.0, 400.0, "assumed: vessels 120 um apart (69 to 80 per mm^2), at which oxygen becomes critical in a tumour (Grote, Suesskind and Vaupel 1977, Pflugers Arch 372:37)", "length density of open vessels at the rim, mm/mm^3; in 2D vessels per mm^2 of the slab"),
    par("normal_factor", 0.8, "1", 0.0, 1.0, "assumed: normal tissue a little less dense than the angiogenic rim"),
    par("core_factor", 0.4, "1", 0.0, 1.0, "assumed: 0.3-0.5 of rim vessels stay open in the core"),
    par("rim_um", 300.0, "um", 20.0, 2000.0, "assumed: width of the well-vascularised rim"),
    par("tau_growth_d", 2.0, "d", 0.1, 60.0, "assumed: sprouts carry blood within days", "time within which vessels follow what rules make of their density"),
)
TERMS = (
    Term("vessels.density", "1", "multiplies", ("vessel",), 0.0, 10.0, "the density of vessels"),
    Term("vessels.passage", "1", "multiplies", ("vessel",), 0.0, 10.0, "the passage of drugs, antibodies and particles out of vessels"),
)
Factor = Callable[[np.ndarray], np.ndarray]  # of voxels (n,)


class Vessels(Mechanism):
    """Zone rule of `core.vessels`, applied every few hours."""

    name = "vessels"
    switchable = False
    phase = Phase.DOSE
    about = "vessels open at the rim, collapse in the core; where a rule acts on their density they follow it within days"
    parameters = PARAMETERS
    clock_min = 360.0
    reads: tuple[str, ...] = ("lattice.tissue_row",)

    def __init__(self, model) -> None:
        super().__init__(model)
        self.writes = ("vessels.open", "vessels.voxels", "vessels.weight", "vessels.passage", *(f"field.{name}.exchange" for name in model.vessel_exchange))
        self.model = model
        self.agents = {agent.name for agent in model.therapy.agents}
        self.factor: Factor | None = None  # what rules make of the density at voxels
        self.passage: Factor | None = None  # and of the passage out of vessels
        self.grown = np.ones(len(model.vessels.rank))

    def step(self, model) -> None:
        """Recompute which vessels are open and the exchange array of every field vessels feed."""
        if self.factor is not None:
            aim = model.vessels.of_segments(self.factor(model.vessels.sites))
            self.grown = aim + (self.grown - aim) * math.exp(-self.dt / (1440.0 * self.p.tau_growth_d))
        self.prepare(model)

    def prepare(self, model) -> None:
        """The same, outside the clock: model construction and restarts call it."""
        p = self.p
        model.vessels.update(model.lattice.inside_um(), p.rim_um, p.normal_factor, 1.0, p.core_factor, 1.0 if self.factor is None else self.grown)
        if self.passage is not None:
            model.vessels.passage = self.passage(model.vessels.voxels)
        self.connect(model)

    def connect(self, model) -> None:
        """Exchange where vessels are open, by their length, nowhere else."""
        for field, rate in model.vessel_exchange.items():
            per_weight = model.vessels.rate(rate, model.fields[field].diffusion)
            with model.fields[field].term_writer("exchange", model.scratch) as exchange:
                passed = model.vessels.weight * model.vessels.passage if field in self.agents else model.vessels.weight
                exchange[model.vessels.voxels] = per_weight * passed

    def state_dict(self) -> dict[str, np.ndarray]:
        """How far each segment has followed the rules, and what passes."""
        grown = {} if self.factor is None else {"grown": self.grown.copy()}
        return grown if self.passage is None else {**grown, "passage": self.model.vessels.passage.copy()}

    def load_state(self, state) -> None:
        """Undo `state_dict`."""
        if "grown" in state:
            self.grown = np.array(state["grown"], np.float64)
        if "passage" in state:
            self.model.vessels.passage = np.array(state["passage"], np.float64)
            self.connect(self.model)
