"""Numbers, intervals, p values and answers in plain words, the same on the terminal, in Python and on the report's page."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from tme.statistics.contrasts import Answer, Contrast
from tme.statistics.estimate import FEWEST_FOR_P, FEWEST_TO_RESAMPLE, Estimate
from tme.statistics.paired_tests import least_p

NBSP, THIN, MINUS = "\u00a0", "\u202f", "\u2212"


def number(value: float, digits: int = 3) -> str:
    """Three significant figures, thousands set apart, a true minus sign."""
    if not math.isfinite(value):
        return "–"
    if value == 0:
        return "0"
    places = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    text = f"{round(value, places):,.{min(places, 6)}f}" if abs(value) >= 1e-4 else f"{value:.{digits - 1}e}"
    return text.replace("-", MINUS).replace(",", THIN)


def percent(share: float) -> str:
    """A share in per cent, without the sign."""
    value = 100 * share
    return f"{value:.0f}".replace("-", MINUS) if abs(value) >= 9.5 or value == 0 else number(value, 2)


def p_text(p: float) -> str:
    """`p = 0.012`, or nothing where there is no p."""
    if not math.isfinite(p):
        return ""
    text = "< 0.001" if p < 0.001 else f"= {p:.3f}" if p < 0.1 else f"= {p:.2f}"
    return f"p {text}".replace(" ", NBSP)


def range_text(estimate: Estimate, scale: float = 1.0) -> str:
    """`95 % interval 1.2 to 3.4`, or why there is none."""
    if not estimate.has_interval:
        return "one simulation, no interval" if estimate.n == 1 else "no interval"
    return f"95{NBSP}% interval {number(estimate.low * scale)} to {number(estimate.high * scale)}"


def measured(answer: Answer, name: Callable[[str], str] = str) -> str:
    """What was found, without the verdict: value, interval, number of pairs, adjusted p."""
    e, c = answer.estimate, answer.contrast
    if not math.isfinite(e.value):
        return answer.note or "no value in both arms of any pair"
    value = {
        "ratio": f"{number(e.value)} times {name(c.arms[-1])}",
        "difference": f"difference {number(e.value)}",
    }.get(c.kind, f"excess {number(e.value, 2)} of the control")
    p = p_text(answer.p_adjusted)
    return ", ".join([value, range_text(e), f"n{NBSP}={NBSP}{e.n}", *([f"{p} after Holm"] if p else [])])


def stated(answer: Answer, name: Callable[[str], str] = str) -> str:
    """The contrast of an answer in words."""
    return statement(answer.contrast, name)


def statement(c: Contrast, name: Callable[[str], str] = str) -> str:
    """A contrast in words, before anything is known of it."""
    side = "more" if c.above else "less"
    if c.kind == "ratio":
        return f"{name(c.arms[0])} {'larger' if c.above else 'smaller'} than {name(c.arms[1])}"
    if c.kind == "difference":
        return f"{name(c.arms[0])} minus {name(c.arms[1])} {side} than {number(c.bound)}"
    what = {"bliss": "independent action (Bliss)", "hsa": "the better single agent (HSA)", "loewe": "dose additivity (Loewe)"}[c.kind]
    return f"excess of {name(c.arms[0])} over {what} {'above' if c.above else 'below'} {number(c.bound)}"


def answer_line(answer: Answer, name: Callable[[str], str] = str) -> str:
    """One line: verdict, statement, numbers."""
    line = f"{answer.verdict}: {stated(answer, name)} ({measured(answer, name)})"
    extra = [answer.note] if answer.note and math.isfinite(answer.estimate.value) else []
    return "; ".join([line, *extra, *([wanting(answer)] if wanting(answer) else [])])


def wanting(answer: Answer) -> str:
    """For an open answer, how many pairs an effect as seen would need; else nothing."""
    if answer.verdict != "open" or answer.needed is None:
        return ""
    if answer.needed <= answer.estimate.n:
        return "" if answer.estimate.n >= FEWEST_FOR_P else f"at least {max(answer.needed, FEWEST_FOR_P)} pairs are needed for a test"
    return f"an effect and spread as seen need about {answer.needed} pairs for an 80 % chance to be found"


def verdict_line(answers: Sequence[Answer]) -> str:
    """How many statements hold, are contradicted, and stay open."""
    counts = {v: sum(a.verdict == v for a in answers) for v in ("holds", "contradicted", "open")}
    if counts["holds"] == len(answers):
        return f"all {len(answers)} statements hold" if len(answers) > 1 else "the statement holds"
    words = {"holds": ("holds", "hold"), "contradicted": ("is contradicted", "are contradicted"), "open": ("is open", "are open")}
    told = [f"{n} {words[v][n > 1]}" for v, n in counts.items() if n]
    return f"of {len(answers)} statement{'s' * (len(answers) > 1)} {', '.join(told)}"


def smallness(n: int) -> str:
    """What a reader must know of so few pairs; nothing from six on."""
    if n >= FEWEST_TO_RESAMPLE or n < 1:
        return ""
    if n < FEWEST_FOR_P:
        return f"{n} pair{'s' * (n > 1)} of simulations can bear no test: nothing is claimed."
    return (
        f"{n} pairs: intervals and p are Student's t and rest on differences that are near normal; an exact test of {n} pairs "
        f"cannot give p below {least_p(n):.3g}."
    )
