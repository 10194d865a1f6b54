"""`tme robust`: does the conclusion hold over everything that is not known?

The primary contrasts over draws of all numbers within their ranges and of structural switches, as far as they show what is
known (`given`: by default that the untreated tumour lives and grows; never a contrast). Each draw has a tumour of its own (a seed),
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

from tme.config import ConfigError
from tme.config.errors import listed, nearest
from tme.config.estimate import duration, predict
from tme.config.study import Given
from tme.statistics import Estimate, proportion
from tme.statistics.question import READOUT
from tme.studies import rivals, robust_words
from tme.studies.certainty import Explained, as_dict, flips_at, loss_of_cut, variance_shares
from tme.studies.checks import ask_of
from tme.studies.design import Point
from tme.studies.outcomes import Outcome, contrasts_of, question
from tme.studies.ranges import Range, fault_at, own_ranges, ranges_of, values_at
from tme.studies.sampled import Sampled, sampled_of
from tme.studies.structure import Switches, cuts_of, switches_of
from tme.studies.study import Results, Study

FULL, QUICK = (500, 100, 3), (8, 2, 2)  # draws, repeated draws, seeds of each
STAGES = ("draw", "repeated")
FIRST_SEED = {"draw": 0, "repeated": 10_000_000}  # numbers of replicates: no draw shares a tumour with another
MOST_TRIED = 20  # times as many draws as are wanted
GROWS = (1.0, 40.0)  # fold of the untreated tumour from the start of treatment to the last day: it does not vanish, nor outgrow any B16
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
    tried: int = 0  # draws made until so many met what is given
    met: int = 0


@dataclass(frozen=True)
class Candidate:
    """A draw before it is known whether it counts."""

    u: np.ndarray
    options: np.ndarray
    point: Point


def candidates(
    ranges: Sequence[Range], switches: Switches, stage: str, block: int, n: int, seeds: int, seed: int, sampled: Sampled | None = None
) -> list[Candidate]:  # fmt: skip
    """A block of n draws of a stage, a Latin hypercube of its own; no two draws of any block share a tumour. Numbers that are
    `sampled` come from its rows."""
    d = len(ranges)
    both = qmc.LatinHypercube(d + len(switches) + 1, rng=np.random.default_rng([seed, STAGES.index(stage), block])).random(n)
    options = (both[:, d:-1] * [len(o) for o in switches.values()]).astype(int)
    if sampled is not None:
        place = {r.key: (j, r) for j, r in enumerate(ranges)}
        for row in both:
            for key, value in sampled.row(row[-1]).items():
                j, r = place[key]
                row[j] = float(np.clip(r.share_of(value), 0, 1))
    out = []
    for i, (row, chosen) in enumerate(zip(both[:, :d], options)):
        k = block * n + i
        named = {name: list(o)[c] for (name, o), c in zip(switches.items(), chosen)}
        values: dict[str, Any] = values_at(ranges, row)
        for name, option in named.items():
            values |= switches[name][option]
        own = tuple(FIRST_SEED[stage] + k * seeds + j for j in range(seeds))
        out.append(Candidate(row, chosen, Point(f"{stage}-{k:05d}", values, seeds=own, about={"stage": stage, **named, "cut": ""})))
    return out


def planned(ranges: Sequence[Range], switches: Switches, cuts: dict[str, dict[str, Any]], draws: Sequence[Candidate], repeated: Sequence[Candidate], seeds: int,
            tried: int = 0, met: int = 0) -> Plan:  # fmt: skip
    """The design of the draws that count: all arms, with and without each cut."""
    both = [*draws, *repeated]
    cut_points = {
        name: tuple(Point(f"{c.point.id} without {name}", {**c.point.values, **cut}, seeds=c.point.seeds, about={**c.point.about, "cut": name}) for c in both)
        for name, cut in cuts.items()
    }
    u, options = (np.array([getattr(c, k) for c in both]).reshape(len(both), width) for k, width in (("u", len(ranges)), ("options", len(switches))))
    return Plan(tuple(ranges), switches, cuts, u, options, len(draws), seeds, tuple(c.point for c in both), cut_points, tried, met)


def those_that_count(
    study: Study, ranges: Sequence[Range], switches: Switches, stage: str, n: int, seeds: int, given: Sequence[Any], sampled: Sampled | None = None
) -> tuple[list[Candidate], int, int]:
    """The first n draws whose arms show what is given, how many were tried and how many of those showed it.

    Only the arms that `given` names are simulated of the others. Gives up after MOST_TRIED times n draws.
    """
    out: list[Candidate] = []
    tried = met = 0
    seed, arms = int(study.config.seed or 0), tuple(dict.fromkeys(g.arm for g in given))
    for block in range(MOST_TRIED):
        new = candidates(ranges, switches, stage, block, n, seeds, seed, sampled)
        ok = np.ones(n, bool)
        if given:
            shown = study.evaluate([Point(c.point.id, c.point.values, arms, c.point.seeds[:1], c.point.about) for c in new])
            ok = np.array([all(shows(shown, p, g) for g in given) for p in shown.points])
        tried, met = tried + n, met + int(ok.sum())
        out += [c for c, counts in zip(new, ok) if counts]
        if len(out) >= n:
            break
    return out[:n], tried, met


def shows(results: Results, point: Point, given: Any) -> bool:
    """Whether an arm of a point shows what is given."""
    days = results.ask.days
    course = results.course(point, point.seeds[0], given.arm, given.readout)
    value = course[days.index(float(given.day)) if given.day is not None else len(days) - 1]
    if given.over_day is not None:
        before = course[days.index(float(given.over_day))]
        value = value / before if before > 0 else math.nan
    return bool(given.low <= value <= given.high)


def run(config: Any, *, out: str | Path | None = None, quick: bool = False, **how: Any) -> tuple[Path, int]:
    """Carry out the study of a config; `how` goes to `Study`. Returns its directory and exit code."""
    outcomes = contrasts_of(config)
    if not outcomes:
        raise ConfigError([fault_at(config, "primary", "there is no conclusion to ask about", "contrasts under `primary:`, or an arm `control: {}` beside treated ones")])
    day, readout = outcomes[0].day, outcomes[0].readout
    given = given_of(config)
    daily = [float(d) for d in range(max(0, math.ceil(config.start_day)), math.floor(day) + 1)]
    asked = [float(d) for g in given for d in (g.day, g.over_day) if d is not None]
    ask = ask_of(config, "robust", list(dict.fromkeys([readout, *(g.readout for g in given)])), sorted({*daily, day, *asked}))
    switches, cuts = switches_of(config), cuts_of(config)
    if not any(o.contrast and o.contrast.kind == "bliss" for o in outcomes):
        if config.study is not None and config.study.cuts:
            raise ConfigError([fault_at(config, "study.cuts", "there is no excess that a route could take away", "a contrast against Bliss under `primary:`")])
        cuts = {}
    ranges, sampled = all_ranges(config, switches), sampled_of(config)
    if sampled is not None:
        ranges = sampled.over(ranges)
    draws, repeated, seeds = sizes(config, quick)
    settings = {
        "draws": draws, "repeated": repeated, "seeds": seeds, "switches": switches, "cuts": cuts, "given": [g.model_dump() for g in given],
        "numbers": {r.key: [r.low, r.high, r.scale, r.group] for r in ranges}, "posterior": sampled.digest if sampled is not None else None,
    }  # fmt: skip
    with Study(config, "robust", ask, settings, out, **how) as study:
        study.tell({"event": "note", "message": cost(config, (draws + repeated * seeds) * (1 + len(cuts)), ask.days[-1])})
        one, *of_one = those_that_count(study, ranges, switches, "draw", draws, 1, given, sampled)
        many, *of_many = those_that_count(study, ranges, switches, "repeated", repeated, seeds, given, sampled)
        plan = planned(ranges, switches, cuts, one, many, seeds, *(a + b for a, b in zip(of_one, of_many)))
        whole = study.evaluate([*plan.points, *(p for points in plan.cut_points.values() for p in points)])
        table, summary = analysed(config, plan, outcomes, whole, given, sampled)
        study.finish(table, summary)
    return study.folder, study.exit_code


def given_of(config: Any) -> list[Any]:
    """What draws must show: what the study says, else that the untreated tumour lives and grows (GROWS)."""
    asked, arms = config.study, tuple(config.arms)
    if asked is not None and asked.given is not None:
        faults = [fault_at(config, "study.given", f"unknown arm '{g.arm}'", listed(arms), nearest(g.arm, arms)) for g in asked.given if g.arm not in arms]
        if faults:
            raise ConfigError(faults)
        return list(asked.given)
    control = question(config).control
    return [] if control is None else [Given(arm=control, readout=READOUT, low=GROWS[0], high=GROWS[1])]


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


def cost(config: Any, pairs: int, day: float) -> str:
    """What the study will take, in words; draws that do not count come on top, with one arm each."""
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


def analysed(config: Any, plan: Plan, outcomes: Sequence[Outcome], whole: Results, given: Sequence[Any] = (), sampled: Sampled | None = None) -> tuple[list[dict[str, Any]], dict[str, Any]]:
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
