"""Waves of death: distance against time, and the speed of the front."""

from __future__ import annotations

import numpy as np

from tme import statistics
from tme.viz import style
from tme.viz.load import Missing, Run
from tme.viz.style import Drawn, arm_name

MIN_DEAD = 0.3  # a wave has swept at least this share of the layer
MIN_R2 = 0.8  # and its front lies on a line at least this well
N_BINS = 60
NO_LINE = statistics.Line(np.nan, np.nan, np.nan, np.nan, 0.0)
TRIM = 0.08  # ends of the path left out of the fit: ignition and the far wall


def distance_along(cells: dict[str, np.ndarray]) -> tuple[np.ndarray, str]:
    """Distance (um) from where the wave began: along x, or from the first deaths where that orders better."""
    dead = np.isfinite(cells["death_hour"])
    hour = cells["death_hour"][dead]
    along = cells["x"] - cells["x"].min()
    if np.corrcoef(along[dead], hour)[0, 1] < 0:
        along = along.max() - along
    first = dead & (cells["death_hour"] <= np.quantile(hour, 0.01))
    centre = [np.median(cells[a][first]) for a in "xyz"]
    around = np.sqrt(sum((cells[a] - c) ** 2 for a, c in zip("xyz", centre)))
    straight, radial = (np.corrcoef(d[dead], hour)[0, 1] for d in (along, around))
    return (
        (around, "distance from the first deaths")
        if radial > straight + 0.02
        else (along, "distance along x")
    )


def bins_of(distance: np.ndarray, dx: float) -> np.ndarray:
    """Edges (um) of at most 60 bins, whole voxels wide, so that none falls between two rows of cells."""
    width = dx * max(1, np.ceil(distance.max() / dx / N_BINS))
    return width * np.arange(np.floor(distance.max() / width + 0.5) + 2) - dx / 2


def front(distance: np.ndarray, hour: np.ndarray, dx: float) -> tuple[np.ndarray, np.ndarray]:
    """Bin centres (um) and the hour at which half of each bin's cells had died (NaN where half never did)."""
    edges = bins_of(distance, dx)
    which = np.digitize(distance, edges) - 1
    filled = np.where(np.isfinite(hour), hour, np.inf)
    used = [which == b for b in range(edges.size - 1)]
    half = np.array([np.median(filled[u]) if u.any() else np.nan for u in used])
    return (edges[:-1] + edges[1:]) / 2, np.where(np.isfinite(half), half, np.nan)


def fit_front(at: np.ndarray, half: np.ndarray) -> statistics.Line:
    """Front position (um) against time (min), both ends of the path left out."""
    span = np.nanmax(at)
    use = np.isfinite(half) & (at > TRIM * span) & (at < (1 - TRIM) * span)
    if use.sum() < 5 or np.ptp(half[use]) == 0:
        raise Missing("the front crosses too few places to fit a speed")
    return statistics.fit_line(half[use] * 60, at[use])


def fraction_dead(distance, hour, times: np.ndarray, dx: float) -> np.ndarray:
    """Share of cells dead, (n_bins, n_times)."""
    edges = bins_of(distance, dx)
    n_bins = edges.size - 1
    which = np.digitize(distance, edges) - 1
    totals = np.bincount(which, minlength=n_bins)
    dead = np.isfinite(hour)
    step = np.clip(np.searchsorted(times, hour[dead]), 0, times.size)
    grid = np.zeros((n_bins, times.size + 1))
    np.add.at(grid, (which[dead], step), 1.0)
    dead_by = np.cumsum(grid, axis=1)[:, :-1]
    return np.where(totals[:, None] > 0, dead_by / np.maximum(totals, 1)[:, None], np.nan)


