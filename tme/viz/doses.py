"""Dose-response of a sweep: each agent's fitted curve with its EC50, and the surface of two agents with the excess over additivity."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Normalize, TwoSlopeNorm

from tme import statistics
from tme.statistics import DoseTable
from tme.statistics.contrasts import INDICES
from tme.statistics.sentences import number
from tme.viz import outcomes, style
from tme.viz.curves import MIN_FOR_BAND
from tme.viz.load import Missing, Run
from tme.viz.style import Drawn, arm_name
from tme.viz.sweep import sweep_hour

NAMES = {"bliss": "Bliss", "hsa": "HSA", "loewe": "Loewe"}
UNITS = {"dose_mg_kg": "mg/kg", "dose_mg": "mg", "bath_uM": "µM", "bath_nM": "nM", "dose_gy": "Gy", "fluence_mw_cm2": "mW/cm²", "intensity_w_cm2": "W/cm²"}


def table(run: Run) -> DoseTable:
    """The dose-response of a sweep; `Missing` where it is none."""
    rows = outcomes.at(run, sweep_hour(run) / 24.0)
    if "sweep" not in rows or not len(rows):
        raise Missing("no finished sweep (sweep.csv, series.csv)")
    found = outcomes.dose_table(run, rows)
    if found is None:
        raise Missing("the sweep is none over doses with an untreated arm")
    return found


def unit(t: DoseTable, agent: str) -> str:
    """The dose's unit for people."""
    key = t.units.get(agent, "")
    return UNITS.get(key, key)


