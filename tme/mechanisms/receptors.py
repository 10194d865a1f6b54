"""Checkpoint signals: what a killer meets of each ligand on the cell it holds and on host cells around it.

    S = R r sum over ligands of (background + x)        x = 1 - (1 - target) (1 - host)
    factor on a term = without + (to - without) S / (half + S)

R is what the killer carries of the receptor, r the share of it left free by antibodies; `target` and `host` are levels of
the ligand left free, `host` the mean over host cells within a voxel of the killer, times a weight by tumour type (PD-L1 of
host cells matters in B16, the tumour's own suffices in MC38: Juneja et al. 2017, doi 10.1084/jem.20160801). Factors of several axes multiply. What is induced by a field relaxes towards

    level + (to - level) s / (half + s)      with the time constant tau
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tme.core.mechanism import Mechanism, Phase
from tme.core.parameters import ParameterSet, par
from tme.core.receptors import ligand_column
from tme.kernels import threads
from tme.kernels.elementary import exp, law
from tme.kernels.jit import serial
from tme.kernels.neighbours import n_directions, neighbour
from tme.kernels.transfer import at

PARAMETERS = ParameterSet(
    "host_ligands",
    par("weight", 1.0, "1", 0.0, 1.0, "assumed: ligands of a host cell beside the killer count as those of the cell held (sign: Juneja et al. 2017, doi 10.1084/jem.20160801)", "how much what host cells show counts"),
)
LEVEL_SCALE = 2.0**30  # levels of host cells are added up as integers
_NONE = np.zeros(0)


# ---- laws -------------------------------------------------------------------------------------------------------------
@law
def induced(level, to, half, s):
    """What a cell expresses under a signal s."""
    return level + (to - level) * s / (half + s)


@law
def combined(target, host):
    """Two cells that show a ligand: 1 - (1 - x)(1 - y)."""
    return 1.0 - (1.0 - target) * (1.0 - host)


@law
def effect(signal, without, to, half):
    """Factor on a term; without `half` in proportion to the signal."""
    if half == 0.0:
        return without + (to - without) * signal
    return without + (to - without) * signal / (half + signal)


# ---- sweeps -----------------------------------------------------------------------------------------------------------
@serial
def mean_around(lo, hi, holders, voxel, host_sum, host_count, geometry, out):
    """Mean level of host cells in the voxel of each holder from `lo` to `hi` and its neighbours; 0 where there are none."""
    for j in range(np.uint64(lo), np.uint64(hi)):
        v = np.int64(voxel[holders[j]])
        total, count = host_sum[v], np.int64(host_count[v])
        for k in range(n_directions(geometry)):
            w = neighbour(v, k, geometry)
            if w >= 0:
                total += host_sum[w]
                count += host_count[w]
        out[j] = total / (count * LEVEL_SCALE) if count > 0 else 0.0


@serial
def meet_ligand(lo, hi, holders, held_row, voxel, target_voxel, column, level, free_target, background, free, host, met):
    """Add what the holders from `lo` to `hi` meet of a ligand to `met` (holders,).

    `column` (tumour rows,) the level on the cells held, of no size where it is `level` on all of them; `free_target` and
    `free` (voxels,) the share left at the cell held and at the killer, of no size where nothing binds the ligand; `host`
    (holders,) the mean level on host cells, of no size where they are not reckoned.
    """
    for j in range(np.uint64(lo), np.uint64(hi)):
        i = holders[j]
        x = column[held_row[i]] if column.size > 0 else level
        if free_target.size > 0:
            x *= free_target[target_voxel[i]]
        if host.size > 0:
            x = combined(x, host[j])
        met[j] += (background * free[voxel[i]] if free.size > 0 else background) + x


@serial
def receive(
    lo, hi, holders, held_row, voxel, target_voxel, column, level, free_target, background, free, host, met,
    own, carried, carried_to, carried_half, receptor_free, without, to, half, n, engaged, signal, first, term,
):  # fmt: skip
    """Signal S (killer rows,) of the holders from `lo` to `hi`, and its effect, by which `term` (holders,) is multiplied.

    The ligand is the axis's last, as in `meet_ligand`; `met` (holders,) what they meet of the others, of no size where
    there are none. The receptor is at `carried`, or induced by the column `own`. Where `first`, `term` is set. Killers
    that hold no cell have no signal.
    """
    if lo == 0:
        for i in range(n):
            if engaged[i] == 0:
                signal[i] = 0.0
    for j in range(np.uint64(lo), np.uint64(hi)):
        i = holders[j]
        x = column[held_row[i]] if column.size > 0 else level
        if free_target.size > 0:
            x *= free_target[target_voxel[i]]
        if host.size > 0:
            x = combined(x, host[j])
        x += background * free[voxel[i]] if free.size > 0 else background
        if met.size > 0:
            x += met[j]
        x *= induced(carried, carried_to, carried_half, own[i]) if own.size > 0 else carried
        if receptor_free.size > 0:
            x *= receptor_free[voxel[i]]
        signal[i] = x
        term[j] = effect(x, without, to, half) * (1.0 if first else term[j])


@serial
def follow(lo, hi, voxel, field, level, to, half, keep, column):
    """Let levels relax towards what a field induces; keep = exp(-dt/tau)."""
    for i in range(np.uint64(lo), np.uint64(hi)):
        goal = induced(level, to, half, at(field, voxel[i]))
        column[i] = goal + (column[i] - goal) * keep


@serial
def forget_hosts(voxel, host_sum, host_count):
    """No host cells in some voxels."""
    for v in voxel:
        host_sum[v] = 0
        host_count[v] = 0


@serial
def count_host(n, voxel, column, level, free, host_sum, host_count):
    """Add host cells of one type, with the free share of a ligand on each, to their voxels.

    `column` (cells,) the level of each, of no size where it is `level` on all.
    """
    for i in range(n):
        x = (column[i] if column.size > 0 else level) * (free[i] if free.size > 0 else 1.0)
        host_sum[voxel[i]] += np.int64(np.rint(x * LEVEL_SCALE))
        host_count[voxel[i]] += 1


class Signals:
    """The axes that act on one killing population, ready for its sweeps."""

    def __init__(self, model: Any, population: Any) -> None:
        self.population, self.tumour = population, model.tumour
        self.weight = PARAMETERS.build(model.config_for("host_ligands")).weight
        self.axes = []  # (axis, (ligand, background, level on the cells held) each, receptor, column that induces it, effect)
        for axis in model.receptors.on(population.kind):
            ligands, constant = [li for li in axis.ligands if not plain(li)], 0.0
            if ligands and ligands[0].molecule.free.size == 0:  # the first takes what is the same everywhere along
                constant = sum(li.background for li in axis.ligands if plain(li))
            else:
                ligands = list(axis.ligands)
            killing, carried = axis.entry.effects.get("killing"), axis.entry.receptor.on[population.kind]
            effect_of = (killing.without, killing.to, killing.half) if killing is not None else (1.0, 1.0, 0.0)
            met = [(li, li.background + (constant if k == 0 else 0.0), on_the_cell_held(li)) for k, li in enumerate(ligands)]
            self.axes.append((axis, met, carried, carried.signal[1] if carried.induced_by else "", effect_of))

    def receive(self, model: Any, holders: np.ndarray, held_row: np.ndarray) -> np.ndarray:
        """Set the signals of the killers that hold a cell; returns what they leave of each holder's function (holders,)."""
        c, n = self.population.col, len(holders)
        term, first = np.empty(n) if self.axes else np.ones(n), True
        for axis, ligands, carried, induced_by, effect_of in self.axes:
            met = np.zeros(n) if len(ligands) > 1 else _NONE
            for ligand in ligands[:-1]:
                threads.over_rows(meet_ligand, n, holders, held_row, c.voxel, c.target_voxel, *self.seen(model, holders, *ligand), met)
            threads.over_rows(
                receive, n, holders, held_row, c.voxel, c.target_voxel, *self.seen(model, holders, *ligands[-1]), met,
                getattr(c, induced_by) if induced_by else _NONE, carried.level, carried.to, carried.half, axis.receptor.free, *effect_of,
                self.population.n, c.engaged, getattr(c, axis.signal), first, term,
            )  # fmt: skip
            first = False
        return term

    def seen(self, model: Any, holders: np.ndarray, ligand: Any, background: float, on_target: tuple[str, float, bool]) -> tuple:
        """Of a ligand: column or level on the cells held, share left there, background, share left, mean level on host cells."""
        (name, level, apart), free, host = on_target, ligand.molecule.free, _NONE
        column = getattr(self.tumour.col, name) if name else _NONE
        if ligand.hosts:
            host = np.empty(len(holders))
            at_killer = self.population.col.voxel
            threads.over_rows(mean_around, len(holders), holders, at_killer, ligand.host_sum, ligand.host_count, model.lattice.geometry, host)
            host *= self.weight
        return column, level, _NONE if apart else free, background, free, host


