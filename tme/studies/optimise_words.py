"""What an optimisation found, in sentences and tables that follow from its numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tme.statistics import Estimate, mean_of_amounts
from tme.studies.fronts import front_of
from tme.studies.optimise_plan import Measure, Plan, given_in
from tme.studies.search import Tried

AMOUNTS = {"dose_mg_kg": "mg/kg", "dose_mg": "mg", "dose_gy": "Gy", "bath_uM": "µM", "bath_nM": "nM", "per_mm2": "per mm²"}


def told(config: Any, plan: Plan, found: Sequence[Tried], beside: Sequence[Tried], fronts: Mapping[str, Sequence[Tried]], again: Mapping[str, Any],
         compared: Mapping[str, Any], ended: Mapping[str, int]) -> tuple[list[dict[str, Any]], dict[str, Any]]:  # fmt: skip
    """table.csv and summary.json: a function of the records alone."""
    members = {stage: [member(config, plan, t, again[stage], k) for k, t in enumerate(front)] for stage, front in fronts.items()}
    rows = [
        row(plan, stage, t, next((m for m, f in zip(members[stage], fronts[stage]) if f is t), None), front_of_all)
        for stage, tried in (("search", found), ("grid", beside)) for front_of_all in (fronts_of(tried),) for t in tried
    ]  # fmt: skip
    summary = {
        "lead": lead(plan, found, beside), "sentences": sentences(plan, found, beside, members, compared, ended), "compared": dict(compared), "ended": dict(ended),
        "objectives": [{"name": m.name, "sense": "minimise" if m.sign > 0 else "maximise"} for m in plan.objectives],
        "limits": [{"name": m.name, "side": "at most" if m.sign > 0 else "at least", "bound": m.bound} for m in plan.limits],
        "variables": [{"key": v.key, "low": v.low, "high": v.high, "scale": v.scale, "step": v.step} for v in plan.variables],
        "fronts": members,
        "tables": {"Pareto front of the search": [page_row(plan, m) for m in members["search"]], "Pareto front of the grid": [page_row(plan, m) for m in members["grid"]]},
    }  # fmt: skip
    return rows, summary


def fronts_of(tried: Sequence[Tried]) -> set[int]:
    """Which objects are on the front."""
    return {id(t) for t in front_of(tried)}


def member(config: Any, plan: Plan, t: Tried, again: Any, k: int) -> dict[str, Any]:
    """A point of a front with what other seeds say."""
    assert t.outcome is not None
    intervals = {}
    for j, m in enumerate(plan.objectives):
        values = m.sign * again.costs[k, j]
        e = mean_of_amounts(values) if not values.size or np.ptp(values) != 0 else Estimate(values[0], values[0], values[0], values.size)
        intervals[m.name] = {key: None if not np.isfinite(x) else float(x) for key, x in (("value", e.value), ("low", e.low), ("high", e.high))}
    changed = config.with_values(t.values)
    days = first_days(changed, plan)
    return {
        "values": t.values, "searched": {m.name: m.sign * c for m, c in zip(plan.objectives, t.outcome.costs)}, "again": intervals, "seeds": again.seeds,
        "within": bool(again.within[k]), "kept": int(again.kept[k].sum()), "therapy": therapy(changed, plan), "first": days, "order": order(days),
    }  # fmt: skip


def main_arm(plan: Plan) -> str:
    """The arm that the first objective looks at."""
    return plan.objectives[0].arm


def therapy(config: Any, plan: Plan) -> str:
    """What the arm gives, in words."""
    return "; ".join(" ".join(w for w in (item.name, amount(item), on_days(item.day)) if w) for item in given_in(config, main_arm(plan))) or "nothing"


def amount(item: Any) -> str:
    """A dose with its unit."""
    return next((f"{getattr(item, k):.3g} {unit}" for k, unit in AMOUNTS.items() if getattr(item, k, None) is not None), "")


def on_days(days: Sequence[float]) -> str:
    """`on days 0, 3, 6`; long schedules by their ends."""
    if len(days) > 5:
        return f"on {len(days)} days from {days[0]:g} to {days[-1]:g}"
    return f"on day{'s' * (len(days) > 1)} {', '.join(f'{d:g}' for d in days)}"


def first_days(config: Any, plan: Plan) -> dict[str, float]:
    """Agent -> the first day on which the arm gives any of it."""
    out: dict[str, float] = {}
    for item in given_in(config, main_arm(plan)):
        if next((getattr(item, k) for k in AMOUNTS if getattr(item, k, None) is not None), 1.0) > 0:
            out[item.name] = min(out.get(item.name, np.inf), float(min(item.day)))
    return out


def order(days: Mapping[str, float]) -> str:
    """Which of the agents comes first, and by how much; one that is not given has no place."""
    if len(days) < 2:
        return f"only {next(iter(days))}" if days else "nothing"
    (a, first), (b, second) = sorted(days.items(), key=lambda kv: kv[1])[:2]
    return "together" if first == second else f"{a} {second - first:g} d before {b}"


def row(plan: Plan, stage: str, t: Tried, again: Mapping[str, Any] | None, front: set[int]) -> dict[str, Any]:
    """A row of table.csv: a point that was tried."""
    o = t.outcome
    out: dict[str, Any] = {"stage": stage, "generation": t.generation, **t.values}
    out |= {m.name: None if o is None else m.sign * o.costs[j] for j, m in enumerate(plan.objectives)}
    out |= {f"{m.name} beyond its limit": None if o is None else o.excess[j] for j, m in enumerate(plan.limits)}
    out |= {"known": o is not None, "within": o is not None and o.within, "front": id(t) in front, "repeated": again is not None}
    for m in plan.objectives:
        out |= {f"{m.name} again{end}": None if again is None else again["again"][m.name][key] for end, key in (("", "value"), (" low", "low"), (" high", "high"))}
    return out


def page_row(plan: Plan, m: Mapping[str, Any]) -> dict[str, Any]:
    """A row of the page's table."""
    return {"therapy": m["therapy"], **{o.name: interval(m["again"][o.name]) for o in plan.objectives}, **({"limits kept": f"{m['kept']}/{m['seeds']}"} if plan.limits else {}), "order": m["order"]}


