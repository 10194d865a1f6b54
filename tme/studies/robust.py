"""`tme robust`: does the conclusion hold over everything that is not known?

The primary contrasts over draws of all numbers within their ranges and of structural switches, as far as they show what is
known (`given`: by default that the untreated tumour lives and grows; never a contrast). Each draw has a tumour of its own (a seed),
which all its arms share; a second set of draws is simulated with several seeds each, so that luck can be told from numbers. Draws are Latin
hypercubes. Cuts repeat every draw and seed with a route taken out.
"""

from __future__ import annotations

import math
from collections.abc import Callable
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
MOST_PARTS = 10
MOST_TRIED = 20  # times as many draws as are wanted
GROWS = (1.0, 40.0)  # fold of the untreated tumour from the start of treatment to the last day: it does not vanish, nor outgrow any B16


class Search:
    """The draws of a stage that count, found part by part: the first n whose arms show what is given.

    Only the arms that `given` names are simulated of the others. Gives up after MOST_TRIED times n draws, or where `evaluate` knows no
    point of a part.
    """

    def __init__(self, asked: Asked, stage: str, n: int, seeds: int, seed: int, part: int) -> None:
        self.found: list[Candidate] = []
        self.tried = self.met = 0
        self.over = n == 0
        self._asked, self._n = asked, n
        blocks = (candidates(asked.ranges, asked.switches, stage, b, n, seeds, seed, asked.sampled) for b in range(MOST_TRIED))
        self._parts = (block[k : k + part] for block in blocks for k in range(0, n, part))

    def go_on(self, evaluate: Callable[[list[Point]], Results]) -> list[Candidate]:
        """Try the next part; the draws of it that count."""
        new, given = next(self._parts, []), self._asked.given
        if given and new:
            arms = tuple(dict.fromkeys(g.arm for g in given))
            shown = evaluate([Point(c.point.id, c.point.values, arms, c.point.seeds[:1], c.point.about) for c in new])
            ok = {p.id: all(shows(shown, p, g) for g in given) for p in shown.points}
        else:
            ok = {c.point.id: True for c in new}
        self.tried, self.met = self.tried + len(ok), self.met + sum(ok.values())
        counting = [c for c in new if ok.get(c.point.id)][: self._n - len(self.found)]
        self.found += counting
        self.over = len(self.found) == self._n or not ok
        return counting


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

    def plan(self, evaluate: Callable[[list[Point]], Results], seed: int, parts: int = 1, whole: Callable[[Point], bool] = lambda point: True) -> Plan:
        """The design: draws that count as far as `evaluate` knows them, of which every point (cuts too) is `whole`. All is simulated
        on the way, a part of the draws of both kinds after the other, so that what is finished at any time is a smaller study of the same kind."""
        kinds = (("draw", self.draws, 1), ("repeated", self.repeated, self.seeds))
        one, many = searches = [Search(self, stage, n, seeds, seed, max(1, -(-n // parts))) for stage, n, seeds in kinds]
        while not (one.over and many.over):
            draws, repeated = (s.go_on(evaluate) if not s.over else [] for s in searches)
            evaluate(draw_by_draw(self._planned(draws, repeated)))
        kept = [[c for c in s.found if all(whole(p) for p in (c.point, *(without(c.point, *cut) for cut in self.cuts.items())))] for s in searches]
        return self._planned(kept[0], kept[1], one.tried + many.tried, one.met + many.met)

    def _planned(self, draws: list[Candidate], repeated: list[Candidate], tried: int = 0, met: int = 0) -> Plan:
        return planned(self.ranges, self.switches, self.cuts, draws, repeated, self.seeds, tried, met)


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
        parts = max(1, min(MOST_PARTS, asked.draws // (4 * study.jobs)))  # at the end of each some workers wait for the last
        plan = asked.plan(study.evaluate, int(config.seed or 0), parts)
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
