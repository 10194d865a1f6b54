"""The arms of an experiment as plain data: which is the control, which agents at which dose an arm gives.

`arms` is the section of a resolved config: name -> {drugs: [...], antibodies: [...], ..., use: [...]}.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

UNTREATED = ("control", "untreated", "vehicle")
DOSES = (
    "dose_mg_kg", "dose_mg", "bath_uM", "bath_nM", "dose_gy", "fluence_mw_cm2", "intensity_w_cm2", "celsius", "count", "per_mm2", "share",
)  # fmt: skip  # keys that say how much of an agent or event is given


def agents(arms: Mapping[str, Any], arm: str, above: tuple[str, ...] = ()) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """(kind, entry) of all that an arm gives, used arms included; an arm that uses itself ends there."""
    therapy = arms.get(arm)
    if arm in above or not isinstance(therapy, Mapping):
        return
    used = therapy.get("use") or ()
    for other in [used] if isinstance(used, str) else used:
        yield from agents(arms, str(other), (*above, arm))
    for kind, entries in therapy.items():
        if kind != "use":
            for entry in entries if isinstance(entries, (list, tuple)) else [entries] if entries else []:
                yield str(kind), entry if isinstance(entry, Mapping) else {"name": entry}


def control_arm(arms: Mapping[str, Any]) -> str | None:
    """The arm without any treatment; of several the one with a usual name, else the first; None where all are treated."""
    empty = [str(a) for a in arms if not any(True for _ in agents(arms, a))]
    named = [a for a in empty if a.lower() in UNTREATED]
    return next(iter(named or empty), None)


def doses_given(arms: Mapping[str, Any], arm: str) -> dict[str, float]:
    """Agent or event -> its dose in the unit its entry has, entries of one name added up."""
    out: dict[str, float] = {}
    for _kind, entry in agents(arms, arm):
        amount = next((float(entry[k]) for k in DOSES if isinstance(entry.get(k), (int, float))), None)
        if amount is not None:
            name = str(entry.get("name"))
            out[name] = out.get(name, 0.0) + amount
    return out


def dose_units(arms: Mapping[str, Any]) -> dict[str, str]:
    """Agent or event -> the key that gives its dose."""
    return {str(e.get("name")): k for arm in arms for _kind, e in agents(arms, arm) for k in DOSES if isinstance(e.get(k), (int, float))}
