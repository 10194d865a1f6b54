"""`tme robust`: does the conclusion hold over everything that is not known?

The primary contrasts over draws of all numbers within their ranges and of structural switches. Each draw has a tumour of its own (a seed),
which all its arms share; a second set of draws is simulated with several seeds each, so that luck can be told from numbers. Draws are Latin
hypercubes. Cuts repeat every draw and seed with a route taken out.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import qmc

from tme.config.estimate import duration, predict
from tme.statistics import Estimate, proportion
from tme.studies import rivals, robust_words
from tme.studies.certainty import Explained, as_dict, flips_at, loss_of_cut, variance_shares
from tme.studies.checks import ask_of
from tme.studies.design import Point
from tme.studies.outcomes import Outcome, contrasts_of, question
from tme.studies.ranges import Range, own_ranges, ranges_of, values_at
from tme.studies.structure import Switches, cuts_of, switches_of
from tme.studies.study import Results, Study

FULL, QUICK = (500, 100, 3), (12, 3, 2)  # draws, repeated draws, seeds of each
TOLD = 8  # numbers that decide, told of each conclusion
ALL = "all of them"


@dataclass(frozen=True)
class Plan:
    """Draws: where each number and switch stands, and the points that are simulated."""

    ranges: tuple[Range, ...]
    switches: Switches
    cuts: dict[str, dict[str, Any]]
    u: np.ndarray  # (draws + repeated, numbers), 0 to 1
    options: np.ndarray  # (draws + repeated, switches), which option
    draws: int
    seeds: int
    points: tuple[Point, ...]
    cut_points: dict[str, tuple[Point, ...]]


def planned(ranges: Sequence[Range], switches: Switches, cuts: dict[str, dict[str, Any]], draws: int, repeated: int, seeds: int, seed: int) -> Plan:
    """The design: `draws` points with one seed each, then `repeated` with `seeds` each; no two points share a tumour."""
    d, s = len(ranges), len(switches)
    both = np.vstack([qmc.LatinHypercube(d + s, rng=np.random.default_rng([seed, k])).random(n) for k, n in enumerate((draws, repeated))])
    options = (both[:, d:] * [len(o) for o in switches.values()]).astype(int)
    points: list[Point] = []
    cut_points: dict[str, list[Point]] = {name: [] for name in cuts}
    for k, row in enumerate(both[:, :d]):
        stage, own = ("draw", (k,)) if k < draws else ("repeated", tuple(draws + (k - draws) * seeds + j for j in range(seeds)))
        chosen = {name: list(o)[i] for (name, o), i in zip(switches.items(), options[k])}
        values: dict[str, Any] = values_at(ranges, row)
        for name, option in chosen.items():
            values |= switches[name][option]
        about = {"stage": stage, **chosen}
        points.append(Point(f"{stage}-{k:05d}", values, seeds=own, about={**about, "cut": ""}))
        for name, cut in cuts.items():
            cut_points[name].append(Point(f"{stage}-{k:05d} without {name}", {**values, **cut}, seeds=own, about={**about, "cut": name}))
    return Plan(tuple(ranges), switches, cuts, both[:, :d], options, draws, seeds, tuple(points), {n: tuple(p) for n, p in cut_points.items()})


def run(config: Any, *, out: str | Path | None = None, quick: bool = False, **how: Any) -> tuple[Path, int]:
    """Carry out the study of a config; `how` goes to `Study`. Returns its directory and exit code."""
    outcomes = contrasts_of(config)
    day, readout = outcomes[0].day, outcomes[0].readout
    daily = [float(d) for d in range(max(0, math.ceil(config.start_day)), math.floor(day) + 1)]
    ask = ask_of(config, "robust", [readout], sorted({*daily, day}))
    switches, cuts = switches_of(config), cuts_of(config) if any(o.contrast and o.contrast.kind == "bliss" for o in outcomes) else {}
    ranges = all_ranges(config, switches)
    draws, repeated, seeds = sizes(config, quick)
    settings = {
        "draws": draws, "repeated": repeated, "seeds": seeds, "switches": switches, "cuts": cuts,
        "numbers": {r.key: [r.low, r.high, r.scale, r.group] for r in ranges},
    }  # fmt: skip
    plan = planned(ranges, switches, cuts, draws, repeated, seeds, int(config.seed or 0))
    with Study(config, "robust", ask, settings, out, **how) as study:
        study.tell({"event": "note", "message": cost(config, plan, ask.days[-1])})
        whole = study.evaluate([*plan.points, *(p for points in plan.cut_points.values() for p in points)])
        table, summary = analysed(config, plan, outcomes, whole)
        study.finish(table, summary)
    return study.folder, study.exit_code


def sizes(config: Any, quick: bool) -> tuple[int, int, int]:
    """Draws, repeated draws, seeds of each."""
    asked, (draws, repeated, seeds) = config.study, QUICK if quick else FULL
    if asked is not None:
        draws = asked.draws or draws
        if asked.repeated is not None:
            repeated, seeds = asked.repeated.draws, asked.repeated.seeds
    return draws, repeated, seeds


def all_ranges(config: Any, switches: Switches) -> list[Range]:
    """The ranges asked for; those by default include the numbers that only an option of a switch brings into use."""
    asked = {r.key: r for r in ranges_of(config)}
    if config.study is None or "*" in config.study.ranges:
        for options in switches.values():
            for values in options.values():
                for key, r in own_ranges(config.with_values(values)).items() if values else ():
                    asked.setdefault(key, r)
    return list(asked.values())


def cost(config: Any, plan: Plan, day: float) -> str:
    """What the study will take, in words."""
    pairs = sum(len(p.seeds) for p in plan.points) * (1 + len(plan.cuts))
    one = predict(config).seconds / config.replicates * (day - config.start_day) / (config.horizon_day - config.start_day)
    return f"{pairs} sets of {len(config.arms)} arms, about {duration(one * pairs)} on one core, divided by --jobs"


# ---- what the records say --------------------------------------------------------------------------------------
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


def analysed(config: Any, plan: Plan, outcomes: Sequence[Outcome], whole: Results) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """table.csv and summary.json: a function of the design and the records alone."""
    control = question(config).control
    found = [drawn(o, plan, whole, control, plan.points) for o in outcomes]
    told = [conclusion(d, plan) for d in found]
    if len(found) > 1:
        told.append(together(found, plan))
    cuts = {name: cut_of(found, plan, whole, control, points) for name, points in plan.cut_points.items()}
    known = simple_rivals(config, plan, outcomes, whole, control)
    summary = {"conclusions": told, "cuts": cuts, "rivals": known, "ended": whole.ended(), "draws": plan.draws, "repeated": len(plan.u) - plan.draws,
               "seeds": plan.seeds, "numbers": len(plan.ranges), "switches": {n: list(o) for n, o in plan.switches.items()}, "day": outcomes[0].day,
               "readout": outcomes[0].readout}  # fmt: skip
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