def on_the_cell_held(ligand: Any) -> tuple[str, float, bool]:
    """Column of a ligand's level on the cells held, or "" and the level of all; whether what antibodies leave is in that column."""
    e = ligand.target
    if e is None:
        return "", 0.0, False
    if e.column:
        return e.free_column or e.column, 0.0, bool(e.free_column)
    return (ligand_column(ligand.name), 0.0, False) if e.induced_by else ("", e.level, False)


def plain(ligand: Any) -> bool:
    """Whether a ligand is the same for every killer: a background that nothing binds."""
    return ligand.target is None and ligand.molecule.free.size == 0 and not ligand.hosts


class LigandExpression(Mechanism):
    """Ligands that a field induces follow it."""

    name = "ligand_expression"
    switchable = False
    phase = Phase.INTRACELLULAR
    about = "ligands of checkpoint axes follow what induces them"
    clock_min = 6.0

    @classmethod
    def enabled(cls, model) -> bool:
        """Only where an axis that is on has such a ligand."""
        return bool(model.receptors.induced())

    def __init__(self, model) -> None:
        super().__init__(model)
        there = [row for row in model.receptors.induced() if row[0] in {p.kind for p in model.populations}]
        self.reads = tuple(dict.fromkeys(n for kind, _, e in there for n in (f"{kind}.voxel", f"field.{e.signal[1]}.concentration")))
        self.writes = tuple(f"{kind}.{column}" for kind, column, _ in there)

    def step(self, model) -> None:
        """Advance all of them by one clock interval."""
        cells = {p.kind: p for p in model.populations}
        for kind, column, e in model.receptors.induced():
            if kind in cells:
                p, keep = cells[kind], exp(-self.dt / e.tau_min) if e.tau_min > 0.0 else 0.0
                field = model.fields[e.signal[1]].read_view
                threads.over_rows(follow, p.n, p.col.voxel, field, e.level, e.to, e.half, keep, getattr(p.col, column))


