"""`tme sensitivity`: which numbers an outcome depends on.

First Morris' elementary effects over all numbers, group by group: the mean size of the change of an outcome when a group moves
across its ranges. Then, for the groups with the largest, Sobol's indices with intervals: the share of the outcome's variance
that a group explains alone (first order), with all its interactions (total), and in pairs. All points share their seeds.
Sources: Morris 1991, doi 10.1080/00401706.1991.10484804; Campolongo et al. 2007, doi 10.1016/j.envsoft.2006.10.004; Saltelli et al. 2010,
doi 10.1016/j.cpc.2009.09.018; SALib: Iwanaga et al. 2022, doi 10.18174/sesmo.18155.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tme.studies.checks import ask_of, need
from tme.studies.design import Point
from tme.studies.outcomes import Outcome, contrasts_of, question, readouts_of_arms
from tme.studies.ranges import Range, ranges_of, values_at
from tme.studies.study import Results, Study

LEVELS = 4  # of Morris' grid
RESAMPLES = 200
FULL = {"trajectories": 10, "base": 64, "keep": 6}
QUICK = {"trajectories": 2, "base": 4, "keep": 2}


def problem_of(groups: Sequence[str]) -> dict[str, Any]:
    """A design's variables as SALib takes them: one a number, on the unit interval, with the group of each."""
    return {"num_vars": len(groups), "names": [str(k) for k in range(len(groups))], "bounds": [[0.0, 1.0]] * len(groups), "groups": list(groups)}


def morris_design(groups: Sequence[str], trajectories: int, seed: int) -> np.ndarray:
    """Points (trajectories x (groups + 1), numbers) in the unit cube; consecutive points of a trajectory differ in one group."""
    from SALib.sample import morris

    return morris.sample(problem_of(groups), trajectories, num_levels=LEVELS, seed=seed)


def morris_effects(groups: Sequence[str], u: np.ndarray, y: np.ndarray, seed: int = 1) -> list[dict[str, Any]]:
    """Mean absolute elementary effect of each group with its interval (95 %), largest first; trajectories with an unknown outcome are left out.

    `slope` is the signed mean, of groups with a single number; `sigma` the spread, which tells curvature and interactions.
    """
    from SALib.analyze import morris

    names = list(dict.fromkeys(groups))
    whole = np.isfinite(y.reshape(-1, len(names) + 1)).all(axis=1)
    keep = np.repeat(whole, len(names) + 1)
    if whole.sum() < 2:
        return [{"group": g, "effect": None, "effect_interval": None, "slope": None, "sigma": None, "trajectories": int(whole.sum())} for g in names]
    found = morris.analyze(problem_of(groups), u[keep], y[keep], num_levels=LEVELS, seed=seed, num_resamples=RESAMPLES)
    single = {g: list(groups).count(g) == 1 for g in names}
    rows = [
        {
            "group": str(g), "effect": float(found["mu_star"][k]), "effect_interval": float(found["mu_star_conf"][k]),
            "slope": float(found["mu"][k]) if single[str(g)] else None, "sigma": float(found["sigma"][k]) if single[str(g)] else None,
            "trajectories": int(whole.sum()),
        }
        for k, g in enumerate(found["names"])
    ]  # fmt: skip
    return sorted(rows, key=lambda r: -r["effect"])


def sobol_design(groups: Sequence[str], base: int, seed: int) -> np.ndarray:
    """Points (base x (2 groups + 2), numbers) in the unit cube, Saltelli's scheme on a scrambled Sobol sequence."""
    from SALib.sample import sobol

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a base that is no power of 2 is balanced less well
        return sobol.sample(problem_of(groups), base, calc_second_order=len(set(groups)) > 1, seed=seed)


