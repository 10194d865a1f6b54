"""The tissue at the start: where cells sit, which traits they drew, which immune cells are there."""

from __future__ import annotations

from typing import Any

import numpy as np

from tme.core.lattice import FREE
from tme.kernels.rng import Stream, normals, recruit_uid, uniforms
from tme.library.cells import FIRST_CODE
from tme.mechanisms.division import VARIED
from tme.mechanisms.ifng_response import CONSTITUTIVE
from tme.mechanisms.ifng_response import PARAMETERS as IFNG_RESPONSE
from tme.pathways import PathwayEntry

ANSWERS = 1  # draw of Stream.TYPE: whether a tumour cell's PD-L1 answers IFN-gamma


def founders(code: int, voxels: np.ndarray, slot: int) -> np.ndarray:
    """uids of cells present at the start: a hash of (population, voxel, slot), the same in every arm."""
    return np.array([recruit_uid(np.uint64((code << 32) | int(v)), 0, slot) for v in voxels], np.uint64)


def nodule_voxels(model: Any, n_cells: int, centre_um: Any = None) -> np.ndarray:
    """The `n_cells` voxels nearest the centre, ties by index: a disc in 2D, a ball in 3D."""
    grid = model.grid
    x, y, z = model.lattice.position_um(np.arange(grid.n_voxels))
    centre = tuple(centre_um or (grid.nx * grid.dx_um / 2, grid.ny * grid.dx_um / 2))
    cx, cy, cz = centre if len(centre) == 3 else (*centre, grid.nz * grid.dx_um / 2)
    if grid.ndim == 2:
        z, cz = 0.0, 0.0
    d2 = np.round((x - cx) ** 2 + (y - cy) ** 2 + (z - cz) ** 2, 6)
    return np.sort(np.argsort(d2, kind="stable")[:n_cells])


def monolayer_voxels(model: Any, occupancy: float) -> np.ndarray:
    """Every voxel, or a random share of them."""
    voxels = np.arange(model.grid.n_voxels)
    if occupancy >= 1.0:
        return voxels
    u = np.empty(len(voxels))
    uniforms(model.seed64, int(Stream.PLACE), 0, voxels.astype(np.uint64), 0, u)
    return voxels[u < occupancy]


def place_tumour(model: Any, voxels: np.ndarray, slot: int = 2) -> slice:
    """Add tumour cells with their clones and traits; `slot` tells cells apart that ever shared a voxel. Returns their rows."""
    tumour = model.tumour
    uid = founders(tumour.code, voxels, slot)
    model.check_new_uids(tumour, uid)
    new = tumour.add(uid, voxels.astype(np.int32), 0)
    draw_traits(model, new)
    model.lattice.rebuild_tissue(tumour.col.voxel, tumour.n)
    return new


def implant(model: Any, voxels: np.ndarray, slot: int) -> slice:
    """Put tumour cells of the founders' kind into free voxels while the model runs, each in the steady state of its place."""
    new = place_tumour(model, np.sort(voxels), slot)
    t = model.tumour.col
    t.born_tick[new] = model.tick
    for column, field in (("oxygen", "oxygen"), ("cystine", "cystine"), ("ifng", "ifng"), ("peroxide", "peroxide"), ("aa", "arachidonic")):
        getattr(t, column)[new] = model.fields[field].at(t.voxel[new])
    if model.rule_programs:
        model.mechanism("rules").at_once(model, "tumour")
    for pathway in (m for m in model._entries if isinstance(m, PathwayEntry) and m.cells == "tumour"):
        pathway.settle_rows(model, np.arange(new.start, new.stop))
    return new


def draw_traits(model: Any, rows: slice) -> None:
    """Clones by share, then lognormal variation of mean 1 around the clone's value."""
    spec, t = model.config.tumour, model.tumour.col
    uid = t.uid[rows]
    u, z = np.empty(len(uid)), np.empty(len(uid))
    uniforms(model.seed64, int(Stream.TYPE), 0, uid, 0, u)
    for name in (*VARIED, "nrf2", "mufa"):
        getattr(t, name)[rows] = model.tumour_traits.get(name, 0.0 if name == "mufa" else 1.0)
    t.antigenicity[rows] = model.tumour_traits.get("antigenicity", 1.0)
    low = 0.0
    clone = np.zeros(len(uid), np.int8)
    for code, (entry, traits) in enumerate(zip(spec.clones.values(), model.config.clone_traits().values()), 1):
        inside = (u >= low) & (u < low + entry.share)
        low += entry.share
        clone[inside] = code
        for trait, factor in traits.items():
            column = getattr(t, trait)[rows]
            column[inside] = factor if trait == "mufa" else column[inside] * factor
    t.clone[rows] = clone
    sd = np.sqrt(np.log1p(spec.cv**2))
    for k, name in enumerate(VARIED):
        normals(model.seed64, int(Stream.TRAIT), 0, uid, k, z)
        getattr(t, name)[rows] *= np.exp(sd * z - 0.5 * sd * sd)
    sd = np.sqrt(np.log1p(spec.antigenicity_cv**2))
    normals(model.seed64, int(Stream.TRAIT), 0, uid, len(VARIED), z)
    t.antigenicity[rows] *= spec.antigenicity_mean * np.exp(sd * z - 0.5 * sd * sd)
    uniforms(model.seed64, int(Stream.TYPE), 0, uid, ANSWERS, u)
    p = IFNG_RESPONSE.build(model.config_for("ifng_response"))
    t.pdl1_answer[rows] = np.where(u >= 1.0 - p.pdl1_constitutive, CONSTITUTIVE, u < p.pdl1_answering)


