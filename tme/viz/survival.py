"""When tumours reached a size: Kaplan-Meier curves by arm, with the log-rank test against control."""

from __future__ import annotations

import numpy as np

from tme import statistics
from tme.statistics import TimeToSize
from tme.statistics.sentences import p_text
from tme.viz import outcomes, style
from tme.viz.curves import MIN_FOR_BAND
from tme.viz.load import Missing, Run
from tme.viz.style import Drawn, arm_name

WHAT = {outcomes.VOLUME: "volume", outcomes.CELLS: "number of living cells"}


def times(run: Run) -> tuple[str, list[TimeToSize]]:
    """The readout that was followed (volume where there is one) and one entry per arm, in the order of the report."""
    column = next((c for c in WHAT if run.has(c)), None)
    if column is None:
        raise Missing("series.csv has neither tumour_volume_mm3 nor tumour_alive")
    found = {t.arm: t for t in statistics.times_to_size(outcomes.curves(run, column), run.control)}
    return column, [found[a] for a in run.arms if a in found]


def survival(run: Run) -> list[Drawn]:
    """Share of tumours below the size, stepping down as they reach it; ticks where a simulation ended below it."""
    column, found = times(run)
    if not any(t.reached for t in found):
        raise Missing(f"no tumour reached {statistics.FOLD:g} times its size on day 0")
    figure = style.new_figure(4.6, 2.9)
    axis = figure.subplots()
    colours, dashes = style.arm_colours(run.arms, run.control), style.arm_dashes(run.arms, run.control)
    last = run.last_common_hour / 24
    end = shown_until(found, last)
    for k, t in enumerate(found):
        c, colour = t.curve, colours[t.arm]
        x, y = np.concatenate([[0], c.times, [end]]), np.concatenate([[1], c.share, [c.share[-1] if c.share.size else 1]])
        lift = 0.008 * (k - (len(found) - 1) / 2)  # arms that coincide stay visible
        axis.plot(x, y + lift, drawstyle="steps-post", color=colour, ls=dashes[t.arm])
        if c.n >= 2 * MIN_FOR_BAND and c.times.size:
            axis.fill_between(c.times, np.nan_to_num(c.low), np.nan_to_num(c.high, nan=1.0), step="post", color=colour, alpha=0.12, lw=0)
        left = [float(y[np.searchsorted(c.times, at, side="right")]) for at in c.censored]
        axis.plot(c.censored, np.array(left) + lift, "|", ms=6, color=colour, clip_on=False)
    axis.set(xlabel=style.TIME_LABEL, ylabel=f"tumours below {statistics.FOLD:g}× their size on day 0", ylim=(-0.02, 1.04), xlim=(0, end))
    style.legend_of_arms(figure, [t.arm for t in found], run.control, among=run.arms)
    return [Drawn("time_to_size", f"Time to {statistics.FOLD:g} times the size on day 0", figure, caption(column, found, run, end < last))]


def shown_until(found: list[TimeToSize], last: float) -> float:
    """Where the time axis ends: with the run, or a quarter after the last event where all tumours have reached the size long before."""
    if any(t.curve.n > t.reached for t in found):
        return last
    latest = max(float(t.curve.times[-1]) for t in found if t.curve.times.size)
    return min(last, 1.25 * latest)


def caption(column: str, found: list[TimeToSize], run: Run, cut: bool = False) -> str:
    """Medians and tests in words."""
    parts = [f"{arm_name(t.arm)} {t.reached} of {t.curve.n}, median {_median(t)}{_test(t)}" for t in found]
    bands = " Bands: 95 % intervals (Greenwood, log-log)." if any(t.curve.n >= 2 * MIN_FOR_BAND for t in found) else ""
    return (
        f"Kaplan-Meier: share of tumours whose {WHAT[column]} is below {statistics.FOLD:g} times that on day 0; ticks: simulations that ended below it; "
        f"coinciding curves are set apart by a hair.{' The axis ends soon after the last tumour reached it.' if cut else ''} Reached: {'; '.join(parts)}.{bands} Log-rank against {arm_name(run.control) if run.control else 'control'}, "
        "p after Benjamini-Hochberg among the arms; exploratory, and it does not use that simulations of one seed are paired."
    )


def _median(t: TimeToSize) -> str:
    return f"day {t.curve.median:.3g}" if np.isfinite(t.curve.median) else "not reached"


def _test(t: TimeToSize) -> str:
    return f", {p_text(t.p_bh)}" if np.isfinite(t.p_bh) else ""
