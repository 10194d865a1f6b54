"""One page of spatial statistics: maps, contacts, pair correlations, distances, the tumour's edge, niches.

Draws an `Analysis` of `tme.spatial`; samples are put together by group (arms of a run, else single tables).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import TwoSlopeNorm
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from tme.statistics import band
from tme.viz import style

MOST_GROUPS, MOST_TYPES, MOST_CELLS = 4, 8, 60_000
FEWEST = 5  # cells of a type whose curves are drawn
DEAD = {"dead_ferroptosis": "ferroptotic", "dead_other": "other corpses"}
TYPE_COLOURS = {**style.CELL_COLOURS, "dead_ferroptosis": style.VERMILLION, "dead_other": style.YELLOW}
TISSUE = ("tumour", "stroma", "normal")  # drawn as what others lie on
SPARE = (*style.OWN_COLOURS, style.BLUE, style.ORANGE, style.GREEN, style.PURPLE, style.SKY)


def label(name: str, most: int = 22) -> str:
    """A type or group in a figure: known names in words, nothing that could be read as mathematics, not endless."""
    known = DEAD.get(name) or {**style.CELL_NAMES, "tumour": "tumour"}.get(name)
    shown = known or "".join(c if c.isprintable() else "?" for c in name)
    shown = shown if len(shown) <= most else shown[: most - 1] + "…"
    shown = f" {shown}" if shown.startswith("_") else shown  # legends leave out what begins with it
    return shown.replace("$", r"\$")


def group_label(name: str, simulated: bool) -> str:
    """A group: an arm's name in words, a table's as it is."""
    return label(style.arm_name(name), 30) if simulated else label(name, 30)


def colours_of(types: Sequence[str]) -> dict[str, str]:
    """A colour for each type: its usual one, else one that is still free."""
    spare = iter(c for c in SPARE * 8)
    return {t: TYPE_COLOURS.get(t) or next(spare) for t in types}


def draw(found: Any, simulated: bool) -> Figure:
    """The page of an analysis."""
    groups = dict.fromkeys(f.sample.group for f in found.found)
    chosen = {g: _shown(found.found, g, simulated) for g in list(groups)[:MOST_GROUPS]}
    types = _types(chosen)
    figure = style.new_figure(style.PAGE_IN, style.PAGE_HIGH_IN)
    rows: Any = figure.subfigures(4, 1, height_ratios=(2.1, 2.0, 2.0, 2.3))
    _maps(rows[0], chosen, types, simulated)
    _contacts(rows[1], chosen, types, simulated)
    _curves(rows[2], chosen, types, simulated)
    _last(rows[3], found, chosen, types, simulated)
    figure.suptitle(_title(found, chosen, len(groups), simulated), fontsize=style.FONT_PT, x=0.01, ha="left")
    return figure


def _shown(found: Sequence[Any], group: str, simulated: bool) -> list[Any]:
    """A group's samples at its last hour, which tables do not have."""
    mine = [f for f in found if f.sample.group == group]
    if not simulated:
        return mine
    by_replicate: dict[Any, list[float]] = {}
    for f in found:
        by_replicate.setdefault((f.sample.keys["arm"], f.sample.keys["replicate"]), []).append(f.sample.keys["hour"])
    common = set.intersection(*map(set, by_replicate.values()))
    hour = max(common) if common else max(f.sample.keys["hour"] for f in mine)
    return [f for f in mine if f.sample.keys["hour"] == hour] or mine[-1:]


def _types(chosen: dict[str, list[Any]]) -> list[str]:
    """Types by number of cells, the rarest left out where there are too many."""
    total: dict[str, int] = {}
    for f in (f for fs in chosen.values() for f in fs):
        for t, n in zip(f.seen.types, f.seen.counts):
            total[t] = total.get(t, 0) + int(n)
    return sorted((t for t, n in total.items() if n), key=lambda t: (-total[t], t))[:MOST_TYPES]


