"""`tme optimise`: doses, ratio, order and schedule that a therapy should have, under limits of toxicity.

A search for the Pareto front (`search`), a full grid of equal cost beside it, and both fronts once more with tumours that neither has seen: of many points the
best is partly the luckiest, and only other seeds tell how much of it stays. All points share their tumours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from tme.config.estimate import duration, predict
from tme.statistics import mean_interval
from tme.studies import optimise_words
from tme.studies.certainty import as_dict
from tme.studies.checks import need
from tme.studies.design import Point, simulations
from tme.studies.fronts import Box, allowed_of, box_of, chosen, costs_of, distinct, trace
from tme.studies.optimise_plan import Plan, outcome_of, plan_of
from tme.studies.pareto import levels
from tme.studies.search import Tried, grid, search
from tme.studies.study import FAILED, Study, ends_of

OTHERS = 1_000_000  # number of the first replicate with which fronts are repeated


def run(config: Any, *, out: str | Path | None = None, quick: bool = False, **how: Any) -> tuple[Path, int]:
    """Carry out the study of a config; `how` goes to `Study`. Returns its directory and exit code."""
    need("optuna")
    return optimise(config, plan_of(config, quick), out, **how)


def optimise(config: Any, plan: Plan, out: str | Path | None = None, **how: Any) -> tuple[Path, int]:
    """Carry out a plan."""
    settings = {
        "variables": {v.key: [v.low, v.high, v.scale, v.step] for v in plan.variables}, "objectives": [m.name for m in plan.objectives],
        "limits": [f"{m.name} {m.sign} {m.bound}" for m in plan.limits], "worst": [m.worst for m in plan.objectives], "senses": [m.sign for m in plan.objectives],
        "draws": plan.draws, "generation": plan.generation, "seeds": plan.seeds, "repeated": plan.repeated, "again": plan.again,
        "sampler": f"optuna {version('optuna')} TPE",
    }  # fmt: skip
    with Study(config, "optimise", plan.ask, settings, out, **how) as study:
        study.tell({"event": "note", "message": cost(config, plan)})
        table, summary = carry_out(study, plan)
        study.finish(table, summary)
        if summary["ended"]["failed"]:  # in whichever generation
            study.exit_code = FAILED
    return study.folder, study.exit_code


def cost(config: Any, plan: Plan) -> str:
    """What the study will take, in words."""
    n = 2 * (plan.draws * plan.seeds + plan.repeated * plan.again)
    try:
        one = predict(config).seconds / config.replicates / len(config.arms) * len(plan.arms)
    except AttributeError:  # no experiment of the model
        return f"at most {n} simulations of {len(plan.arms)} arms"
    return f"at most {n} simulations of {len(plan.arms)} arms, about {duration(one * n)} on one core, divided by --jobs"


@dataclass(frozen=True)
class Again:
    """Points of a front with other seeds: objectives (points, objectives, seeds) as costs, and which keep the limits in the mean, and in each seed."""

    costs: np.ndarray
    within: np.ndarray
    kept: np.ndarray  # (points, seeds)

    @property
    def seeds(self) -> int:
        """In how many other tumours all points are known."""
        return self.kept.shape[1]

    def shares(self, box: Box) -> list[float]:
        """Share of the box in each tumour."""
        return [box.share(self.costs[self.within][:, :, j]) for j in range(self.seeds)]


def carry_out(study: Study, plan: Plan) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Search, grid, and both fronts again; what they say."""
    seeds = tuple(range(plan.seeds))

    def tried(stage: str, first: int, generation: int, points: Sequence[dict[str, float]]) -> list[Tried]:
        asked = [Point(f"{stage}-{first + k:05d}", values, plan.arms, seeds, {"stage": stage, "generation": generation}) for k, values in enumerate(points)]
        every.extend(asked)
        results = study.evaluate(asked)
        return [Tried(v, generation, plan.outcome(results, p, study.config)) for v, p in zip(points, asked)]

    known, every = list[Tried](), list[Point]()

    def answer(generation: int, points: list[dict[str, float]]) -> list[Any]:
        new = tried("search", len(known), generation, points)
        known.extend(new)
        return [t.outcome for t in new]

    found = distinct(search(plan.variables, len(plan.objectives), plan.draws, plan.generation, int(study.config.seed or 0), answer))
    beside = distinct(tried("grid", 0, 0, grid(plan.variables, levels([v.count for v in plan.variables], len(found)))))
    box = box_of([*found, *beside], [m.sign * m.worst if m.worst is not None else None for m in plan.objectives])
    fronts = {"search": chosen(found, box, plan.repeated), "grid": chosen(beside, box, plan.repeated)}
    points = {
        stage: [Point(f"{stage} front-{k:03d}", t.values, plan.arms, tuple(OTHERS + j for j in range(plan.again)), {"stage": f"{stage} repeated"}) for k, t in enumerate(front)]
        for stage, front in fronts.items()
    }
    other = [p for stage in points.values() for p in stage]
    results = study.evaluate(other)
    again = again_of(plan, results, points, study.config)
    ended = ended_of(study, [*every, *other])
    return optimise_words.told(study.config, plan, found, beside, fronts, again, compared(plan, found, beside, again, box), ended)


