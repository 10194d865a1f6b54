"""Macrophages between M2 (0) and M1 (1).

    dm/dt = (m* - m)/tau      m* = a / (a + 1 + w_sup h(T))
    a = a0 + w_ifn h(IFN-gamma) + w_fe h(iron) + w_damp h(ATP) + w_ros h(S)

T suppressive cytokines, iron the labile iron released by particles inside, S the peroxide signal of
ferroptotic neighbours (Zanganeh et al. 2016, doi 10.1038/nnano.2016.168).
"""

from __future__ import annotations

import numpy as np

from tme.core.mechanism import Mechanism, Phase
from tme.core.parameters import ParameterSet, par
from tme.kernels import threads
from tme.kernels.elementary import exp
from tme.kernels.jit import rule, serial
from tme.kernels.transfer import at

PARAMETERS = ParameterSet(
    "polarisation",
    par("tau_min", 1080.0, "min", 360.0, 2880.0, "assumed: M2 to M1 within 18 h (6-48 h)"),
    par("a0", 0.55, "1", 0.0, 10.0, "assumed: rests at m = 0.35, on the M2 side"),
    par("w_ifn", 1.0, "1", 0.0, 20.0, "assumed: IFN-gamma is the classical M1 signal"),
    par("k_ifn", 0.3, "ng/mL", 0.01, 10.0, "assumed: as the tumour's response"),
    par("w_fe", 5.0, "1", 0.0, 20.0, "calibrated: iron oxide turns macrophages to M1 and slows growth without any other inducer (T18; Zanganeh et al. 2016, doi 10.1038/nnano.2016.168)", "", range=(0.5, 15.0)),
    par("k_fe", 0.05, "uM/min", 0.001, 10.0, "assumed: labile iron release of half effect"),
    par("w_damp", 1.0, "1", 0.0, 20.0, "assumed: extracellular ATP activates the inflammasome"),
    par("k_damp", 0.3, "uM", 0.001, 100.0, "assumed: ATP of half effect"),
    par("w_ros", 1.0, "1", 0.0, 20.0, "assumed: sign after Zhang et al. 2025 (doi 10.3389/fimmu.2025.1611299)"),
    par("k_ros", 1.0, "uM", 0.001, 100.0, "assumed: peroxide signal of half effect"),
    par("w_sup", 2.0, "1", 0.0, 20.0, "assumed: TGF-beta and IL-10 favour M2"),
    par("k_sup", 0.1, "a.u.", 0.001, 10.0, "assumed: suppression of half effect"),
)


@rule
def target(ifng, iron, atp, peroxide, suppression, p):
    """m* of the module docstring."""
    a = p.a0 + p.w_ifn * ifng / (p.k_ifn + ifng) + p.w_fe * iron / (p.k_fe + iron)
    a += p.w_damp * atp / (p.k_damp + atp) + p.w_ros * peroxide / (p.k_ros + peroxide)
    return a / (a + 1.0 + p.w_sup * suppression / (p.k_sup + suppression))


@serial
def polarise(lo, hi, voxel, m1, iron_load, ifng, atp, peroxide, suppression, p, dt):
    """Advance m1 (n,) by dt min in rows `lo` to `hi`; fields as `transfer.at` takes them."""
    keep = exp(-dt / p.tau_min)
    for i in range(np.uint64(lo), np.uint64(hi)):
        v = voxel[i]
        m = target(at(ifng, v), iron_load[i], at(atp, v), at(peroxide, v), at(suppression, v), p)
        m1[i] = m + (m1[i] - m) * keep


class Polarisation(Mechanism):
    """M1-M2 balance of each macrophage."""

    name = "polarisation"
    phase = Phase.INTERACT
    ids = ("M74",)
    about = "iron, IFN-gamma, DAMPs and peroxides push macrophages to M1, suppressive cytokines to M2"
    parameters = PARAMETERS
    clock_min = 10.0
    reads = ("field.ifng.concentration", "field.atp.concentration", "field.peroxide.concentration", "field.suppression.concentration",
             "macrophage.iron_load", "macrophage.voxel")  # fmt: skip
    writes = ("macrophage.m1",)

    def step(self, model) -> None:
        """One clock interval."""
        self.advance(model, self.dt)

    def settle(self, model) -> None:
        """To where the fields and the iron inside hold each macrophage."""
        self.advance(model, float("inf"))

    def advance(self, model, minutes: float) -> None:
        """All macrophages."""
        f = model.fields
        for m in model.populations.that("polarises"):
            threads.over_rows(polarise, m.n, m.col.voxel, m.col.m1, m.col.iron_load, f["ifng"].read_view, f["atp"].read_view,
                      f["peroxide"].read_view, f["suppression"].read_view, self.p, minutes)  # fmt: skip