def _title(found: Any, chosen: dict[str, list[Any]], groups: int, simulated: bool) -> str:
    first = next(iter(chosen.values()))[0]
    what = f"{style.day_text(first.sample.keys['hour'])}, {len(next(iter(chosen.values())))} simulations per arm" if simulated else f"{len(found.found)} tables"
    more = f", the first {MOST_GROUPS} of {groups}" if groups > MOST_GROUPS else ""
    return f"Spatial statistics: {what}{more}; window: {first.seen.window.about.replace(' um ', ' µm ')}"


def _group_colours(groups: Sequence[str]) -> dict[str, str]:
    """Grey for a control, else Okabe and Ito's colours in order."""
    control = next((g for g in groups if "control" in g.lower()), None)
    return style.arm_colours(list(groups), control)


def _row(sub: Any, n: int, **options: Any) -> list[Axes]:
    """Axes side by side; of one or two as wide as of three, so that they stay together."""
    axes = sub.subplots(1, max(n, 3), squeeze=False, **options)[0]
    for axis in axes[n:]:
        axis.set_visible(False)
    return list(axes[:n])


def _maps(sub: Any, chosen: dict[str, list[Any]], types: list[str], simulated: bool) -> None:
    """The cells of one sample of each group; in 3D those of the middle layer."""
    axes = _row(sub, len(chosen))
    paint = colours_of(types)
    for axis, (group, samples) in zip(axes, chosen.items()):
        seen = samples[0].seen
        points, code = seen.points, seen.code
        if seen.ndim == 3:
            middle = np.median(points[:, 2])
            near = np.abs(points[:, 2] - middle) <= 15.0
            points, code = points[near], code[near]
        step = max(len(points) // MOST_CELLS, 1)
        size = _dot(seen, max(len(chosen), 3))
        for t in types:
            if t in seen.types:
                mine = code == seen.types.index(t)
                tissue = t in TISSUE
                x, y = points[mine][::step, 0], points[mine][::step, 1]
                axis.scatter(x, y, s=size * (2.2 if tissue else 1.0), marker="s" if tissue else "o", c=paint[t], lw=0, rasterized=True, zorder=2 if tissue else 3)
        axis.set_aspect("equal")
        axis.set_xticks([])
        axis.set_yticks([])
        for spine in axis.spines.values():
            spine.set_visible(False)
        axis.set_title(f"{group_label(group, simulated)}, {seen.n:,} cells", loc="left")
        _scale_bar(axis, points)
    _letter(axes[0], "a", -4)
    handles = [Line2D([], [], marker="o", ls="", ms=4, color=paint[t], label=label(t)) for t in types]
    sub.legend(handles=handles, loc="outside lower center", ncols=min(len(handles), 5), columnspacing=1.2, handletextpad=0.2)


def _dot(seen: Any, columns: int) -> float:
    """Marker area (pt^2) of a cell somewhat narrower than cells lie apart."""
    extent = np.ptp(seen.points[:, :2], axis=0) + 1.0
    pt_per_um = min(72 * (style.PAGE_IN / columns - 0.3) / extent[0], 72 * 1.45 / extent[1])
    apart = math.sqrt(float(np.prod(extent)) / max(seen.n, 1))
    return float(np.clip((0.75 * apart * pt_per_um) ** 2, 0.03, 12.0))


def _scale_bar(axis: Axes, points: np.ndarray) -> None:
    span = float(np.ptp(points[:, 0])) if len(points) else 0.0
    lengths = [v for v in (20, 50, 100, 200, 500, 1000, 2000, 5000) if v <= 0.35 * span]
    if lengths:
        x, y = points[:, 0].min(), points[:, 1].min() - 0.04 * np.ptp(points[:, 1])
        axis.plot([x, x + lengths[-1]], [y, y], color="black", lw=1.6, solid_capstyle="butt")
        axis.text(x + lengths[-1] * 1.08, y, f"{lengths[-1] / 1000:g} mm" if lengths[-1] >= 1000 else f"{lengths[-1]} µm", va="center", fontsize=style.SMALL_PT)


def _contacts(sub: Any, chosen: dict[str, list[Any]], types: list[str], simulated: bool) -> None:
    """log2 of contacts over those of shuffled types; a dot where all samples lie beyond 1.96 sd of the null on one side."""
    axes = _row(sub, len(chosen), sharey=True)
    image = None
    for axis, (group, samples) in zip(axes, chosen.items()):
        stack = np.stack([_matrix(f, types, "ratio") for f in samples])
        z = np.stack([_matrix(f, types, "z") for f in samples])
        with np.errstate(divide="ignore", invalid="ignore"):
            known = np.isfinite(stack).any(axis=0)
            mean = np.where(known, np.nansum(np.where(np.isfinite(stack), stack, 0), axis=0) / np.maximum(np.isfinite(stack).sum(axis=0), 1), np.nan)
            shown = np.clip(np.log2(np.where(mean > 0, mean, 2.0**-9)), -3, 3)
        image = axis.imshow(np.ma.masked_invalid(np.where(known, shown, np.nan)), cmap="RdBu_r", norm=TwoSlopeNorm(0, -3, 3), aspect="equal")
        beyond = (np.nan_to_num(z) > 1.96).all(axis=0) | (np.nan_to_num(z) < -1.96).all(axis=0)
        y, x = np.nonzero(beyond & known)
        axis.plot(x, y, ".", ms=2.6, color="black")
        axis.set_facecolor("#E6E6E6")
        axis.set_xticks(range(len(types)), [label(t, 16) for t in types], rotation=60, ha="right", rotation_mode="anchor")
        axis.set_title(group_label(group, simulated), loc="left")
        axis.tick_params(length=0)
    axes[0].set_yticks(range(len(types)), [label(t, 16) for t in types])
    _letter(axes[0], "b", -58)
    bar = sub.colorbar(image, ax=list(axes), shrink=0.8, pad=0.01, ticks=[-3, -2, -1, 0, 1, 2, 3])
    bar.ax.set_yticklabels(["≤ 1/8", "1/4", "1/2", "1", "2", "4", "≥ 8"])
    bar.set_label("contacts of row with column\nover shuffled types\n(dot: beyond 95 % of shuffles)", fontsize=style.SMALL_PT)


def _matrix(f: Any, types: list[str], what: str) -> np.ndarray:
    """A matrix of an enrichment for these types, NaN for those the sample lacks."""
    out, values = np.full((len(types), len(types)), np.nan), getattr(f.enrichment, what)
    place = [f.enrichment.types.index(t) if t in f.enrichment.types else -1 for t in types]
    for i, a in enumerate(place):
        for j, b in enumerate(place):
            if a >= 0 and b >= 0 and min(f.enrichment.counts[a], f.enrichment.counts[b]) >= FEWEST:
                out[i, j] = values[a, b]
    return out


def pairs_to_draw(chosen: dict[str, list[Any]], types: list[str], most: int = 4) -> list[tuple[str, str]]:
    """Pairs of types: immune with tumour, ferroptotic with itself, then those furthest from chance."""
    samples = [f for fs in chosen.values() for f in fs]
    enough = [t for t in types if any(_count(f, t) >= FEWEST for f in samples)]
    scores = {}
    for i, a in enumerate(enough):
        for b in enough[i:]:
            z = [abs(_matrix(f, [a, b], "z")[0, 1]) for f in samples]
            first = {("cd8", "tumour"): 3, ("cd8", "dead_ferroptosis"): 2, ("dead_ferroptosis", "dead_ferroptosis"): 2}
            scores[a, b] = (first.get((a, b)) or first.get((b, a)) or 0, max((v for v in z if np.isfinite(v)), default=0.0))
    best = sorted(scores, key=lambda p: (-scores[p][0], -scores[p][1], p))[:most]
    return [(b, a) if b == "cd8" else (a, b) for a, b in best]


def _count(f: Any, t: str) -> int:
    return int(f.seen.counts[f.seen.types.index(t)]) if t in f.seen.types else 0


def _curves(sub: Any, chosen: dict[str, list[Any]], types: list[str], simulated: bool) -> None:
    """Pair correlations over shuffled types, with intervals and the band of the null."""
    drawn = pairs_to_draw(chosen, types)
    axes = sub.subplots(1, max(len(drawn), 1), squeeze=False)[0]
    paint = _group_colours(list(chosen))
    for axis, (a, b) in zip(axes, drawn):
        top = 2.0
        for group, samples in chosen.items():
            have = [f for f in samples if _count(f, a) >= FEWEST and _count(f, b) >= FEWEST]
            if not have:
                continue
            x, mean, low, high, null = _curve(have, a, b)
            axis.fill_between(x, 1 - 1.96 * null, 1 + 1.96 * null, color="#BBBBBB", alpha=0.35, lw=0, zorder=0)
            axis.fill_between(x, low, high, color=paint[group], alpha=0.16, lw=0)
            axis.plot(x, mean, color=paint[group], lw=1.2)
            top = max(top, float(np.nanmax(mean, initial=2.0)) * 1.15)
        axis.axhline(1, color="#777777", lw=0.6, ls=":")
        axis.set_ylim(0, min(top, 12))
        axis.set_xlim(left=0)
        axis.set_title(f"{label(a, 18)}\nto {label(b, 18)}", loc="left")
    axes[0].set_ylabel("pairs over those of\nshuffled types")
    sub.supxlabel("distance (µm)", fontsize=style.FONT_PT)
    _letter(axes[0], "c", -30)
    handles = [Line2D([], [], color=paint[g], lw=1.6, label=group_label(g, simulated)) for g in chosen]
    handles.append(Line2D([], [], color="#BBBBBB", lw=5, alpha=0.6, label="95 % of shuffles"))
    handles.append(Line2D([], [], color="#4D4D4D", lw=0.8, ls=":", label="unrelated cells (d)"))
    sub.legend(handles=handles, loc="outside upper center", ncols=min(len(handles), 6), columnspacing=1.2)


def _curve(samples: Sequence[Any], a: str, b: str) -> tuple[np.ndarray, ...]:
    """Middles of rings, ratio with its interval (over samples; of one sample from its tiles), widest sd of the null."""
    corr = [f.correlation for f in samples]
    n = min(len(c.middle_um) for c in corr)
    at = [(c.types.index(a), c.types.index(b)) for c in corr]
    ratio = np.stack([c.ratio[i, j, :n] for c, (i, j) in zip(corr, at)])
    null = np.nanmax(np.stack([np.nan_to_num(c.null_sd[i, j, :n]) for c, (i, j) in zip(corr, at)]), axis=0)
    if len(samples) > 1:
        mean, low, high = band(ratio)
        return corr[0].middle_um[:n], mean, np.maximum(low, 0), high, null
    c, (i, j) = corr[0], at[0]
    with np.errstate(divide="ignore", invalid="ignore"):
        scale = np.where(c.g[i, j, :n] > 0, ratio[0] / c.g[i, j, :n], np.nan)
    return c.middle_um[:n], ratio[0], c.low[i, j, :n] * scale, c.high[i, j, :n] * scale, null


def _last(sub: Any, found: Any, chosen: dict[str, list[Any]], types: list[str], simulated: bool) -> None:
    """Distances to the nearest, the tumour's edge, a mark or clusters, niches."""
    axes = sub.subplots(1, 4, squeeze=False, width_ratios=(1, 1, 1, 1.5))[0]
    paint = _group_colours(list(chosen))
    immune = next((t for t in (*found.ask.cd8, *types) if any(_count(f, t) for fs in chosen.values() for f in fs) and t not in found.ask.tumour), types[-1])
    _nearest(axes[0], found, chosen, immune, paint)
    _edge(axes[1], chosen, immune, paint)
    _third(axes[2], chosen, paint)
    _niches(axes[3], found, chosen, types, simulated)
    for axis, letter in zip(axes, "defg"):
        _letter(axis, letter, -24)


def _letter(axis: Axes, letter: str, x_pt: float) -> None:
    """A panel's letter above its left edge, clear of its title."""
    axis.annotate(letter, (0, 1), (x_pt, 3), xycoords="axes fraction", textcoords="offset points", fontsize=9, fontweight="bold", va="bottom", ha="right", annotation_clip=False)


def _nothing(axis: Axes, why: str) -> None:
    axis.text(0.5, 0.5, why, ha="center", va="center", transform=axis.transAxes, fontsize=style.SMALL_PT, color="#777777", wrap=True)
    axis.set_xticks([])
    axis.set_yticks([])


def _nearest(axis: Axes, found: Any, chosen: dict[str, list[Any]], target: str, paint: dict[str, str]) -> None:
    """Share of tumour cells that have a cell of the target type within a distance; dotted: cells that lie anywhere."""
    drawn = False
    for group, samples in chosen.items():
        mine = [[n for n in f.nearest if n.target == target and n.source in found.ask.tumour] for f in samples]
        curves = [sum(n.curve * n.n for n in of) / sum(n.n for n in of) for of in mine if of]  # all types of tumour cells together
        if not curves:
            continue
        x = np.linspace(0, 300, len(curves[0]))
        mean, low, high = band(np.stack(curves))
        axis.fill_between(x, np.clip(low, 0, 1), np.clip(high, 0, 1), color=paint[group], alpha=0.16, lw=0, where=np.isfinite(low) & (len(samples) > 1))
        axis.plot(x, mean, color=paint[group], lw=1.2)
        median = next(of[0].random_median_um for of in mine if of)
        if math.isfinite(median) and samples[0].seen.ndim == 2:
            axis.plot(x, 1 - np.exp(-math.log(2) * (x / median) ** 2), color=paint[group], lw=0.8, ls=":")
        drawn = True
    if not drawn:
        _nothing(axis, "no distances\nfrom tumour cells")
        return
    axis.set(xlim=(0, 200), ylim=(0, 1), xlabel="distance (µm)", ylabel=f"tumour cells with a {label(target, 14)}\nwithin the distance (share)")


def _edge(axis: Axes, chosen: dict[str, list[Any]], immune: str, paint: dict[str, str]) -> None:
    """Density of the immune type by signed distance from the tumour's edge."""
    drawn, top = False, 1e-9
    unit = "mm³" if any(f.seen.ndim == 3 for fs in chosen.values() for f in fs) else "mm²"
    for group, samples in chosen.items():
        have = [f.profile for f in samples if f.profile is not None and immune in f.profile.types]
        if not have:
            continue
        low_um = min(p.edges_um[0] for p in have)
        high_um = min(max(p.edges_um[-1] for p in have), 300.0)
        middles = np.arange(low_um + 25.0, high_um, 50.0)
        rows = np.stack([np.interp(middles, (p.edges_um[:-1] + p.edges_um[1:]) / 2, p.density[p.types.index(immune)], left=np.nan, right=np.nan) for p in have])
        mean, low, high = band(rows)
        axis.fill_between(middles, np.maximum(low, 0), high, color=paint[group], alpha=0.16, lw=0, where=np.isfinite(low))
        axis.plot(middles, mean, color=paint[group], lw=1.2, marker="o", ms=2)
        drawn, top = True, max(top, float(np.nanmax(mean, initial=0.0)))
    if not drawn:
        _nothing(axis, "no tumour edge\nin the window")
        return
    axis.axvline(0, color="#777777", lw=0.6)
    axis.set_ylim(0, 1.6 * top)  # a band of few simulations may be wider
    axis.set(xlabel="from the edge (µm)\n← inside    outside →", ylabel=f"{label(immune, 14)} per {unit}")


def _third(axis: Axes, chosen: dict[str, list[Any]], paint: dict[str, str]) -> None:
    """Clusters of ferroptotic cells where there are any, else the first mark."""
    lumps = {g: [f.clusters for f in fs if f.clusters is not None and len(f.clusters.sizes)] for g, fs in chosen.items()}
    if any(lumps.values()):
        for group, found in lumps.items():
            if found:
                sizes = np.sort(np.concatenate([c.sizes for c in found]))[::-1]
                share = np.cumsum(sizes) / sizes.sum()
                axis.step(np.r_[sizes[0], sizes], np.r_[0, share], where="post", color=paint[group], lw=1.2)
        axis.set_xscale("log")
        axis.xaxis.set_major_formatter(lambda x, _at: f"{x:g}")
        axis.set(ylim=(0, 1.02), xlabel="cells in the cluster, at least", ylabel="ferroptotic cells in\nsuch clusters (share)")
        return
    marked = {g: f.weighted[0] for g, fs in chosen.items() for f in fs[:1] if f.weighted}
    if not marked:
        _nothing(axis, "no ferroptotic cells,\nno --mark")
        return
    group, first = next(iter(marked.items()))
    which = next((i for i, t in enumerate(first.types) if t == "cd8"), 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        shown = np.log2(np.where(first.ratio[which] > 0, first.ratio[which], np.nan))
    image = axis.pcolormesh(first.edges_um, np.arange(len(first.levels) + 1), np.ma.masked_invalid(np.clip(shown, -2, 2).T), cmap="RdBu_r", norm=TwoSlopeNorm(0, -2, 2))
    axis.set_facecolor("#E6E6E6")
    axis.set_yticks(np.arange(len(first.levels)) + 0.5, [_short(v) for v in first.levels])
    axis.set(xlabel=f"to {label(first.types[which], 14)} (µm)", ylabel=label(first.mark, 14))
    axis.set_title(label(group, 20), loc="left")
    bar = axis.figure.colorbar(image, ax=axis, shrink=0.8, ticks=[-2, -1, 0, 1, 2])
    bar.ax.set_yticklabels(["≤ 1/4", "1/2", "1", "2", "≥ 4"])
    bar.set_label("pairs over shuffled marks", fontsize=style.SMALL_PT)


def _short(value: float) -> str:
    """Two digits, thousands as k."""
    if 1000 <= abs(value) < 1e6:
        return f"{value / 1000:.2g}k"
    return f"{value:.0f}" if 10 <= abs(value) < 1000 else f"{value:.2g}"


def _niches(axis: Axes, found: Any, chosen: dict[str, list[Any]], types: list[str], simulated: bool) -> None:
    """Who is in each niche, as bars; beside them each group's share of cells in it."""
    common = found.niches
    if common is None:
        _nothing(axis, "no niches asked for")
        return
    paint, left = colours_of(types), np.zeros(len(common.sizes))
    y = np.arange(len(common.sizes))
    for k, t in enumerate(common.types):
        axis.barh(y, common.composition[:, k], left=left, color=paint.get(t, "#CCCCCC"), height=0.7, lw=0)
        left += common.composition[:, k]
    index = {id(f): i for i, f in enumerate(found.found)}
    shades = _group_colours(list(chosen))
    for g, (group, samples) in enumerate(chosen.items()):
        shares = np.stack([np.bincount(common.of[index[id(f)]], minlength=len(y)) / len(common.of[index[id(f)]]) for f in samples])
        mean, low, high = band(shares)
        place = y + (g - (len(chosen) - 1) / 2) * 0.7 / len(chosen)
        axis.barh(place, mean, left=1.15, height=0.7 / len(chosen), color=shades[group], lw=0)
        if len(samples) > 1:
            axis.hlines(place, 1.15 + np.maximum(low, 0), 1.15 + high, color="black", lw=0.6)
    axis.set_yticks(y, [f"niche {k + 1}" for k in y])
    axis.invert_yaxis()
    axis.set_xlim(0, 2.2)
    axis.set_xticks([0, 1, 1.15, 2.15], ["0", "1", "0", "1"])
    for x, text in ((0.5, "types in it"), (1.65, "share of cells")):
        axis.text(x, -0.13, text, ha="center", va="top", transform=axis.get_xaxis_transform())
