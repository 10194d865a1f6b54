"""What `tme cohort` says: sentences and tables that follow from the numbers of its summary, and from nothing else."""

from __future__ import annotations

from typing import Any

SMALL = 30  # patients: below this shares and curves are told with a warning


def lead(s: dict[str, Any]) -> str:
    """What was simulated, in one line."""
    return (
        f"{s['patients']} virtual patients of the cohort '{s['cohort']}', each on one tumour in all of {len(s['arms'])} arms; {s['readout']} on day {s['day']:g} decides "
        f"which arm wins; {len(s['features'])} features of the untreated tumour on day {s['start']:g}."
    )


def sentences(s: dict[str, Any]) -> list[str]:
    """Response, time, which arm wins, what predicts it, and what to be careful about."""
    out = [of_responses(s), of_times(s), *of_wins(s), *of_outcomes(s), of_matching(s)]
    return [*(t for t in out if t), *cautions(s)]


def of_responses(s: dict[str, Any]) -> str:
    """Classes and benefit by arm."""
    told = []
    for arm, counts in s["responses"].items():
        n = sum(counts.values())
        found = ", ".join(f"{k} {c}" for c, k in counts.items() if k) or "none known"
        benefit = s["benefits"].get(arm)
        below = f"; {percent(benefit)} at most {s['benefit']:g} of their own untreated tumour" if benefit and benefit["value"] is not None else ""
        told.append(f"{arm} {found} of {n}{below}")
    return f"Response by volume on day {s['day']:g}: {'; '.join(told)}."


def of_times(s: dict[str, Any]) -> str:
    """Medians and log-rank tests."""
    told = []
    for t in s["time_to_size"]:
        median = f"median day {t['median']:.3g}" if t["median"] is not None else "median not reached"
        p = f", {p_text(t['p_bh'])} against {s['control']}" if t["p_bh"] is not None else ""
        told.append(f"{t['arm']} {t['reached']} of {t['n']}, {median}{p}")
    return f"Tumours that reached {s['fold']:g} times their volume on day {s['start']:g}: {'; '.join(told)} (log-rank, Benjamini-Hochberg among the arms)."


def of_wins(s: dict[str, Any]) -> list[str]:
    """Which arm wins, and what matching could gain at most."""
    order = sorted(s["wins"].items(), key=lambda item: -item[1]["held"])
    n = order[0][1]["n"]
    if not n:
        return [f"No patient was followed to day {s['day']:g} in all arms: no arm can be said to win."]
    shared = f"; in {s['shared']} several arms share it" if s["shared"] else ""
    by_arm = ", ".join(f"{arm} in {w['held']}, {percent(w)}" for arm, w in order if w["held"])
    first = (
        f"Of {n} patients the arm that wins is {by_arm.replace('), ', '); ') or 'no single one in any'}{shared}: the smallest tumour, and the fewest agents among arms within "
        f"{s['margin']:g} of the untreated tumour of it."
    )
    m = s["matching"]
    if not m:
        return [first]
    return [
        first,
        f"Given to all, {m['arm']} leaves {m['for_all']:.2f} of the untreated tumour on average, the best arm of each patient {m['for_each']:.2f}: what matching could "
        f"gain at most, luck of single tumours included. With fewer agents than {m['arm']} {m['spared']} of {m['n']} do as well.",
    ]


def of_matching(s: dict[str, Any]) -> str:
    """What choosing by one feature gains on patients that the rule was not made from."""
    m = s.get("matched") or {}
    if not m:
        return ""
    e, r = m["gain"], m["rule"]
    gain = f"{e['value']:.3f} of the untreated tumour ({e['low']:.3f} to {e['high']:.3f}), {p_text(m['p'])} against shuffled features"
    of = f" of the {m['possible']:.3f} that the best arm of each patient would gain" if m["possible"] > 0 else ""
    chosen = f"give {r['over']} to patients {condition(r)}, {r['under']} to the others" if r is not None else f"give {s['matching']['arm']} to all, as no rule leaves less"
    head = f"Matching rule: {chosen}. On patients it was not made from (cross-validation)"
    if m["found"]:
        return f"{head} such rules leave less than giving everyone the best arm: a gain of {gain}{of}; on its own patients it is {m['gain_seen']:.3f}."
    return f"{head} such rules gain nothing beyond chance over giving everyone the best arm: {gain}{of}; on its own patients it is {m['gain_seen']:.3f}, which flatters."


def of_outcomes(s: dict[str, Any]) -> list[str]:
    """What the features predict."""
    tested = {name: o for name, o in s["outcomes"].items() if o["auc"] is not None}
    out = []
    for name, o in sorted(tested.items(), key=lambda item: item[1]["p_holm"]):
        if o["found"]:
            out += [found(name, o), rule(name, o)]
    if tested and not out:
        name, o = min(tested.items(), key=lambda item: item[1]["p"])
        out.append(
            f"No feature of the untreated tumour predicts any of {len(tested)} outcomes beyond chance; nearest is '{name}': AUC {o['auc']:.2f}, null 95th percentile "
            f"{o['null_95']:.2f}, {p_text(o['p_holm'])} after Holm."
        )
    few = [f"{name} ({o['yes']} of {o['yes'] + o['no']})" for name, o in s["outcomes"].items() if o["auc"] is None]
    if few:
        out.append(f"Too one-sided to ask what predicts it: {', '.join(few)}.")
    return out