def responses(run: Run) -> list[Drawn]:
    """One panel per agent given alone at three doses or more: shares of control, fitted curve, EC50 with its interval."""
    t = table(run)
    agents = t.single()
    if not agents:
        raise Missing("no agent is given alone at three doses or more")
    columns = min(len(agents), 3)
    figure = style.new_figure(style.PAGE_IN * (0.36 + 0.32 * (columns - 1)), 0.3 + 2.5 * -(-len(agents) // columns))
    axes = figure.subplots(-(-len(agents) // columns), columns, squeeze=False).ravel()
    for axis, agent in zip(axes, agents):
        _curve(axis, t, agent)
    for axis in axes[len(agents) :]:
        axis.set_visible(False)
    style.panel_letters(list(axes[: len(agents)]), -28)
    told = "; ".join(f"{arm_name(a)} {_ec50(t, a)}" for a in agents)
    many = len(t.shares) >= MIN_FOR_BAND
    bars = f"means with 95 % intervals over {len(t.shares)} simulations" if many else f"means of {len(t.shares)} simulations, too few for an interval"
    shade = "; shaded: its 95 % interval, jackknife over seeds" if many else ""
    text = (
        f"Living tumour cells as a share of the control of the same seed, by dose, on day {sweep_hour(run) / 24:.3g}: {bars}, "
        f"single simulations as small points, and the fitted Hill curve. EC50 (dotted{shade}): {told}."
    )
    return [Drawn("dose_response", "Dose-response of single agents", figure, text)]


def _ec50(t: DoseTable, agent: str) -> str:
    found = t.fit(agent)
    if found.curve is None:
        return found.note
    e = found.ec50
    within = f" ({number(e.low)} to {number(e.high)})" if e.has_interval else ""
    note = f", {found.note}" if found.note else ""
    return f"{number(e.value)} {unit(t, agent)}{within}, slope {found.curve.h:.2g}, greatest effect {100 * found.curve.e_max:.0f} %{note}"


def _curve(axis: Axes, t: DoseTable, agent: str) -> None:
    doses, shares = t.curve(agent)
    mean, low, high = statistics.band(shares)
    colour = style.BLUE
    for row in shares:
        axis.plot(doses, row, "o", ms=2, color=colour, alpha=0.4, mew=0)
    many = len(shares) >= MIN_FOR_BAND
    error = np.array([mean - low, high - mean]) if many else None
    axis.errorbar(doses, mean, error, fmt="o", ms=4, color=colour, lw=1.1, capsize=2)
    found = t.fit(agent)
    limits = doses[0] / 1.6, doses[-1] * 1.6
    if found.curve is not None:
        x = np.geomspace(*limits, 200)
        axis.plot(x, found.curve.share(x), color="black", lw=1.1)
        if limits[0] <= found.ec50.value <= limits[1]:
            axis.axvline(found.ec50.value, color="black", lw=0.8, ls=":")
        if found.ec50.has_interval and many:
            axis.axvspan(max(found.ec50.low, limits[0]), min(found.ec50.high, limits[1]), color="#999999", alpha=0.18, lw=0)
    axis.axhline(1, color="#999999", lw=0.6)
    axis.set(xscale="log", xlim=limits, ylim=(0, max(1.08, float(np.nanmax(shares)) * 1.05)), title=arm_name(agent))
    axis.set_xticks(doses, [f"{d:g}" for d in doses])
    axis.minorticks_off()
    axis.set(xlabel=f"dose ({unit(t, agent)})", ylabel="living cells (share of control)")


def surfaces(run: Run) -> list[Drawn]:
    """Two agents together: the share of control over both doses, then the excess over Bliss, HSA and Loewe."""
    t = table(run)
    drawn = []
    for a, b in t.pairs():
        rows = t.excesses(a, b)
        shown = [k for k in INDICES if any(r[k] is not None for r in rows)]
        da, db, share = t.surface(a, b)
        if da.size * db.size < 6:
            continue
        figure = style.new_figure(style.PAGE_IN, 2.5)
        axes = figure.subplots(1, 1 + len(shown), squeeze=False)[0]
        _heat(axes[0], da, db, share, None, "share of control left", Normalize(0, max(1.0, float(np.nanmax(share)))), "viridis")
        largest = max((abs(r[k].value) for r in rows for k in shown if r[k] is not None), default=0.1) or 0.1
        for axis, k in zip(axes[1:], shown):
            values, sure = np.full(share.shape, np.nan), np.zeros(share.shape, bool)
            for r in rows:
                if r[k] is not None:
                    at = np.searchsorted(da, r["dose_a"]), np.searchsorted(db, r["dose_b"])
                    values[at], sure[at] = r[k].value, r[k].sign != 0
            _heat(axis, da, db, values, sure, f"excess over {NAMES[k]}", TwoSlopeNorm(0, -largest, largest), "PuOr")
        for axis in axes:
            axis.set_xlabel(f"{arm_name(b)} ({unit(t, b)})")
        axes[0].set_ylabel(f"{arm_name(a)} ({unit(t, a)})")
        style.panel_letters(axes, -14)
        lacking = [NAMES[k] for k in INDICES if k not in shown]
        drawn.append(Drawn(f"surface_{a}_{b}", f"{arm_name(a)} with {arm_name(b)}", figure, _surface_caption(run, t, rows, shown, lacking)))
    if not drawn:
        raise Missing("no two agents are given together at enough doses")
    return drawn


def _surface_caption(run: Run, t: DoseTable, rows: list[dict], shown: list[str], lacking: list[str]) -> str:
    counts = "; ".join(
        f"{NAMES[k]}: above zero at {sum(r[k] is not None and r[k].sign > 0 for r in rows)}, below at {sum(r[k] is not None and r[k].sign < 0 for r in rows)}"
        for k in shown
    )
    without = f" Not shown: {', '.join(lacking)}, whose single doses or curves the sweep does not have." if lacking else ""
    return (
        f"First panel: living tumour cells on day {sweep_hour(run) / 24:.3g} as a share of the control of the same seed, means of {len(t.shares)}. Others: excess of the "
        f"combination, above zero (purple) where it leaves fewer cells than expected; bold where the unadjusted 95 % interval excludes zero. "
        f"Of {len(rows)} combinations, {counts}. All of this is exploratory.{without}"
    )


def _heat(axis: Axes, da: np.ndarray, db: np.ndarray, values: np.ndarray, sure: np.ndarray | None, title: str, norm: Normalize, colours: str) -> None:
    axis.imshow(np.ma.masked_invalid(values), origin="lower", aspect="auto", norm=norm, cmap=colours)
    for i, j in np.argwhere(np.isfinite(values)):
        level = float(norm(values[i, j]))
        dark = level < 0.5 if colours == "viridis" else abs(level - 0.5) > 0.36
        weight = "bold" if sure is not None and sure[i, j] else "normal"
        axis.text(j, i, f"{round(values[i, j], 2) + 0.0:.2f}".replace("-", "−"), ha="center", va="center", fontsize=style.SMALL_PT, color="white" if dark else "black", fontweight=weight)
    axis.set_xticks(range(db.size), [f"{d:g}" for d in db])
    axis.set_yticks(range(da.size), [f"{d:g}" for d in da])
    axis.set_title(title)
    axis.tick_params(length=0)
