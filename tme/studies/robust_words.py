"""What `tme robust` says: sentences and tables that follow from the numbers of its summary, and from nothing else."""

from __future__ import annotations

from typing import Any

SURE, LIKELY = 0.95, 0.8  # lower ends of intervals that earn these words


def lead(s: dict[str, Any]) -> str:
    """What was drawn, in one line."""
    switches = f" and {len(s['switches'])} structural switches" if s["switches"] else ""
    p = s.get("posterior")
    drawn = f", {p['numbers']} of them from a posterior of {p['rows']} draws (as good as {p['effective']:.0f} alike)" if p else ""
    return (
        f"{s['numbers']} numbers within their ranges{drawn}{switches}, {s['draws']} draws with one tumour each and {s['repeated']} with {s['seeds']} each; "
        f"{s['readout']} on day {s['day']:g}; all arms of a draw on the same tumour."
    )


def condition(g: Any) -> str:
    """What a draw must show, in words."""
    when = "the last day" if g.day is None else f"day {g.day:g}"
    fold = f" times that on day {g.over_day:g}" if g.over_day is not None else ""
    return f"{g.readout} of {g.arm} on {when} {g.low:g} to {g.high:g}{fold}"


def sentences(s: dict[str, Any]) -> list[str]:
    """One page: what counts, each conclusion with what decides it, then cuts, rivals, and what is missing."""
    out = []
    if s["given"]:
        counted = s["draws"] + s["repeated"]
        out.append(f"{s['met']} of {s['tried']} draws show what is known ({'; '.join(s['given'])}); {counted} of them count, and all that follows is said of such.")
    for c in s["conclusions"]:
        out += of_conclusion(c)
    for name, contrasts in s["cuts"].items():
        out += [of_cut(name, text, found) for text, found in contrasts.items()]
    out += of_rivals(s["rivals"])
    ended = s["ended"]
    lost = [f"{ended[k]} {word}" for k, word in (("stopped", "stopped early"), ("failed", "failed"), ("refused", "were refused by the config")) if ended[k]]
    if lost:
        out.append(f"Of {ended['simulations']} simulations {', '.join(lost)}; what they did not reach is undecided.")
    return out


def of_conclusion(c: dict[str, Any]) -> list[str]:
    """How often it holds, what its spread is made of, what decides it."""
    p = c["probability"]
    if p["value"] is None:
        return [f"{c['contrast']}: no draw decides it."]
    undecided = c["draws"] - c["decided"]
    rest = f"; {undecided} draw{'s are' if undecided > 1 else ' is'} undecided (both tumours gone, or not followed to the day)" if undecided else ""
    out = [f"{c['contrast']}: {word(p)} in {c['held']} of {c['decided']} draws, {percent(p)}{rest}."]
    if c.get("effect", {}).get("median") is not None:
        e = c["effect"]
        out[0] += f" The {c['measure'].removeprefix('log ')} is {e['median']:.2g} in the median draw ({e['low']:.2g} to {e['high']:.2g} in nine of ten)."
    if c.get("acting"):
        out.append(of_acting(c))
    shares = c.get("shares") or {}
    if shares.get("seeds", {}).get("value") is not None:
        parts = ", ".join(f"{percent(shares[k])} is {told}" for k, told in (("seeds", "luck of the tumour"), ("numbers", "numbers"), ("structure", "structure")))
        out.append(f"{c['contrast']}: of its variance {parts}.")
    decide = [d for d in c["decides"] if d["beyond_chance"]]
    if decide:
        out.append(f"{c['contrast']}: whether it holds is decided first by {'; then '.join(decider(d) for d in decide[:3])}.")
    elif c["decides"] and 0 < c["held"] < c["decided"]:
        out.append(f"{c['contrast']}: no single number or switch decides whether it holds, beyond what chance would show in as many draws.")
    fix = next((d for d in c.get("shrinks") or () if d["beyond_chance"]), None)
    if fix:
        out.append(f"{c['contrast']}: its variance would shrink most, by {percent(fix)}, if {fix['name']} were known.")
    elif c.get("shrinks"):
        out.append(f"{c['contrast']}: no single measurement would shrink its variance by more than chance can show in as many draws ({100 * c['shrinks'][0]['chance']:.0f} %).")
    return out


def of_acting(c: dict[str, Any]) -> str:
    """In how many draws the agents act alone, and how often the excess holds where each does."""
    a = c["acting"]
    alone = " and ".join(f"{arm} in {n}" for arm, n in a["alone"].items())
    out = f"{c['contrast']}: alone, {alone} of the {c['decided']} draws leaves at most {100 * a['below']:.0f} % of the control"
    told = [f"in {k['held']} of the {k['decided']} {which}, {percent(k['probability'])}" for k, which in ((a["each"], "where each does"), (a["not each"], "where one does not")) if k["decided"]]
    return f"{out}; it holds {' and '.join(told)}."


def word(p: dict[str, Any]) -> str:
    """Holds, in a word that the interval bears."""
    if p["low"] >= SURE:
        return "holds nearly always,"
    if p["low"] >= LIKELY:
        return "holds mostly,"
    if p["low"] > 0.5:
        return "holds more often than not,"
    if p["high"] < 0.5:
        return "fails more often than it holds: it holds"
    return "may hold or not: it holds"


def decider(d: dict[str, Any]) -> str:
    """A number with the value where the conclusion flips, or a switch with how often it holds under each option."""
    if "options" in d:
        return f"{d['name']} (" + ", ".join(f"{100 * p:.0f} % with {option}" for option, p in d["options"].items()) + ")"
    ends = f"from {100 * d['along'][0]:.0f} % at its low end to {100 * d['along'][-1]:.0f} % at its high end"
    unit = "" if d["unit"] in ("", "1") else f" {d['unit']}"
    flip = f", as often as not at {d['flips_at']:.3g}{unit}" if d["flips_at"] is not None else ""
    return f"{d['name']} ({ends}{flip})"