def sobol_shares(groups: Sequence[str], y: np.ndarray, seed: int = 1) -> dict[str, Any]:
    """First-order and total shares of each group with half-widths of their 95 % intervals (resampled), pairs, and the
    blocks behind them; those with an unknown outcome are left out. An outcome that does not vary has no shares."""
    from SALib.analyze import sobol

    names = list(dict.fromkeys(groups))
    second = len(names) > 1
    size = 2 * len(names) + 2 if second else len(names) + 2
    blocks = y.reshape(-1, size)
    blocks = blocks[np.isfinite(blocks).all(axis=1)]
    out: dict[str, Any] = {"blocks": len(blocks), "groups": [], "pairs": []}
    if len(blocks) < 4 or np.ptp(blocks) == 0:
        return out
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # resamples without variance
        # centred: the estimates of small shares scatter less
        found = sobol.analyze(problem_of(groups), blocks.ravel() - blocks.mean(), calc_second_order=second, num_resamples=RESAMPLES, seed=seed)
    out["groups"] = [
        {"group": g, "first": float(found["S1"][k]), "first_interval": float(found["S1_conf"][k]), "total": float(found["ST"][k]), "total_interval": float(found["ST_conf"][k])}
        for k, g in enumerate(names)
    ]
    if second:
        out["pairs"] = [
            {"group": names[i], "with": names[j], "share": float(found["S2"][i, j]), "share_interval": float(found["S2_conf"][i, j])}
            for i in range(len(names))
            for j in range(i + 1, len(names))
        ]
    return out


def points_of(u: np.ndarray, ranges: Sequence[Range], seeds: int, name: str) -> list[Point]:
    """The design's points with the config's numbers."""
    return [Point(f"{name}-{k:05d}", values_at(ranges, row), seeds=tuple(range(seeds)), about={"stage": name}) for k, row in enumerate(u)]


def run(config: Any, *, out: str | Path | None = None, quick: bool = False, **how: Any) -> tuple[Path, int]:
    """Carry out the study of a config; `how` goes to `Study`. Returns its directory and exit code."""
    need("SALib")
    contrasts = contrasts_of(config)
    ask = ask_of(config, "sensitivity", [c.readout for c in contrasts[:1]], [c.day for c in contrasts[:1]])
    ranges = ranges_of(config)
    if quick:  # few points: the groups are whole kinds of numbers
        ranges = coarse(ranges)
    asked, default = config.study, QUICK if quick else FULL
    settings = {
        "method": (asked and asked.method) or "both", "trajectories": (asked and asked.trajectories) or default["trajectories"],
        "base": (asked and asked.draws) or default["base"], "keep": (asked and asked.keep) or default["keep"], "seeds": (asked and asked.seeds) or 1,
        "numbers": {r.key: [r.low, r.high, r.scale, r.group] for r in ranges},
    }  # fmt: skip
    outcomes = [*contrasts, *readouts_of_arms(config, ask.readouts, ask.days[-1])]
    with Study(config, "sensitivity", ask, settings, out, **how) as study:
        table, summary = carry_out(study, ranges, settings, outcomes)
        study.finish(table, summary)
    return study.folder, study.exit_code


def coarse(ranges: Sequence[Range]) -> list[Range]:
    """The ranges in as few groups as there are kinds: the first word of a group that has more than one."""
    from dataclasses import replace

    return [replace(r, group=r.group.partition(".")[0] if r.group != r.key else r.group) for r in ranges]


