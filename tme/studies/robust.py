"""`tme robust`: does the conclusion hold over everything that is not known?

The primary contrasts over draws of all numbers within their ranges and of structural switches, as far as they show what is
known (`given`: by default that the untreated tumour lives and grows; never a contrast). Each draw has a tumour of its own (a seed),
which all its arms share; a second set of draws is simulated with several seeds each, so that luck can be told from numbers. Draws are Latin
hypercubes. Cuts repeat every draw and seed with a route taken out.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tme.config import ConfigError
from tme.config.errors import listed, nearest
from tme.config.estimate import duration, predict
from tme.config.study import Given
from tme.statistics.question import READOUT
from tme.studies.checks import ask_of
from tme.studies.design import Ask, Point
from tme.studies.outcomes import Outcome, contrasts_of, question
from tme.studies.ranges import Range, fault_at, own_ranges, ranges_of
from tme.studies.robust_analysis import analysed
from tme.studies.robust_design import Candidate, Plan, candidates, draw_by_draw, planned, without
from tme.studies.sampled import Sampled, sampled_of
from tme.studies.structure import Switches, cuts_of, switches_of
from tme.studies.study import Results, Study

FULL, QUICK = (500, 100, 3), (8, 2, 2)  # draws, repeated draws, seeds of each
MOST_TRIED = 20  # times as many draws as are wanted
GROWS = (1.0, 40.0)  # fold of the untreated tumour from the start of treatment to the last day: it does not vanish, nor outgrow any B16


def those_that_count(
    evaluate: Callable[[list[Point]], Results], first_seed: int, ranges: Sequence[Range], switches: Switches, stage: str, n: int, seeds: int, given: Sequence[Any],
    sampled: Sampled | None = None,
) -> tuple[list[Candidate], int, int]:  # fmt: skip
    """The first n draws whose arms show what is given, how many were tried and how many of those showed it.

    Only the arms that `given` names are simulated of the others. Gives up after MOST_TRIED times n draws, or where
    `evaluate` returns no point of a block.
    """
    out: list[Candidate] = []
    tried = met = 0
    arms = tuple(dict.fromkeys(g.arm for g in given))
    for block in range(MOST_TRIED):
        new = candidates(ranges, switches, stage, block, n, seeds, first_seed, sampled)
        if given:
            shown = evaluate([Point(c.point.id, c.point.values, arms, c.point.seeds[:1], c.point.about) for c in new])
            ok = {p.id: all(shows(shown, p, g) for g in given) for p in shown.points}
        else:
            ok = {c.point.id: True for c in new}
        tried, met = tried + len(ok), met + sum(ok.values())
        out += [c for c in new if ok.get(c.point.id)]
        if len(out) >= n or not ok:
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


@dataclass(frozen=True)
class Asked:
    """What a study of a config draws and reads."""

    outcomes: list[Outcome]
    ask: Ask
    given: list[Any]
    switches: Switches
    cuts: dict[str, dict[str, Any]]
    ranges: list[Range]
    sampled: Sampled | None
    draws: int
    repeated: int
    seeds: int

    def settings(self) -> dict[str, Any]:
        """What makes the study this one, beside its config."""
        return {
            "draws": self.draws, "repeated": self.repeated, "seeds": self.seeds, "switches": self.switches, "cuts": self.cuts, "given": [g.model_dump() for g in self.given],
            "numbers": {r.key: [r.low, r.high, r.scale, r.group] for r in self.ranges}, "posterior": self.sampled.digest if self.sampled is not None else None,
        }  # fmt: skip

    def plan(self, evaluate: Callable[[list[Point]], Results], seed: int, whole: Callable[[Point], bool] = lambda point: True) -> Plan:
        """The design: draws that count as far as `evaluate` knows them, of which every point (cuts too) is `whole`."""
        found: list[list[Candidate]] = []
        tried = met = 0
        for stage, n, seeds in (("draw", self.draws, 1), ("repeated", self.repeated, self.seeds)):
            draws, *of = those_that_count(evaluate, seed, self.ranges, self.switches, stage, n, seeds, self.given, self.sampled)
            tried, met = tried + of[0], met + of[1]
            found.append([c for c in draws if all(whole(p) for p in (c.point, *(without(c.point, *cut) for cut in self.cuts.items())))])
        return planned(self.ranges, self.switches, self.cuts, found[0], found[1], self.seeds, tried, met)


def asked_of(config: Any, quick: bool) -> Asked:
    """What a config's study asks; ConfigError where it cannot."""
    outcomes = contrasts_of(config)
    if not outcomes:
        raise ConfigError([fault_at(config, "primary", "there is no conclusion to ask about", "contrasts under `primary:`, or an arm `control: {}` beside treated ones")])
    day, readout = outcomes[0].day, outcomes[0].readout
    given = given_of(config)
    daily = [float(d) for d in range(max(0, math.ceil(config.start_day)), math.floor(day) + 1)]
    days = [float(d) for g in given for d in (g.day, g.over_day) if d is not None]
    ask = ask_of(config, "robust", list(dict.fromkeys([readout, *(g.readout for g in given)])), sorted({*daily, day, *days}))
    switches, cuts = switches_of(config), cuts_of(config)
    if not any(o.contrast and o.contrast.kind == "bliss" for o in outcomes):
        if config.study is not None and config.study.cuts:
            raise ConfigError([fault_at(config, "study.cuts", "there is no excess that a route could take away", "a contrast against Bliss under `primary:`")])
        cuts = {}
    ranges, sampled = all_ranges(config, switches), sampled_of(config)
    if sampled is not None:
        ranges = sampled.over(ranges)
    return Asked(outcomes, ask, given, switches, cuts, ranges, sampled, *sizes(config, quick))


def run(config: Any, *, out: str | Path | None = None, quick: bool = False, **how: Any) -> tuple[Path, int]:
    """Carry out the study of a config; `how` goes to `Study`. Returns its directory and exit code."""
    asked = asked_of(config, quick)
    with Study(config, "robust", asked.ask, asked.settings(), out, **how) as study:
        study.tell({"event": "note", "message": cost(config, (asked.draws + asked.repeated * asked.seeds) * (1 + len(asked.cuts)), asked.ask.days[-1])})
        plan = asked.plan(study.evaluate, int(config.seed or 0))
        whole = study.evaluate(draw_by_draw(plan))
        study.finish(*analysed(config, plan, asked.outcomes, whole, asked.given, asked.sampled))
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