def kymograph(run: Run) -> list[Drawn]:
    """Death times on the layer, distance x time of death and of lipid peroxide; a row per arm; front speed."""
    kind = (run.config.get("initial") or {}).get("kind", "monolayer")
    if kind != "monolayer":
        raise Missing(f"drawn for monolayers (this run starts from: {kind})")
    found, reasons = {}, []
    for arm in run.arms:
        try:
            found[arm] = _wave(run, arm)
        except Missing as reason:
            reasons.append(f"{arm_name(arm)}: {reason}")
    if not found:
        raise Missing("no wave; " + "; ".join(reasons[:3]))
    with_plooh = any(w["plooh"] is not None for w in found.values())
    figure = style.new_figure(style.PAGE_IN, 0.2 + 2.1 * len(found))
    axes = figure.subplots(len(found), 3 if with_plooh else 2, squeeze=False)
    words = [_draw(figure, axes[i], run, arm, wave) for i, (arm, wave) in enumerate(found.items())]
    text = (
        "Space and time of death in the layer (first replicate). Left: when each cell died (grey: alive at the "
        "end). Right: share of dead cells, and lipid peroxide, by distance and time; dotted: straight line "
        "through the times at which half of each place had died, both ends left out. " + " ".join(words)
    )
    if reasons:
        text += f" Not drawn: {'; '.join(reasons)}."
    return [Drawn("kymograph", "The wave front", figure, text)]


def collect(run: Run, arm: str, replicate: int) -> dict[str, np.ndarray]:
    """Position and death hour of every tumour cell seen in any snapshot: cleared corpses count too."""
    parts = []
    for hour in run.hours(arm, replicate):
        cells = run.cells(arm, replicate, hour, ["uid", "death_hour", "cell_type"])
        if "death_hour" not in cells:
            raise Missing("snapshots have no death_hour column")
        tumour = np.asarray(cells.pop("cell_type", np.full(cells["x"].size, "tumour"))) == "tumour"
        parts.append({k: v[tumour] for k, v in cells.items()})
    if not parts:
        raise Missing("no cells_<hour>.h5ad snapshots")
    joined = {k: np.concatenate([p[k] for p in parts[::-1]]) for k in parts[0]}
    if "uid" not in joined:
        return parts[-1]
    _, newest = np.unique(joined.pop("uid").astype(str), return_index=True)
    return {k: v[newest].astype(float) for k, v in joined.items()}


def _wave(run: Run, arm: str) -> dict:
    lines: list[statistics.Line] = []
    for replicate in run.replicates(arm):
        cells = collect(run, arm, replicate)
        hours = run.hours(arm, replicate)
        dead = np.isfinite(cells["death_hour"])
        if dead.mean() < MIN_DEAD or np.ptp(cells["death_hour"][dead]) == 0:
            raise Missing(f"{100 * dead.mean():.0f} % of the cells died, a wave needs {100 * MIN_DEAD:.0f} %")
        distance, label = distance_along(cells)
        try:
            line = fit_front(*front(distance, cells["death_hour"], run.lattice[1]))
        except Missing:
            line = NO_LINE
        if not lines:
            first, last = np.nanmin(cells["death_hour"]), np.nanmax(cells["death_hour"])
            times = np.linspace(first - 0.5, max(hours[-1], last), 240)
            shown = {
                "times": times,
                "cells": cells,
                "reach": bins_of(distance, run.lattice[1])[[0, -1]] / 1000,
                "label": label,
                "length": float(distance.max()),
                "line": line,
                "dead": fraction_dead(distance, cells["death_hour"], times, run.lattice[1]),
                "plooh": _plooh(run, arm, replicate, hours, label, cells),
            }
        lines.append(line)
    if not lines:
        raise Missing("no simulations")
    return shown | {"speeds": [line.slope for line in lines if line.r2 >= MIN_R2]}


def _plooh(run: Run, arm: str, replicate: int, hours: list[float], label: str, last) -> tuple | None:
    """Hours and mean PLOOH (n_bins, n_hours) from the snapshots, or None with fewer than four of them."""
    rows, kept = [], []
    edges = bins_of(_same_distance(last, last, label), run.lattice[1])
    n_bins = edges.size - 1
    for hour in hours:
        cells = run.cells(arm, replicate, hour, ["plooh"])
        if "plooh" not in cells:
            return None
        distance = _same_distance(cells, last, label)
        which = np.digitize(distance, edges) - 1
        known = np.isfinite(cells["plooh"]) & (which >= 0) & (which < n_bins)
        sums = np.bincount(which[known], weights=cells["plooh"][known], minlength=n_bins)
        counts = np.bincount(which[known], minlength=n_bins)
        rows.append(np.where(counts > 0, sums / np.maximum(counts, 1), np.nan))
        kept.append(hour)
    return (np.array(kept), np.array(rows).T) if len(kept) >= 4 else None


