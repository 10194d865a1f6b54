"""Immune composition and causes of death over time."""

from __future__ import annotations

import numpy as np
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter

from tme import statistics
from tme.viz import limits, style
from tme.viz.curves import all_dose_days, band_words, draw_arm, pages
from tme.viz.load import Missing, Run
from tme.viz.style import FATE_COLOURS, FATE_NAMES, Drawn, arm_name, day_text

PANELS = (
    ("dc_mature_share", "mature share of DC", True),
    ("cd8_ifng_share", "IFN-γ⁺ share of CD8", True),
    ("cd8_exhausted_share", "exhausted share of CD8", True),
    ("m1_m2_ratio", "M1:M2 ratio", False),
    ("cd8_per_mm2", "CD8 (per mm² tumour)", False),
    ("cd8_per_tumour_cell", "CD8 per tumour cell", False),
    ("treg_per_mm2", "Treg (per mm² tumour)", False),
    ("kills_per_cd8_day", "kills per CD8 and day", False),
)


def composition(run: Run) -> list[Drawn]:
    """Eight readouts of the infiltrate, arms as lines."""
    panels = [p for p in PANELS if run.has(p[0])]
    if not panels:
        raise Missing("series.csv has no immune columns")
    columns = min(4, len(panels))
    rows = -(-len(panels) // columns)
    figure = style.new_figure(max(3.6, style.PAGE_IN * columns / 4), 0.55 + 1.75 * rows)
    axes = figure.subplots(rows, columns, squeeze=False, sharex=True)
    colours, axes_cut = style.arm_colours(run.arms, run.control), []
    for axis, (column, label, share) in zip(axes.ravel(), panels):
        drawn = {arm: draw_arm(axis, run, arm, column, top=1.0 if share else None) for arm in run.measured}
        style.time_axis(axis, all_dose_days(run))
        axes_cut.append(limits.keep_in(axis, drawn, colours))
        if share:
            axis.yaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{100 * v:g} %"))
        axis.set_title(label)
    for axis in axes.ravel()[len(panels) :]:
        axis.set_visible(False)
    figure.supxlabel(style.TIME_LABEL, fontsize=style.FONT_PT)
    style.legend_of_arms(figure, run.arms, run.control)
    left_out = [label for column, label, _ in PANELS if not run.has(column)]
    text = band_words(run).capitalize() + "Faint verticals: treatment days. All axes start at zero. "
    text += limits.words(axes_cut)
    text += _composition_words(run, panels)
    if left_out:
        text += f" Not recorded in this run: {', '.join(left_out)}."
    return [Drawn("composition", "Immune composition", figure, text)]


def _composition_words(run: Run, panels) -> str:
    """Readouts at the last day, arm by arm."""
    out = []
    for column, label, share in panels:
        if column not in ("dc_mature_share", "cd8_ifng_share", "cd8_per_mm2", "cd8_per_tumour_cell"):
            continue
        values = [float(run.at(a, column).mean()) for a in run.measured]
        shown = [f"{100 * v:.0f} %" if share else f"{v:.2g}" if abs(v) < 10 else f"{v:.0f}" for v in values]
        out.append(f"{label}: {', '.join(f'{arm_name(a)} {v}' for a, v in zip(run.measured, shown))}")
    return f"At {day_text(run.last_common_hour)} – {'; '.join(out)}." if out else ""


def causes(run: Run) -> list[Drawn]:
    """Stacked deaths of tumour cells by cause: cumulative above, per day below; a column per arm."""
    fates = [f for f in FATE_NAMES if run.has(f"dead_{f}")]
    if not fates:
        raise Missing("series.csv has no dead_… columns")
    if not max(np.nanmax(run.series[f"dead_{f}"]) for f in fates) > 0:
        raise Missing("no tumour cell died")
    tables = {arm: _deaths(run, arm, fates) for arm in run.measured}
    top = max(t[1].sum(axis=0).max() for t in tables.values()) * 1.05
    if not top > 0:
        raise Missing("no tumour cell died after day 0")
    daily = max((t[3].sum(axis=0).max(initial=0) for t in tables.values()), default=0) * 1.05
    return [_cause_sheet(run, fates, tables, arms, page, top, daily) for page, arms in pages(run.measured, 4)]


def _deaths(run: Run, arm: str, fates: list[str]):
    """Days, deaths since day 0 (n_fates, n_time), bin edges, deaths per day (n_fates, n_bins), widths."""
    last = run.last_common_hour / 24
    rows = []
    for fate in fates:
        days, values = run.matrix(arm, f"dead_{fate}")
        rows.append(statistics.band(values)[0])
    keep = (days >= 0) & (days <= last + 1e-9)
    days, total = days[keep], np.nan_to_num(np.array(rows)[:, keep])
    total = total - total[:, :1]
    edges = np.arange(0, np.ceil(last - 1e-9) + 1) if last > 2 else np.linspace(0, max(last, 1e-6), 9)
    at = np.array([np.interp(edges, days, row) for row in total])
    widths = np.diff(np.minimum(edges, last))
    return days, total, edges[:-1], np.diff(at, axis=1) / np.where(widths > 0, widths, 1), widths


def _cause_sheet(run: Run, fates, tables, arms: list[str], page: str, top: float, daily: float) -> Drawn:
    figure = style.new_figure(style.PAGE_IN, 3.7)
    axes = figure.subplots(2, max(len(arms), 2), squeeze=False, sharex=True, sharey="row")
    colours = [FATE_COLOURS[f] for f in fates]
    for j, arm in enumerate(arms):
        days, total, left, per_day, widths = tables[arm]
        axes[0, j].stackplot(days, total, colors=colours, lw=0)
        base = np.zeros(left.size)
        for colour, row in zip(colours, per_day):
            axes[1, j].bar(
                left, row, widths, bottom=base, align="edge", color=colour, edgecolor="white", lw=0.3
            )
            base += row
        axes[0, j].set_title(
            style.wrapped(arm_name(arm), 440),
            fontweight="bold",
            loc="center",
            color=style.arm_colours(run.arms, run.control)[arm],
        )
        for axis in axes[:, j]:
            style.time_axis(axis, run_doses(run, arm))
    for axis in axes[:, len(arms) :].ravel():
        axis.set_visible(False)
    axes[0, 0].set(ylabel="deaths since day 0 (cells)", ylim=(0, top))
    axes[1, 0].set(ylabel="deaths per day (cells/d)", ylim=(0, daily or 1))
    figure.supxlabel(style.TIME_LABEL, fontsize=style.FONT_PT)
    handles = [Patch(color=c, label=FATE_NAMES[f]) for c, f in zip(colours, fates)]
    figure.legend(handles=handles, loc="outside upper center", ncols=len(fates))
    text = (
        "Tumour cells lost per tumour (means of the simulations), stacked by cause: above, summed "
        "since day 0; "
        "below, per day. "
    ) + " ".join(_cause_words(arm, fates, tables[arm]) for arm in arms)
    return Drawn(f"causes{page}", "Causes of death", figure, text)


def run_doses(run: Run, arm: str) -> list[float]:
    return sorted({day for dose in run.doses.get(arm, []) for day in dose.days})


def _cause_words(arm: str, fates: list[str], table) -> str:
    final = table[1][:, -1]
    if not final.sum() > 0:
        return f"{arm_name(arm)}: no deaths."
    parts = [
        f"{FATE_NAMES[f]} {100 * v / final.sum():.0f} %"
        for f, v in zip(fates, final)
        if v / final.sum() >= 0.01
    ]
    peak = table[2][int(np.argmax(table[3].sum(axis=0)))]
    return (
        f"{arm_name(arm)}: {final.sum():,.0f} deaths ({', '.join(parts)}), most on day {peak:.3g}.".replace(
            ",0", ",0"
        )
    )
