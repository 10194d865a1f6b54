"""Waves of death: distance against time, and the speed of the front."""

from __future__ import annotations

import numpy as np

from tme.viz import statistics, style
from tme.viz.load import Missing, Run
from tme.viz.style import Drawn, arm_name

MIN_DEAD = 0.3  # a wave has swept at least this share of the layer
MIN_R2 = 0.8  # and its front lies on a line at least this well
N_BINS = 60
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


def front(distance: np.ndarray, hour: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Bin centres (um) and the hour at which half of each bin's cells had died (NaN where half never did)."""
    edges = np.linspace(0, distance.max() * (1 + 1e-9), N_BINS + 1)
    which = np.digitize(distance, edges) - 1
    filled = np.where(np.isfinite(hour), hour, np.inf)
    half = np.array([np.median(filled[which == b]) if (which == b).any() else np.nan for b in range(N_BINS)])
    return (edges[:-1] + edges[1:]) / 2, np.where(np.isfinite(half), half, np.nan)


def fit_front(at: np.ndarray, half: np.ndarray) -> statistics.Line:
    """Front position (um) against time (min), both ends of the path left out."""
    span = np.nanmax(at)
    use = np.isfinite(half) & (at > TRIM * span) & (at < (1 - TRIM) * span)
    if use.sum() < 5 or np.ptp(half[use]) == 0:
        raise Missing("the front crosses too few places to fit a speed")
    return statistics.fit_line(half[use] * 60, at[use])


def fraction_dead(distance, hour, times: np.ndarray) -> np.ndarray:
    """Share of cells dead, (n_bins, n_times)."""
    edges = np.linspace(0, distance.max() * (1 + 1e-9), N_BINS + 1)
    which = np.digitize(distance, edges) - 1
    totals = np.maximum(np.bincount(which, minlength=N_BINS), 1)
    out = np.zeros((N_BINS, times.size))
    dead = np.isfinite(hour)
    step = np.clip(np.searchsorted(times, hour[dead]), 0, times.size)
    grid = np.zeros((N_BINS, times.size + 1))
    np.add.at(grid, (which[dead], step), 1.0)
    out[:] = np.cumsum(grid, axis=1)[:, :-1]
    return out / totals[:, None]


def kymograph(run: Run) -> list[Drawn]:
    """Distance x time of death and, where recorded, of lipid peroxide; a row per arm; the front speed."""
    found = {}
    reasons = []
    for arm in run.arms:
        try:
            found[arm] = _wave(run, arm)
        except Missing as reason:
            reasons.append(f"{arm_name(arm)}: {reason}")
    if not found:
        raise Missing("no wave; " + "; ".join(reasons[:3]))
    with_plooh = any(w["plooh"] is not None for w in found.values())
    figure = style.new_figure(style.PAGE_IN if with_plooh else 3.8, 0.2 + 2.3 * len(found))
    axes = figure.subplots(len(found), 2 if with_plooh else 1, squeeze=False, sharex=True, sharey=True)
    words = [_draw(figure, axes[i], arm, wave) for i, (arm, wave) in enumerate(found.items())]
    text = (
        "Space and time of death in the layer (first replicate). Dotted: straight line through the "
        "times at which "
        "half of each place had died, both ends left out. " + " ".join(words)
    )
    return [Drawn("kymograph", "The wave front", figure, text)]


def _wave(run: Run, arm: str) -> dict:
    lines = []
    for replicate in run.replicates(arm):
        hours = run.hours(arm, replicate)
        if not hours:
            continue
        cells = run.cells(arm, replicate, hours[-1], ["death_hour"])
        if "death_hour" not in cells:
            raise Missing("snapshots have no death_hour column")
        dead = np.isfinite(cells["death_hour"])
        if dead.mean() < MIN_DEAD or np.ptp(cells["death_hour"][dead]) == 0:
            raise Missing(
                f"{100 * dead.mean():.0f} % of the cells carry a death hour, a wave needs "
                f"{100 * MIN_DEAD:.0f} %"
            )
        distance, label = distance_along(cells)
        line = fit_front(*front(distance, cells["death_hour"]))
        if line.r2 < MIN_R2:
            raise Missing(f"deaths do not follow a front (R² {line.r2:.2f})")
        if not lines:
            times = np.linspace(
                np.nanmin(cells["death_hour"]) - 0.5, max(hours[-1], np.nanmax(cells["death_hour"])), 240
            )
            shown = {
                "times": times,
                "label": label,
                "length": float(distance.max()),
                "line": line,
                "dead": fraction_dead(distance, cells["death_hour"], times),
                "plooh": _plooh(run, arm, replicate, hours, label, cells),
            }
        lines.append(line)
    if not lines:
        raise Missing("no cells_<hour>.h5ad snapshots")
    return shown | {"speeds": [line.slope for line in lines]}


def _plooh(run: Run, arm: str, replicate: int, hours: list[float], label: str, last) -> tuple | None:
    """Hours and mean PLOOH (n_bins, n_hours) from the snapshots, or None with fewer than four of them."""
    rows, kept = [], []
    for hour in hours:
        cells = run.cells(arm, replicate, hour, ["plooh"])
        if "plooh" not in cells:
            return None
        distance = _same_distance(cells, last, label)
        edges = np.linspace(0, distance.max() * (1 + 1e-9), N_BINS + 1)
        which = np.digitize(distance, edges) - 1
        known = np.isfinite(cells["plooh"]) & (which < N_BINS)
        sums = np.bincount(which[known], weights=cells["plooh"][known], minlength=N_BINS)
        counts = np.bincount(which[known], minlength=N_BINS)
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


def _draw(figure, axes, arm: str, wave: dict) -> str:
    length = wave["length"] / 1000
    times = wave["times"]
    shown = axes[0].imshow(
        wave["dead"],
        origin="lower",
        aspect="auto",
        cmap="cividis",
        vmin=0,
        vmax=1,
        extent=(times[0], times[-1], 0, length),
        interpolation="nearest",
    )
    figure.colorbar(shown, ax=axes[0], label="dead (share of cells)")
    if len(axes) > 1 and wave["plooh"] is not None:
        hours, values = wave["plooh"]
        half = np.diff(hours).mean() / 2
        shown = axes[1].imshow(
            values,
            origin="lower",
            aspect="auto",
            cmap="viridis",
            vmin=0,
            interpolation="nearest",
            extent=(hours[0] - half, hours[-1] + half, 0, length),
        )
        figure.colorbar(shown, ax=axes[1], label="PLOOH (µM, mean of cells)")
    line = wave["line"]
    for axis in axes:
        axis.plot(times, (line.intercept + line.slope * times * 60) / 1000, color="white", ls=":", lw=1.2)
        axis.set(xlabel="time (h)", ylim=(0, length), xlim=(times[0], times[-1]), title=arm_name(arm))
    axes[0].set_ylabel(f"{wave['label']} (mm)")
    speed = statistics.mean_interval(wave["speeds"])
    if speed.has_interval:
        within = f" (95 % interval {speed.low:.2f} to {speed.high:.2f} over {speed.n} simulations)"
    else:
        within = f" (95 % interval of the fit {line.low:.2f} to {line.high:.2f}, one simulation)"
    return f"{arm_name(arm)}: front speed {speed.mean:.2f} µm/min{within}, R² {line.r2:.3f}."