def interval(e: Mapping[str, Any]) -> str:
    """`12 (10 to 14)`."""
    if e["value"] is None:
        return "unknown"
    return f"{e['value']:.3g}" + (f" ({e['low']:.3g} to {e['high']:.3g})" if e["low"] is not None and e["low"] < e["high"] else "")


def lead(plan: Plan, found: Sequence[Tried], beside: Sequence[Tried]) -> str:
    """What was done."""
    wanted = " and ".join(f"{'small' if m.sign > 0 else 'large'} {m.name}" for m in plan.objectives)
    bounds = "; ".join(condition(m) for m in plan.limits)
    return (
        f"Wanted: {wanted}{f', with {bounds}' if bounds else ''}. {len(plan.variables)} numbers varied in {len(found)} points, a grid of {len(beside)} beside them, "
        f"{plan.seeds} tumour{'s' * (plan.seeds > 1)} each; both fronts again in {plan.again} other tumours."
    )


def condition(m: Measure) -> str:
    """A limit in words."""
    return f"{m.name} {'at most' if m.sign > 0 else 'at least'} {m.bound:g}"


def sentences(plan: Plan, found: Sequence[Tried], beside: Sequence[Tried], members: Mapping[str, Sequence[Mapping[str, Any]]], compared: Mapping[str, Any], ended: Mapping[str, int]) -> list[str]:
    """What the numbers say."""
    out = [counted(plan, found, members["search"])]
    front = members["search"]
    if compared:
        out += against_grid(compared, plan)
    elif front:
        out.append("All points within the limits are equally good in an objective: there is no trade-off to show.")
    whole = [m for m in front if m["within"] and all(e["value"] is not None for e in m["again"].values())]
    for o in plan.objectives:
        if whole:
            best = min(whole, key=lambda m: o.sign * m["again"][o.name]["value"])
            out.append(f"{'Smallest' if o.sign > 0 else 'Largest'} {o.name}{' within the limits' * bool(plan.limits)}: {interval(best['again'][o.name])} by {best['therapy']}.")
    if compared and len(whole) > 2:
        low, high = (np.array(compared[k]) for k in ("best", "worst"))
        away = [np.linalg.norm([(m["again"][o.name]["value"] - b) / (w - b) for o, b, w in zip(plan.objectives, low, high)]) for m in whole]
        m = whole[int(np.argmin(away))]
        out.append(f"Nearest to the best of all objectives at once: {', '.join(f'{o.name} {interval(m_)}' for o, m_ in zip(plan.objectives, m['again'].values()))} by {m['therapy']}.")
    if len({a for m in front for a in m["first"]}) > 1:
        orders = Counter(m["order"] if m["order"].startswith(("together", "only", "nothing")) else f"{m['order'].split(' ')[0]} first" for m in front)
        out.append(f"Order on the front: {', '.join(f'{name} in {n}' for name, n in orders.most_common())} of {len(front)}.")
    if lost := [m for m in front if m["seeds"] and not m["within"]]:
        out.append(f"{len(lost)} of {len(front)} points of the front break a limit in other tumours.")
    if front and front[0]["seeds"] < plan.again:
        out.append(f"{plan.again - front[0]['seeds']} of {plan.again} other tumours are left out: some therapy was not carried to its day there.")
    out += [f"{ended[k]} of {ended['simulations']} simulations {what}." for k, what in
            (("failed", "failed"), ("refused", "were refused by the config"), ("stopped", "stopped early")) if ended[k]]  # fmt: skip
    return out


