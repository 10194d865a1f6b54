"""Pictures of the fields: a row per field, a column per arm, one colour scale per row."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

import numpy as np
from matplotlib.colors import LogNorm, Normalize
from matplotlib.ticker import LogLocator, MaxNLocator
from scipy import ndimage

from tme.viz import style
from tme.viz.curves import pages
from tme.viz.load import Missing, Run
from tme.viz.sheet import LatticeSheet
from tme.viz.space import tumour_region, typical_replicates
from tme.viz.style import SMALL_PT, Drawn, arm_name, day_text

PER_PAGE = 6
LOG_SPAN = 30.0  # top over usual value from which a scale is logarithmic
DECADES = 1e-4  # and how far below the top it may reach
MARGIN_UM = 240.0
NOT_DRAWN = ("vessel", "vessels")
COLOUR_MAP = "viridis"


@dataclass(frozen=True)
class Snapshot:
    """The fields of all arms at one hour, seen from above (central slice, or maximum along z)."""

    hour: float
    view: str
    depth: int
    dx_um: float
    units: dict[str, str]
    pictures: dict[tuple[str, str], np.ndarray]  # (field, arm) -> (ny, nx), cropped
    outlines: dict[str, np.ndarray | None]  # arm -> smoothed tumour (ny, nx), cropped
    empty: tuple[str, ...]

    @property
    def where(self) -> str:
        if self.depth == 1:
            return ""
        return " (central z slice)" if self.view == "slice" else " (maximum along z)"


def fields(run: Run) -> list[Drawn]:
    """Fields a day after the first dose, and at the end; 3D runs as central slice and maximum along z."""
    replicate_of = {a: r for a in run.arms for r in reversed(run.replicates(a)) if run.hours(a, r, "fields")}
    if not replicate_of:
        raise Missing("no fields_<hour>.npz snapshots")
    with suppress(Missing):  # without cells any replicate will do
        replicate_of |= {a: r for a, r in typical_replicates(run).items() if run.hours(a, r, "fields")}
    arms = [a for a in run.arms if a in replicate_of]
    pairs = [(a, replicate_of[a]) for a in arms]
    hours = run.shared_hours(pairs, "fields")
    if not hours:
        raise Missing("the arms share no hour with fields")
    first = 24 * min((d for _, days in run.dose_days for d in days), default=0)
    chosen = sorted({min(hours, key=lambda h: abs(h - first - 24)), hours[-1]})
    out = []
    for hour in chosen:
        for snapshot in _snapshots(run, arms, replicate_of, hour):
            names = list(dict.fromkeys(name for name, _ in snapshot.pictures))
            parts = -(-len(names) // PER_PAGE)
            size = -(-len(names) // max(parts, 1))
            for part in range(parts):
                here = names[part * size : (part + 1) * size]
                with_any = [a for a in arms if any((n, a) in snapshot.pictures for n in here)]
                for page, group in pages(with_any, 5):
                    suffix = ("" if part == 0 else f"_part{part + 1}") + page
                    out.append(_sheet(run, snapshot, here, group, suffix))
    if not out:
        raise Missing("all fields are zero")
    return out


def _snapshots(run: Run, arms: list[str], replicate_of: dict[str, int], hour: float) -> list[Snapshot]:
    read = {a: run.fields(a, replicate_of[a], hour) for a in arms}
    dx = read[arms[0]][2]
    units = {k: u for _, table, _ in read.values() for k, u in table.items()}
    names = [
        n for n in dict.fromkeys(k for arrays, _, _ in read.values() for k in arrays) if n not in NOT_DRAWN
    ]
    top = {
        n: max(float(np.nanmax(arrays[n])) for arrays, _, _ in read.values() if n in arrays) for n in names
    }
    empty = tuple(n for n in names if not top[n] > 0)
    shape = next(iter(read[arms[0]][0].values())).shape
    regions = {a: _region(run, a, replicate_of[a], hour, shape, dx) for a in arms}
    out = []
    for view in ("slice", "projection") if shape[0] > 1 else ("slice",):
        seen = {a: None if r is None else flatten(r, view) for a, r in regions.items()}
        window = window_of([s for s in seen.values() if s is not None], shape[1:], dx)
        pictures = {
            (n, a): flatten(read[a][0][n], view)[window]
            for n in names
            if n not in empty
            for a in arms
            if n in read[a][0]
        }
        outlines = {
            a: None if s is None else ndimage.gaussian_filter(s.astype(float), 1.5)[window]
            for a, s in seen.items()
        }
        out.append(Snapshot(hour, view, shape[0], dx, units, pictures, outlines, empty))
    return out


def flatten(array: np.ndarray, view: str) -> np.ndarray:
    """(nz, ny, nx) -> (ny, nx): the central z slice or the maximum along z."""
    return array[array.shape[0] // 2] if view == "slice" else array.max(axis=0)


def _region(run: Run, arm: str, replicate: int, hour: float, shape, dx: float) -> np.ndarray | None:
    """The tumour (nz, ny, nx), or None without a cells snapshot at that hour."""
    try:
        cells = run.cells(arm, replicate, hour, ["cell_type"])
    except OSError:
        return None
    return tumour_region(cells, shape, dx) if "cell_type" in cells else None


def window_of(masks: list[np.ndarray], shape: tuple[int, int], dx: float) -> tuple[slice, slice]:
    """The part of the lattice with tumour in any arm, and a margin."""
    seen = np.any(masks, axis=0) if masks else np.zeros(shape, bool)
    if not seen.any():
        return slice(None), slice(None)
    margin = int(MARGIN_UM / dx)
    out = []
    for axis in (1, 0):
        used = np.flatnonzero(seen.any(axis=axis))
        out.append(slice(max(0, used[0] - margin), used[-1] + 1 + margin))
    return out[0], out[1]


def scale_for(values: list[np.ndarray]) -> Normalize:
    """One colour scale for all arms: from zero, or logarithmic where the top far exceeds the usual value."""
    joined = np.concatenate([v.ravel() for v in values])
    positive = joined[joined > 0]
    if positive.size == 0:
        return Normalize(0.0, 1.0, clip=True)
    high = float(np.quantile(positive, 0.999))
    if high / float(np.median(positive)) > LOG_SPAN:
        return LogNorm(max(float(np.quantile(positive, 0.02)), high * DECADES), high, clip=True)
    return Normalize(0.0, high, clip=True)


def _sheet(run: Run, s: Snapshot, names: list[str], arms: list[str], suffix: str) -> Drawn:
    shape = next(iter(s.pictures.values())).shape
    sheet = LatticeSheet(
        len(names),
        len(arms),
        shape,
        left=230,
        right=235,
        top=72,
        bottom=20,
        gap=14,
        panel_px=430,
        exact=False,
    )
    colours = style.arm_colours(run.arms, run.control)
    scales = {n: scale_for([s.pictures[n, a] for a in run.arms if (n, a) in s.pictures]) for n in names}
    barred = False
    for i, name in enumerate(names):
        norm = scales[name]
        for j, arm in enumerate(arms):
            x, y = sheet.corner(i, j)
            if i == 0:
                title = style.wrapped(arm_name(arm), sheet.width_px)
                sheet.text(x + sheet.width_px / 2, y - 13, title, ha="center", va="bottom", fontsize=SMALL_PT, color=colours[arm], fontweight="bold")
            if (name, arm) not in s.pictures:
                sheet.text(x + sheet.width_px / 2, y + sheet.height_px / 2, "none", ha="center", va="center", fontsize=SMALL_PT, color="#777777")
                continue
            picture = np.maximum(s.pictures[name, arm], norm.vmin or 0.0)
            panel = sheet.show(i, j, picture, norm=norm, cmap=COLOUR_MAP)
            outline = s.outlines[arm]
            if outline is not None and outline.min() < 0.5 < outline.max():
                panel.contour(outline, 0.5, colors="white", linewidths=0.6)
            if i == len(names) - 1 and not barred:
                barred = bool(sheet.scale_bar(panel, s.dx_um, "white"))
        _margins(sheet, i, len(arms), name, style.unit_text(s.units.get(name, "")), norm)
    tag = f"day{round(s.hour / 24, 2):g}".replace("-", "minus").replace(".", "p")
    view = "_projection" if s.view == "projection" else ""
    title = f"Fields, {day_text(s.hour)}{s.where}"
    return Drawn(f"fields_{tag}{view}{suffix}", title, sheet.figure, _caption(s, names, arms, scales))


def _margins(sheet: LatticeSheet, row: int, n_arms: int, name: str, unit: str, norm: Normalize) -> None:
    """Name and unit on the left, colour bar on the right of a row."""
    x, y = sheet.corner(row, 0)
    label = style.wrapped(style.field_name(name), 215)
    sheet.text(
        x - 14,
        y + sheet.height_px / 2,
        f"{label}\n({unit})" if unit else label,
        ha="right",
        va="center",
        fontsize=SMALL_PT,
        linespacing=1.15,
    )
    right = sheet.corner(row, n_arms - 1)[0] + sheet.width_px
    log = isinstance(norm, LogNorm)
    low, high = float(norm.vmin or 0.0), float(norm.vmax or 1.0)
    ticks = (LogLocator(numticks=5) if log else MaxNLocator(4)).tick_values(low, high)
    marks = [(float(norm(t)), style.decade_text(t) if log else f"{t:.3g}") for t in ticks if low <= t <= high * (1 + 1e-9)]
    sheet.colour_bar(right + 24, y + 0.06 * sheet.height_px, 26, 0.88 * sheet.height_px, COLOUR_MAP, marks)


def _caption(s: Snapshot, names: list[str], arms: list[str], scales: dict[str, Normalize]) -> str:
    logs = [style.field_name(n) for n in names if isinstance(scales[n], LogNorm)]
    text = f"Fields at {day_text(s.hour)}{s.where}; each row has one colour scale for all arms. "
    if any(o is not None for o in s.outlines.values()):
        text += "White line: edge of the tumour. "
    if logs:
        text += f"Logarithmic scale: {', '.join(logs)}. "
    text += _highest(s, names, arms)
    if s.empty:
        text += f" Zero everywhere, not shown: {', '.join(style.field_name(e) for e in s.empty)}."
    return text


def _highest(s: Snapshot, names: list[str], arms: list[str]) -> str:
    """The arm in which each field peaks (99th percentile), where arms differ by more than half."""
    out = []
    for name in names:
        tops = {a: float(np.quantile(s.pictures[name, a], 0.99)) for a in arms if (name, a) in s.pictures}
        if len(tops) > 1 and max(tops.values()) > 1.5 * min(tops.values()):
            arm = max(tops, key=tops.__getitem__)
            value = f"{tops[arm]:.2g} {style.unit_text(s.units.get(name, ''))}".strip()
            out.append(f"{style.field_name(name)} in {arm_name(arm)} ({value})")
    return f"Highest (99th percentile of the window): {'; '.join(out)}." if out else ""
