"""Rules, signals and terms as rows, for `tme list` and `tme describe`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tme.library.rule import RuleEntry
from tme.rules.sentences import sentence
from tme.rules.signals import Known


def rule_rows(entries: Mapping[str, RuleEntry], known: Known, on: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
    """One row per rule: what it says, whether it is on (`on`: those that are), its evidence and source."""
    return [
        {"rule": name, "says": sentence(entry, known.terms), "on": name in on if on is not None else entry.default,
         "evidence": entry.evidence, "source": entry.source}
        for name, entry in entries.items()
    ]  # fmt: skip


def term_rows(known: Known) -> list[dict[str, Any]]:
    """One row per term that a rule may modulate."""
    return [
        {"term": t.name, "effect": t.effect, "unit": t.unit, "in": ", ".join(t.cells), "bounds": f"{t.low:g} to {t.high:g}", "about": t.about}
        for t in sorted(known.terms.values(), key=lambda t: t.name)
    ]


def signal_rows(known: Known) -> list[dict[str, Any]]:
    """One row per signal that a rule may hear, and which cells can."""
    heard: dict[tuple[str, str], list[str]] = {}
    for cells in known.columns:
        for signal, unit in known.signals(cells).items():
            heard.setdefault((signal, unit), []).append(cells)
    return [
        {"signal": signal, "unit": unit, "in": "all cells" if len(cells) == len(known.columns) else ", ".join(cells)}
        for (signal, unit), cells in heard.items()
    ]
