"""Suppressive cytokines, TGF-beta and IL-10 in one field: what tissue laden with DAMPs adds to what cells secrete.

    source += damp_rate x H/(k_h + H) per living tumour cell, H its HMGB1

Tregs and M2 macrophages secrete at the rates below, which their entries name (`library/cells.yaml`).
"""

from __future__ import annotations

from tme.core.mechanism import Mechanism, Phase
from tme.core.parameters import ParameterSet, par
from tme.kernels.jit import serial
from tme.kernels.transfer import at

PARAMETERS = ParameterSet(
    "suppression",
    par("treg_rate", 0.02, "a.u./min", 0.0, 10.0, "assumed: sets the unit of the field"),
    par("m2_rate", 0.02, "a.u./min", 0.0, 10.0, "assumed: an M2 macrophage secretes as much as a Treg"),
    par("damp_rate", 0.0, "a.u./min", 0.0, 10.0, "assumed: HMGB1-driven suppressive cytokines act through recruited cells, so none directly"),
    par("k_h", 0.5, "a.u.", 0.001, 100.0, "assumed: HMGB1 of half effect"),
)


@serial
def from_damp(n, state, voxel, hmgb1, rate, k, source):
    """Living tumour cells answer HMGB1 with suppressive cytokines; one cell a voxel."""
    for i in range(n):
        if state[i] == 0:
            h = at(hmgb1, voxel[i])
            source[voxel[i]] += rate * h / (k + h)


class InflamedTissue(Mechanism):
    """Suppressive cytokines of tumour cells that meet HMGB1; without effect where `damp_rate` is 0."""

    name = "inflamed_tissue"
    phase = Phase.SECRETE
    ids = ("M78",)
    about = "tumour cells answer HMGB1 with suppressive cytokines"
    reads = ("field.hmgb1.concentration", "tumour.state", "tumour.voxel")
    adds = ("field.suppression.source",)

    def __init__(self, model) -> None:
        super().__init__(model)
        self.p = PARAMETERS.build(model.config_for("suppression"))

    def step(self, model) -> None:
        """Add to the source when the field is due."""
        if self.p.damp_rate > 0.0 and model.due("suppression"):
            c, hmgb1 = model.tumour.col, model.fields["hmgb1"].read_view
            with model.fields["suppression"].term_writer("source", model.scratch, overwrite=False) as source:
                from_damp(model.tumour.n, c.state, c.voxel, hmgb1, self.p.damp_rate * model.per_cell, self.p.k_h, source)
