"""What an optimisation varies, what it wants and what limits it, read from a config and checked before anything is written."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tme.config import ConfigError, Fault
from tme.config.errors import listed, nearest
from tme.studies.checks import ask_of, faults_of_days
from tme.studies.design import Ask, Point
from tme.studies.evaluate import readouts_of
from tme.studies.ranges import fault, fault_at
from tme.studies.search import Outcome, Variable
from tme.studies.study import Results

DOSE = "dose"
DOSES = {"dose_mg_kg": "mg/kg", "dose_mg": "mg", "dose_gy": "Gy"}  # keys that add up over a schedule
DAYS = ("day", "every_d", "until_d")  # go in whole days unless a step is stated
HIGHEST = "highest"
MOST_VARIABLES = 12
FULL, QUICK = (120, 12, 2, 8, 5), (16, 4, 1, 3, 3)  # points, of a generation, seeds; points of a front that are repeated, seeds of each


@dataclass(frozen=True)
class Measure:
    """A number of a point: a readout of an arm on a day (`HIGHEST`: of whole days from 0), or the dose of an agent. `sign`: -1 where more is better
    (or, of a limit, where it must be reached); `bound` of a limit, `worst` of an objective where it is stated."""

    readout: str
    arm: str
    day: float | str
    agent: str | None = None
    sign: int = 1
    bound: float | None = None
    worst: float | None = None
    unit: str = ""

    @property
    def name(self) -> str:
        """In words."""
        if self.readout == DOSE:
            return f"dose of {self.agent} ({self.unit})"
        return f"highest {self.readout} of {self.arm}" if self.day == HIGHEST else f"{self.readout} of {self.arm} on day {self.day:g}"

    def excess(self, value: Any) -> Any:
        """How far a value lies above the bound (below, where it must be reached), as a share of it."""
        assert self.bound is not None
        return self.sign * (value - self.bound) / (abs(self.bound) or 1.0)

    def of(self, results: Results, point: Point, config: Any) -> np.ndarray:
        """(seeds,) the number in each simulation of a point; NaN where it is not known."""
        if self.readout == DOSE:
            try:
                whole = config.with_values(dict(point.values))
            except ConfigError:  # as its simulations are: refused
                return np.full(len(point.seeds), np.nan)
            return np.full(len(point.seeds), doses_of(whole, self.arm).get(str(self.agent), (0.0, ""))[0])
        days = results.ask.days
        courses = np.array([results.course(point, seed, self.arm, self.readout) for seed in point.seeds])
        if self.day == HIGHEST:
            return courses[:, [d >= 0 for d in days]].max(axis=1)
        return courses[:, days.index(float(self.day))]


@dataclass(frozen=True)
class Plan:
    """What is varied, wanted and limited; how many points, how many of a generation, seeds of each; how many points of a front are
    repeated with how many other seeds."""

    variables: tuple[Variable, ...]
    objectives: tuple[Measure, ...]
    limits: tuple[Measure, ...]
    ask: Ask
    draws: int
    generation: int
    seeds: int
    repeated: int
    again: int

    @property
    def arms(self) -> tuple[str, ...]:
        """Arms that have to be simulated."""
        return tuple(dict.fromkeys(m.arm for m in (*self.objectives, *self.limits)))

    def outcome(self, results: Results, point: Point, config: Any) -> Outcome | None:
        """What came out of a point: means over its seeds; None if some of it is not known."""
        return outcome_of(self, *(self.measured(results, point, config, m) for m in (self.objectives, self.limits)))

    def measured(self, results: Results, point: Point, config: Any, measures: Sequence[Measure]) -> np.ndarray:
        """(measures, seeds) as they are read."""
        return np.array([m.of(results, point, config) for m in measures]).reshape(len(measures), len(point.seeds))


def outcome_of(plan: Plan, wanted: np.ndarray, limited: np.ndarray) -> Outcome | None:
    """The outcome of numbers (measures, seeds): means over seeds; None if some are not known."""
    if not (wanted.shape[1] and np.isfinite(wanted).all() and np.isfinite(limited).all()):
        return None
    means, bounded = wanted.mean(axis=1), limited.mean(axis=1)
    return Outcome(tuple(m.sign * float(v) for m, v in zip(plan.objectives, means)), tuple(float(m.excess(v)) for m, v in zip(plan.limits, bounded)))


def plan_of(config: Any, quick: bool) -> Plan:
    """The plan of a config's study; ConfigError tells what cannot be."""
    asked = config.study
    if asked is None or not asked.objectives:
        raise ConfigError([fault_at(config, "study.objectives", "there is nothing to aim at", "two or three, e.g. [{minimise: tumour_alive}, {minimise: dose}]")])
    variables = variables_of(config)
    arms = changed_arms(config, variables)
    faults: list[Fault] = []
    objectives = [measure(config, o, o.minimise or o.maximise, "study.objectives", arms, faults) for o in asked.objectives]
    limits = [measure(config, one, one.readout, "study.limit", arms, faults) for one in asked.limit]
    if faults:
        raise ConfigError(faults)
    wanted = [replace(m, sign=1 if o.minimise else -1, worst=o.worst) for m, o in zip(objectives, asked.objectives) if m is not None]
    bounded = [replace(m, sign=1 if one.at_least is None else -1, bound=one.at_most if one.at_least is None else one.at_least) for m, one in zip(limits, asked.limit) if m is not None]
    read = [m for m in (*wanted, *bounded) if m.readout != DOSE]
    days = {float(m.day) for m in read if m.day != HIGHEST} or {float(config.horizon_day)}
    if any(m.day == HIGHEST for m in read):
        days |= {float(d) for d in range(math.floor(config.horizon_day) + 1)} | {float(config.horizon_day)}
    if twice := [m.name for k, m in enumerate(wanted) if m.name in {w.name for w in wanted[:k]}]:
        raise ConfigError([fault_at(config, "study.objectives", f"{twice[0]} stands twice", "each once")])
    ask = ask_of(config, "optimise", list(dict.fromkeys(m.readout for m in read)), sorted(days))
    return Plan(variables, tuple(wanted), tuple(bounded), ask, *sizes(asked, quick))