class HostLigands(Mechanism):
    """Where host cells are, with how much of each ligand left free."""

    name = "host_ligands"
    switchable = False
    phase = Phase.INTERACT
    about = "host cells show ligands to killers within a voxel of them"
    parameters = PARAMETERS
    clock_min = 2.0

    @classmethod
    def enabled(cls, model) -> bool:
        """Only where an axis reckons host cells."""
        return bool(model.receptors.hosts())

    def __init__(self, model) -> None:
        super().__init__(model)
        hosts = model.receptors.hosts()
        there = {p.kind: p for p in model.populations}
        columns = [(k, c) for li in hosts for k in li.hosts if k in there for c in ("voxel", f"ligand_{li.name}") if c in there[k].declared]
        self.hosts = [(li, [(there[k], ligand_column(li.name) if e.signal[0] == "field" else "", e.level) for k, e in li.hosts.items() if k in there]) for li in hosts]
        self.reads = (*(f"{k}.{c}" for k, c in columns), *(f"field.{b.name}.concentration" for li in hosts for b in li.molecule.binders))
        self.writes = tuple(f"receptors.{part}.{li.name}" for li in hosts for part in ("host_sum", "host_count"))

    def step(self, model) -> None:
        """Count anew."""
        for ligand, hosts in self.hosts:
            if ligand.counted is None:
                ligand.host_sum[:] = 0
                ligand.host_count[:] = 0
            for voxel in ligand.counted or ():
                forget_hosts(voxel, ligand.host_sum, ligand.host_count)
            ligand.counted = []
            for p, column, level in hosts:
                if p.n:
                    voxel = p.col.voxel[: p.n].copy()
                    free = ligand.molecule.share_at(model.fields, voxel) if ligand.molecule.binders else _NONE
                    count_host(p.n, voxel, getattr(p.col, column) if column else _NONE, level, free, ligand.host_sum, ligand.host_count)
                    ligand.counted.append(voxel)