def found(name: str, o: dict[str, Any]) -> str:
    """An outcome that is predicted."""
    return (
        f"'{name}' ({o['yes']} of {o['yes'] + o['no']} patients) is predicted by the features together: cross-validated AUC {o['auc']:.2f}, null 95th percentile {o['null_95']:.2f}, "
        f"{p_text(o['p_holm'])} after Holm."
    )


def rule(name: str, o: dict[str, Any]) -> str:
    """The rule of one feature in words; or that one feature does not do."""
    r, best = o["rule"], o["features"][0]
    if not best["beyond_chance"]:
        return f"No single feature tells '{name}' beyond chance (nearest {plain(best['feature'])}, AUC {max(best['auc'], 1 - best['auc']):.2f}, null 95th percentile {0.5 + o['chance']:.2f})."
    then = f"{name} in {r['met_yes']} of {r['met']}, of the others in {r['rest_yes']} of {r['rest']}"
    if "else_arm" in r:
        then = f"{then}, where {r['else_arm']} wins most often ({r['else_wins']})"
    return (
        f"Rule: patients {condition(r)}: {then}; alone AUC {max(best['auc'], 1 - best['auc']):.2f}, null 95th percentile of the best of all features "
        f"{0.5 + o['chance']:.2f}; balanced accuracy of such a rule on patients it was not made from {r['balanced']:.2f} (a coin has 0.5)."
    )


def condition(r: dict[str, Any]) -> str:
    """Whom a rule means."""
    kind, _, which = r["feature"].partition(": ")
    if which:
        return f"whose tumour is {'' if r['above'] else 'not '}{which} ({kind})"
    return f"with {plain(r['feature'])} {'above' if r['above'] else 'at most'} {r['value']:.3g}"


def plain(feature: str) -> str:
    """A readout in words."""
    return feature.replace("_per_mm2", " per mm²").replace("pdl1", "PD-L1").replace("cd8", "CD8").replace("treg", "Treg").replace("_", " ")


def cautions(s: dict[str, Any]) -> list[str]:
    """Few patients, few on one side, features not known, simulations lost."""
    out = []
    if s["patients"] < SMALL:
        tested = [o["null_95"] for o in s["outcomes"].values() if o["auc"] is not None]
        reach = f"; chance alone reaches AUC {max(tested):.2f}, and weaker biomarkers cannot be found" if tested else ""
        out.append(f"Warning: {s['patients']} patients are few{reach}. Ask {SMALL} or more before believing shares, curves or rules.")
    few = [name for name, o in s["outcomes"].items() if o["auc"] is not None and o["few"]]
    if few:
        out.append(f"Fewer than 10 patients on one side, so that the AUC is uncertain: {', '.join(few)}.")
    if s["incomplete"]:
        out.append(f"{s['incomplete']} patients lack a feature and are left out of the predictions.")
    if s["constant"]:
        out.append(f"Alike in all patients, so no feature: {', '.join(plain(c) for c in s['constant'])}.")
    ended = s["ended"]
    lost = [f"{ended[k]} {word}" for k, word in (("stopped", "stopped early"), ("failed", "failed"), ("refused", "were refused by the config")) if ended[k]]
    if lost:
        left = f"; {s['undecided']} patients were not followed to the day in all arms" if s["undecided"] else ""
        out.append(f"Of {ended['simulations']} simulations {', '.join(lost)}{left}.")
    return out


def percent(p: dict[str, Any]) -> str:
    """A proportion with its interval."""
    return f"{100 * p['value']:.0f} % ({100 * p['low']:.0f}–{100 * p['high']:.0f})"


def p_text(p: float) -> str:
    """A p value."""
    return "p < 0.001" if p < 0.001 else f"p = {p:.2g}"


def tables(s: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """What the page shows besides sentences."""
    arms = [
        {"arm": a, "wins in": s["wins"][a]["held"], **s["responses"][a], f"reached {s['fold']:g}×": t["reached"], "median day": t["median"], "log-rank p": t["p_bh"]}
        for a in s["arms"]
        for t in s["time_to_size"]
        if t["arm"] == a
    ]
    asked = [
        {"outcome": name, "yes": o["yes"], "no": o["no"], "AUC": o["auc"], "null 95 %": o.get("null_95"), "p after Holm": o.get("p_holm"),
         "best single feature": plain(o["features"][0]["feature"]) if o["auc"] is not None else None, "its AUC": o["features"][0]["auc"] if o["auc"] is not None else None}
        for name, o in s["outcomes"].items()
    ]  # fmt: skip
    out = {"Arms": arms, "What the features predict": asked}
    if s["infiltration"]:
        out["Infiltration at the start"] = [{"class": c, "patients": n} for c, n in s["infiltration"].items()]
    return out