def sizes(asked: Any, quick: bool) -> tuple[int, int, int, int, int]:
    """Points, of a generation, seeds, points of a front that are repeated, seeds of each."""
    draws, generation, seeds, repeated, again = QUICK if quick else FULL
    if asked.repeated is not None:
        repeated, again = asked.repeated.draws, asked.repeated.seeds
    return asked.draws or draws, asked.generation or generation, asked.seeds or seeds, repeated, again


# ---- what is varied --------------------------------------------------------------------------------------------
def variables_of(config: Any) -> tuple[Variable, ...]:
    """The ranges as variables."""
    out: list[Variable] = []
    faults: list[Fault] = []
    for key, given in config.study.ranges.items():
        found = variable(config, key, given)
        faults += [found] if isinstance(found, Fault) else []
        out += [found] if isinstance(found, Variable) else []
    if not faults and len(out) > MOST_VARIABLES:
        faults.append(fault_at(config, "study.ranges", f"{len(out)} numbers are varied", f"at most {MOST_VARIABLES}"))
    if faults:
        raise ConfigError(faults)
    return tuple(out)


def variable(config: Any, key: str, given: Any) -> Variable | Fault:
    """One range, or what is wrong with it."""
    if key == "*":
        return fault_at(config, "study.ranges", "says nothing of what to vary", "doses, days and every_d of arms, e.g. arms.both.drugs.0.dose_mg_kg: [0, 10]")
    if not key.startswith("arms."):
        return fault(config, key, "is no part of an arm: what a therapist cannot choose is not optimised", "arms.NAME.KIND.PLACE.KEY", nearest(key, keys_of(config)))
    if given.low is None or given.high is None:
        return fault(config, key, "has no range of its own", "[low, high]")
    step = given.step or (1.0 if key.rpartition(".")[2] in DAYS and given.scale != "log" else None)
    steps = (given.high - given.low) / step if step else 0.0
    if step and given.scale == "log":
        return fault(config, key, "has steps, which are even", "scale: even, or no step")
    if abs(steps - round(steps)) > 1e-9 * max(1.0, steps):
        return fault(config, key, f"goes in steps of {step:g}, which do not lead from {given.low:g} to {given.high:g}", "step: a part of the range")
    out = Variable(key, float(given.low), float(given.high), given.scale or "even", float(step) if step else None)
    for end in (out.low, out.high):
        try:
            config.with_values({key: end})
        except ConfigError as error:
            first = error.faults[0]
            own = first.key == key or first.key.startswith(key + ".")
            known = keys_of(config)
            meant = first.meant or (None if key in known else nearest(key, known))
            return fault(config, key, first.problem if own else f"makes {first.key} wrong: {first.problem}", first.expected, meant or "")
    return out


