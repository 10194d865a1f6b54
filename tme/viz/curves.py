"""Time courses: growth, percentiles at the tumour cells, and the chain from danger signal to SLC7A11."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, NullFormatter

from tme import statistics
from tme.viz import limits, style
from tme.viz.limits import Curve
from tme.viz.load import Missing, Run
from tme.viz.style import Drawn, arm_name, day_text

MIN_FOR_BAND = 3


def all_dose_days(run: Run) -> list[float]:
    return sorted({day for _, days in run.dose_days for day in days})


def draw_arm(
    axis: Axes,
    run: Run,
    arm: str,
    column: str,
    *,
    thin: bool = False,
    scale: float = 1.0,
    since_day: float | None = None,
    top: float | None = None,
    **line,
) -> Curve:
    """Mean over replicates with its 95 % interval, cut at `top`; `thin` adds each replicate as a thin line.

    Returns what was drawn: days, mean and the upper end of the interval (n_time,).

    Two replicates have an interval, but it is 13 standard errors wide: they are shown as two thin lines.
    """
    days, values = run.matrix(arm, column)
    if since_day is not None:
        keep = days >= since_day - 1e-9
        days, values = days[keep], values[:, keep]
    values = values * scale
    options: dict[str, Any] = {
        "color": style.arm_colours(run.arms, run.control)[arm],
        "ls": style.arm_dashes(run.arms, run.control)[arm],
    }
    options |= line
    faint = 0.18 if len(run.measured) <= 6 else 0.07
    mean, low, high = statistics.band(values)
    complete = np.isfinite(values).all(axis=0)  # a mean over fewer replicates would jump
    if thin or 1 < len(values) < MIN_FOR_BAND:
        for row in values if len(values) > 1 else ():
            axis.plot(days, row, color=options["color"], lw=0.4, alpha=0.55, zorder=2)
    if len(values) >= MIN_FOR_BAND:
        low = np.where(values[:, complete].min(initial=0) >= 0, np.maximum(low, 0), low)
        high = np.minimum(high, top) if top is not None else high
        axis.fill_between(
            days, low, high, where=complete, color=options["color"], alpha=faint, lw=0, zorder=1
        )
    mean = np.where(complete, mean, np.nan)
    axis.plot(days, mean, zorder=3, **options)
    return days, mean, np.where(complete, high, np.nan) if len(values) >= MIN_FOR_BAND else mean


def band_words(run: Run) -> str:
    """What bands are, or why there are none."""
    if max((len(run.replicates(a)) for a in run.measured), default=0) < MIN_FOR_BAND:
        return "thick lines: means; fewer than three simulations per arm, so no interval is drawn. "
    return "thick lines: means; bands: 95 % intervals. "


QUANTITIES = (
    ("ifng", "IFN-γ (ng/mL)"),
    ("drug", "free drug (µM)"),
    ("oxygen", "oxygen (mmHg)"),
)


def percentiles(run: Run) -> list[Drawn]:
    """p10, median and p90 over the tumour cells of IFN-gamma, free drug and oxygen; a column per arm."""
    rows = [q for q in QUANTITIES if run.has(f"{q[0]}_median")]
    rows = [q for q in rows if np.nanmax(run.series[f"{q[0]}_median"]) > 0]
    if not rows:
        raise Missing("series.csv has none of ifng_median, drug_median, oxygen_median")
    return [_percentile_sheet(run, rows, arms, page) for page, arms in pages(run.measured, 4)]


def pages(arms: list[str], size: int) -> list[tuple[str, list[str]]]:
    """Arms in groups that fit a page, with the ending of the file name."""
    groups = [arms[i : i + size] for i in range(0, len(arms), size)]
    return [("" if i == 0 else f"_{i + 1}", group) for i, group in enumerate(groups)]


def _percentile_sheet(run: Run, rows, arms: list[str], page: str) -> Drawn:
    figure = style.new_figure(style.PAGE_IN, 0.5 + 1.55 * len(rows))
    axes = figure.subplots(len(rows), max(len(arms), 2), squeeze=False, sharex=True, sharey="row")
    colours = style.arm_colours(run.arms, run.control)
    for i, (key, label) in enumerate(rows):
        log, low, high = _limits(run, key)
        for j, arm in enumerate(arms):
            axis = axes[i, j]
            _percentile_panel(axis, run, arm, key, colours[arm], low if log else None)
            style.time_axis(axis, all_dose_days(run))
            if i == 0:
                axis.set_title(
                    style.wrapped(arm_name(arm), 440), color=colours[arm], fontweight="bold", loc="center"
                )
        if log:
            axes[i, 0].set_yscale("log")
            axes[i, 0].yaxis.set_major_formatter(FuncFormatter(lambda value, _: style.decade_text(value)))
            axes[i, 0].yaxis.set_minor_formatter(NullFormatter())
        axes[i, 0].set_ylim(low if log else 0, high)
        axes[i, 0].set_ylabel(label)
    for j in range(len(arms), axes.shape[1]):
        for axis in axes[:, j]:
            axis.set_visible(False)
    figure.supxlabel(style.TIME_LABEL, fontsize=style.FONT_PT)
    text = (
        "What the living tumour cells sense: line, median; band, from the 10th to the 90th "
        "percentile over cells "
        "(means of the simulations). Rows share one scale; logarithmic where values span more than "
        "thirtyfold. "
        "Faint verticals: treatment days. "
    ) + _spread_words(run, rows, arms)
    return Drawn(f"percentiles{page}", "IFN-γ, drug and oxygen at the tumour cells", figure, text)


def _limits(run: Run, key: str) -> tuple[bool, float, float]:
    """Whether a log axis is called for, and the range that all arms share."""
    columns = [c for c in (f"{key}_p10", f"{key}_median", f"{key}_p90") if run.has(c)]
    values = run.series[columns].to_numpy(float)
    positive = values[np.isfinite(values) & (values > 0)]
    high = float(positive.max())
    typical = max(float(np.quantile(positive, 0.02)), high * 1e-4)
    log = high / typical > 30 and not key.startswith("drug")
    return log, typical / 2 if log else 0.0, high * (1.5 if log else 1.05)


def _percentile_panel(axis: Axes, run: Run, arm: str, key: str, colour: str, floor: float | None) -> None:
    lines = {}
    for name in ("p10", "median", "p90"):
        if run.has(f"{key}_{name}"):
            days, values = run.matrix(arm, f"{key}_{name}")
            mean = np.where(np.isfinite(values).all(axis=0), statistics.band(values)[0], np.nan)
            lines[name] = mean if floor is None else np.maximum(mean, floor)
    if not lines or not np.nanmax(lines["median"]) > (floor or 0):
        axis.text(0.5, 0.5, "none", transform=axis.transAxes, ha="center", color="#777777")
        return
    if {"p10", "p90"} <= set(lines):
        axis.fill_between(days, lines["p10"], lines["p90"], color=colour, alpha=0.25, lw=0)
    shown = lines["median"] if floor is None else np.where(lines["median"] > floor, lines["median"], np.nan)
    axis.plot(days, shown, color=colour)


def _spread_words(run: Run, rows, arms: list[str]) -> str:
    out = []
    for key, label in rows:
        if not run.has(f"{key}_p10") or not run.has(f"{key}_p90"):
            continue
        name, _, unit = label.partition(" (")
        parts = []
        for arm in arms:
            low, mid, high = (float(run.at(arm, f"{key}_{p}").mean()) for p in ("p10", "median", "p90"))
            parts.append(f"{arm_name(arm)} {mid:.2g} ({low:.2g} to {high:.2g})")
        out.append(f"{name} in {unit.rstrip(')')}: {', '.join(parts)}.")
    return f"At {day_text(run.last_common_hour)}, {' '.join(out)}" if out else ""


CHAIN = (
    (("hmgb1_mean", "HMGB1, mean\n(hmgb1)"), ("atp_mean", "ATP, mean\n(atp)")),
    (("dc_mature_cumulative", "mature DC,\ncumulative"), ("dc_mature", "mature DC")),
    (("primed_pool", "primed CD8\npool"),),
    (("cd8_per_mm2", "CD8\n(per mm²)"), ("cd8", "CD8")),
    (("ifng_median", "IFN-γ, median\n(ng/mL)"),),
    (("slc7a11_factor", "SLC7A11\n(1 = no IFN-γ)"),),
)


def chain(run: Run) -> list[Drawn]:
    """DAMP, mature DC, primed CD8, CD8, IFN-gamma, SLC7A11: one row per arm, the control in grey behind."""
    links = [next((c for c in choices if run.has(c[0])), None) for choices in CHAIN]
    links = [(c, _with_unit(run, label)) for c, label in filter(None, links)]
    if len(links) < 3:
        raise Missing(
            "series.csv has fewer than three links of the chain (DAMP, DC, primed CD8, CD8, IFN-γ, SLC7A11)"
        )
    return [_chain_sheet(run, links, arms, page) for page, arms in pages(run.measured, 6)]


def _with_unit(run: Run, label: str) -> str:
    """Replace a field's name in brackets by the unit that the run gives it."""
    for field in ("hmgb1", "atp"):
        unit = style.unit_text(run.units.get(field, ""))
        label = label.replace(f"({field})", f"({unit})" if unit else "")
    return label.rstrip()