def percent(e: dict[str, Any]) -> str:
    """A share with its interval, in percent."""
    if e["low"] is None:
        return f"{100 * e['value']:.0f} %"
    return f"{100 * e['value']:.0f} % ({100 * e['low']:.0f} to {100 * e['high']:.0f})"


def of_cut(name: str, text: str, found: dict[str, Any]) -> str:
    """What an excess loses without a route."""
    loss, share = found["loss"], found["share"]
    if loss["value"] is None:
        return f"With the {name} cut: no draw has the excess {text} both ways."
    within = f" ({loss['low']:.3f} to {loss['high']:.3f})" if loss["low"] is not None else ""
    out = f"With the {name} cut the excess of {text.partition(')')[0]}) loses {loss['value']:.3f} of the control{within}, mean over all {found['n']} draws, from {found['full']['value']:.3f}."
    if share["value"] is None:
        return f"{out} The excess exceeds two standard errors in {found['sure']} draws, too few for its share."
    return f"{out} In the {found['sure']} draws where the excess exceeds two standard errors, that is {percent(share)} of it."


def of_rivals(found: dict[str, Any]) -> list[str]:
    """What simple models explain as well."""
    out = []
    for name, r in found.items():
        if not r["draws"]:
            continue
        how = "predicts, from the single arms alone," if name.startswith("logistic") else "fitted to all arms has"
        shares = " and ".join(f"{share_text(r[k])} of the variance of {told}" for k, told in (("combination", "the combination's size"), ("excess", "the excess")))
        agrees = ", ".join(f"{n} of {r['draws']} on {text}" for text, n in r["agrees"].items())
        out.append(f"Rival, {name}: {how} {shares} between draws; it states the same as the simulation in {agrees}.")
    alone, both = (found.get(f"mean field, {w}") for w in ("uncoupled", "coupled"))
    if alone and both and alone["excess"] is not None and both["excess"] is not None:
        more = both["excess"] - max(0.0, alone["excess"])
        said = f"{100 * more:.0f} % more of the variance of the excess" if more > 0.005 else "no more of the excess"
        out.append(f"Of the two mean fields the one whose IFN-gamma helps ferroptosis (one number more) has {said}: so much the coupling explains without space.")
    return out


def share_text(value: float | None) -> str:
    """An explained share; below 0 the mean alone does better."""
    if value is None:
        return "none (nothing varies)"
    return f"{100 * value:.0f} %" if value >= 0 else "none (less than the mean would)"


def tables(s: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """Tables of the page: conclusions, and what decides each."""
    first = [
        {"conclusion": c["contrast"], "holds in": f"{c['held']} of {c['decided']}", "probability": percent(c["probability"]) if c["probability"]["value"] is not None else "",
         **{k: percent(v) if v["value"] is not None else "" for k, v in (c.get("shares") or {}).items()}}
        for c in s["conclusions"]
    ]  # fmt: skip
    decide = [
        {"conclusion": c["contrast"], "number or switch": d["name"], "explains": f"{100 * d['share']:.1f} %", "beyond chance": "yes" if d["beyond_chance"] else "no",
         "range": f"{d['low']:.3g} to {d['high']:.3g} {d['unit']}" if "low" in d else ", ".join(d["options"]), "flips at": f"{d['flips_at']:.3g}" if d.get("flips_at") is not None and d["beyond_chance"] else ""}
        for c in s["conclusions"] for d in c["decides"][:5]
    ]  # fmt: skip
    return {"How often each conclusion holds": first, "What decides it": decide}


def rows(s: dict[str, Any]) -> list[dict[str, Any]]:
    """table.csv: one number a row."""
    out: list[dict[str, Any]] = []

    def add(conclusion: str, what: str, name: str, e: dict[str, Any], note: str = "") -> None:
        out.append({"conclusion": conclusion, "what": what, "name": name, **{k: e.get(k) for k in ("value", "low", "high", "n")}, "note": note})

    for c in s["conclusions"]:
        add(c["contrast"], "probability", "", c["probability"], f"{c['held']} of {c['decided']} decided of {c['draws']}")
        for k in ("each", "not each") if c.get("acting") else ():
            a = c["acting"][k]
            add(c["contrast"], f"probability, {k} agent acts", "", a["probability"], f"{a['held']} of {a['decided']} decided of {a['draws']}")
        if "of_means" in c:
            add(c["contrast"], "probability, mean of seeds", "", c["of_means"])
        for k, v in (c.get("shares") or {}).items():
            add(c["contrast"], "share of variance", k, v)
        for d in c["decides"]:
            flip = f"flips at {d['flips_at']:.6g}" if d.get("flips_at") is not None else ""
            add(c["contrast"], "decides", d["name"], {"value": d["share"]}, f"{flip}{', within chance' * (not d['beyond_chance'])}".strip(", "))
        for d in c.get("shrinks") or ():
            add(c["contrast"], "variance that goes when known", d["name"], d, "" if d["beyond_chance"] else "within chance")
    for name, contrasts in s["cuts"].items():
        for text, found in contrasts.items():
            for k in ("full", "cut", "loss", "share"):
                add(text, f"excess, {k}", name, found[k], f"{found['sure']} draws beyond two standard errors" if k == "share" else "")
    for name, r in s["rivals"].items():
        for k in ("combination", "excess", "all_sizes"):
            add("", f"rival explains, {k}", name, {"value": r[k], "n": r["draws"]})
    return out
