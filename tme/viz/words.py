"""What happened, in plain words that come from the statistics alone.

Every sentence is chosen by the sign of an effect and by whether its 95\u00a0% interval excludes "no effect";
exchange two arms' numbers and their sentences change places.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from tme import statistics
from tme.statistics import Estimate
from tme.statistics.sentences import number, p_text, percent, range_text
from tme.viz import outcomes, synergy
from tme.viz.load import Missing, Run
from tme.viz.style import FATE_NAMES, arm_name, day_text


@dataclass(frozen=True)
class Endpoint:
    """A series column as a reader knows it; `percent` shows shares as per cent."""

    column: str
    name: str
    unit: str = ""
    percent: bool = False


ENDPOINTS = (
    Endpoint("tumour_alive", "living tumour cells"),
    Endpoint("tumour_area_mm2", "tumour area", "mm²"),
    Endpoint("tumour_volume_mm3", "tumour volume, equivalent", "mm³"),
    Endpoint("dead_ferroptosis", "ferroptotic deaths, cumulative"),
    Endpoint("dead_immune", "tumour cells killed by CD8, cumulative"),
    Endpoint("dc_mature_cumulative", "matured dendritic cells, cumulative"),
    Endpoint("dc_mature_share", "mature dendritic cells", "%", True),
    Endpoint("cd8_per_mm2", "CD8 density", "per mm²"),
    Endpoint("cd8_per_tumour_cell", "CD8 per tumour cell"),
    Endpoint("cd8_ifng_share", "IFN-γ⁺ CD8", "%", True),
    Endpoint("cd8_exhausted_share", "exhausted CD8", "%", True),
    Endpoint("kills_per_cd8_day", "kills per CD8 and day"),
    Endpoint("treg_per_mm2", "Treg density", "per mm²"),
    Endpoint("m1_m2_ratio", "M1:M2 ratio"),
    Endpoint("ifng_median", "IFN-γ at tumour cells, median", "ng/mL"),
    Endpoint("slc7a11_factor", "SLC7A11 relative to no IFN-γ"),
    Endpoint("hypoxic_share", "hypoxic tumour cells", "%", True),
)
READOUTS = {e.column: e.name for e in ENDPOINTS}
IMMUNE = (
    "dc_mature_cumulative",
    "cd8_per_mm2",
    "cd8_per_tumour_cell",
    "cd8_ifng_share",
    "cd8_exhausted_share",
    "treg_per_mm2",
    "m1_m2_ratio",
    "ifng_median",
    "slc7a11_factor",
)


def value_text(endpoint: Endpoint, value: float) -> str:
    """A readout's value with its unit, shares as per cent."""
    if endpoint.percent:
        return f"{percent(value)} %"
    return f"{number(value)} {endpoint.unit}".strip()


def versus_control(share: Estimate, what: str = "living tumour cells", tested: str = "") -> str:
    """One sentence on the tumour as a share of the control's (`share.null` is 1); `tested` is what a test says of it."""
    if not math.isfinite(share.value):
        return "A comparison with control was not possible."
    change = share.value - 1
    direction = "fewer" if change < 0 else "more"
    if not share.has_interval:
        return (
            f"In the one pair of simulations it had {percent(abs(change))} % {direction} {what} than "
            f"control; "
            "one pair says nothing about chance."
        )
    if share.sign == 0:
        return (
            f"No difference from control can be claimed: {percent(share.value)} % of control's {what} "
            f"(95\u00a0% interval {percent(share.low)} to {percent(share.high)} %, n\u00a0=\u00a0{share.n})."
        )
    near, far = sorted((abs(share.low - 1), abs(share.high - 1)))
    return (
        f"It had {percent(abs(change))} % {direction} {what} than control "
        f"(95\u00a0% interval {percent(near)} to {percent(far)} % {direction}, "
        f"n\u00a0=\u00a0{share.n}{', ' * bool(tested)}{tested})."
    )


