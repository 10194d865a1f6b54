"""What is given and where it goes: vessels, plasma, leak, injections; particles in cells. Phases 1 and 4."""

import numpy as np

from twin.therapy import carry, release_outside
from twin.vessels import open_weight


def dose(model):
    """Vessels open and close; plasma levels at open vessels; injections."""
    if model.strikes("vessels"):
        update_vessels(model)
    minute = model.tick * model.dt
    for drug in model.therapy.drugs:
        if (level := drug.bath(minute)) is not None:
            model.fields[drug.name].c[:] = level
        elif model.solved(drug.name):
            model.fields[drug.name].vessel = drug.plasma(minute)
    enzymes_in_blood(model, minute)
    for antibody in model.therapy.antibodies:
        if antibody.entry.target != "ctla4" and model.solved(antibody.name):  # that one acts in the node
            model.fields[antibody.name].vessel = antibody.plasma(minute)
    model.depletion = model.checkpoints.depletion()
    for particle in model.therapy.particles:
        if model.solved(particle.name):
            deliver(model, particle, minute - model.fields[particle.name].clock, minute)


def enzymes_in_blood(model, minute):
    """What vessels bring of a substance is divided by 1 + sum c/Ki of the drugs that hit it in plasma."""
    effect = {}
    for drug in model.therapy.drugs:
        for hit in drug.entry.hits:
            if hit.target == "vessel":
                effect[hit.field] = effect.get(hit.field, 0.0) + drug.plasma(minute) / hit.ki_uM
    for name, e in effect.items():
        if model.solved(name):
            model.fields[name].vessel = model.fields[name].entry.vessel_value / (1.0 + e)


def update_vessels(model):
    """A segment is open where its rank is below the factor of its deepest voxel: outside, rim (1), core.

    A vessel passes the same per minute and length whatever its voxel: the library's 1/min hold for 20 um in 8000 um^3.
    """
    p, depth = model.p.vessels, model.lattice.depth_um()

    def factor(voxels):
        deep = max(depth[v] for v in voxels)
        return p.normal_factor if deep <= 0.0 else (1.0 if deep <= p.rim_um else p.core_factor)

    before, now = model.open_vessels, open_weight(model.segments, factor)
    if model.tick > 0:
        model.events["vessel opens"] += len(set(now) - set(before))
        model.events["vessel closes"] += len(set(before) - set(now))
    model.open_vessels = now
    particles = {particle.name for particle in model.therapy.particles}
    for field in model.fields.values():
        if field.name not in particles:
            field.exchange[:] = 0.0
            per_vessel = field.entry.vessel_exchange * 8000.0 / model.lattice.voxel_um3
            if not model.lattice.flat:  # a line is wider on the lattice than a point
                per_vessel = 1.0 / (1.0 / per_vessel + 0.058 * model.lattice.voxel_um3 / 20.0 / field.entry.diffusion) if per_vessel else 0.0
            field.exchange[list(now)] = per_vessel * np.array(list(now.values()))


def deliver(model, particle, start, stop):
    """One-way leak at open vessels over [start, stop); injections into the inner third of the radius."""
    field = model.fields[particle.name]
    field.source[:] = 0.0
    leak = particle.entry.vessel_exchange * 8000.0 / model.lattice.voxel_um3 * particle.plasma_mean(start, stop)
    field.source[list(model.open_vessels)] = leak * np.array(list(model.open_vessels.values()))
    if particle.entry.normal_leak is not None:
        near = model.lattice.around([cell.voxel for cell in model.of("tumour")], 100.0)
        for voxel in model.open_vessels:
            field.source[voxel] *= 1.0 if voxel in near else particle.entry.normal_leak
    dose = particle.injected(start, stop)
    if dose > 0.0:
        depth = model.lattice.depth_um()
        deep = depth >= 2.0 / 3.0 * max(depth.max(), 0.0)
        field.c[deep] += dose * particle.peak * (depth > 0.0).sum() / max(deep.sum(), 1)
        model.events["injection"] += 1


def carry_particles(model, minutes):
    """Living tumour cells and macrophages take particles up and release; free ones release outside."""
    p = model.p.nanoparticles
    for cell in model.of("tumour"):
        cell.j_fe = cell.j_drug if cell.alive else 0.0
    for macrophage in model.of("macrophage"):
        macrophage.iron_load = 0.0
    for particle in model.therapy.particles:
        c = model.fields[particle.name].c
        released = release_outside(particle, p) * c
        for cell in model.of("tumour"):
            if cell.alive:
                args = (
                    float(c[cell.voxel]),
                    cell.oxygen,
                    cell.gsh,
                    particle.entry.tumour_uptake * model.per_cell,
                    model.cell_fraction,
                    minutes,
                )
                let_go, iron = carry(cell, particle, p, *args)
                cell.j_fe += iron
                released[cell.voxel] += let_go * model.cell_fraction / minutes
        for cell in model.of("macrophage"):
            oxygen = float(model.fields["oxygen"].c[cell.voxel])
            args = (
                float(c[cell.voxel]),
                oxygen,
                None,
                particle.entry.uptake_macrophage * model.per_cell,
                model.cell_fraction,
                minutes,
            )
            let_go, iron = carry(cell, particle, p, *args)
            cell.iron_load += iron
            released[cell.voxel] += let_go * model.cell_fraction / minutes
        model.released[particle.name] = released
