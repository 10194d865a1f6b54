"""The tissue at the start: which voxels, which traits, which immune cells; all from dice of tick 0.

A founder's uid is a hash of (population, voxel, slot), slot 2 for tumour cells and 1 for immune cells.
"""

import math

from twin.immune_cells import IMMUNE
from twin.philox import recruit_uid
from twin.tumour_cell import TRAITS

VARIED = ("xct", "gpx4_trait", "fsp1", "acsl4", "tfr1")


def nodule(lattice, n_cells):
    """The voxels nearest the domain's centre, ties by index."""

    def distance2(v):
        return round(
            sum(
                ((i + 0.5 - n / 2) * lattice.dx) ** 2
                for i, n in zip(lattice.coordinates[v], lattice.shape, strict=True)
            ),
            6,
        )

    return sorted(sorted(range(lattice.n_voxels), key=lambda v: (distance2(v), v))[:n_cells])


def founder(dice, config, voxel):
    """(uid, clone, traits): the clone by its share; each varied trait times a lognormal number of mean 1."""
    spec, uid = config.tumour, recruit_uid(1, voxel, 0, 2)
    traits = {name: 0.0 if name == "mufa" else 1.0 for name in TRAITS} | dict(config.tumour_traits())
    clone, low, u = "reference", 0.0, dice.uniform("type", 0, uid)
    for name, entry in spec.clones.items():
        if low <= u < low + entry.share:
            clone = name
            for trait, factor in config.clone_traits()[name].items():
                traits[trait] = factor if trait == "mufa" else traits[trait] * factor
        low += entry.share
    sd = math.sqrt(math.log1p(spec.cv**2))
    for k, name in enumerate(VARIED):
        traits[name] *= math.exp(sd * dice.normal("trait", 0, uid, k) - 0.5 * sd * sd)
    sd = math.sqrt(math.log1p(spec.antigenicity_cv**2))
    traits["antigenicity"] *= spec.antigenicity_mean * math.exp(
        sd * dice.normal("trait", 0, uid, len(VARIED)) - 0.5 * sd * sd
    )
    return uid, clone, traits


def in_slab(model, cls):
    """Cells per mm2 of the slab for one per mm2 of a section of 5 um, which shows a sphere over its own diameter more."""
    volume = model.config.library.cells[cls.kind].volume_um3
    return model.lattice.voxel_um3 / model.lattice.dx**2 / (5.0 + (6.0 * volume / math.pi) ** (1.0 / 3.0))


def residents(model, n_tumour):
    """Voxels of the immune cells of each kind, in the order CD8, dendritic, Treg, macrophage.

    At their density per mm2 of the tumour and a rim of 100 um, or as a share of the tumour cells; one a
    voxel and kind, in voxels that still have room, by the smallest die. In 3D the area of all planes counts.
    """
    lattice, places = model.lattice, {}
    depth, room = model.lattice.depth_um(), [lattice.capacity] * lattice.n_voxels
    zone = [v for v in range(lattice.n_voxels) if depth[v] > -100.0]
    for kind, cls in IMMUNE.items():
        spec = model.config.populations.get(kind)
        count = 0
        if spec is not None:
            per_area = spec.per_mm2 is not None
            count = (
                round(spec.per_mm2 * in_slab(model, cls) * len(zone) * lattice.dx**2 * 1e-6)
                if per_area
                else round(spec.share * n_tumour)
            )
        free = [v for v in zone if room[v] > 0]
        places[kind] = sorted(
            sorted(free, key=lambda v: (model.dice.uniform("place", 0, v, cls.code), v))[:count]
        )
        for v in places[kind]:
            room[v] -= 1
    return places
