"""Growth of the tumours: area and equivalent volume, with measured points where there are some."""

from __future__ import annotations

from matplotlib.axes import Axes

from tme import statistics
from tme.viz import measured, style
from tme.viz.curves import band_words, draw_arm
from tme.viz.load import Missing, Run
from tme.viz.measured import Measured
from tme.viz.style import Drawn, arm_name, day_text

PANELS = (("tumour_area_mm2", "tumour area (mm²)"), ("tumour_volume_mm3", "equivalent volume (mm³)"), ("tumour_alive", "living tumour cells"))


def growth(run: Run, points: Measured | None = None) -> list[Drawn]:
    """Area and equivalent volume, replicates thin, mean thick, treatment days on top; `points`: what was measured, over it.

    Cell numbers have a panel where neither area nor volume was recorded, and where they were measured.
    """
    there = [p for p in PANELS if run.has(p[0])]
    asked = points.readouts if points is not None else []
    panels = [p for p in there if p[0] != "tumour_alive" or p[0] in asked] or there
    if not panels:
        raise Missing("series.csv has neither tumour_area_mm2 nor tumour_volume_mm3 nor tumour_alive")
    agents = run.dose_days
    figure = style.new_figure(style.PAGE_IN, 3.0 + 0.14 * len(agents))
    rows = figure.subplots(
        2,
        len(panels),
        squeeze=False,
        sharex="col",
        gridspec_kw={"height_ratios": [0.14 * max(len(agents), 0.05), 2.6], "hspace": 0},
    )
    for i, (column, label) in enumerate(panels):
        axis = rows[1, i]
        for arm in run.measured:
            draw_arm(axis, run, arm, column, thin=True)
        if points is not None:
            measured.draw(axis, run, points, column)
        axis.set(xlabel=style.TIME_LABEL, ylabel=label)
        style.from_zero(axis)
        axis.margins(x=0.01)
        style.time_axis(axis, ticks=8)
        _dose_strip(rows[0, i], agents, named=i == 0)
    style.panel_letters(rows[1], -30)
    style.legend_of_arms(figure, run.arms, run.control, more=[measured.handle()] if points is not None else [])
    text = _growth_caption(run, panels[0]) + (measured.words(run, points, [c for c, _ in panels]) if points is not None else "")
    return [Drawn("growth", "Tumour growth", figure, text)]


def _dose_strip(axis: Axes, agents, named: bool) -> None:
    """One row of triangles per agent."""
    for row, (_, days) in enumerate(agents):
        axis.plot(days, [row] * len(days), "v", color="black", ms=3.2, mew=0, clip_on=False)
    axis.set_ylim(len(agents) - 0.4, -0.6)
    axis.set_yticks(range(len(agents)) if named else [], [arm_name(a) for a, _ in agents] if named else [])
    axis.tick_params(length=0, labelbottom=False)
    for spine in axis.spines.values():
        spine.set_visible(False)


def _growth_caption(run: Run, panel: tuple[str, str]) -> str:
    column, label = panel
    unit = label.partition("(")[2].rstrip(")") or "cells"
    parts = []
    for arm in run.measured:
        e = statistics.mean_of_amounts(run.at(arm, column))
        within = f" ({e.low:.3g} to {e.high:.3g})" if e.has_interval else ""
        parts.append(f"{arm_name(arm)} {e.value:.3g}{within}")
    many = max((len(run.replicates(a)) for a in run.measured), default=0) > 1
    lines = "Thin lines: single simulations; " + band_words(run) if many else ""
    doses = "Triangles: treatment days. " if run.dose_days else ""
    name = label.partition(" (")[0]
    return (
        f"{lines}{doses}At {day_text(run.last_common_hour)} the {name}, in {unit}, was: {'; '.join(parts)}."
    )