def since_start(fold: Estimate) -> str:
    """Growth or shrinkage since day 0 (`fold` is last / first, null 1)."""
    if not math.isfinite(fold.value):
        return ""
    if fold.value == 0:
        return "No tumour cell was left."
    verb = "grew" if fold.value > 1 else "shrank"
    if fold.has_interval and fold.sign == 0:
        return (
            "Neither growth nor shrinkage since day 0 can be claimed "
            f"({number(fold.value)} times its size, {range_text(fold)})."
        )
    within = f" ({range_text(fold)})" if fold.has_interval else ""
    return f"From day 0 on the tumour {verb} to {number(fold.value)} times its size{within}."


def bliss_sentence(excess: Estimate, a: str, b: str) -> str:
    """One sentence on excess over independence of two arms."""
    if not math.isfinite(excess.value):
        return ""
    value = f"Bliss excess {number(excess.value, 2)}"
    if not excess.has_interval:
        side = "fewer" if excess.value > 0 else "more"
        return (
            f"It left {side} tumour cells than {a} and {b} would independently ({value}); "
            "one set of simulations says nothing about chance."
        )
    stated = f"({value}, {range_text(excess)}, n\u00a0=\u00a0{excess.n})"
    if excess.sign > 0:
        return f"It left fewer tumour cells than {a} and {b} would if they acted independently {stated}."
    if excess.sign < 0:
        return f"It left more tumour cells than {a} and {b} would if they acted independently {stated}."
    return f"Its effect cannot be told from independent action of {a} and {b} {stated}."


def immune_sentences(changes: list[tuple[Endpoint, Estimate, float, float]]) -> list[str]:
    """Which readouts rose, fell or stayed undecided: (endpoint, difference, mean here, mean in control)."""
    out = []
    for sign, verb in ((1, "Higher than in control"), (-1, "Lower than in control")):
        found = [
            f"{e.name} ({value_text(e, here)} against {value_text(e, there)})"
            for e, d, here, there in changes
            if d.sign == sign
        ]
        if found:
            out.append(f"{verb}: {'; '.join(found)}.")
    open_ = [e.name for e, d, _, _ in changes if d.has_interval and d.sign == 0]
    if open_:
        out.append(f"No difference can be claimed in {', '.join(open_)}.")
    return out


def deaths_sentence(causes: dict[str, float]) -> str:
    """The main cause of death among tumour cells."""
    total = sum(causes.values())
    if not total > 0:
        return "No tumour cell died after day 0."
    first = max(causes, key=causes.__getitem__)
    part = f"{percent(causes[first] / total)} % of {number(total)} deaths per tumour since day 0"
    return f"Most frequent death: {FATE_NAMES[first]} ({part})."


def deaths_since_start(run: Run, arm: str, fate: str) -> float:
    """Mean number of deaths of one cause per simulation from day 0 to the last common hour."""
    column = f"dead_{fate}"
    return float((run.at(arm, column) - run.at(arm, column, 0.0)).mean())


def change(run: Run, arm: str, column: str) -> Estimate:
    """Difference from control at the last common hour, paired where seeds are shared."""
    here, there = run.at(arm, column), run.at(run.reference, column)
    if run.paired:
        common = here.index.intersection(there.index)
        return statistics.difference(here[common], there[common])
    return statistics.difference(here, there, paired=False)


def share(run: Run, arm: str, column: str = "tumour_alive") -> Estimate:
    """An arm's tumour as a share of control's at the last common hour."""
    here, there = run.at(arm, column), run.at(run.reference, column)
    if run.paired:
        common = here.index.intersection(there.index)
        here, there = here[common], there[common]
    return statistics.share_of_control(here, there, paired=run.paired)


def fold_since_start(run: Run, arm: str) -> Estimate:
    first, last = run.at(arm, "tumour_alive", 0.0), run.at(arm, "tumour_alive")
    return statistics.share_of_control(last, first)


