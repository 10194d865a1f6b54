"""What the records of a robustness study say: probabilities, shares of variance, what decides, cuts, rivals."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tme.statistics import Estimate, proportion
from tme.studies import rivals, robust_words
from tme.studies.certainty import Explained, as_dict, flips_at, loss_of_cut, variance_shares
from tme.studies.design import Point
from tme.studies.outcomes import Outcome, question
from tme.studies.robust_design import Plan
from tme.studies.sampled import Sampled
from tme.studies.study import Results

TOLD = 8  # numbers that decide, told of each conclusion
ALL = "all of them"
ACTS = 0.9  # chosen: an agent acts where it leaves at most this share of the control


@dataclass(frozen=True)
class Drawn:
    """An outcome over draws: `one` (all draws, first seed), `many` (repeated draws, seeds), both scales of its contrast."""

    outcome: Outcome
    one: np.ndarray
    many: np.ndarray
    held: np.ndarray  # of each draw, first seed; False where undecided
    decided: np.ndarray


def drawn(outcome: Outcome, plan: Plan, whole: Results, control: str | None, points: Sequence[Point]) -> Drawn:
    """An outcome of the plan's points (or of a cut's)."""
    found = outcome.values(whole, control, points)
    effects = dict(zip(found.index, found.to_numpy()))
    one = np.array([effects[p.id, p.seeds[0]] for p in points])
    many = np.array([[effects[p.id, s] for s in p.seeds] for p in points[plan.draws :]]).reshape(-1, plan.seeds)
    assert outcome.contrast is not None
    return Drawn(outcome, one, many, outcome.contrast.stated_by(one), np.isfinite(one))


def analysed(config: Any, plan: Plan, outcomes: Sequence[Outcome], whole: Results, given: Sequence[Any] = (), sampled: Sampled | None = None) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """table.csv and summary.json: a function of the design and the records alone."""
    control = question(config).control
    found = [drawn(o, plan, whole, control, plan.points) for o in outcomes]
    told = [conclusion(d, plan) | acting(d, plan, whole, control) for d in found]
    if len(found) > 1:
        told.append(together(found, plan))
    cuts = {name: cut_of(found, plan, whole, control, points) for name, points in plan.cut_points.items()}
    known = simple_rivals(config, plan, outcomes, whole, control)
    summary = {"conclusions": told, "cuts": cuts, "rivals": known, "ended": whole.ended(), "draws": plan.draws, "repeated": len(plan.u) - plan.draws,
               "seeds": plan.seeds, "numbers": len(plan.ranges), "switches": {n: list(o) for n, o in plan.switches.items()}, "day": outcomes[0].day,
               "readout": outcomes[0].readout, "tried": plan.tried, "met": plan.met, "given": [robust_words.condition(g) for g in given],
               "posterior": {"numbers": len(sampled.keys), "rows": len(sampled.values), "effective": sampled.effective} if sampled is not None else None}  # fmt: skip
    summary |= {"lead": robust_words.lead(summary), "sentences": robust_words.sentences(summary), "tables": robust_words.tables(summary)}
    return robust_words.rows(summary), summary


def conclusion(d: Drawn, plan: Plan) -> dict[str, Any]:
    """Everything that is said of one contrast."""
    contrast = d.outcome.contrast
    assert contrast is not None
    effects = contrast.natural(d.one[d.decided])
    shares = variance_shares(d.one, plan.options, d.many)
    ok = np.isfinite(d.many).all(axis=1)
    of_means = contrast.stated_by(d.many[ok].mean(axis=1))
    return {
        "contrast": contrast.text, "measure": d.outcome.measure, "bound": contrast.bound,
        **counted(d.held, d.decided), "of_means": as_dict(proportion(int(of_means.sum()), int(ok.sum()))),
        "effect": {k: None if not effects.size else float(np.quantile(effects, q)) for k, q in (("low", 0.05), ("median", 0.5), ("high", 0.95))},
        "shares": {k: as_dict(v) for k, v in shares.items()},
        "decides": deciding(plan, np.where(d.decided, d.held, np.nan).astype(float)),
        "shrinks": shrinking(plan, d.one),
        "luck_sd": None if not ok.any() else float(np.sqrt(d.many[ok].var(axis=1, ddof=1).mean())),
        "histogram": effects_histogram(effects),
    }  # fmt: skip


def counted(held: np.ndarray, decided: np.ndarray) -> dict[str, Any]:
    """How often a conclusion holds, among the draws that decide it."""
    return {"held": int((held & decided).sum()), "decided": int(decided.sum()), "draws": len(held), "probability": as_dict(proportion(int((held & decided).sum()), int(decided.sum())))}


def acting(d: Drawn, plan: Plan, whole: Results, control: str | None) -> dict[str, Any]:
    """Of an excess, how often it holds where each agent alone acts and where one does not: where neither acts it is nought, and says nothing of synergy."""
    contrast = d.outcome.contrast
    assert contrast is not None
    if control is None or contrast.kind not in ("bliss", "hsa"):
        return {}
    table = whole.table(d.outcome.readout, d.outcome.day, plan.points).loc[[(p.id, p.seeds[0]) for p in plan.points]]
    acts = {arm: table[arm].to_numpy(float) <= ACTS * table[control].to_numpy(float) for arm in contrast.arms[1:]}
    each = np.all(list(acts.values()), axis=0)
    held = {name: counted(d.held[which], d.decided[which]) for name, which in (("each", each), ("not each", ~each))}
    return {"acting": {"below": ACTS, "alone": {arm: int((which & d.decided).sum()) for arm, which in acts.items()}, **held}}


def together(found: Sequence[Drawn], plan: Plan) -> dict[str, Any]:
    """All contrasts at once: how often they all hold, and what decides that."""
    held, decided = np.all([d.held for d in found], axis=0), np.all([d.decided for d in found], axis=0)
    lost = np.any([d.decided & ~d.held for d in found], axis=0)  # one that fails is enough
    decided = decided | lost
    return {"contrast": ALL, "measure": "", **counted(held, decided), "decides": deciding(plan, np.where(decided, held, np.nan).astype(float))}


def effects_histogram(effects: np.ndarray) -> list[float]:
    """Quantiles of the effect over draws, for the figure."""
    return [float(q) for q in np.quantile(effects, np.linspace(0, 1, 41))] if effects.size else []


def deciding(plan: Plan, held: np.ndarray) -> list[dict[str, Any]]:
    """Numbers and switches by what they explain of whether the conclusion holds, the first ones with where it flips."""
    e = Explained(plan.u, plan.options, held)
    if not e.ok:
        return []
    out = []
    for k in np.argsort(-e.shares, kind="stable")[:TOLD]:
        row: dict[str, Any] = {"name": name_of(plan, k), "share": float(e.shares[k]), "chance": e.chance, "beyond_chance": bool(e.shares[k] > e.chance)}
        along = [float(p) for p in e.along(k)]
        if k < len(plan.ranges):
            r = plan.ranges[k]
            at, slope = flips_at(e.u[:, k], e.y)
            row |= {"unit": r.unit, "low": r.low, "high": r.high, "value": r.value, "flips_at": None if at is None else float(r.at(at)), "sign": int(np.sign(slope)), "along": along}
        else:
            options = list(list(plan.switches.values())[k - len(plan.ranges)])
            present = np.unique(plan.options[np.isfinite(held), k - len(plan.ranges)])
            row |= {"options": {options[i]: p for i, p in zip(present, along)}}
        out.append(row)
    return out


def name_of(plan: Plan, k: int) -> str:
    """Of a number its key, of a switch its name."""
    return plan.ranges[k].key if k < len(plan.ranges) else list(plan.switches)[k - len(plan.ranges)]


def shrinking(plan: Plan, effects: np.ndarray) -> list[dict[str, Any]]:
    """Numbers and switches by the share of the effect's variance that goes when they are known (first order)."""
    e = Explained(plan.u, plan.options, effects)
    if not e.ok:
        return []
    first = np.argsort(-e.shares, kind="stable")[:TOLD]
    return [{"name": name_of(plan, k), **as_dict(e.interval(int(k))), "chance": e.chance, "beyond_chance": bool(e.shares[k] > e.chance)} for k in first]