def ended_of(study: Study, points: Sequence[Point]) -> dict[str, int]:
    """How the simulations of the points ended, each counted once."""
    return ends_of(study.records.by_key[s.key] for s in simulations(points, study.arms))


def again_of(plan: Plan, results: Any, points: dict[str, list[Point]], config: Any) -> dict[str, Again]:
    """What the points of the fronts do with other seeds: those in which all of them are known, since a mean over other tumours for each point would compare tumours."""
    k, n = len(plan.objectives), plan.again
    raw = {
        stage: [np.array([plan.measured(results, p, config, m) for p in of]).reshape(len(of), len(m), n) for m in (plan.objectives, plan.limits)] for stage, of in points.items()
    }  # fmt: skip
    whole = np.all([np.isfinite(values).all(axis=(0, 1)) for both in raw.values() for values in both], axis=0)
    out = {}
    for stage, (wanted, limited) in raw.items():
        wanted, limited = wanted[..., whole], limited[..., whole]
        outcomes = [outcome_of(plan, w, bounded) for w, bounded in zip(wanted, limited)]
        kept = np.ones((len(wanted), int(whole.sum())), bool)
        for j, m in enumerate(plan.limits):
            kept &= m.excess(limited[:, j]) <= 0
        out[stage] = Again(wanted * np.array([m.sign for m in plan.objectives]).reshape(1, k, 1), np.array([o is not None and o.within for o in outcomes], bool), kept)
    return out


def compared(plan: Plan, found: Sequence[Tried], beside: Sequence[Tried], again: dict[str, Again], box: Box | None) -> dict[str, Any]:
    """Hypervolumes of search and grid, as shares of the box: with the seeds of the search at the grid's number of points, and with other seeds."""
    if box is None:
        return {}
    k = len(plan.objectives)
    share = {"search": box.share(costs_of(allowed_of(found[: len(beside)]), k)), "grid": box.share(costs_of(allowed_of(beside), k)), "whole search": box.share(costs_of(allowed_of(found), k))}
    stated = np.array([m.worst is not None for m in plan.objectives])
    wide = box.holding(np.concatenate([a.costs.transpose(0, 2, 1).reshape(-1, k) for a in again.values()]), ~stated)
    means = {stage: wide.share(a.costs[a.within].mean(axis=2)) if a.seeds else None for stage, a in again.items()}
    by_seed = {stage: a.shares(wide) for stage, a in again.items()}
    apart = mean_interval(np.subtract(by_seed["search"], by_seed["grid"]))
    return {
        "points": len(beside), "searched": len(found), "share": share, "again": means, "by_seed": by_seed, "difference": as_dict(apart), "sign": apart.sign, "seeds": again["search"].seeds,
        "best": [m.sign * float(v) for m, v in zip(plan.objectives, box.best)], "worst": [m.sign * float(v) for m, v in zip(plan.objectives, box.worst)],
        "trace": trace(found, box, k),
    }  # fmt: skip
