"""Everything `tme spatial` tells of cells: all statistics of every sample, as tidy tables and as what figures draw."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from tme.spatial import deaths, distances, margin
from tme.spatial.cell import Cells, SpatialError
from tme.spatial.contact import Enrichment, enrichment
from tme.spatial.infiltration import READOUTS, classes
from tme.spatial.marks import Weighted, weighted
from tme.spatial.mixing_score import assortativity, mixing
from tme.spatial.neighbourhood import NEIGHBOUR_UM, neighbours
from tme.spatial.niche import NICHES, RADIUS_UM, Niches, niches
from tme.spatial.pair_correlation import DRAWS, FAR_UM, RING_UM, Correlation, correlation
from tme.spatial.tables import DEAD, DEAD_OTHER

WINDOWS = ("box", "tumour", "tissue")
TABLES = ("enrichment", "correlation", "weighted", "nearest", "nearest_curves", "margin", "mixing", "niches", "clusters", "front", "summary")


CD8 = ("cd8",)


@dataclass(frozen=True)
class Ask:
    """What is computed, and how; lengths in um."""

    neighbours: str = "radius"
    radius_um: float = NEIGHBOUR_UM
    k: int = 6
    far_um: float = FAR_UM
    ring_um: float = RING_UM
    shuffles: int | None = None
    draws: int = DRAWS  # of tiles, for intervals
    marks: tuple[str, ...] = ()
    tumour: tuple[str, ...] = ("tumour",)
    cd8: tuple[str, ...] = CD8
    niches: int = NICHES
    niche_um: float = RADIUS_UM
    window: str = "box"
    seed: int = 0


@dataclass(frozen=True)
class Sample:
    """Cells to look at. `keys` say of what (arm, replicate, hour; or the name of the table); `group` what they are compared by.

    `deaths`: all cells that are known to have died by ferroptosis so far with those alive, where snapshots tell; `densities`: of CD8 as a section
    shows them, where the run's series tells.
    """

    keys: Mapping[str, Any]
    cells: Cells
    group: str
    deaths: Cells | None = None
    densities: Mapping[str, float] | None = None

    @property
    def name(self) -> str:
        """In words."""
        return ", ".join(f"{k} {v}" if k != "sample" else str(v) for k, v in self.keys.items())


@dataclass(frozen=True)
class Found:
    """What was found in one sample."""

    sample: Sample
    seen: Cells
    enrichment: Enrichment
    correlation: Correlation
    weighted: tuple[Weighted, ...]
    nearest: tuple[distances.Nearest, ...]
    profile: margin.Profile | None
    clusters: deaths.Clusters | None
    front: deaths.Front | None
    summary: Mapping[str, float | str]


@dataclass(frozen=True)
class Analysis:
    """All samples, the niches they have in common (None without), tidy tables by name, and remarks."""

    ask: Ask
    found: tuple[Found, ...]
    niches: Niches | None
    tables: dict[str, pd.DataFrame] = field(repr=False)
    notes: tuple[str, ...] = ()


def seen_cells(of: Cells, ask: Ask, has_tumour: bool) -> tuple[Cells, margin.Region | None]:
    """The cells of the window asked for, and the tumour's region in the box, None without tumour cells."""
    region = margin.region(of, _region_types(of, ask)) if has_tumour else None
    if ask.window == "tumour":
        if region is None or not region.mask.any():
            raise SpatialError(f"no tumour region: there are no cells of type {' or '.join(ask.tumour)}; expected --tumour NAME, or --window box")
        return of.within(region.rimmed()), region
    if ask.window == "tissue":
        return of.within(margin.region(of, of.types).rimmed(0.0)), region
    return of, region


def _region_types(of: Cells, ask: Ask) -> list[str]:
    """Types that make the tumour's region: its cells and, where they are told apart, corpses."""
    return [t for t in of.types if t in (*ask.tumour, DEAD, DEAD_OTHER)]


