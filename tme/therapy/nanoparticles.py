"""Nanoparticles: leak from vessels, diffuse, are taken up, and release what they carry where they should.

The field of a platform counts its payload, uM in the voxel. Leak is one way (the EPR effect keeps
particles in): source = permeability x plasma at open vessels, by
their length, times `normal_leak` farther than some 100 um from tumour cells. Tumour cells and macrophages take particles
up at a rate per minute; inside, and more slowly outside, they release at

    k = k0 + k_ph h(pH) + k_gsh G/(K_gsh + G) + k_hypoxia K_o2/(K_o2 + O2),   h = 1/(1 + 10^(slope (pH - pKa)))

or by the other triggers of `release`. What a cell type carries comes where such cells are instead of at vessels, as much
of it in all. A drug payload goes, times its free fraction, into the drug's own field. Iron enters the labile pool of
the cell that took the particle up, J = min(cap, labile fraction x k x iron held), the cap standing for
saturable dissolution. Amounts cross between cell, vessel and voxel as `kernels.exchange` says.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tme.core.mechanism import Mechanism, Phase
from tme.core.parameters import ParameterSet, par
from tme.kernels import threads
from tme.kernels.elementary import expm1
from tme.kernels.exchange import add_scaled, collect, per_vessel, put, tally
from tme.kernels.jit import rule, serial
from tme.kernels.transfer import at
from tme.therapy.release import acid, heard, levels_in, levels_outside, release_rate, staged

PARAMETERS = ParameterSet(
    "nanoparticles",
    par("endosome_ph", 5.5, "pH", 4.0, 7.4, "endosomal pH 5-6 (Mellman et al. 1986, doi 10.1146/annurev.bi.55.070186.003311)"),
    par("tissue_ph", 6.7, "pH", 5.5, 7.6, "tumour interstitium 6.5-6.9 (Vaupel et al. 1989, Cancer Res 49:6449)"),
    par("k_o2", 5.0, "mmHg", 0.1, 50.0, "assumed: oxygen at which hypoxia-gated release is half on"),
    par("macrophage_gsh_uM", 3000.0, "uM", 0.0, 1e4, "assumed: millimolar, as in the reference tumour cell"),
    par("release_scale", 1.0, "1", 0.0, 10.0, "assumed: 1 is the platform as described, 0 switches release off"),
)


PLAIN = np.zeros(0)  # no rates: the kernel works them out


@rule
def plain_rate(ph_rate, k0, k_gsh, gsh, gsh_half, k_hypoxia, oxygen, k_o2):
    """k of the module docstring, 1/min; ph_rate = k_ph h(pH)."""
    return k0 + ph_rate + k_gsh * gsh / (gsh_half + gsh) + k_hypoxia * k_o2 / (k_o2 + oxygen)


@serial
def lose_to_tumour(lo, hi, state, voxel, uptake, loss):
    """Add the uptake by living tumour cells, one a voxel, to the loss of free particles (voxels,) 1/min."""
    for i in range(np.uint64(lo), np.uint64(hi)):
        if state[i] == 0:
            loss[voxel[i]] += uptake


@serial
def lose_to_macrophages(n, voxel, uptake, loss):
    """Add the uptake by macrophages, several of which may share a voxel."""
    for i in range(n):
        loss[voxel[i]] += uptake


@serial
def tumour_cargo(
    lo, hi, state, voxel, gsh, oxygen, held, j_fe, concentration, uptake, cell_fraction,
    ph_rate, k0, k_gsh, gsh_half, k_hypoxia, k_o2, scale, rate, iron, labile, cap, dt, released,
):  # fmt: skip
    """Take up and release in living tumour cells, rows `lo` to `hi`, over dt min.

    `held` (n,) uM payload in the cell; `rate` (n,) 1/min, or empty for the law of acid, GSH and hypoxia; `released` (voxels,) gets uM/min of the voxel, mean over dt;
    `j_fe` (n,) gains the iron flux of this platform, uM/min.
    """
    for i in range(np.uint64(lo), np.uint64(hi)):
        if state[i] != 0:
            j_fe[i] = 0.0
            continue
        held[i] += uptake * concentration[voxel[i]] * dt / cell_fraction
        if rate.size > 0:
            k = rate[i]
        else:
            k = scale * plain_rate(ph_rate, k0, k_gsh, gsh[i], gsh_half, k_hypoxia, oxygen[i], k_o2)
        out = -held[i] * expm1(-k * dt)
        j_fe[i] += min(cap, labile * iron * out / dt)
        held[i] -= out
        released[voxel[i]] += out * cell_fraction / dt


@serial
def macrophage_cargo(
    n, voxel, held, iron_load, concentration, oxygen, uptake, cell_fraction, ph_rate, k0, k_gsh, gsh, gsh_half, k_hypoxia, k_o2, scale, rate,
    iron, labile, cap, dt, fixed_scale, released_fixed,
):  # fmt: skip
    """The same in macrophages, whose GSH is one number; release into int64 accumulators since several may share a voxel."""
    for i in range(n):
        v = voxel[i]
        held[i] += uptake * concentration[v] * dt / cell_fraction
        if rate.size > 0:
            k = rate[i]
        else:
            k = scale * plain_rate(ph_rate, k0, k_gsh, gsh, gsh_half, k_hypoxia, at(oxygen, v), k_o2)
        out = -held[i] * expm1(-k * dt)
        iron_load[i] += min(cap, labile * iron * out / dt)
        held[i] -= out
        tally(released_fixed, v, out * cell_fraction / dt, fixed_scale)


def uneven(agents: Any) -> list[Any]:
    """Stages of release whose rates the kernel does not work out."""
    laws = (a.entry.release for a in agents)
    return [stage for r in laws if r.opens is not None or not r.plain for stage in (r, r.opens) if stage is not None]


def free_share(payload: Any, drugs: Any) -> float:
    """Share of a released drug that acts: the payload's own, else what the drug leaves unbound."""
    return drugs[payload.drug].unbound_fraction if payload.free_fraction is None else payload.free_fraction


