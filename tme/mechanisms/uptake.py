"""What living tissue takes from the fields: oxygen, cystine, IFN-gamma; and the peroxide signal it emits.

    oxygen    V_max P/(K + P) per voxel of tissue, V_max times `normal_oxygen` where there is no tumour
    cystine   V_x xct ... cys/(K + cys) / 2 per cell, times V_cell/V_voxel (two cysteines per cystine)
    IFN-gamma receptor uptake, linear, in voxels with living cells
    peroxide  p_s L from living cells and ferroptotic corpses above a floor (numerical)
"""

from __future__ import annotations

import numpy as np

from tme.core.mechanism import Mechanism, Phase
from tme.core.parameters import ParameterSet, par
from tme.kernels import team
from tme.kernels.elementary import power
from tme.kernels.exchange import put
from tme.kernels.jit import serial
from tme.kernels.superpose import ascending
from tme.mechanisms.ferroptosis import PARAMETERS as CHEMISTRY
from tme.mechanisms.ferroptosis import emission

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
def consume(lo, hi, state, voxel, xct, nrf2, z, e_xct, p, c, cell_fraction, vmax_oxygen, ifng_loss, vmax_cystine):
    """Uptake coefficients (voxels,) of oxygen, IFN-gamma and cystine where cells are; one tissue cell a voxel."""
    for i in range(np.uint64(lo), np.uint64(hi)):
        v = voxel[i]
        if state[i] == 0:
            vmax_oxygen[v] = p.oxygen_vmax
            ifng_loss[v] = p.ifng_uptake
            transport = xct[i] * power(nrf2[i], 0.7) * (1.0 - c.f_x * z[i]) * (1.0 - 0.5 * c.p53) / (1.0 + e_xct[i])
            vmax_cystine[v] = 0.5 * c.v_x * transport * cell_fraction
        else:
            vmax_oxygen[v] = 0.0
            ifng_loss[v] = 0.0


@serial
def emit(lo, hi, state, voxel, plooh, c, floor, source, points):
    """Peroxide source (voxels,) uM/min; `points` from `lo` on: the voxels of cells that emit. Returns where they end."""
    emitters = lo
    for i in range(np.uint64(lo), np.uint64(hi)):
        if state[i] <= 1 and plooh[i] > floor:
            source[voxel[i]] = emission(plooh[i], c)
            points[emitters] = voxel[i]
            emitters += 1
    return emitters


class Uptake(Mechanism):
    """Uptake coefficients of oxygen, IFN-gamma and cystine."""

    name = "uptake"
    switchable = False
    phase = Phase.SECRETE
    ids = ("M02",)
    about = "living cells take up oxygen, cystine and IFN-gamma"
    parameters = PARAMETERS
    reads = ("tumour.state", "tumour.voxel", "tumour.xct", "tumour.nrf2", "tumour.ifng_response", "tumour.e_xct")
    writes = ("field.oxygen.vmax", "field.ifng.loss", "field.cystine.vmax")

    def __init__(self, model) -> None:
        super().__init__(model)
        self.chemistry = CHEMISTRY.build(model.config_for("ferroptosis"))

    def step(self, model) -> None:
        """Recompute when any of the three fields is due."""
        if model.due("oxygen") or model.due("ifng") or model.due("cystine"):
            self.update(model)

    def update(self, model) -> None:
        """The same, outside the clock."""
        t, f = model.tumour.col, model.fields
        with (
            f["oxygen"].writing("vmax", model.spares, everywhere=True) as oxygen,
            f["ifng"].writing("loss", model.spares, everywhere=True) as ifng,
            f["cystine"].writing("vmax", model.spares) as cystine,
        ):
            normal = ((oxygen, self.p.oxygen_vmax * self.p.normal_oxygen), (ifng, self.p.ifng_uptake * self.p.normal_ifng))
            team.rows(team.in_turn, model.grid.n_voxels, *((put, term) for term in normal))
            team.rows(consume, model.tumour.n, t.state, t.voxel, t.xct, t.nrf2, t.ifng_response, t.e_xct, self.p, self.chemistry,
                    model.cell_fraction, oxygen, ifng, cystine)  # fmt: skip


class PeroxideEmission(Mechanism):
    """The diffusible lipid-peroxide signal S of peroxidising cells."""

    name = "peroxide"
    phase = Phase.SECRETE
    about = "peroxidising cells and fresh ferroptotic corpses emit the signal S"
    reads = ("tumour.state", "tumour.voxel", "tumour.plooh")
    adds = ("field.peroxide.source",)

    def __init__(self, model) -> None:
        super().__init__(model)
        self.chemistry = CHEMISTRY.build(model.config_for("ferroptosis"))
        self.floor = PARAMETERS.build(model.config_for("uptake")).emit_floor
        self.marks = np.zeros(model.grid.n_voxels // 64 + 1, np.uint64)

    def step(self, model) -> None:
        """Write the source, and where it is, before the field is solved."""
        if not model.due("peroxide"):
            return
        t, field = model.tumour.col, model.fields["peroxide"]
        points = np.empty(model.tumour.n, np.int64)
        with field.writing("source", model.spares, anew=False) as source:
            count = team.listed(points, emit, model.tumour.n, t.state, t.voxel, t.plooh, self.chemistry, self.floor, source, points)
        if source is field.source:
            field.points = points[:count].copy()
            ascending(field.points, self.marks)