def examine(sample: Sample, ask: Ask) -> tuple[Found, list[str]]:
    """All statistics of one sample, and remarks on what could not be told."""
    notes: list[str] = []
    whole = sample.cells
    has_tumour = any(whole.counts[whole.types.index(t)] for t in ask.tumour if t in whole.types)
    seen, region = seen_cells(whole, ask, has_tumour)
    if seen.n < 2:
        raise SpatialError(f"{sample.name}: {seen.n} cells in the window; expected two and more")
    rich = enrichment(seen, neighbours(seen, ask.neighbours, ask.radius_um, ask.k), ask.shuffles, ask.seed)
    pairs = correlation(seen, ask.far_um, ask.ring_um, ask.draws, ask.seed)
    marked = tuple(weighted(seen, m, ask.far_um, ask.ring_um) for m in ask.marks if m in seen.marks and _varies(seen, m, notes, sample))
    near = tuple(distances.nearest(seen))
    profile = None
    if region is None:
        notes.append(f"{sample.name}: no cells of type {' or '.join(ask.tumour)}, so no tumour edge (--tumour NAME)")
    else:
        try:
            profile = margin.profile(whole, region)
        except SpatialError as error:
            notes.append(f"{sample.name}: {error}")
    could_die = seen.where(seen.of(*_region_types(seen, ask))) if seen.dead.any() else None
    lumps = deaths.clusters(could_die, ask.radius_um, seed=ask.seed) if could_die is not None else None
    told = sample.deaths or whole
    wave = deaths.front(told.where(told.of(*_region_types(told, ask)))) if np.isfinite(told.death_hour).sum() >= 5 else None
    summary = _summary(sample, ask, seen, rich, profile, lumps, wave)
    return Found(sample, seen, rich, pairs, marked, near, profile, lumps, wave, summary), notes


def _varies(of: Cells, mark: str, notes: list[str], sample: Sample) -> bool:
    value = of.marks[mark][np.isfinite(of.marks[mark])]
    if len(value) > 1 and np.quantile(value, 0.98) > np.quantile(value, 0.02):
        return True
    notes.append(f"{sample.name}: {mark} does not vary, so nothing weighs by it")
    return False


def _summary(sample: Sample, ask: Ask, seen: Cells, rich: Enrichment, profile: margin.Profile | None, lumps: deaths.Clusters | None,
             wave: deaths.Front | None) -> dict[str, float | str]:  # fmt: skip
    out: dict[str, float | str] = {"cells": seen.n, "window_mm2" if seen.ndim == 2 else "window_mm3": seen.window.volume / 1000.0**seen.ndim}
    out["cells_per_" + ("mm2" if seen.ndim == 2 else "mm3")] = seen.n / seen.window.volume * 1000.0**seen.ndim
    out |= {f"cells_{t}": int(n) for t, n in zip(seen.types, seen.counts)}
    out["neighbours_mean"] = rich.edges / seen.n
    out["assortativity"] = assortativity(rich.contacts)
    if sample.densities is not None and ask.cd8 == CD8:
        out |= {k: float(sample.densities[k]) for k in READOUTS}
        out["infiltration"] = classes({k: np.array([float(sample.densities[k])]) for k in READOUTS})[0]
    elif profile is not None and seen.ndim == 2:
        mine = [profile.types.index(t) for t in ask.cd8 if t in profile.types]
        if mine:
            out |= {name: float(v[mine].sum()) for name, v in zip(READOUTS, (profile.whole, profile.deep, profile.rim))}
            out["infiltration"] = profile.infiltration(ask.cd8)
    if lumps is not None:
        out |= {"ferroptotic": lumps.dead, "clusters": len(lumps.sizes), "cluster_largest": int(lumps.sizes[0]), "cluster_size": lumps.typical,
                "cluster_size_shuffled": lumps.shuffled_mean, "cluster_p": lumps.p}  # fmt: skip
    if np.isfinite(seen.death_hour).sum() >= 2:
        out["propagation_index"], out["deaths_with_hour"] = deaths.propagation_index(seen, seed=ask.seed)
    if wave is not None:
        out |= {"front_um_min": wave.speed, "front_low_um_min": wave.low, "front_high_um_min": wave.high, "front_r2": wave.r2}
    return out