def carry_out(study: Study, ranges: Sequence[Range], settings: dict[str, Any], outcomes: Sequence[Outcome]) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Both stages, and what they say."""
    seed, control = int(study.config.seed or 0), question(study.config).control
    groups = [r.group for r in ranges]
    method, kept = settings["method"], list(dict.fromkeys(groups))
    screened: dict[str, list[dict[str, Any]]] = {}
    shares: dict[str, dict[str, Any]] = {}
    ended = {}
    if method != "sobol":
        u = morris_design(groups, settings["trajectories"], seed)
        results = study.evaluate(points_of(u, ranges, settings["seeds"], "morris"))
        screened = {o.name: morris_effects(groups, u, over_seeds(o, results, control)) for o in outcomes}
        kept, ended["morris"] = leading(screened, kept, settings["keep"]), results.ended()
    if method != "morris":
        of_kept = [r for r in ranges if r.group in kept]
        inner = [r.group for r in of_kept]
        u = sobol_design(inner, settings["base"], seed)
        results = study.evaluate(points_of(u, of_kept, settings["seeds"], "sobol"))
        shares, ended["sobol"] = {o.name: sobol_shares(inner, over_seeds(o, results, control)) for o in outcomes}, results.ended()
    return rows_of(screened, shares), summary_of(study, ranges, settings, outcomes, screened, shares, ended, kept)


def over_seeds(outcome: Outcome, results: Results, control: str | None) -> np.ndarray:
    """The outcome of each point in order, mean over its seeds; unknown where one of them is: tumours that stop early are the large ones."""
    found = outcome.values(results, control).groupby(level="point", sort=False).agg(lambda v: v.mean(skipna=False))
    return found.reindex([p.id for p in results.points]).to_numpy(float)


def leading(screened: dict[str, list[dict[str, Any]]], groups: Sequence[str], keep: int) -> list[str]:
    """The groups that Sobol takes on: those with the largest share of the effects, summed over outcomes."""
    score = dict.fromkeys(groups, 0.0)
    for rows in screened.values():
        total = sum(r["effect"] or 0.0 for r in rows)
        for r in rows if total > 0 else ():
            score[r["group"]] += r["effect"] / total
    first = sorted(groups, key=lambda g: -score[g])[:keep]
    return [g for g in groups if g in first]


def rows_of(screened: dict[str, list[dict[str, Any]]], shares: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """table.csv: a row per outcome and group."""
    out = []
    for outcome in dict.fromkeys([*screened, *shares]):
        of_sobol = {g["group"]: g for g in shares.get(outcome, {}).get("groups", ())}
        of_morris = {r["group"]: r for r in screened.get(outcome, ())}
        for group in dict.fromkeys([*of_morris, *of_sobol]):
            row = {"outcome": outcome, "group": group, **{k: v for k, v in of_morris.get(group, {}).items() if k != "group"}}
            out.append({**row, **{k: v for k, v in of_sobol.get(group, {}).items() if k != "group"}})
    return out


def summary_of(study: Study, ranges: Sequence[Range], settings: dict[str, Any], outcomes: Sequence[Outcome], screened: dict[str, Any], shares: dict[str, Any],
               ended: dict[str, Any], kept: Sequence[str]) -> dict[str, Any]:  # fmt: skip
    """Sentences, and what the figure draws."""
    sentences = [s for o in outcomes for s in sentences_of(o.name, screened.get(o.name), shares.get(o.name))]
    lost = sum(e["stopped"] + e["failed"] + e["refused"] for e in ended.values())
    if lost:
        sentences.append(f"{lost} of {sum(e['simulations'] for e in ended.values())} simulations stopped early, failed or were refused; what they would have shown is left out.")
    names = list(dict.fromkeys(r.group for r in ranges))
    return {
        "lead": f"{len(ranges)} numbers in {len(names)} groups, each over its range; {settings['seeds']} seed{'s' * (settings['seeds'] > 1)} per point, the same for all.",
        "sentences": sentences, "screened": screened, "shares": shares, "kept": list(kept), "ended": ended,
        "members": {g: [r.key for r in ranges if r.group == g] for g in names}, "outcomes": [o.name for o in outcomes],
    }  # fmt: skip


def sentences_of(outcome: str, screened: list[dict[str, Any]] | None, shares: dict[str, Any] | None) -> list[str]:
    """What the tables say of one outcome."""
    out = []
    moved = [r for r in screened or () if r["effect"]]
    if screened is not None and not moved:
        out.append(f"{outcome}: no group of numbers moves it, or too few trajectories are whole.")
    elif moved:
        first = ", ".join(f"{r['group']} ({r['effect']:.3g} ± {r['effect_interval']:.2g})" for r in moved[:3])
        out.append(f"{outcome}: the largest mean effects across ranges are those of {first}.")
    if shares and shares["groups"]:
        top = sorted(shares["groups"], key=lambda g: -g["total"])[:2]
        said = "; ".join(f"{g['group']} alone {percent(g['first'], g['first_interval'])}, with interactions {percent(g['total'], g['total_interval'])}" for g in top)
        out.append(f"{outcome}: of its variance among the groups kept, {said}.")
        sure = [p for p in shares["pairs"] if p["share"] > p["share_interval"]]
        if sure:
            best = max(sure, key=lambda p: p["share"])
            out.append(f"{outcome}: {best['group']} and {best['with']} act together: {percent(best['share'], best['share_interval'])} beyond what each does alone.")
    return out


def percent(share: float, half: float) -> str:
    """A share with its interval in percent."""
    return f"{100 * share:.0f} ± {100 * half:.0f} %"
