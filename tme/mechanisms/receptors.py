"""Checkpoint signals: what a killer meets of each ligand on the cell it holds and on host cells around it.

    S = R r sum over ligands of (background + x)        x = 1 - (1 - target) (1 - host)
    factor on a term = without + (to - without) S / (half + S)

R is what the killer carries of the receptor, r the share of it left free by antibodies; `target` and `host` are levels of
the ligand left free, `host` the mean over host cells within a voxel of the killer (PD-L1 of host cells: Juneja et al. 2017,
doi 10.1084/jem.20160801). Factors of several axes multiply. What is induced by a field relaxes towards

    level + (to - level) s / (half + s)      with the time constant tau
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tme.core.mechanism import Mechanism, Phase
from tme.kernels import team
from tme.kernels.elementary import exp
from tme.kernels.jit import rule, serial
from tme.kernels.neighbours import n_directions, neighbour
from tme.kernels.transfer import at

LEVEL_SCALE = 2.0**30  # levels of host cells are added up as integers
_NONE = np.zeros(0)


# ---- laws -------------------------------------------------------------------------------------------------------------
@rule
def induced(level, to, half, s):
    """What a cell expresses under a signal s."""
    return level + (to - level) * s / (half + s)


@rule
def combined(target, host):
    """Two cells that show a ligand: 1 - (1 - x)(1 - y)."""
    return 1.0 - (1.0 - target) * (1.0 - host)


@rule
def effect(signal, without, to, half):
    """Factor on a term; without `half` in proportion to the signal."""
    if half == 0.0:
        return without + (to - without) * signal
    return without + (to - without) * signal / (half + signal)


# ---- sweeps -----------------------------------------------------------------------------------------------------------
@rule
def mean_around(voxel, host_sum, host_count, geometry):
    """Mean level of host cells in a voxel and its neighbours; 0 where there are none."""
    total, count = host_sum[voxel], np.int64(host_count[voxel])
    for k in range(n_directions(geometry)):
        w = neighbour(np.int64(voxel), k, geometry)
        if w >= 0:
            total += host_sum[w]
            count += host_count[w]
    return total / (count * LEVEL_SCALE) if count > 0 else 0.0


@serial
def meet_ligand(
    lo, hi, holders, held_row, voxel, target_voxel, column, level, free_target, background, free,
    host_sum, host_count, geometry, met,
):  # fmt: skip
    """Add what the holders from `lo` to `hi` meet of a ligand to `met` (holders,).

    `column` (tumour rows,) its level on the cells held, of no size where it is `level` on all of them; `free_target` and
    `free` (voxels,) the share left at the cell held and at the killer, of no size where nothing binds it.
    """
    for j in range(np.uint64(lo), np.uint64(hi)):
        i = holders[j]
        x = column[held_row[i]] if column.size > 0 else level
        if free_target.size > 0:
            x *= free_target[target_voxel[i]]
        if host_count.size > 0:
            x = combined(x, mean_around(voxel[i], host_sum, host_count, geometry))
        met[j] += (background * free[voxel[i]] if free.size > 0 else background) + x


@serial
def receive(lo, hi, holders, voxel, met, own, level, to, half, free, signal):
    """S (killer rows,) of the holders from `lo` to `hi`; the receptor is at `level`, or induced by the column `own`."""
    for j in range(np.uint64(lo), np.uint64(hi)):
        i = holders[j]
        receptor = induced(level, to, half, own[i]) if own.size > 0 else level
        signal[i] = met[j] * receptor * (free[voxel[i]] if free.size > 0 else 1.0)


@serial
def act(lo, hi, holders, signal, without, to, half, term):
    """Multiply `term` (holders,) by the effect of each holder's signal."""
    for j in range(np.uint64(lo), np.uint64(hi)):
        term[j] *= effect(signal[holders[j]], without, to, half)


@serial
def silence(n, engaged, signal):
    """No signal where nobody is held."""
    for i in range(n):
        if engaged[i] == 0:
            signal[i] = 0.0


@serial
def follow(lo, hi, voxel, field, level, to, half, keep, column):
    """Let levels relax towards what a field induces; keep = exp(-dt/tau)."""
    for i in range(np.uint64(lo), np.uint64(hi)):
        goal = induced(level, to, half, at(field, voxel[i]))
        column[i] = goal + (column[i] - goal) * keep


