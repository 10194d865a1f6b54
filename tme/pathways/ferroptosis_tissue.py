"""Ferroptosis in the tissue: the plan's entries of the pathway, and what it exchanges with the fields.

    cystine    V_x xct ... cys/(K + cys) / 2 per cell, times V_cell/V_voxel (two cysteines per cystine)
    peroxide   p_s L from living cells and ferroptotic corpses above a floor (numerical), of the tumour and of the
               tissue cell types whose entry says that they emit
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tme.core.mechanism import Mechanism, Phase
from tme.kernels import threads
from tme.kernels.elementary import power
from tme.kernels.jit import serial
from tme.kernels.superpose import sort_voxels
from tme.kernels.terms import added, factor
from tme.pathways.entries import PathwayDeath, PathwayEntry
from tme.pathways.ferroptosis import PARAMETERS, PATHWAY, emission
from tme.pathways.ferroptosis_terms import TERMS

__all__ = ["TERMS", "CystineUptake", "Ferroptosis", "PeroxideEmission", "Rupture"]


class Ferroptosis(PathwayEntry):
    """Ferroptosis chemistry of living tumour cells and ferroptotic corpses."""

    name = "ferroptosis"
    switchable = False
    pathway = PATHWAY
    ids = ("M01", "M03", "M04", "M05", "M06", "M14", "M16", "M17", "M24", "M25", "M26", "M27", "M28", "M29", "M36", "M38",
           "M39", "M40", "M41", "M42", "M48", "M50", "M67", "M68")  # fmt: skip
    about = PATHWAY.about
    parameters = PARAMETERS


class Rupture(PathwayDeath):
    """Ferroptotic cells rupture when membrane damage reaches 1."""

    name = "rupture"
    ids = ("M47",)
    about = "membrane damage of 1 ruptures the cell"
    of = Ferroptosis


@serial
def take_up_cystine(lo, hi, state, voxel, xct, nrf2, z, e_xct, xct_term, nrf2_term, p53_term, p, cell_fraction, vmax):
    """Uptake coefficient (voxels,) of cystine where living cells are; one tissue cell a voxel."""
    for i in range(np.uint64(lo), np.uint64(hi)):
        if state[i] == 0:
            n7 = power(nrf2[i] * factor(nrf2_term, i), 0.7)
            repressed = max(1.0 - 0.5 * (p.p53 + added(p53_term, i)), 0.0)
            transport = xct[i] * factor(xct_term, i) * n7 * (1.0 - p.f_x * z[i]) * repressed / (1.0 + e_xct[i])
            vmax[voxel[i]] = 0.5 * p.v_x * transport * cell_fraction


@serial
def emit(lo, hi, state, voxel, plooh, p, floor, source, points):
    """Peroxide source (voxels,) uM/min; `points` from `lo` on: the voxels of cells that emit. Returns where they end."""
    emitters = lo
    for i in range(np.uint64(lo), np.uint64(hi)):
        if state[i] <= 1 and plooh[i] > floor:
            source[voxel[i]] = emission(plooh[i], p)
            points[emitters] = voxel[i]
            emitters += 1
    return emitters


class CystineUptake(Mechanism):
    """Uptake coefficient of cystine."""

    name = "cystine_uptake"
    switchable = False
    phase = Phase.SECRETE
    ids = ("M02",)
    about = "living tumour cells take up cystine"
    reads = ("tumour.state", "tumour.voxel", "tumour.xct", "tumour.nrf2", "tumour.e_xct", "tumour.ifng_response")
    writes = ("field.cystine.vmax",)

    def __init__(self, model: Any) -> None:
        super().__init__(model)
        self.p = PARAMETERS.build(model.config_for("ferroptosis"))

    def step(self, model: Any) -> None:
        """Recompute when the field is due."""
        if model.due("cystine"):
            self.prepare(model)

    def prepare(self, model: Any) -> None:
        """The same, outside the clock."""
        t, term = model.tumour.col, model.tumour.term
        with model.fields["cystine"].term_writer("vmax", model.scratch) as vmax:
            threads.over_rows(take_up_cystine, model.tumour.n, t.state, t.voxel, t.xct, t.nrf2, t.ifng_response, t.e_xct, term("ferroptosis.xct"),
                      term("ferroptosis.nrf2"), term("ferroptosis.p53"), self.p, model.cell_fraction, vmax)  # fmt: skip


class PeroxideEmission(Mechanism):
    """The diffusible lipid-peroxide signal S of peroxidising cells."""

    name = "peroxide"
    phase = Phase.SECRETE
    about = "peroxidising cells and fresh ferroptotic corpses emit the signal S"
    adds = ("field.peroxide.source",)

    def __init__(self, model: Any) -> None:
        super().__init__(model)
        others = (e for e in model._entries if isinstance(e, PathwayEntry) and e.pathway is PATHWAY and e.emits)
        self.emitters = [(model.tumour, PARAMETERS.build(model.config_for("ferroptosis"))), *((model.populations[e.cells], e.p) for e in others)]
        self.reads = tuple(f"{population.kind}.{column}" for population, _ in self.emitters for column in ("state", "voxel", "plooh"))
        self.marks = np.zeros(model.grid.n_voxels // 64 + 1, np.uint64)

    def step(self, model: Any) -> None:
        """Write the source, and where it is, before the field is solved."""
        if not model.due("peroxide"):
            return
        field, floor, found = model.fields["peroxide"], model.mechanism("uptake").p.emit_floor, []
        with field.term_writer("source", model.scratch, overwrite=False) as source:
            for population, p in self.emitters:
                t, points = population.col, np.empty(population.n, np.int64)
                count = threads.gather_rows(points, emit, population.n, t.state, t.voxel, t.plooh, p, floor, source, points)
                found.append(points[:count])
        if source is field.source:
            field.source_voxels = np.concatenate(found)
            sort_voxels(field.source_voxels, self.marks)