def counted(plan: Plan, found: Sequence[Tried], front: Sequence[Mapping[str, Any]]) -> str:
    """How many points there are of each sort."""
    known = [t for t in found if t.outcome is not None]
    within = [t for t in known if t.outcome is not None and t.outcome.within]
    said = f"{len(known)} of {len(found)} points of the search are known"
    if plan.limits:
        said += f", {len(within)} of them within the limits"
        broken = [(m, sum(t.outcome.excess[j] > 0 for t in known if t.outcome is not None)) for j, m in enumerate(plan.limits)]
        said += "".join(f"; {n} break{'s' * (n == 1)} {condition(m)}" for m, n in broken if n)
    if not within:
        return f"{said}. No therapy {'keeps the limits' if known else 'was carried through'}."
    return f"{said}; {len(fronts_of(found))} are on the front, {len(front)} of them were repeated."


def against_grid(c: Mapping[str, Any], plan: Plan) -> list[str]:
    """Search against grid."""
    s = c["share"]
    out = [
        f"At equal cost, {c['points']} points each, the search covers {100 * s['search']:.1f} % and the grid {100 * s['grid']:.1f} % of the box between the best and the worst seen (hypervolume); "
        f"the whole search of {c['searched']} points covers {100 * s['whole search']:.1f} %."
    ]
    d, means = c["difference"], c["again"]
    if d["low"] is not None and d["low"] < d["high"]:
        verdict = {1: "the search found more than the grid", -1: "the grid found more than the search", 0: "luck alone may make that difference"}[c["sign"]]
        out.append(
            f"In {c['seeds']} other tumours the repeated points cover {100 * means['search']:.1f} % (search) and {100 * means['grid']:.1f} % (grid); difference by tumour "
            f"{100 * d['value']:.1f} points ({100 * d['low']:.1f} to {100 * d['high']:.1f}): {verdict}."
        )
    return out
