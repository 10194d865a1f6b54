"""Tables of the report beside its endpoints: growth inhibition, area under the curve, time to a size, response, synergy, doses."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

import numpy as np

from tme import statistics
from tme.statistics import Estimate
from tme.statistics.response import CLASSES
from tme.statistics.sentences import number, p_text
from tme.viz import doses, outcomes, survival, synergy
from tme.viz.load import Missing, Run
from tme.viz.style import arm_name

READOUTS = {outcomes.VOLUME: "volume", outcomes.CELLS: "cells"}


def outcome_html(run: Run) -> str:
    """The tables that the run has what they need for."""
    parts = [_part(f, run) for f in ((_doses, _excess) if not run.sweep.empty else (_growth, _times_and_response, _synergy))]
    return "".join(parts) or "<p>The run has not what these tables need: curves of an untreated arm, or a sweep over doses.</p>"


def _part(make, run: Run) -> str:
    try:
        return make(run)
    except Missing:
        return ""


def _table(head: Iterable[str], rows: Iterable[Iterable[str]], note: str) -> str:
    top = "".join(f"<th>{escape(h)}</th>" for h in head)
    body = "".join("<tr>" + "".join(f'<td class="n">{c}</td>' for c in row) + "</tr>" for row in rows)
    return f'<div class="scroll"><table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div><p class="small">{escape(note)}</p>'


def interval(e: Estimate | None, scale: float = 1.0) -> str:
    """A value with its interval below, as HTML."""
    if e is None or not np.isfinite(e.value):
        return "–"
    within = f'<span class="ci">{number(e.low * scale)} to {number(e.high * scale)}</span>' if e.has_interval else ""
    return f"{number(e.value * scale)}{within}"


def _growth(run: Run) -> str:
    here = {c: outcomes.curves(run, c) for c in READOUTS if run.has(c)}
    if not here or not run.paired:
        raise Missing("no growth curves of paired arms")
    rows = statistics.growth_rows(here, run.reference)
    if not rows:
        raise Missing("one arm only")
    p = statistics.false_discovery([r["auc_ratio"].p for r in rows], [r["auc_ratio"].n for r in rows])
    body = [
        [escape(arm_name(r["arm"])), READOUTS[r["readout"]], interval(r["tgi"], 100.0), interval(r["auc_ratio"]), escape(p_text(q)) or "–", str(r["tgi"].n)]
        for r, q in sorted(zip(rows, p), key=lambda x: (run.arms.index(x[0]["arm"]), list(READOUTS).index(x[0]["readout"])))
    ]
    note = (
        "TGI: 1 − growth of the arm over growth of the control since day 0, in %; 100 is stasis, above it the tumour shrank. Area under the growth curve: "
        "ratio of geometric means, arm over control. 95 % intervals over pairs; p of the area after Benjamini-Hochberg within this table. Exploratory."
    )
    return "<h3>Growth</h3>" + _table(["Arm", "By", "Growth inhibition, %", "Area under the curve", "p", "n"], body, note)


def _times_and_response(run: Run) -> str:
    column, found = survival.times(run)
    classes = statistics.responses(outcomes.curves(run, column))
    body = [
        [
            escape(arm_name(t.arm)), str(t.curve.n), str(t.reached), f"day {t.curve.median:.3g}" if np.isfinite(t.curve.median) else "not reached",
            escape(p_text(t.p_bh)) or "–", *(str(classes[t.arm][c]) for c in CLASSES),
        ]
        for t in found
    ]  # fmt: skip
    note = (
        f"Doubled: tumours that reached {statistics.FOLD:g} times their {survival.WHAT[column]} on day 0, median by Kaplan-Meier, p of the log-rank test against control after "
        f"Benjamini-Hochberg. Response on the last common day, by {survival.WHAT[column]} as RECIST 1.1 has it for diameters: complete, none left; progressive, at least "
        f"{statistics.PROGRESSIVE:g} times the least so far; partial, at most {statistics.PARTIAL:g} of day 0; else stable. Exploratory."
    )
    return "<h3>Time and response</h3>" + _table(["Arm", "n", "Doubled", "Median", "p", *(c.capitalize() for c in CLASSES)], body, note)


def _synergy(run: Run) -> str:
    if not run.paired:
        raise Missing("arms are not paired")
    rows = []
    for c in synergy.combinations(run):
        days, t = synergy.tables(run, c)
        last = int(np.argmin(np.abs(days - run.last_common_hour / 24)))
        control, a, b, ab = (t[k][:, last] for k in ("control", "a", "b", "ab"))
        rows.append((c, statistics.bliss_of_pairs(control, a, b, ab), statistics.hsa_of_pairs(control, a, b, ab)))
    p = statistics.false_discovery([e.p for r in rows for e in r[1:]], [e.n for r in rows for e in r[1:]])
    body = [
        [escape(f"{arm_name(c.combined)} ({arm_name(c.a)} + {arm_name(c.b)})"), interval(bliss), escape(p_text(p[2 * i])) or "–", interval(hsa),
         escape(p_text(p[2 * i + 1])) or "–", str(bliss.n)]
        for i, (c, bliss, hsa) in enumerate(rows)
    ]  # fmt: skip
    note = (
        "Excess in shares of the control, above 0 where the combination leaves fewer cells than expected: from independent action (Bliss), and than the better single agent "
        "(HSA, both must be beaten). p after Benjamini-Hochberg within this table. Loewe additivity needs each agent's dose-response: a sweep over its doses. Exploratory."
    )
    return "<h3>Synergy</h3>" + _table(["Combination", "Over Bliss", "p", "Over HSA", "p", "n"], body, note)


def _doses(run: Run) -> str:
    t = doses.table(run)
    rows = [(a, t.fit(a)) for a in t.single()]
    if not rows:
        raise Missing("no agent alone at three doses")
    body = [
        [escape(arm_name(a)), escape(doses.unit(t, a)), interval(f.ec50), f"{f.curve.h:.2g}" if f.curve else "–", f"{100 * f.curve.e_max:.0f}" if f.curve else "–",
         str(f.ec50.n), escape(f.note)]
        for a, f in rows
    ]  # fmt: skip
    note = "Hill curve through the mean share of control at each dose; interval of EC50: jackknife over seeds, t on its logarithm. EC50: half of the agent's own greatest effect."
    return "<h3>Dose-response</h3>" + _table(["Agent", "Unit", "EC50", "Slope", "Greatest effect, %", "n", ""], body, note)


def _excess(run: Run) -> str:
    t = doses.table(run)
    out = []
    for a, b in t.pairs():
        body = [[number(r["dose_a"]), number(r["dose_b"]), number(r["share"]), *(interval(r[k]) for k in doses.INDICES), str(r["n"])] for r in t.excesses(a, b)]
        head = [f"{arm_name(a)}, {doses.unit(t, a)}", f"{arm_name(b)}, {doses.unit(t, b)}", "Share of control", "Over Bliss", "Over HSA", "Over Loewe", "n"]
        note = "Excess in shares of the control with unadjusted 95 % intervals; –: the sweep lacks the single doses or curves that it needs. Exploratory."
        out.append(f"<h3>{escape(arm_name(a))} with {escape(arm_name(b))}</h3>" + _table(head, body, note))
    return "".join(out)
