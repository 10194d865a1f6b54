"""TGF-beta and IL-10 in one field: from Tregs, from M2 macrophages, and from DAMP-laden tissue."""

from __future__ import annotations

from tme.core.mechanism import Mechanism, Phase
from tme.core.parameters import ParameterSet, par
from tme.kernels.exchange import tally
from tme.kernels.jit import serial
from tme.kernels.transfer import at

PARAMETERS = ParameterSet(
    "suppression",
    par("treg_rate", 0.02, "1/min", 0.0, 10.0, "assumed: sets the unit of the field"),
    par("m2_rate", 0.02, "1/min", 0.0, 10.0, "assumed: an M2 macrophage secretes as much as a Treg"),
    par("damp_rate", 0.0, "1/min", 0.0, 10.0, "assumed: HMGB1-driven suppressive cytokines act through recruited cells, so none directly"),
    par("k_h", 0.5, "ng/mL", 0.001, 100.0, "assumed: HMGB1 of half effect"),
)


@serial
def from_tregs(n, voxel, rate, scale, counts):
    """Equal secretion of every Treg into int64 counters."""
    for i in range(n):
        tally(counts, voxel[i], rate, scale)


@serial
def from_macrophages(n, voxel, m1, rate, scale, counts):
    """Secretion in proportion to 1 - m1."""
    for i in range(n):
        tally(counts, voxel[i], rate * (1.0 - m1[i]), scale)


@serial
def from_damp(n, state, voxel, hmgb1, rate, k, source):
    """Living tumour cells answer HMGB1 with suppressive cytokines; one cell a voxel."""
    for i in range(n):
        if state[i] == 0:
            h = at(hmgb1, voxel[i])
            source[voxel[i]] += rate * h / (k + h)


class Suppression(Mechanism):
    """Suppressive cytokines."""

    name = "suppression"
    phase = Phase.SECRETE
    ids = ("M78", "M83")
    about = "Tregs and M2 macrophages secrete suppressive cytokines"
    parameters = PARAMETERS
    reads = ("treg.voxel", "macrophage.voxel", "macrophage.m1", "tumour.state", "tumour.voxel", "field.hmgb1.concentration")
    adds = ("field.suppression.source",)

    def step(self, model) -> None:
        """Add to the source when the field is due; per cell, scaled to the voxel of 8000 um^3."""
        if not model.due("suppression"):
            return
        field, t, m = model.fields["suppression"], model.treg, model.macrophage
        per_voxel = 8000.0 / model.grid.voxel_um3
        with field.counting(model.spares, 1.0 / model.fixed_scale, [t.col.voxel[: t.n], m.col.voxel[: m.n]]) as counts:
            from_tregs(t.n, t.col.voxel, self.p.treg_rate * per_voxel, model.fixed_scale, counts)
            from_macrophages(m.n, m.col.voxel, m.col.m1, self.p.m2_rate * per_voxel, model.fixed_scale, counts)
        if self.p.damp_rate > 0.0:
            c, hmgb1 = model.tumour.col, model.fields["hmgb1"].seen
            with field.writing("source", model.spares, anew=False) as source:
                from_damp(model.tumour.n, c.state, c.voxel, hmgb1, self.p.damp_rate, self.p.k_h, source)