def arm_words(run: Run, arm: str) -> list[list[str]]:
    """What one arm did, as paragraphs of sentences: the tumour, then the immune cells."""
    n = len(run.replicates(arm))
    if n == 0:
        return [["No simulation of this arm has results yet."]]
    count = "One simulation" if n == 1 else f"{n} simulations"
    tumour = [f"{count}, read at {day_text(run.last_common_hour)}."]
    compared = run.control is not None and arm != run.control
    if run.has("tumour_alive"):
        cells = statistics.mean_of_amounts(run.at(arm, "tumour_alive"))
        average = f" on average ({range_text(cells)})" if n > 1 else "; one simulation has no interval"
        tumour.append(f"{number(cells.value)} living tumour cells{average}.")
        tumour.append(since_start(fold_since_start(run, arm)))
        tumour += [versus_control(share(run, arm), tested=_tested(run, arm))] if compared else []
    tumour += _bliss_words(run, arm)
    causes = {f: deaths_since_start(run, arm, f) for f in FATE_NAMES if run.has(f"dead_{f}")}
    tumour += [deaths_sentence(causes)] if causes else []
    immune = immune_sentences(_immune_changes(run, arm)) if compared else []
    return [[s for s in tumour if s], immune]


def _tested(run: Run, arm: str) -> str:
    """p of an arm against control where the primary question asks of it."""
    p = statistics.in_question(outcomes.found_answer(run), "tumour_alive", arm, run.control, run.last_common_hour / 24)
    text = "" if p is None else p_text(p)
    return f"{text} after Holm in the primary question" if text else ""


def _immune_changes(run: Run, arm: str) -> list[tuple[Endpoint, Estimate, float, float]]:
    known = {e.column: e for e in ENDPOINTS}
    means = {
        c: (float(run.at(arm, c).mean()), float(run.at(run.reference, c).mean()))
        for c in IMMUNE
        if run.has(c)
    }
    return [(known[c], change(run, arm, c), *pair) for c, pair in means.items()]


def _bliss_words(run: Run, arm: str) -> list[str]:
    try:
        found = [c for c in synergy.combinations(run) if c.combined == arm]
        return [bliss_sentence(synergy.excess_at(run, c), arm_name(c.a), arm_name(c.b)) for c in found]
    except Missing:
        return []


@dataclass(frozen=True)
class TableRow:
    """One endpoint over all arms: means, differences from control with adjusted p, and the arms whose p is the primary question's."""

    endpoint: Endpoint
    means: dict[str, Estimate]
    changes: dict[str, Estimate]
    adjusted: dict[str, float]
    primary: frozenset[str] = frozenset()


def endpoint_table(run: Run) -> list[TableRow]:
    """All endpoints the run has; p after Benjamini-Hochberg over the table (n of at least 3), but for what the primary question asks: after Holm."""
    found = [e for e in ENDPOINTS if run.has(e.column)]
    means = {(e, a): statistics.mean_of_amounts(run.at(a, e.column)) for e in found for a in run.arms}
    changes: dict[tuple[Endpoint, str], Estimate] = {}
    if run.control:
        changes = {(e, a): change(run, a, e.column) for e in found for a in run.arms if a != run.control}
    answer = outcomes.found_answer(run)
    day = run.last_common_hour / 24
    asked = {k: p for k in changes if (p := statistics.in_question(answer, k[0].column, k[1], run.control, day)) is not None}
    keys = [k for k in changes if k not in asked]
    adjusted = dict(zip(keys, statistics.false_discovery([changes[k].p for k in keys], [changes[k].n for k in keys]))) | asked
    return [
        TableRow(
            e,
            {a: means[e, a] for a in run.arms},
            {a: changes[e, a] for a in run.arms if (e, a) in changes},
            {a: float(adjusted[e, a]) for a in run.arms if (e, a) in adjusted},
            frozenset(a for a in run.arms if (e, a) in asked),
        )
        for e in found
    ]