class ParticleDelivery(Mechanism):
    """Leak of particles from open vessels."""

    name = "particle_delivery"
    switchable = False
    phase = Phase.DOSE
    ids = ("M123", "M129")
    about = "particles leak from vessels while they circulate; baths are held"

    @classmethod
    def enabled(cls, model) -> bool:
        """Only in arms with nanoparticles."""
        return bool(model.therapy.nanoparticles)

    def __init__(self, model) -> None:
        super().__init__(model)
        names = [a.name for a in model.therapy.nanoparticles]
        carriers = {a.entry.carried_by for a in model.therapy.nanoparticles} - {None}
        self.carriers = {p.kind: p for p in model.populations if p.kind in carriers}
        confined = ("tumour.voxel",) if any(a.entry.normal_leak is not None for a in model.therapy.nanoparticles) else ()
        self.reads = ("vessels.voxels", "vessels.weight", "vessels.passage", "lattice.tissue_row", *confined, *(f"{kind}.voxel" for kind in self.carriers))
        self.writes: tuple[str, ...] = tuple(f"field.{name}.source" for name in names)
        self.adds = tuple(f"field.{name}.concentration" for name in names)

    def step(self, model) -> None:
        """Set the leak of the interval that the solve of this tick closes."""
        for agent in model.therapy.nanoparticles:
            field = model.fields[agent.name]
            level = agent.bath(model.tick * model.dt_min)
            if level is not None:
                field.fill(level)
            if not model.solved(agent.name):
                continue
            stop = model.tick * model.dt_min
            start = stop - model.clock[agent.name] * model.dt_min
            mean = agent.plasma_mean(start, stop)
            with field.term_writer("source", model.scratch) as source:
                passing = agent.entry.vessel_exchange * per_vessel(model.grid.voxel_um3) * mean
                if passing > 0.0 and agent.entry.carried_by is None:
                    source[model.vessels.voxels] = passing * model.vessels.weight * model.vessels.passage * self.leak(model, agent.entry.normal_leak)
                elif passing > 0.0:
                    self.bring(model, agent, passing, source)

    def leak(self, model, normal: float | None) -> np.ndarray | float:
        """What each open vessel leaks, (vessels,) as a share of what one in or near the tumour does."""
        if normal is None:
            return 1.0
        return np.where(model.vessels.near(model.lattice, model.tumour.col.voxel[: model.tumour.n]), 1.0, normal)

    def bring(self, model, agent, passing: float, source: np.ndarray) -> None:
        """What would leak from all vessels, `passing` through each, shared out among the cells that carry it; nothing where there are none.

        Carrier cells walk through what holds particles back, so `passage` does not count.
        """
        carriers = self.carriers.get(agent.entry.carried_by)
        if carriers is not None and carriers.n:
            np.add.at(source, carriers.col.voxel[: carriers.n], passing * float(model.vessels.weight.sum()) / carriers.n)