@serial
def count_host(n, voxel, level, free, host_sum, host_count):
    """Add host cells of one type, with what is left of a ligand on each, to their voxels."""
    for i in range(n):
        x = level[i] * (free[i] if free.size > 0 else 1.0)
        host_sum[voxel[i]] += np.int64(np.rint(x * LEVEL_SCALE))
        host_count[voxel[i]] += 1


def receive_signals(model: Any, population: Any, holders: np.ndarray, held_row: np.ndarray, term: np.ndarray) -> None:
    """Signals of all axes in the killers that hold a cell; multiplies `term` (holders,) by their effects on killing."""
    c, t, n = population.col, model.tumour.col, len(holders)
    for axis in model.receptors.on(population.kind):
        signal, met = getattr(c, axis.signal), np.zeros(n)
        silence(population.n, c.engaged, signal)
        for li in axis.ligands:
            column, level, apart = on_target(t, li)
            free = li.molecule.free
            team.rows(
                meet_ligand, n, holders, held_row, c.voxel, c.target_voxel, column, level, _NONE if apart else free, li.background, free,
                li.host_sum, li.host_count, model.lattice.geometry, met,
            )  # fmt: skip
        carried = axis.entry.receptor.on[population.kind]
        own = getattr(c, carried.signal[1]) if carried.signal[0] == "own" else _NONE
        team.rows(receive, n, holders, c.voxel, met, own, carried.level, carried.to, carried.half, axis.receptor.free, signal)
        e = axis.entry.effects.get("killing")
        if e is not None:
            team.rows(act, n, holders, signal, e.without, e.to, e.half, term)


def on_target(tumour: Any, ligand: Any) -> tuple[np.ndarray, float, bool]:
    """(column, level, whether the column is what antibodies left) of a ligand on the cells held."""
    e = ligand.target
    if e is None:
        return _NONE, 0.0, True
    if e.column:
        return getattr(tumour, e.free_column or e.column), 0.0, bool(e.free_column)
    if e.signal[0] == "field":
        return getattr(tumour, f"ligand_{ligand.name}"), 0.0, False
    return _NONE, e.level, False


class LigandExpression(Mechanism):
    """Ligands that a field induces follow it."""

    name = "ligand_expression"
    switchable = False
    phase = Phase.INTRACELLULAR
    ids = ("M81",)
    about = "ligands of checkpoint axes follow what induces them"
    clock_min = 6.0
    reads = ("field",)
    writes = ("population.ligand",)

    @classmethod
    def enabled(cls, model) -> bool:
        """Only where an axis that is on has such a ligand."""
        return bool(model.receptors.induced())

    def step(self, model) -> None:
        """Advance all of them by one clock interval."""
        cells = {p.kind: p for p in model.populations}
        for kind, column, e in model.receptors.induced():
            if kind in cells:
                p, keep = cells[kind], exp(-self.dt / e.tau_min) if e.tau_min > 0.0 else 0.0
                field = model.fields[e.signal[1]].seen
                team.rows(follow, p.n, p.col.voxel, field, e.level, e.to, e.half, keep, getattr(p.col, column))


class HostLigands(Mechanism):
    """Where host cells are, with how much of each ligand left free."""

    name = "host_ligands"
    switchable = False
    phase = Phase.INTERACT
    ids = ("M80",)
    about = "host cells show ligands to killers within a voxel of them"
    clock_min = 2.0
    reads = ("population.voxel", "population.ligand", "field.antibody")
    writes = ("receptors.host",)

    @classmethod
    def enabled(cls, model) -> bool:
        """Only where an axis reckons host cells."""
        return bool(model.receptors.hosts())

    def step(self, model) -> None:
        """Count anew."""
        cells = {p.kind: p for p in model.populations}
        for li in model.receptors.hosts():
            li.host_sum[:] = 0
            li.host_count[:] = 0
            for kind, e in li.hosts.items():
                if kind in cells and cells[kind].n:
                    p = cells[kind]
                    level = getattr(p.col, f"ligand_{li.name}") if e.signal[0] == "field" else np.full(p.n, e.level)
                    free = li.molecule.share_at(model.fields, p.col.voxel[: p.n]) if li.molecule.binders else _NONE
                    count_host(p.n, p.col.voxel, level, free, li.host_sum, li.host_count)
