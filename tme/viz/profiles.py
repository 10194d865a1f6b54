"""CD8 density and oxygen against the signed distance from the tumour's edge."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes

from tme import statistics
from tme.viz import limits, style
from tme.viz.curves import MIN_FOR_BAND
from tme.viz.limits import Curve
from tme.viz.load import Missing, Run
from tme.viz.space import box_of, lattice_shape, pick_hours, signed_distance, tumour_region, voxel_of
from tme.viz.style import Drawn, arm_name, day_text

BIN_UM = 60.0
OUTSIDE_UM = 300.0
MIN_VOXELS = 25


@dataclass(frozen=True)
class Profile:
    """One simulation at one hour, on the bins of signed distance: CD8 per mm² of the slab (not of histology) and mean oxygen (mmHg)."""

    cd8_per_mm2: np.ndarray
    oxygen: np.ndarray


def profile(cells, oxygen: np.ndarray | None, shape, dx: float, edges: np.ndarray) -> Profile | None:
    """One snapshot on the bins; None where there is no tumour to speak of.

    The density is per mm² of the simulated slab, in 3D of a layer one voxel thick; a histological section shows cells cut by its
    faces too, and `cd8_per_mm2` of the series is converted to it.
    """
    region = tumour_region(cells, shape, dx)
    if region.sum() < 2 * MIN_VOXELS or region.all():
        return None
    n_bins = edges.size - 1
    window = box_of(region, int(max(edges[-1], 0) / dx) + 2)  # farther out lies no bin
    distance = signed_distance(region[window], dx)
    binned = np.digitize(distance, edges) - 1
    inside = (binned >= 0) & (binned < n_bins)
    voxels = np.bincount(binned[inside], minlength=n_bins)[:n_bins]
    which = np.full(shape, -1)
    which[window] = binned
    iz, iy, ix = voxel_of(cells, dx)
    cd8 = (np.asarray(cells["cell_type"]) == "cd8") & np.isin(
        np.asarray(cells.get("fate", "alive")), ("alive", "")
    )
    cd8 &= (ix >= 0) & (ix < shape[2]) & (iy >= 0) & (iy < shape[1]) & (iz >= 0) & (iz < shape[0])
    at = which[iz[cd8], iy[cd8], ix[cd8]]
    counts = np.bincount(at[(at >= 0) & (at < n_bins)], minlength=n_bins)[:n_bins]
    enough = voxels >= MIN_VOXELS
    area_mm2 = np.where(enough, voxels, 1) * (dx / 1000) ** 2
    density = np.where(enough, counts / area_mm2, np.nan)
    mean = np.full(n_bins, np.nan)
    if oxygen is not None:
        total = np.bincount(binned[inside], weights=oxygen[window][inside], minlength=n_bins)[:n_bins]
        mean = np.where(enough, total / np.maximum(voxels, 1), np.nan)
    return Profile(density, mean)


def profiles(run: Run) -> list[Drawn]:
    """Two rows (CD8, oxygen), a column per day, a line per arm with its interval over replicates."""
    snapshots = {(a, r): run.hours(a, r) for a in run.arms for r in run.replicates(a)}
    pairs = [k for k, v in snapshots.items() if v]
    if not pairs:
        raise Missing("no cells_<hour>.h5ad snapshots")
    hours = pick_hours(run, run.shared_hours(pairs))
    if not hours:
        raise Missing("the simulations share no snapshot hour")
    edges = np.arange(-3000.0, OUTSIDE_UM + 1, BIN_UM)
    found = {(a, h): _read(run, a, h, pairs, edges) for a in run.arms for h in hours}
    found = {k: v for k, v in found.items() if v}
    if not found:
        raise Missing("no snapshot holds a tumour large enough for a profile")
    rows = [("cd8_per_mm2", "CD8 (per mm² of the slab)"), ("oxygen", "oxygen (mmHg)")]
    rows = [
        r
        for r in rows
        if any(np.nanmax(np.nan_to_num(getattr(p, r[0]))) > 0 for v in found.values() for p in v)
    ]
    if not rows:
        raise Missing("neither CD8 cells nor an oxygen field in the snapshots")
    return [_sheet(run, rows, hours, found, edges)]


def _read(run: Run, arm: str, hour: float, pairs, edges) -> list[Profile]:
    out = []
    for replicate in run.replicates(arm):
        if (arm, replicate) not in pairs:
            continue
        cells = run.cells(arm, replicate, hour, ["cell_type", "fate"])
        if "cell_type" not in cells:
            raise Missing("snapshots have no cell_type column")
        oxygen, dx = None, run.lattice[1]
        if run.nearest(arm, replicate, hour, "fields") is not None:
            oxygen, dx = run.field(arm, replicate, hour, "oxygen")
        shape = oxygen.shape if oxygen is not None else lattice_shape(run, cells, dx)
        one = profile(cells, oxygen, shape, dx, edges)
        if one is not None:
            out.append(one)
    return out


def _sheet(run: Run, rows, hours, found, edges) -> Drawn:
    figure = style.new_figure(style.PAGE_IN if len(hours) > 2 else 5.0, 0.65 + 1.75 * len(rows))
    axes = figure.subplots(len(rows), len(hours), squeeze=False, sharex=True, sharey="row")
    colours, dashes = style.arm_colours(run.arms, run.control), style.arm_dashes(run.arms, run.control)
    centres = (edges[:-1] + edges[1:]) / 2
    deepest = 0.0
    drawn: dict[str, list[tuple[Axes, str, Curve]]] = {key: [] for key, _ in rows}
    for i, (key, label) in enumerate(rows):
        for j, hour in enumerate(hours):
            axis = axes[i, j]
            axis.axvline(0, color="#999999", lw=0.6, zorder=0)
            for arm in run.arms:
                values = np.array([getattr(p, key) for p in found.get((arm, hour), [])])
                if values.size == 0:
                    continue
                mean, low, high = statistics.band(values)
                full = np.isfinite(values).all(axis=0)
                deepest = min(deepest, float(centres[full].min(initial=0)))
                axis.fill_between(
                    centres,
                    np.maximum(low, 0),
                    high,
                    where=full & (len(values) >= MIN_FOR_BAND),
                    color=colours[arm],
                    alpha=0.16,
                    lw=0,
                )
                mean = np.where(full, mean, np.nan)
                axis.plot(centres, mean, color=colours[arm], ls=dashes[arm])
                drawn[key].append((axis, arm, (centres, mean, np.where(full, high, np.nan) if len(values) >= MIN_FOR_BAND else mean)))
            if i == 0:
                axis.set_title(day_text(hour), loc="center")
        axes[i, 0].set_ylabel(label)
    left_out = []
    for i, (key, _) in enumerate(rows):
        top, cut = limits.top_of(curve for _, _, curve in drawn[key])
        axes[i, 0].set_ylim(0, top)
        marked = [limits.mark_beyond(axis, *curve[:2], top, colours[arm]) for axis, arm, curve in drawn[key]]
        left_out.append((cut, any(marked)))
    axes[0, 0].set_xlim(max(deepest - BIN_UM / 2, -1500), OUTSIDE_UM)
    figure.supxlabel("signed distance from the tumour edge (µm); negative: inside", fontsize=style.FONT_PT)
    style.legend_of_arms(figure, run.arms, run.control)
    n = max(len(v) for v in found.values())
    text = (
        f"{'Means with 95 % intervals' if n >= MIN_FOR_BAND else 'Means'} over {n} simulations per "
        f"arm, in bins of "
        f"{BIN_UM:g} µm; the edge is that of the tumour cells with gaps up to 120 µm closed. {limits.words(left_out)}"
        f"{_depth_words(run, hours[-1], found, centres)}"
    )
    return Drawn("profiles", "CD8 and oxygen across the tumour edge", figure, text)


def _depth_words(run: Run, hour: float, found, centres) -> str:
    """CD8 density in the rim against that in the core, at the last day."""
    out = []
    for arm in run.arms:
        values = np.array([p.cd8_per_mm2 for p in found.get((arm, hour), [])])
        if values.size == 0:
            continue
        full = np.isfinite(values).all(axis=0)
        mean = np.where(full, np.nan_to_num(values).mean(axis=0), np.nan)
        rim, core = mean[(centres > -120) & (centres < 0)], mean[centres < -300]
        if np.isfinite(rim).any() and np.isfinite(core).any():
            out.append(f"{arm_name(arm)} {np.nanmean(rim):.0f} and {np.nanmean(core):.0f}")
    if not out:
        return ""
    return f"CD8 per mm² in the outer 120 µm and deeper than 300 µm at {day_text(hour)}: {'; '.join(out)}."