class ParticleCargo(Mechanism):
    """Uptake by tumour cells and macrophages, gated release, iron into the labile pool."""

    name = "nanoparticles"
    switchable = False
    phase = Phase.INTRACELLULAR
    ids = ("M129", "M130", "M89")
    about = "cells take particles up; pH, GSH and hypoxia gate the release of drug and iron"
    parameters = PARAMETERS
    clock_min = 10.0

    @classmethod
    def enabled(cls, model) -> bool:
        """Only in arms with nanoparticles."""
        return bool(model.therapy.nanoparticles)

    def __init__(self, model) -> None:
        super().__init__(model)
        self.guests = [p for p in model.immune if p.entry.takes_up_particles]
        names, kinds = [a.name for a in model.therapy.nanoparticles], [p.kind for p in self.guests]
        more = heard(uneven(model.therapy.nanoparticles))
        fields = tuple(dict.fromkeys(f"field.{name}.concentration" for name in ("oxygen", *more["fields"]) if name in model.fields))
        self.reads = ("tumour.state", "tumour.voxel", "tumour.gsh", "tumour.oxygen", "tumour.j_drug", *(f"{kind}.voxel" for kind in kinds),
                      *(f"{p.kind}.{c}" for p in (model.tumour, *self.guests) for c in more["columns"] if c in p.declared),
                      *fields, *more["places"], *(f"field.{name}.concentration" for name in names))  # fmt: skip
        self.writes = ("tumour.j_fe", *(f"{kind}.iron_load" for kind in kinds), *(f"{kind}.np_{name}" for kind in ("tumour", *kinds) for name in names),
                       *(f"{p.kind}.np_open_{name}" for p in (model.tumour, *self.guests) for name in names if f"np_open_{name}" in p.declared),
                       *(f"released.{name}" for name in names))  # fmt: skip
        for agent in model.therapy.nanoparticles:
            if model.clock[agent.name] != self.every:
                raise ValueError(f"fields.{agent.name}.clock_min must be {self.clock_min:g}, the clock of uptake, or payload is lost")

    def step(self, model) -> None:
        """One clock interval for every platform of the arm."""
        t = model.tumour
        t.col.j_fe[: t.n] = t.col.j_drug[: t.n]
        for m in self.guests:
            m.col.iron_load[: m.n] = 0.0
        for agent in model.therapy.nanoparticles:
            self.carry(model, agent)

    def carry(self, model, agent) -> None:
        """One platform."""
        p, e = self.p, agent.entry
        t = model.tumour
        concentration = model.fields[agent.name].concentration
        r = e.release
        ph_rate = r.k_ph * acid(p.endosome_ph, r.pka, r.slope)
        iron, labile, cap = e.iron_terms
        released = model.released[agent.name]
        threads.over_rows(put, len(released), released, 0.0)
        threads.over_rows(
            tumour_cargo, t.n, t.col.state, t.col.voxel, t.col.gsh, t.col.oxygen, getattr(t.col, f"np_{agent.name}"), t.col.j_fe, concentration,
            e.tumour_uptake * model.per_cell, model.cell_fraction, ph_rate, r.k0, r.k_gsh, r.gsh_half_uM, r.k_hypoxia, p.k_o2,
            p.release_scale, self.rates(model, agent, t, e.tumour_uptake * model.per_cell), iron, labile, cap, self.dt, released,
        )  # fmt: skip
        with model.scratch.borrow() as borrowed:
            counts = borrowed.view(np.int64)
            for m in self.guests:
                macrophage_cargo(
                    m.n, m.col.voxel, getattr(m.col, f"np_{agent.name}"), m.col.iron_load, concentration, model.fields["oxygen"].read_view,
                    e.uptake_macrophage * model.per_cell, model.cell_fraction, ph_rate, r.k0, r.k_gsh, p.macrophage_gsh_uM, r.gsh_half_uM, r.k_hypoxia,
                    p.k_o2, p.release_scale,
                    self.rates(model, agent, m, e.uptake_macrophage * model.per_cell), iron, labile, cap, self.dt, model.fixed_scale, counts,
                )  # fmt: skip
            for m in self.guests:
                if not collect(m.col.voxel, m.n, counts, 1.0 / model.fixed_scale, released):
                    raise RuntimeError(f"tick {model.tick}: {m.kind} cells release more {agent.name} than can be counted, or no number")
        outside = self.outside(model, agent)
        if isinstance(outside, np.ndarray):
            released += concentration * outside
        elif outside > 0.0:
            threads.over_rows(add_scaled, len(released), concentration, outside, released)

    def rates(self, model, agent, population, uptake: float) -> np.ndarray:
        """Release in each cell of a type, (n,) 1/min, by other than the plain law; empty where that holds."""
        p, r = self.p, agent.entry.release
        if r.plain and r.opens is None:
            return PLAIN
        n, levels = population.n, levels_in(model, population, p.endosome_ph, p.macrophage_gsh_uM, self.every)
        k = p.release_scale * release_rate(r, levels, p.k_o2)
        if r.opens is None:
            return np.broadcast_to(k, n).astype(float)
        c = population.col
        held, share = getattr(c, f"np_{agent.name}")[:n], getattr(c, f"np_open_{agent.name}")
        taken = uptake * model.fields[agent.name].concentration[c.voxel[:n]] * self.dt / model.cell_fraction
        diluted = np.divide(share[:n] * held, held + taken, out=np.zeros(n), where=held + taken > 0.0)
        rate, share[:n] = staged(diluted, p.release_scale * release_rate(r.opens, levels, p.k_o2), k, self.dt)
        return rate

    def outside(self, model, agent) -> float | np.ndarray:
        """Release rate of free particles in tissue, 1/min; by voxel where it hangs on more than acid."""
        r, p = agent.entry.release, self.p
        if not agent.entry.releases_outside:
            return 0.0
        if r.plain:
            return p.release_scale * (r.k0 + r.k_ph * acid(p.tissue_ph, r.pka, r.slope))
        k = p.release_scale * release_rate(r, levels_outside(model, p.tissue_ph, self.every), p.k_o2)
        return np.broadcast_to(k, model.grid.n_voxels).astype(float)