def _chain_sheet(run: Run, links, arms: list[str], page: str) -> Drawn:
    figure = style.new_figure(style.PAGE_IN, 0.65 + 1.12 * max(len(arms), 1))
    axes = figure.subplots(len(arms), len(links), squeeze=False)  # limits are set below: shared axes ask all others at each line
    colours = style.arm_colours(run.arms, run.control)
    drawn: dict[tuple[int, int], Curve] = {}
    for i, arm in enumerate(arms):
        for j, (column, label) in enumerate(links):
            axis = axes[i, j]
            if run.control and arm != run.control:
                draw_arm(axis, run, run.control, column, color="#B0B0B0", lw=0.9, since_day=0)
            drawn[i, j] = draw_arm(axis, run, arm, column, since_day=0)
            axis.locator_params(axis="both", nbins=4)
            axis.tick_params(labelbottom=i == len(arms) - 1)
            if i == 0:
                axis.set_title(label, loc="center", pad=6)
                if j:
                    axis.annotate(
                        "→", (-0.24, 1.11), xycoords="axes fraction", ha="center", fontsize=9, va="bottom"
                    )
        axes[i, 0].set_ylabel(style.wrapped(arm_name(arm), 300), color=colours[arm], fontweight="bold")
    left_out = []
    for j, (column, _) in enumerate(links):
        if column != "slc7a11_factor":
            top, cut = limits.top_of(drawn[i, j] for i in range(len(arms)))
            low = 0.0
            marked = [limits.mark_beyond(axes[i, j], *drawn[i, j][:2], top, colours[arm]) for i, arm in enumerate(arms)]
            left_out.append((cut, any(marked)))
        else:
            low, top = (float(f(axis.get_ylim()[k] for axis in axes[:, j])) for k, f in enumerate((min, max)))
        for axis in axes[:, j]:
            axis.set_ylim(low, top)
    ends = [axis.get_xlim() for axis in axes.ravel()]
    for axis in axes.ravel():
        axis.set_xlim(min(low for low, _ in ends), max(high for _, high in ends))
    figure.supxlabel(style.TIME_LABEL, fontsize=style.FONT_PT)
    text = (
        f"From danger signal to the cystine transporter, one arm per row; grey: control; {band_words(run)}"
        f"Each column has one scale; all but SLC7A11 start at zero. {limits.words(left_out)}"
    ) + _chain_words(run, links, arms)
    return Drawn(f"chain{page}", "The loop: danger signal to SLC7A11", figure, text)