def keys_of(config: Any) -> list[str]:
    """Dotted keys of the numbers that arms give."""
    return [f"arms.{arm}.{kind}.{k}.{key}" for arm, therapy in (config.to_dict().get("arms") or {}).items() for kind, items in (therapy or {}).items() if isinstance(items, (list, tuple))
            for k, item in enumerate(items) if isinstance(item, Mapping) for key in (*(n for n in item if n not in ("name", "route")), "every_d")]  # fmt: skip


def changed_arms(config: Any, variables: Sequence[Variable]) -> tuple[str, ...]:
    """Arms that some variable changes."""
    found: dict[str, None] = {}
    for v in variables:
        low, high = (config.with_values({v.key: x}) for x in (v.low, v.high))
        found.update(dict.fromkeys(a for a in config.arms if low.therapy_of(a) != high.therapy_of(a)))
    return tuple(a for a in config.arms if a in found)


# ---- what is read ----------------------------------------------------------------------------------------------
def measure(config: Any, given: Any, readout: str, key: str, arms: Sequence[str], faults: list[Fault]) -> Measure | None:
    """One objective or limit; None if it cannot be, which is added to the faults."""
    before = len(faults)
    arm = given.arm or (arms[0] if len(arms) == 1 else None)
    if arm is None:
        faults.append(fault_at(config, key, "several arms change, and none is named", f"arm: {listed(arms)}" if arms else "ranges that change an arm"))
    elif arm not in config.arms:
        faults.append(fault_at(config, key, f"unknown arm '{arm}'", listed(config.arms), nearest(arm, config.arms)))
    if len(faults) > before or arm is None:
        return None
    if readout == DOSE:
        return dose_of(config, given, arm, key, faults)
    known = readouts_of(config, (arm,))
    if readout not in known:
        faults.append(fault_at(config, key, f"unknown readout '{readout}'", listed([DOSE, *known]), nearest(readout, [DOSE, *known])))
    if given.agent is not None:
        faults.append(fault_at(config, key, f"{readout} is of no agent", "agent goes with dose"))
    day = given.day if given.day is not None else HIGHEST if key == "study.limit" else float(config.horizon_day)
    if day != HIGHEST:
        faults += [replace(f, key=key) for f in faults_of_days(config, (float(day),))]
    return Measure(readout, arm, day if day == HIGHEST else float(day)) if len(faults) == before else None


def dose_of(config: Any, given: Any, arm: str, key: str, faults: list[Fault]) -> Measure | None:
    """The dose of an agent; of the only one where none is named."""
    known = doses_of(config, arm)
    if given.day is not None:
        faults.append(fault_at(config, key, "a dose is all that is given, of no day", "no day"))
    elif given.agent is None and len(known) != 1:
        faults.append(fault_at(config, key, "the dose of which agent", f"agent: {listed(known)}" if known else f"an arm that gives {' or '.join(DOSES)}"))
    elif given.agent is not None and given.agent not in known:
        faults.append(fault_at(config, key, f"'{given.agent}' has no dose in {arm} that adds up ({', '.join(DOSES)})", listed(known), nearest(given.agent, known)))
    else:
        agent = given.agent or next(iter(known))
        return Measure(DOSE, arm, HIGHEST, agent, unit=known[agent][1])
    return None


def doses_of(config: Any, arm: str) -> dict[str, tuple[float, str]]:
    """Agent -> all that the arm gives of it, and the unit."""
    out: dict[str, tuple[float, str]] = {}
    for item in given_in(config, arm):
        found = next(((getattr(item, k), unit) for k, unit in DOSES.items() if getattr(item, k, None) is not None), None)
        if found is not None:
            out[item.name] = (out.get(item.name, (0.0, ""))[0] + float(found[0]) * len(item.day), found[1])
    return out


def given_in(config: Any, arm: str) -> list[Any]:
    """All agents and events of an arm."""
    therapy = config.therapy_of(arm)
    return [item for kind in ("drugs", "antibodies", "nanoparticles", "events") for item in getattr(therapy, kind)]
