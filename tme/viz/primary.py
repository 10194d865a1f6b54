"""The primary question on the page and as a figure: each contrast with its interval, and every pair of simulations as a point."""

from __future__ import annotations

import math
from html import escape
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from tme.statistics import Answer, Answered
from tme.statistics.question import paired
from tme.statistics.sentences import measured, stated, verdict_line, wanting
from tme.viz import outcomes, style
from tme.viz.load import Missing, Run
from tme.viz.style import Drawn, arm_name
from tme.viz.words import READOUTS

MARKS = {"holds": style.GREEN, "contradicted": style.VERMILLION, "open": style.GREY}


def primary_html(run: Run) -> str:
    """The question, its answers and what to know of them; first on the page."""
    try:
        one, points = outcomes.answered(run)
    except Missing as reason:
        text = str(reason)[:1].upper() + str(reason)[1:]
        return f"<p>{escape(text)}. Every comparison on this page is exploratory; contrasts of a stated question are tested with Holm among themselves.</p>"
    if one is not None:
        return _answered_html(one)
    out = []
    for row in run.sweep.to_dict("records"):
        if row["sweep"] in points:
            out.append(f"<h3>{escape(str(row.get('folder', row['sweep'])))}: {escape(_values(row))}</h3>{_answered_html(points[row['sweep']])}")
    return '<p class="small">Holm’s adjustment runs over the contrasts of all sweep points together.</p>' + "".join(out)


def _values(row: dict[str, Any]) -> str:
    return ", ".join(f"{k} = {v}" for k, v in row.items() if k not in ("sweep", "folder"))


def _answered_html(found: Answered) -> str:
    answers = "".join(
        f'<li><span class="verdict {a.verdict}">{a.verdict}</span> {escape(_first_upper(stated(a, arm_name)))}: <span class="found">{escape(measured(a, arm_name))}</span></li>'
        for a in found.answers
    )
    rows = "".join(f"<tr><td><code>{escape(a.contrast.text)}</code></td><td>{a.verdict}</td><td>{escape(_exact(a))}</td></tr>" for a in found.answers)
    name = READOUTS.get(found.question.readout, found.question.readout)
    cautions, wants = ("".join(f'<p class="small">{escape(c)}</p>' for c in texts) for texts in (found.cautions(), _wants(found)))
    return (
        f'<p class="asked"><strong>{escape(_first_upper(name))} on day {found.day:g}: {escape(verdict_line(found.answers))}.</strong></p>'
        f'<ul class="answers">{answers}</ul>{cautions}<details><summary>How this was tested</summary><p class="small">p is the paired t test’s, two-sided, '
        "after Holm among these contrasts and nothing else; a statement holds, or is contradicted, where it is below 0.05. Exact test: Wilcoxon’s signed "
        "ranks, unadjusted, with the least p that so many pairs can give.</p>"
        '<div class="scroll"><table><thead><tr><th>Contrast</th><th>Verdict</th><th>Exact test</th></tr></thead>'
        f"<tbody>{rows}</tbody></table></div>{wants}</details>"
    )


def _exact(a: Answer) -> str:
    return f"p = {a.exact.p:.3g}, least {a.exact.least:.3g}" if math.isfinite(a.exact.p) and a.exact.n else "–"


def _first_upper(text: str) -> str:
    return text[:1].upper() + text[1:]


def _wants(found: Answered) -> list[str]:
    return [f"{_first_upper(stated(a, arm_name))}: {wanting(a)}." for a in found.answers if wanting(a)]


def primary(run: Run) -> list[Drawn]:
    """Ratios on the left on a logarithmic axis, differences and excesses on the right."""
    found, _points = outcomes.answered(run)
    if found is None:
        raise Missing("a sweep has its answers point by point, on the page")
    table = paired(outcomes.values(outcomes.at(run, found.day), found.question.readout), found.question.arms())
    shown = [a for a in found.answers if math.isfinite(a.estimate.value)]
    groups = [g for g in ([a for a in shown if a.contrast.kind == k] for k in ("ratio", "difference")) if g]
    excesses = [a for a in shown if a.contrast.needs_control]
    groups += [excesses] if excesses else []
    if not groups:
        raise Missing("no contrast of the primary question has a value")
    figure = style.new_figure(style.PAGE_IN, 0.9 + 0.42 * max(len(g) for g in groups))
    axes = figure.subplots(1, len(groups), squeeze=False)[0]
    for axis, group in zip(axes, groups):
        _draw(axis, group, table, found.question.control)
    style.panel_letters(axes, -30)
    text = (
        f"The primary question: {found.question.readout} on day {found.day:g}. Small points: pairs of simulations of one seed; large points and bars: "
        "estimate and 95 % interval (not adjusted), green where the statement holds after Holm, red where it is contradicted, grey where it is open. "
        f"Dashed: no effect. {verdict_line(found.answers).capitalize()}."
    )
    return [Drawn("primary", "The primary question", figure, text)]


def _draw(axis: Axes, group: list[Answer], table: dict[str, np.ndarray], control: str | None) -> None:
    kind = group[0].contrast.kind
    for y, a in enumerate(group):
        e, colour = a.estimate, MARKS[a.verdict]
        if not a.contrast.needs_doses:
            each = a.contrast.natural(a.contrast.effects(table, control))
            axis.plot(each, np.full(each.shape, y + 0.22), "o", ms=2.6, color=colour, alpha=0.55, mew=0)
        if e.has_interval:
            axis.plot([e.low, e.high], [y, y], color=colour, lw=1.4)
        axis.plot([e.value], [y], "o", ms=5, color=colour)
    axis.axvline(group[0].contrast.bound, color="black", lw=0.7, ls="--")
    axis.set_yticks(range(len(group)), [style.wrapped(stated(a, arm_name), 420) for a in group])
    axis.set_ylim(len(group) - 0.5, -0.5)
    if kind == "ratio":
        axis.set_xscale("log")
        _round_ticks(axis)
    else:
        axis.xaxis.set_major_locator(MaxNLocator(4))
    axis.set_xlabel({"ratio": "ratio of geometric means", "difference": "difference"}.get(kind, "excess (share of control)"))


def _round_ticks(axis: Axes) -> None:
    """Plain numbers on a logarithmic axis of ratios."""
    low, high = axis.get_xlim()
    ticks = [t for k in range(-4, 5) for t in (1 * 10.0**k, 2 * 10.0**k, 5 * 10.0**k) if low <= t <= high]
    if len(ticks) > 6:
        ticks = [t for t in ticks if str(f"{t:e}")[0] == "1"]
    axis.set_xticks(ticks or [1.0], [f"{t:g}" for t in ticks or [1.0]])
    axis.minorticks_off()