def cut_of(found: Sequence[Drawn], plan: Plan, whole: Results, control: str | None, points: Sequence[Point]) -> dict[str, Any]:
    """What each excess loses without a route. A draw's error is that of its mean over seeds, from the luck of all repeated draws."""
    out = {}
    for d in found:
        contrast = d.outcome.contrast
        if contrast is None or contrast.kind != "bliss":
            continue
        c = drawn(d.outcome, plan, whole, control, points)
        ok = np.isfinite(d.many).all(axis=1)
        luck = float(np.sqrt(d.many[ok].var(axis=1, ddof=1).mean())) if ok.any() else math.nan
        full = np.concatenate([d.one[: plan.draws], d.many.mean(axis=1)])
        without = np.concatenate([c.one[: plan.draws], c.many.mean(axis=1)])
        error = np.concatenate([np.full(plan.draws, luck), np.full(len(d.many), luck / math.sqrt(plan.seeds))])
        lost = loss_of_cut(full, without, error)
        out[contrast.text] = {k: as_dict(v) if isinstance(v, Estimate) else v for k, v in lost.items()}
        out[contrast.text]["probability_without"] = counted(c.held, c.decided)["probability"]
    return out


def simple_rivals(config: Any, plan: Plan, outcomes: Sequence[Outcome], whole: Results, control: str | None) -> dict[str, Any]:
    """The rivals on the repeated draws' mean courses, where luck is least."""
    contrasts = [o.contrast for o in outcomes if o.contrast is not None]
    arms = rivals.arms_of(config, contrasts, control)
    if arms is None:
        return {}
    days = np.array([d for d in whole.ask.days if 0 <= d <= outcomes[0].day])
    at = [whole.ask.days.index(d) for d in days]
    readout = outcomes[0].readout
    courses = [{a: np.mean([whole.course(p, s, a, readout)[at] for s in p.seeds], axis=0) for a in arms.names} for p in plan.points[plan.draws :]]
    return rivals.compare(days, courses, arms, contrasts)