def clone_log_means(config: Any, reference: dict[str, float]) -> np.ndarray:
    """Mean of the log of each varied trait per clone code, (VARIED, clones) float64: the clone's value, mean 1 around it."""
    half = 0.5 * np.log1p(config.tumour.cv**2)
    clones = config.clone_traits()
    out = np.empty((len(VARIED), 1 + len(clones)))
    for k, name in enumerate(VARIED):
        level = np.full(1 + len(clones), reference.get(name, 1.0))
        for code, factors in enumerate(clones.values(), 1):
            level[code] *= factors.get(name, 1.0)
        # a trait of zero stays zero: its log is never used, since 0 has no deviation
        out[k] = np.log(np.maximum(level, 1e-300)) - half
    return out


def drawn(model: Any, population: Any, candidates: np.ndarray, count: int, slot: int = 1) -> np.ndarray:
    """`count` of the candidate voxels by the dice of this cell type, ascending; `slot` 1 is the residents' draw."""
    u = np.empty(len(candidates))
    if population.code < FIRST_CODE:
        uniforms(model.seed64, int(Stream.PLACE), 0, candidates.astype(np.uint64), population.code + 100 * (slot - 1), u)
    else:
        uniforms(model.seed64, int(Stream.PLACE), 0, founders(population.code, candidates, 0), 100 * (slot - 1), u)
    return np.sort(candidates[np.argsort(u, kind="stable")[:count]])


def place_immune(model: Any, population: Any, count: int, mask: np.ndarray, slot: int = 1) -> None:
    """Add `count` guest cells at random voxels of `mask`, one a voxel while there is room."""
    if count <= 0:
        return
    candidates = np.flatnonzero(mask & (model.lattice.immune_count < model.lattice.immune_capacity))
    voxels = drawn(model, population, candidates, count, slot)
    uid = founders(population.code, voxels, slot)
    model.check_new_uids(population, uid)
    population.add(uid, voxels.astype(np.int32), 0)
    np.add.at(model.lattice.immune_count, voxels, 1)


def number_at_start(model: Any, population: Any, area_mm2: float, whole: int) -> int:
    """How many of a type there are at the start, by the config's density or the entry's own; densities per mm^2 are histology's."""
    if not model.recruits(population.kind):
        return 0
    spec = model.config.populations[population.kind]
    if spec.per_mm2 is None and spec.share is None:
        spec = population.entry.start
    per_mm2 = spec.per_mm2 * population.in_slab if spec.per_mm2 else 0.0
    return round(per_mm2 * area_mm2) if spec.per_mm2 else round((spec.share or 0.0) * whole)


def place_residents(model: Any) -> None:
    """Guest cells at their stated densities within the tumour and a rim of 100 um around it."""
    mask = model.lattice.depth_um() > -100.0
    area_mm2 = mask.sum() * model.grid.dx_um**2 * 1e-6
    for population in model.immune:
        place_immune(model, population, number_at_start(model, population, area_mm2, model.tumour.n), mask)


def place_tissue(model: Any, start: Any) -> None:
    """The tumour, other tissue among its cells, and tissue outside; a nodule grows by what lies among its cells."""
    among = [t for t in model.lattice.others if t.entry.lies == "among"]
    if start.kind == "monolayer":
        voxels = monolayer_voxels(model, start.occupancy)
        counts = [number_at_start(model, t, len(voxels) * face_mm2(model), len(voxels)) for t in among]
    else:
        n = start.n_cells
        counts = [number_at_start(model, t, n * face_mm2(model), n) for t in among]
        voxels = nodule_voxels(model, n + sum(counts), getattr(start, "centre_um", None))
    for tissue, count in zip(among, counts):
        places = drawn(model, tissue, voxels, count)
        add_tissue(model, tissue, places)
        voxels = np.setdiff1d(voxels, places, assume_unique=True)
    place_tumour(model, voxels)
    for tissue in model.lattice.others:
        if tissue.entry.lies == "outside":
            free = np.flatnonzero(model.lattice.tissue_row == FREE)
            add_tissue(model, tissue, drawn(model, tissue, free, number_at_start(model, tissue, len(free) * face_mm2(model), len(free))))
            model.lattice.rebuild_tissue(model.tumour.col.voxel, model.tumour.n)


def face_mm2(model: Any) -> float:
    """Area of a voxel's face, mm^2."""
    return model.grid.dx_um**2 * 1e-6


def add_tissue(model: Any, tissue: Any, voxels: np.ndarray, slot: int = 2) -> None:
    """Add cells of other tissue, one in each of the voxels."""
    uid = founders(tissue.code, voxels, slot)
    model.check_new_uids(tissue, uid)
    tissue.add(uid, voxels.astype(np.int32), 0)
