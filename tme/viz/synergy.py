"""Is a combination more than its parts? Excess over Bliss independence, day by day, with intervals."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations as pairs

import numpy as np

from tme import statistics
from tme.statistics import Estimate
from tme.viz import style
from tme.viz.curves import MIN_FOR_BAND
from tme.viz.load import Missing, Run, as_list
from tme.viz.style import Drawn, arm_name


@dataclass(frozen=True)
class Combination:
    """An arm that joins the treatments of two other arms."""

    combined: str
    a: str
    b: str


def combinations(run: Run) -> list[Combination]:
    """Combined arms with both their parts: by `use` in the configuration, else by the union of treatments."""
    if run.control is None:
        raise Missing("no untreated control arm")
    therapies = {str(k): v for k, v in (run.config.get("arms") or {}).items()}
    found = []
    for arm in run.arms:
        used = [str(u) for u in as_list((therapies.get(arm) or {}).get("use")) if str(u) != run.control]
        if len(used) == 2 and set(used) <= set(run.arms):
            found.append(Combination(arm, *used))
            continue
        doses = set(run.doses.get(arm, []))
        for a, b in pairs([x for x in run.arms if x not in (arm, run.control)], 2):
            parts = set(run.doses.get(a, [])), set(run.doses.get(b, []))
            if all(parts) and not parts[0] & parts[1] and parts[0] | parts[1] == doses:
                found.append(Combination(arm, a, b))
                break
    if not found:
        raise Missing("no arm combines two others")
    return found


def tables(
    run: Run, c: Combination, column: str = "tumour_alive"
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Days since start and (n_replicates, n_time) of control, a, b, ab on common rows and hours."""
    arms = {"control": run.reference, "a": c.a, "b": c.b, "ab": c.combined}
    read = {k: run.matrix(arm, column) for k, arm in arms.items()}
    days = np.array(sorted(set.intersection(*[set(np.round(d, 6)) for d, _ in read.values()])))
    days = days[(days >= 0) & (days <= run.last_common_hour / 24 + 1e-6)]
    rows = set.intersection(*[set(run.replicates(arm)) for arm in arms.values()]) if run.paired else None
    out = {}
    for k, arm in arms.items():
        at = np.isin(np.round(read[k][0], 6), days)
        keep = [i for i, r in enumerate(run.replicates(arm)) if rows is None or r in rows]
        out[k] = read[k][1][np.ix_(np.array(keep, int), np.flatnonzero(at))]
    if days.size == 0 or min(v.shape[0] for v in out.values()) == 0:
        raise Missing("the arms share no replicate or no hour after treatment start")
    return days, out


def excess_at(run: Run, c: Combination, day: float | None = None) -> Estimate:
    """Bliss excess at a day (default: the last one that every simulation reached)."""
    days, t = tables(run, c)
    day = run.last_common_hour / 24 if day is None else day
    i = int(np.argmin(np.abs(days - day)))
    control, a, b, ab = (t[k][:, i] for k in ("control", "a", "b", "ab"))
    if run.paired:
        return statistics.bliss_of_pairs(control, a, b, ab)
    return statistics.bliss_of_groups(control, a, b, ab)


def synergy(run: Run) -> list[Drawn]:
    """Left: shares of control, observed and expected. Right: the excess per day with its interval."""
    found = combinations(run)
    figure = style.new_figure(style.PAGE_IN, 2.7 * len(found))
    axes = figure.subplots(len(found), 2, squeeze=False)
    captions = [_draw(run, c, axes[row]) for row, c in enumerate(found)]
    style.panel_letters(list(axes.ravel()))
    text = (
        " ".join(captions)
        + " Excess = product of the single arms' shares of control minus the combination's "
        "share; above zero the combination leaves fewer cells than independent action. Part of any excess is "
        "arithmetic: as one treatment removes tumour cells, the same CD8 cells meet fewer targets, "
        "so read it "
        "beside CD8 per tumour cell."
    )
    return [Drawn("synergy", "Combination against independent action (Bliss)", figure, text)]


def _draw(run: Run, c: Combination, axes) -> str:
    days, t = tables(run, c)
    colours = style.arm_colours(run.arms, run.control)
    left, right = axes
    with np.errstate(invalid="ignore", divide="ignore"):
        reference = t["control"] if run.paired else np.nanmean(t["control"], axis=0, keepdims=True)
        shares = {k: t[k] / np.where(reference > 0, reference, np.nan) for k in ("a", "b", "ab")}
    for key, arm in (("a", c.a), ("b", c.b), ("ab", c.combined)):
        mean, low, high = statistics.band(shares[key])
        left.plot(days, mean, color=colours[arm], label=arm_name(arm))
        if len(shares[key]) >= MIN_FOR_BAND:
            left.fill_between(days, low, high, color=colours[arm], alpha=0.2, lw=0)
    expected = np.nanmean(shares["a"], axis=0) * np.nanmean(shares["b"], axis=0)
    left.plot(days, expected, color="black", ls="--", lw=1.0, label="expected if independent")
    left.axhline(1, color="#999999", lw=0.6)
    left.set(xlabel=style.TIME_LABEL, ylabel="living tumour cells (share of control)")
    left.set_ylim(0, max(1.05, float(np.nanmax([np.nanmax(s) for s in shares.values()])) * 1.02))
    left.legend(loc="best")
    _draw_excess(run, c, right, colours[c.combined])
    right.set_title(f"{arm_name(c.a)} + {arm_name(c.b)}")
    last = excess_at(run, c)
    if not last.has_interval:
        return (
            f"One set of simulations: the excess on the last day was {last.value:.2f}; no interval can be "
            f"given."
        )
    seen = {1: "above zero", -1: "below zero", 0: "not told apart from zero"}[last.sign]
    return (
        f"{arm_name(c.combined)}: on the last day the excess was {last.value:.2f} (95 % interval "
        f"{last.low:.2f} to "
        f"{last.high:.2f}, n = {last.n}), {seen}."
    ).replace("-0.", "−0.")


def _draw_excess(run: Run, c: Combination, axis, colour: str) -> None:
    last = run.last_common_hour / 24
    days = np.arange(0, np.floor(last + 1e-9) + 1)
    if days.size < 4:
        days = np.linspace(0, last, 7)
    found = [excess_at(run, c, day) for day in days]
    mean = np.array([e.value for e in found])
    axis.axhline(0, color="black", lw=0.6)
    if any(e.has_interval for e in found):
        error = np.array([[e.value - e.low, e.high - e.value] for e in found]).T
        axis.errorbar(days, mean, np.nan_to_num(error), fmt="o", color=colour, ms=3.5, lw=1.1, capsize=2)
    else:
        axis.plot(days, mean, "o", color=colour, ms=3.5)
    style.time_axis(axis, sorted({d for _, ds in run.dose_days for d in ds}), ticks=8)
    axis.set(xlabel=style.TIME_LABEL, ylabel="Bliss excess (share of control)")
