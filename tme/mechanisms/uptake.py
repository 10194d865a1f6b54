"""What living tissue takes from the fields: oxygen and IFN-gamma. What its pathways exchange is beside them (`pathways`).

    oxygen    V_max P/(K + P) of tumour cells; of tissue without tumour V_max times `normal_oxygen`
    IFN-gamma k c/(1 + c/half) by receptors, which are finite, of living tumour cells; of tissue without tumour times `normal_ifng`
    any       what the entries of cell types say (`takes_up`), added to the above: linear or saturating, where the field is
              solved at all

V_max and the uptake k of IFN-gamma are those of tissue packed with tumour cells; a cell takes up as much whatever its voxel
(`kernels.exchange.per_cell`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from tme.core.mechanism import Mechanism, Phase
from tme.core.parameters import ParameterSet, par
from tme.core.terms import Term
from tme.kernels import threads
from tme.kernels.exchange import put
from tme.kernels.jit import serial
from tme.kernels.terms import factor
from tme.library.cells import CellEntry

PARAMETERS = ParameterSet(
    "uptake",
    par("oxygen_vmax", 300.0, "mmHg/min", 0.0, 1000.0, "assumed: 200-500 mmHg/min of tissue in Krogh-type models of tumours (Secomb et al. 2004, doi 10.1114/B:ABME.0000049036.08817.44); packed DLD1 spheroids respire 7.29e-7 m^3/(kg s), 1,330 mmHg/min (Grimes et al. 2014, A method for estimating the oxygen consumption rate in multicellular tumour spheroids, PMID 24430128)", range=(200.0, 1000.0)),
    par("oxygen_k", 1.0, "mmHg", 0.1, 10.0, "assumed: 0.5-2.5 mmHg, as in Krogh-type models (Secomb et al. 2004, doi 10.1114/B:ABME.0000049036.08817.44)", range=(0.5, 2.5)),
    par("normal_oxygen", 0.3, "1", 0.0, 2.0, "assumed: normal tissue respires a third of the tumour's rate"),
    par("ifng_uptake", 2.0, "1/min", 0.0, 30.0, "derived: from a decay length of 30-40 um among consumers (Centofanti et al. 2023, doi 10.1073/pnas.2304190120); other lengths reported give 0.06 to 4", "receptor uptake far below saturation, of tissue with a cell per 3375 um^3", range=(0.06, 4.0)),
    par("ifng_half", 5.0, "ng/mL", 0.05, 100.0, "assumed: receptors of affinity 0.1-1 nM are half full at 2-20 ng/mL", "IFN-gamma of half the greatest uptake"),
    par("normal_ifng", 0.3, "1", 0.0, 2.0, "assumed: receptor uptake outside the tumour"),
    par("emit_floor", 0.5, "uM", 0.0, 5.0, "assumed: numerical; PLOOH below which a cell emits no signal, 20 times the resting level"),
)



def terms(cells: Mapping[str, CellEntry]) -> tuple[Term, ...]:
    """What rules may modulate: each field that some types take up, in those types."""
    by_field: dict[str, list[str]] = {}
    for name, entry in cells.items():
        for item in entry.takes_up:
            by_field.setdefault(item.field, []).append(name)
    return tuple(Term(f"uptake.{f}", "1", "multiplies", tuple(n), 0.0, 100.0, f"uptake of {f}") for f, n in by_field.items())


NOBODY_DEAD = np.zeros(0, np.int8)


@serial
def consume(lo, hi, state, voxel, p, vmax_ifng, oxygen, ifng):
    """Greatest uptake (voxels,) of oxygen and IFN-gamma where cells are, `vmax_ifng` of a living one; one tissue cell a voxel."""
    for i in range(np.uint64(lo), np.uint64(hi)):
        v = voxel[i]
        if state[i] == 0:
            oxygen[v] = p.oxygen_vmax
            ifng[v] = vmax_ifng
        else:
            oxygen[v] = 0.0
            ifng[v] = 0.0


class Uptake(Mechanism):
    """Uptake coefficients of oxygen and IFN-gamma."""

    name = "uptake"
    switchable = False
    phase = Phase.SECRETE
    about = "living cells take up oxygen and IFN-gamma"
    parameters = PARAMETERS
    reads = ("tumour.state", "tumour.voxel")
    writes = ("field.oxygen.vmax", "field.ifng.vmax")

    def __init__(self, model) -> None:
        super().__init__(model)
        self.of_cell = self.p._replace(oxygen_vmax=self.p.oxygen_vmax * model.per_cell)

    def step(self, model) -> None:
        """Recompute when one of the two fields is due."""
        if model.due("oxygen") or model.due("ifng"):
            self.prepare(model)

    def prepare(self, model) -> None:
        """The same, outside the clock."""
        t, f = model.tumour.col, model.fields
        with (
            f["oxygen"].term_writer("vmax", model.scratch, everywhere=True) as oxygen,
            f["ifng"].term_writer("vmax", model.scratch, everywhere=True) as ifng,
        ):
            of_receptors = self.p.ifng_uptake * self.p.ifng_half
            normal = ((oxygen, self.p.oxygen_vmax * self.p.normal_oxygen), (ifng, of_receptors * self.p.normal_ifng))
            threads.over_rows(threads.in_sequence, model.grid.n_voxels, *((put, term) for term in normal))
            threads.over_rows(consume, model.tumour.n, t.state, t.voxel, self.of_cell, of_receptors * model.per_cell, oxygen, ifng)


@serial
def take_up(n, voxel, state, rate, term, sink):
    """Add `rate` of every living cell, times `term` (n,) or empty, to a sink (voxels,), a loss or a maximum; `state` of no size where none is dead."""
    for i in range(n):
        if state.size == 0 or state[i] == 0:
            sink[voxel[i]] += rate * factor(term, i)


class CellUptake(Mechanism):
    """What cell types take up of fields, as their entries say: a linear loss, or part of the saturating one."""

    name = "cell_uptake"
    switchable = False
    phase = Phase.SECRETE
    about = "cells take up what their entries say; glucose where a rule hears it"

    @classmethod
    def takers(cls, model) -> dict[tuple[str, str], list[tuple[Any, float]]]:
        """(population, rate or maximum in a voxel of this size) by field and term, of fields that the model solves."""
        out: dict[tuple[str, str], list[tuple[Any, float]]] = {}
        for population in model.populations:
            for item in population.entry.takes_up:
                if item.field in model.fields and item.field not in model.held_fields:  # an optional field that nobody hears is not there
                    amount = (item.most if item.saturates else item.rate) * model.per_cell
                    out.setdefault((item.field, "vmax" if item.saturates else "loss"), []).append((population, amount))
        return out

    @classmethod
    def enabled(cls, model) -> bool:
        """Only where such a field is solved."""
        return bool(cls.takers(model))

    def __init__(self, model) -> None:
        super().__init__(model)
        self.sinks = self.takers(model)
        populations = {p.kind: p for pairs in self.sinks.values() for p, _ in pairs}
        self.reads = tuple(f"{kind}.{column}" for kind, p in populations.items() for column in ("voxel", "state")[: 1 + (p.entry.place == "tissue")])
        self.reads += tuple(f"{p.kind}.{t}" for (name, _), pairs in self.sinks.items() for p, _ in pairs if (t := f"term_uptake_{name}") in p.declared)
        self.adds = tuple(f"field.{name}.{term}" for name, term in self.sinks)

    def step(self, model) -> None:
        """Add to the sinks of every field that is due."""
        for (name, term), pairs in self.sinks.items():
            if model.due(name):
                self.add(model, name, term, pairs)

    def prepare(self, model) -> None:
        """The same, outside the clock: onto what other laws have just written, else from 0, since the start is prepared several times."""
        written = {name for law in model._entries for name in law.writes}
        for (name, term), pairs in self.sinks.items():
            self.add(model, name, term, pairs, overwrite=f"field.{name}.{term}" not in written)

    def add(self, model, name: str, term: str, pairs: list[tuple[Any, float]], overwrite: bool = False) -> None:
        """Add what all cells of these populations take up of one field."""
        with model.fields[name].term_writer(term, model.scratch, overwrite=overwrite) as sink:
            for population, amount in pairs:
                state = population.col.state if population.entry.place == "tissue" else NOBODY_DEAD
                take_up(population.n, population.col.voxel, state, amount, population.term(f"uptake.{name}"), sink)