class ParticleLoss(Mechanism):
    """Uptake as a loss in the particle field; what was released as a source of the drug fields."""

    name = "particle_loss"
    switchable = False
    phase = Phase.SECRETE
    about = "particles leave the tissue into cells; released drug enters its field"

    @classmethod
    def enabled(cls, model) -> bool:
        """Only in arms with nanoparticles."""
        return bool(model.therapy.nanoparticles)

    def __init__(self, model) -> None:
        super().__init__(model)
        self.cargo = model.mechanism("nanoparticles")
        agents = model.therapy.nanoparticles
        more = heard(uneven(agents))
        self.reads = ("tumour.state", "tumour.voxel", *(f"{p.kind}.voxel" for p in self.cargo.guests), *(f"released.{a.name}" for a in agents),
                      *(f"field.{name}.concentration" for name in more["fields"] if name in model.fields), *more["places"])  # fmt: skip
        self.writes = tuple(f"field.{a.name}.loss" for a in agents)
        self.adds = tuple(f"field.{name}.source" for name in sorted({p.drug for a in agents for p in a.entry.payloads if p.drug is not None}))

    def step(self, model) -> None:
        """Refresh losses and drug sources of fields that are due."""
        t = model.tumour
        for agent in model.therapy.nanoparticles:
            e = agent.entry
            if model.due(agent.name):
                with model.fields[agent.name].term_writer("loss", model.scratch, everywhere=True) as loss:
                    outside = self.cargo.outside(model, agent)
                    if isinstance(outside, np.ndarray):
                        loss[:] = outside
                    else:
                        threads.over_rows(put, len(loss), loss, outside)
                    threads.over_rows(lose_to_tumour, t.n, t.col.state, t.col.voxel, e.tumour_uptake * model.per_cell, loss)
                    for m in self.cargo.guests:
                        lose_to_macrophages(m.n, m.col.voxel, e.uptake_macrophage * model.per_cell, loss)
            for payload in e.payloads:
                if payload.drug is not None and model.due(payload.drug):
                    model.fields[payload.drug].add_to_term("source", model.released[agent.name], payload.loading * free_share(payload, model.config.library.drugs))