def analyse(samples: Iterable[Sample], ask: Ask | None = None) -> Analysis:
    """All statistics of all samples. SpatialError where a question cannot be asked at all."""
    ask = ask or Ask()
    if ask.window not in WINDOWS:
        raise SpatialError(f"a window '{ask.window}'; expected one of {', '.join(WINDOWS)}")
    found, notes = [], []
    for sample in samples:
        one, remarks = examine(sample, ask)
        found.append(one)
        notes += remarks
    if not found:
        raise SpatialError("no cells to look at")
    notes += [f"no sample has cells of the type '{t}' (--cd8)" for t in ask.cd8 if ask.cd8 != CD8 and not any(t in f.seen.types for f in found)]
    common = _common_niches(found, ask) if ask.niches else None
    return Analysis(ask, tuple(found), common, _tables(found, common), tuple(dict.fromkeys(notes)))


def _common_niches(found: Sequence[Found], ask: Ask) -> Niches:
    """Niches over all samples, types that only some have among them."""
    types = tuple(sorted({t for f in found for t in f.seen.types}))
    return niches([with_types(f.seen, types) for f in found], ask.niches, ask.niche_um, ask.seed)


def with_types(of: Cells, types: Sequence[str]) -> Cells:
    """The same cells with codes for more types."""
    return replace(of, code=np.array([types.index(t) for t in of.types], np.int64)[of.code], types=tuple(types))


def _tables(found: Sequence[Found], common: Niches | None) -> dict[str, pd.DataFrame]:
    """Tidy tables by name; those without rows are left out."""
    parts: dict[str, list[pd.DataFrame]] = {name: [] for name in TABLES}
    for i, f in enumerate(found):
        one = {
            "enrichment": f.enrichment.table(),
            "correlation": f.correlation.table(),
            "weighted": pd.concat([w.table() for w in f.weighted]) if f.weighted else pd.DataFrame(),
            "nearest": pd.DataFrame([n.row() for n in f.nearest]),
            "nearest_curves": distances.curves(list(f.nearest)),
            "margin": f.profile.table() if f.profile is not None else pd.DataFrame(),
            "mixing": mixing(f.enrichment),
            "niches": _niche_rows(common, i) if common is not None else pd.DataFrame(),
            "clusters": _sizes(f.clusters),
            "front": pd.DataFrame({"distance_um": f.front.distance_um, "median_death_hour": f.front.hour, "share": f.front.share}) if f.front is not None else pd.DataFrame(),
            "summary": pd.DataFrame([{"statistic": k, "value": v} for k, v in f.summary.items()]),
        }
        for name, table in one.items():
            if len(table):
                for place, (key, value) in enumerate(f.sample.keys.items()):
                    table.insert(place, key, value)
                parts[name].append(table)
    return {name: pd.concat(tables, ignore_index=True) for name, tables in parts.items() if tables}


def _niche_rows(common: Niches, sample: int) -> pd.DataFrame:
    """Share of the sample's cells in each niche, and who is in it (over all samples)."""
    label = common.of[sample]
    rows = []
    for k, shares in enumerate(common.composition):
        rows.append({"niche": k + 1, "cells": int((label == k).sum()), "share": float((label == k).mean()), **{f"share_{t}": float(s) for t, s in zip(common.types, shares)}})
    return pd.DataFrame(rows)


def _sizes(lumps: deaths.Clusters | None) -> pd.DataFrame:
    """How many clusters there are of each size."""
    if lumps is None or not len(lumps.sizes):
        return pd.DataFrame()
    size, times = np.unique(lumps.sizes, return_counts=True)
    return pd.DataFrame({"size": size, "clusters": times})
