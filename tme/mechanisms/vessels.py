"""Vessels open at the growing rim and collapse in the core; what they carry exchanges with tissue."""

from __future__ import annotations

from tme.core.mechanism import Mechanism, Phase
from tme.core.parameters import ParameterSet, par

PARAMETERS = ParameterSet(
    "vessels",
    par("per_mm2", 75.0, "1/mm^2", 0.0, 400.0, "assumed: vessels 120 um apart (69 to 80 per mm^2), at which oxygen becomes critical in a tumour (Grote, Suesskind and Vaupel 1977, Pflugers Arch 372:37)", "length density of open vessels at the rim, mm/mm^3; in 2D vessels per mm^2 of the slab"),
    par("normal_factor", 0.8, "1", 0.0, 1.0, "assumed: normal tissue a little less dense than the angiogenic rim"),
    par("core_factor", 0.4, "1", 0.0, 1.0, "assumed: 0.3-0.5 of rim vessels stay open in the core"),
    par("rim_um", 300.0, "um", 20.0, 2000.0, "assumed: width of the well-vascularised rim"),
)


class Vessels(Mechanism):
    """Zone rule of `core.vessels`, applied every few hours."""

    name = "vessels"
    switchable = False
    phase = Phase.DOSE
    about = "vessels open at the rim, collapse in the core"
    parameters = PARAMETERS
    clock_min = 360.0
    reads = ("lattice.tissue_row",)

    def __init__(self, model) -> None:
        super().__init__(model)
        self.writes = ("vessels.open", "vessels.voxels", "vessels.weight", *(f"field.{name}.exchange" for name in model.vessel_exchange))

    def step(self, model) -> None:
        """Recompute which vessels are open and the exchange array of every field vessels feed."""
        self.prepare(model)

    def prepare(self, model) -> None:
        """The same, outside the clock: model construction and restarts call it."""
        p = self.p
        model.vessels.update(model.lattice.inside_um(), p.rim_um, p.normal_factor, 1.0, p.core_factor)
        self.connect(model)

    def connect(self, model) -> None:
        """Exchange where vessels are open, by their length, nowhere else."""
        for field, rate in model.vessel_exchange.items():
            per_weight = model.vessels.rate(rate, model.fields[field].diffusion)
            with model.fields[field].term_writer("exchange", model.scratch) as exchange:
                exchange[model.vessels.voxels] = per_weight * model.vessels.weight
