"""The figures of `tme cohort`: waterfall of responses, time to a size, what a biopsy could have told."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from tme.statistics.response import CLASSES, PARTIAL, PROGRESSIVE
from tme.statistics.sentences import p_text
from tme.viz import style
from tme.viz.study import StudyPage
from tme.viz.style import Drawn, arm_name

CLASS_COLOURS = dict(zip(CLASSES, (style.BLUE, style.SKY, "#B8B8B8", style.VERMILLION)))
LEAST = 2.0**-6  # change drawn for a tumour that is gone, or smaller than this
MOST_FEATURES, MOST_OUTCOMES = 12, 8


def cohort(page: StudyPage) -> list[Drawn]:
    """All figures; biomarkers only where some outcome could be asked about."""
    drawn = [waterfall(page), survival(page)]
    told = {name: o for name, o in page.summary["outcomes"].items() if o["auc"] is not None}
    return [*drawn, biomarkers(page, told)] if told else drawn


# ---- responses ---------------------------------------------------------------------------------------------------
def waterfall(page: StudyPage) -> Drawn:
    """A panel per arm: change of each patient's volume, sorted, coloured by response class."""
    s, table = page.summary, page.table
    arms = s["arms"]
    columns = min(len(arms), 4)
    height = -(-len(arms) // columns)
    figure = style.new_figure(style.PAGE_IN, 0.5 + 2.0 * height)
    axes = figure.subplots(height, columns, sharey=True, squeeze=False)
    for axis in axes.flat[len(arms) :]:
        axis.set_visible(False)
    known = np.log2(np.maximum(table["change"].to_numpy(float), LEAST))
    low, high = np.nanmin([*known, -2.0]), np.nanmax([*known, 2.0])
    for k, (arm, axis) in enumerate(zip(arms, axes.flat)):
        rows = table[table["arm"] == arm].dropna(subset=["change"]).sort_values("change", ascending=False)
        change = np.log2(np.maximum(rows["change"].to_numpy(float), LEAST))
        axis.bar(np.arange(len(rows)), change, width=0.85, color=[CLASS_COLOURS.get(str(c), "white") for c in rows["response"]])
        for limit in (PARTIAL, PROGRESSIVE):
            axis.axhline(np.log2(limit), color=style.GREY, lw=0.6, ls=":")
        axis.axhline(0, color=style.GREY, lw=0.6)
        axis.set(xlabel="patients", xticks=[], ylim=(low - 0.3, high + 0.3), xlim=(-0.8, max(s["patients"], 1) - 0.2))
        axis.set_title(arm_name(arm))
        if k % columns == 0:
            axis.set_ylabel("volume over that at\nthe start (doublings)")
    figure.legend(handles=[Patch(color=CLASS_COLOURS[c], label=c) for c in CLASSES], loc="outside upper center", ncols=4)
    caption = (
        f"Each bar is a patient: binary logarithm of volume on day {s['day']:g} over that on day {s['start']:g} (1: doubled; a tumour that is gone at {np.log2(LEAST):g}), sorted within each "
        f"arm; colours: response classes; dotted: limits of partial response ({PARTIAL:g}) and of progress ({PROGRESSIVE:g}, which counts from the least volume so far)."
    )
    return Drawn("waterfall", "Response of each patient", figure, caption)


# ---- time to a size ----------------------------------------------------------------------------------------------
def survival(page: StudyPage) -> Drawn:
    """Kaplan-Meier curves of the time to a multiple of the volume at the start."""
    s = page.summary
    figure = style.new_figure(4.8, 3.0)
    axis = figure.subplots()
    colours, dashes = style.arm_colours(s["arms"], s["control"]), style.arm_dashes(s["arms"], s["control"])
    parts = []
    for k, t in enumerate(s["time_to_size"]):
        lift = 0.008 * (k - (len(s["time_to_size"]) - 1) / 2)  # arms that coincide stay visible
        x, y = [s["start"], *t["times"], s["day"]], np.array([1.0, *t["share"], t["share"][-1] if t["share"] else 1.0])
        axis.plot(x, y + lift, drawstyle="steps-post", color=colours[t["arm"]], ls=dashes[t["arm"]])
        left = [y[np.searchsorted(t["times"], at, side="right")] + lift for at in t["censored"]]
        axis.plot(t["censored"], left, "|", ms=6, color=colours[t["arm"]], clip_on=False)
        median = "not reached" if t["median"] is None else f"day {t['median']:.3g}"
        parts.append(f"{arm_name(t['arm'])} {t['reached']} of {t['n']}, median {median}" + (f", {p_text(t['p_bh'])}" if t["p_bh"] is not None else ""))
    axis.set(xlabel=style.TIME_LABEL, ylabel=f"patients below {s['fold']:g}× their volume\nat the start", ylim=(-0.02, 1.04), xlim=(s["start"], s["day"]))
    style.legend_of_arms(figure, s["arms"], s["control"])
    caption = (
        f"Kaplan-Meier: share of patients whose tumour is below {s['fold']:g} times its volume on day {s['start']:g}; ticks: patients last seen below it; coinciding curves are set apart by a "
        f"hair. Reached: {'; '.join(parts)}. Log-rank against {arm_name(s['control'])}, p after Benjamini-Hochberg among the arms; the test does not use that arms share their patients."
    )
    return Drawn("time_to_size", f"Time to {s['fold']:g} times the volume at the start", figure, caption)


# ---- biomarkers -----------------------------------------------------------------------------------------------------
def biomarkers(page: StudyPage, told: dict[str, Any]) -> Drawn:
    """AUC of each outcome against its null; AUC of single features; the best feature of the outcome that is told best."""
    shown = dict(sorted(told.items(), key=lambda item: item[1]["p_holm"])[:MOST_OUTCOMES])
    names = _features(shown)
    figure = style.new_figure(style.PAGE_IN, 2.6 + 0.19 * len(names) + 0.12 * len(shown))
    grid = figure.add_gridspec(2, 2, height_ratios=(1.0 + 0.05 * len(shown), 0.5 + 0.11 * len(names)))
    first, second, third = figure.add_subplot(grid[0, 0]), figure.add_subplot(grid[0, 1]), figure.add_subplot(grid[1, :])
    _aucs(first, shown)
    which = _rule(second, page, shown)
    _single(figure, third, shown, names)
    style.panel_letters([first, second, third])
    caption = (
        "a, cross-validated AUC with which all features together predict each outcome: filled where it exceeds chance after Holm; bars reach from the null's median to its 95th percentile (features "
        f"shuffled among patients). b, the feature that alone ranks '{which}' best, with the threshold of largest sensitivity + specificity (dashed). c, AUC of single features: above 0.5 more of it goes with "
        "the outcome, below less; a dot where it exceeds what the best of all features shows by chance."
    )
    return Drawn("biomarkers", "What a biopsy at the start could have told", figure, caption)


def _features(shown: dict[str, Any]) -> list[str]:
    """Features in the order of the largest distance from 0.5 in any outcome."""
    far: dict[str, float] = {}
    for o in shown.values():
        for f in o["features"]:
            far[f["feature"]] = max(far.get(f["feature"], 0.0), abs(f["auc"] - 0.5))
    return sorted(far, key=lambda n: -far[n])[:MOST_FEATURES]


def _plain(text: str) -> str:
    """An outcome or feature on an axis."""
    named = text.replace("_per_mm2", " per mm²").replace("pdl1", "PD-L1").replace("cd8", "CD8").replace("treg", "Treg").replace("nrf2", "NRF2").replace("acsl4", "ACSL4").replace("fsp1", "FSP1")
    return named.replace("_", " ").replace("anti PD-L1", "anti-PD-L1")


def _outcome(text: str) -> str:
    """`responds to anti_pdl1` with the arm as figures have it."""
    for verb in ("responds to ", "benefits from "):
        if text.startswith(verb):
            return verb + arm_name(text.removeprefix(verb))
    return f"{arm_name(text.removesuffix(' wins'))} wins"


def _aucs(axis: Any, shown: dict[str, Any]) -> None:
    """A dot per outcome over the bar of its null."""
    for k, o in enumerate(shown.values()):
        axis.barh(k, o["null_95"] - o["null_median"], left=o["null_median"], height=0.5, color="#DDDDDD")
        axis.plot(o["auc"], k, "o", ms=5, mfc=style.BLUE if o["found"] else "white", mec=style.BLUE, clip_on=False)
    axis.axvline(0.5, color=style.GREY, lw=0.6, ls=":")
    axis.set_yticks(range(len(shown)), [_outcome(n) for n in shown])
    axis.set(ylim=(len(shown) - 0.5, -0.5), xlim=(min(0.2, *(o["auc"] for o in shown.values())), 1.0), xlabel="cross-validated AUC")
    dot: dict[str, Any] = {"ls": "", "marker": "o", "ms": 5, "mec": style.BLUE}
    handles = [Line2D([], [], mfc=style.BLUE, label="beyond chance", **dot), Line2D([], [], mfc="white", label="not", **dot), Patch(color="#DDDDDD", label="null")]
    axis.legend(handles=handles, loc="lower center", bbox_to_anchor=(0.4, 1.0), ncols=3, columnspacing=1.0, handletextpad=0.4)


def _rule(axis: Any, page: StudyPage, shown: dict[str, Any]) -> str:
    """Values of one feature among patients with and without the outcome that is told best; returns its name."""
    name, o = next(iter(shown.items()))
    feature = o["rule"]["feature"]
    kind, _, which = feature.partition(": ")
    column = (page.table[kind] == which).astype(float) if which else page.table[feature]
    values = dict(zip(page.table["patient"], column.astype(float)))
    yes = _yes(page, name)
    for at, wanted in enumerate((1.0, 0.0)):
        mine = np.sort([values[p] for p, y in yes.items() if y == wanted and np.isfinite(values[p])])
        spread = 0.25 * (np.modf(np.arange(len(mine)) * 0.618034)[0] - 0.5)  # golden section: even, and no draw of chance
        axis.plot(mine, at + spread, "o", ms=3, mfc="none", mec=(style.BLUE, style.GREY)[at], mew=0.8)
        axis.plot([np.median(mine)] * 2, [at - 0.28, at + 0.28], color=(style.BLUE, style.GREY)[at], lw=1.5)
    axis.axvline(o["rule"]["value"], color=style.ORANGE, lw=1.0, ls="--")
    axis.set_yticks([0, 1], ["yes", "no"])
    axis.set(ylim=(1.5, -0.5), xlabel=_plain(feature), title=_outcome(name))
    return _outcome(name)


def _yes(page: StudyPage, name: str) -> dict[str, float]:
    """Patient -> whether an outcome came, NaN where it is not known; from table.csv."""
    s = page.summary
    arm = name.removesuffix(" wins").removeprefix("responds to ").removeprefix("benefits from ")
    rows = page.table[page.table["arm"] == arm].set_index("patient")
    if name.endswith(" wins"):
        decided = page.table.groupby("patient")["wins"].sum(min_count=len(s["arms"])) == 1
        return {p: float(w) if decided[p] else np.nan for p, w in rows["wins"].items()}
    if name.startswith("responds"):
        return {p: np.nan if not isinstance(c, str) else float(c != "progressive") for p, c in rows["response"].items()}
    return {p: np.nan if not np.isfinite(r) else float(r <= s["benefit"]) for p, r in rows["of_control"].items()}


def _single(figure: Any, axis: Any, shown: dict[str, Any], names: list[str]) -> None:
    """AUC of features (rows) for outcomes (columns)."""
    grid = np.full((len(names), len(shown)), np.nan)
    for j, o in enumerate(shown.values()):
        for f in o["features"]:
            if f["feature"] in names:
                i = names.index(f["feature"])
                grid[i, j] = f["auc"]
                if f["beyond_chance"]:
                    axis.plot(j, i, "o", ms=3, color="black")
    picture = axis.imshow(grid, cmap="RdBu_r", vmin=0, vmax=1, aspect="auto", interpolation="none")
    axis.set_yticks(range(len(names)), [_plain(n) for n in names])
    axis.set_xticks(range(len(shown)), [style.wrapped(_outcome(n), 19 * (90 // max(len(shown), 1))) for n in shown])
    axis.tick_params(length=0)
    figure.colorbar(picture, ax=axis, label="AUC of the feature alone", fraction=0.03, pad=0.01)
