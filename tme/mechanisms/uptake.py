"""What living tissue takes from the fields: oxygen and IFN-gamma. What its pathways exchange is beside them (`pathways`).

    oxygen    V_max P/(K + P) per voxel of tissue, V_max times `normal_oxygen` where there is no tumour
    IFN-gamma receptor uptake, linear, in voxels with living cells
"""

from __future__ import annotations

import numpy as np

from tme.core.mechanism import Mechanism, Phase
from tme.core.parameters import ParameterSet, par
from tme.kernels import team
from tme.kernels.exchange import put
from tme.kernels.jit import serial

PARAMETERS = ParameterSet(
    "uptake",
    par("oxygen_vmax", 300.0, "mmHg/min", 0.0, 1000.0, "200-500 mmHg/min of tissue, Krogh-type tumour models (Secomb et al. 2004, doi 10.1114/B:ABME.0000049036.08817.44)"),
    par("oxygen_k", 1.0, "mmHg", 0.1, 10.0, "0.5-2.5 mmHg (Secomb et al. 2004, doi 10.1114/B:ABME.0000049036.08817.44)"),
    par("normal_oxygen", 0.3, "1", 0.0, 2.0, "assumed: normal tissue respires a third of the tumour's rate"),
    par("ifng_uptake", 2.0, "1/min", 0.0, 30.0, "set from a decay length of 30-40 um among consumers (Centofanti et al. 2023)"),
    par("normal_ifng", 0.3, "1", 0.0, 2.0, "assumed: receptor uptake outside the tumour"),
    par("emit_floor", 0.5, "uM", 0.0, 5.0, "assumed: numerical; PLOOH below which a cell emits no signal, 20 times the resting level"),
)


@serial
def consume(lo, hi, state, voxel, p, vmax_oxygen, ifng_loss):
    """Uptake coefficients (voxels,) of oxygen and IFN-gamma where cells are; one tissue cell a voxel."""
    for i in range(np.uint64(lo), np.uint64(hi)):
        v = voxel[i]
        if state[i] == 0:
            vmax_oxygen[v] = p.oxygen_vmax
            ifng_loss[v] = p.ifng_uptake
        else:
            vmax_oxygen[v] = 0.0
            ifng_loss[v] = 0.0


class Uptake(Mechanism):
    """Uptake coefficients of oxygen and IFN-gamma."""

    name = "uptake"
    switchable = False
    phase = Phase.SECRETE
    about = "living cells take up oxygen and IFN-gamma"
    parameters = PARAMETERS
    reads = ("tumour.state", "tumour.voxel")
    writes = ("field.oxygen.vmax", "field.ifng.loss")

    def step(self, model) -> None:
        """Recompute when one of the two fields is due."""
        if model.due("oxygen") or model.due("ifng"):
            self.update(model)

    def update(self, model) -> None:
        """The same, outside the clock."""
        t, f = model.tumour.col, model.fields
        with (
            f["oxygen"].writing("vmax", model.spares, everywhere=True) as oxygen,
            f["ifng"].writing("loss", model.spares, everywhere=True) as ifng,
        ):
            normal = ((oxygen, self.p.oxygen_vmax * self.p.normal_oxygen), (ifng, self.p.ifng_uptake * self.p.normal_ifng))
            team.rows(team.in_turn, model.grid.n_voxels, *((put, term) for term in normal))
            team.rows(consume, model.tumour.n, t.state, t.voxel, self.p, oxygen, ifng)
