"""What a drug does to a cell: each hit is a rule on a term of a law, of which the drug's concentration is the signal.

A hit is written either in short, by a target and a strength,

    - {target: gpx4, k_per_uM_min: {value: 0.08, unit: 1/(uM min), source: "..."}}

or as the rule that it is, on any term that some law has, in any cell types:

    - {lowers: ferroptosis.gcl, to: {value: 0.3, ...}, half: {value: 10, unit: uM, ...}, in: [tumour]}

With `needs: {field: glucose, half: {...}}` the drug acts at its target only as far as that substance is there, g/(half + g): an
enzyme whose product is the hit.

A Ki is the half of a rule that lowers its term to nothing; (c/Ki)^n of all drugs on one target add up before they act.
Two targets are no term of a cell and stay with the drug: `cystine_pool` and `vessel`.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from tme.library.rule import RuleEntry


class Target(NamedTuple):
    """The term that a short word stands for, what a hit does to it, and the group of drugs that compete for it."""

    verb: str
    term: str
    group: str


TARGETS = {
    "xct": Target("lowers", "ferroptosis.xct", "xct_inhibitors"),
    "gcl": Target("lowers", "ferroptosis.gcl", "gcl_inhibitors"),
    "fsp1": Target("lowers", "ferroptosis.fsp1", "fsp1_inhibitors"),
    "pdl1_synthesis": Target("lowers", "surface.pdl1", "pdl1_synthesis_inhibitors"),
    "gpx4": Target("adds_to", "ferroptosis.gpx4_loss", "gpx4_inactivators"),
    "radical_trap": Target("adds_to", "ferroptosis.trap", "radical_traps"),
    "iron_chelation": Target("adds_to", "ferroptosis.iron_chelation", "iron_chelators"),
    "iron_supply": Target("adds_to", "ferroptosis.iron_influx", "iron_salts"),
    "cu_influx": Target("adds_to", "cuproptosis.copper_influx", "ionophores"),
}


def rules_of(name: str, drug: Any, run: Mapping[str, tuple[str, ...]] = MappingProxyType({})) -> dict[str, RuleEntry]:
    """Rules of a drug by id, `rsl3.gpx4`; two hits of one target are numbered.

    `run`: by term of a pathway the cell types that run it, which a hit reaches where it does not say `in`.
    """
    out: dict[str, RuleEntry] = {}
    for hit in drug.hits:
        raw = as_rule(name, hit)
        if raw is not None:
            raw["in"] = hit.cells or run.get(raw_term(raw)) or ("tumour",)
            word = hit.target or raw_term(raw).rpartition(".")[2]
            key = f"{name}.{word}"
            n = sum(k == key or k.startswith(f"{key}_") for k in out)
            out[key if n == 0 else f"{key}_{n + 1}"] = RuleEntry.model_validate(raw)
    return out


def raw_term(raw: dict[str, Any]) -> str:
    """The term of a rule as it is written."""
    return raw.get("raises") or raw.get("lowers") or raw.get("adds_to") or ""


def as_rule(name: str, hit: Any) -> dict[str, Any] | None:
    """A hit as a rule entry is written; None where it is no rule on a cell."""
    common = {"signal": f"drug.{name}", "evidence": "supported", "source": f"the hit of {name}"}
    if hit.target is None:
        return {**common, **hit.rule}
    target = TARGETS.get(hit.target)
    if target is None:
        return None
    number = hit.numbers[hit.key].model_dump(exclude_none=True)
    if target.verb == "adds_to":
        return {**common, target.verb: target.term, "group": target.group, "response": "linear", "slope": number, **hit.needed}
    whole = {"value": 0.0, "unit": "1", "source": "a whole block where the drug is in excess"}
    hill = hit.numbers["hill"].model_dump(exclude_none=True) if "hill" in hit.numbers else None
    raw = {**common, target.verb: target.term, "group": target.group, "to": whole, "half": number, **hit.needed}
    return raw if hill is None else {**raw, "hill": hill}