def _chain_words(run: Run, links, arms: list[str]) -> str:
    """Which links of which arm differ from control when they are largest apart, by interval."""
    if not run.control:
        return ""
    out = []
    for arm in arms:
        if arm == run.control:
            continue
        moved = [label.partition("\n")[0].rstrip(",") + f" {_direction(run, arm, c)}" for c, label in links]
        moved = [m for m in moved if not m.endswith(" ")]
        if moved:
            out.append(f"{arm_name(arm)}: {', '.join(moved)}")
    if not out:
        return ""
    return (
        f"Averaged over days 0 to {run.last_common_hour / 24:.3g}, intervals excluding control: "
        f"{'; '.join(out)}."
    )


def _direction(run: Run, arm: str, column: str) -> str:
    """higher, lower or nothing: the time average of an arm against control's."""
    means = []
    for name in (arm, run.reference):
        days, values = run.matrix(name, column)
        keep = (days >= 0) & (days <= run.last_common_hour / 24 + 1e-9)
        means.append(
            dict(
                zip(run.replicates(name), np.nanmean(values[:, keep], axis=1) if keep.any() else values[:, 0])
            )
        )
    common = sorted(set(means[0]) & set(means[1])) if run.paired else None
    a, b = ([m[r] for r in common] if common is not None else list(m.values()) for m in means)
    return {1: "higher", -1: "lower", 0: ""}[statistics.difference(a, b, paired=run.paired).sign]