def _same_distance(cells, last, label: str) -> np.ndarray:
    dead = np.isfinite(last["death_hour"])
    if label == "distance along x":
        along = cells["x"] - last["x"].min()
        forward = np.corrcoef(last["x"][dead], last["death_hour"][dead])[0, 1] > 0
        return np.clip(along if forward else np.ptp(last["x"]) - along, 0, None)
    first = dead & (last["death_hour"] <= np.nanquantile(last["death_hour"], 0.01))
    return np.sqrt(sum((cells[a] - np.median(last[a][first])) ** 2 for a in "xyz"))


def death_map(cells: dict[str, np.ndarray], dx: float) -> tuple[np.ndarray, np.ndarray]:
    """Death hour (ny, nx), NaN where nobody died, and where any cell was; 3D layers seen from above."""
    iy, ix = (np.floor(cells[a] / dx + 1e-6).astype(int) for a in "yx")
    hour = np.full((iy.max() + 1, ix.max() + 1), np.inf)
    np.minimum.at(hour, (iy, ix), np.where(np.isfinite(cells["death_hour"]), cells["death_hour"], np.inf))
    seen = np.zeros(hour.shape, bool)
    seen[iy, ix] = True
    return np.where(np.isfinite(hour), hour, np.nan), seen


def _draw(figure, axes, run: Run, arm: str, wave: dict) -> str:
    length, times = wave["length"] / 1000, wave["times"]
    _draw_map(figure, axes[0], run, arm, wave)
    shown = axes[1].imshow(
        wave["dead"], origin="lower", aspect="auto", cmap="cividis", vmin=0, vmax=1, interpolation="nearest",
        extent=(times[0], times[-1], *wave["reach"]),
    )  # fmt: skip
    figure.colorbar(shown, ax=axes[1], label="dead (share)")
    if len(axes) > 2 and wave["plooh"] is not None:
        hours, values = wave["plooh"]
        half = np.diff(hours).mean() / 2
        shown = axes[2].imshow(
            values, origin="lower", aspect="auto", cmap="viridis", vmin=0, interpolation="nearest",
            extent=(hours[0] - half, hours[-1] + half, *wave["reach"]),
        )  # fmt: skip
        figure.colorbar(shown, ax=axes[2], label="PLOOH (µM)")
    elif len(axes) > 2:
        axes[2].set_visible(False)
    line = wave["line"]
    for axis in axes[1:]:
        if line.r2 >= MIN_R2:
            axis.plot(times, (line.intercept + line.slope * times * 60) / 1000, color="white", ls=":", lw=1.2)
        axis.set(xlabel="time (h)", ylim=(0, length), xlim=(times[0], times[-1]))
    axes[1].set_ylabel(f"{wave['label']} (mm)")
    return _speed_words(arm, wave)


def _draw_map(figure, axis, run: Run, arm: str, wave: dict) -> None:
    dx = run.lattice[1]
    hour, seen = death_map(wave["cells"], dx)
    high, wide = (n * dx / 1000 for n in hour.shape)
    options = {"origin": "lower", "interpolation": "nearest", "extent": (0, wide, 0, high)}
    options["aspect"] = "auto" if wide > 2 * high else "equal"
    ground = np.where(seen[..., None], np.uint8(217), np.uint8(255)) * np.ones(3, np.uint8)
    axis.imshow(ground, **options)
    shown = axis.imshow(hour, cmap="viridis", **options)
    figure.colorbar(shown, ax=axis, label="death (h)")
    axis.set(xlabel="x (mm)", ylabel="y (mm)")
    colour = style.arm_colours(run.arms, run.control)[arm]
    axis.set_title(arm_name(arm), color=colour, fontweight="bold")


def _speed_words(arm: str, wave: dict) -> str:
    line, speed = wave["line"], statistics.mean_interval(wave["speeds"])
    if line.r2 < MIN_R2:
        return f"{arm_name(arm)}: no single front (R² {line.r2:.2f}), so no speed is given."
    if speed.has_interval:
        within = f" (95 % interval {speed.low:.2f} to {speed.high:.2f} over {speed.n} simulations)"
    else:
        within = f" (95 % interval of the fit {line.low:.2f} to {line.high:.2f}, one simulation)"
    return f"{arm_name(arm)}: front speed {speed.value:.2f} µm/min{within}, R² {line.r2:.3f}."
