"""The case `rules`: what a rule costs per cell and evaluation, by the kind of its signal, and what many rules cost in a tick."""

from __future__ import annotations

import statistics
import time
from typing import Any

from tme.bench.kernels import row
from tme.config.typical import config_of

N_CELLS = 10_000
WARM_TICKS, HOURS = 120, 7
# (signal, unit, half, hill), at the clocks of their fields
HEARD: tuple[tuple[str, str, float, float], ...] = (
    ("field.oxygen", "mmHg", 20, 2), ("field.cxcl", "ng/mL", 20, 2), ("own.gsh", "uM", 2000, 2), ("own.plooh", "uM", 0.5, 1), ("field.ifng", "ng/mL", 0.3, 2),
    ("field.hmgb1", "ng/mL", 0.5, 1), ("near.cd8", "cells", 3, 2), ("field.suppression", "1", 0.1, 1.5), ("own.lip", "uM", 1, 4), ("field.atp", "uM", 0.1, 1),
)  # fmt: skip
TEN_ON = ("division.rate", "death.apoptosis")
THIRTY_ON = (*TEN_ON, "death.necrosis", "damp.atp", "ferroptosis.gpx4_synthesis", "ferroptosis.nrf2")
KINDS: dict[str, tuple[str, str, float, float]] = {
    "own column": ("own.gsh", "uM", 2000, 2), "own column, memory": ("own.gsh", "uM", 2000, 2), "own column, hill 2.5": ("own.gsh", "uM", 2000, 2.5),
    "field": ("field.oxygen", "mmHg", 20, 2), "field on wider voxels": ("field.cxcl", "ng/mL", 20, 2),
    "near.cd8": ("near.cd8", "cells", 3, 2), "near.tumour": ("near.tumour", "cells", 10, 2), "contact.tumour": ("contact.tumour", "cells", 3, 2),
}  # fmt: skip


def entry(signal: str, unit: str, half: float, hill: float, term: str, lag_h: float | None = None) -> dict[str, Any]:
    """A rule that lowers a term of tumour cells to 0.999, as a config writes it."""

    def number(value: float, unit: str) -> dict[str, Any]:
        return {"value": value, "unit": unit, "source": "assumed: a benchmark"}

    out: dict[str, Any] = {"in": "tumour", "signal": signal, "lowers": term, "to": number(0.999, "1"), "half": number(half, unit), "hill": number(hill, "1"),
           "evidence": "hypothetical", "source": "a benchmark"}  # fmt: skip
    return out if lag_h is None else {**out, "lag_h": number(lag_h, "h")}


def rules(case: str, n: int = N_CELLS) -> list[dict[str, Any]]:
    """Cost per rule, cell and evaluation by kind of signal, and of ten and thirty rules in a tick of `whole-10k`."""
    return [*by_kind(case, n), *in_a_tick(case, n)]


def by_kind(case: str, n: int) -> list[dict[str, Any]]:
    """Least wall time of 100 evaluations of one rule alone, its signal read anew in each: a call takes microseconds."""
    from tme.model import TumourModel
    from tme.rules.evaluation import Program

    ids = {kind: f"r{k}" for k, kind in enumerate(KINDS)}
    entries = {f"rules.{ids[kind]}": entry(*heard, "division.rate", 3.0 if "memory" in kind else None) for kind, heard in KINDS.items()}
    model = TumourModel(config_of(n).with_values(entries), arm="growth")
    law = model.mechanism("rules")
    program = next(p for p in law.programs if p.term.name == "division.rate")
    groups, rows = {g.name: g for g in program.groups}, []
    for kind, name in ids.items():
        alone = [(Program("tumour", program.term, (groups[name],)), [6.0])]
        times = []
        for _ in range(100):
            model.tick += 1  # neighbours are counted once a tick
            start = time.perf_counter_ns()
            law.evaluate(model, alone)
            times.append(time.perf_counter_ns() - start)
        rows.append(row(case, f"one evaluation, {kind}", min(times) / model.tumour.n, "ns/cell", model.tumour.n))
    return rows


def in_a_tick(case: str, n: int) -> list[dict[str, Any]]:
    """Ten and thirty rules beside none: seconds per tick over those without, the median over hours run by turns; and of that the rules' own entry.

    Thirty act on six terms, of which the chemistry reads two.
    """
    from tme.model import TumourModel

    config = config_of(n)
    sets: dict[str, dict[str, Any]] = {"none": {}, "ten rules": _set(10, TEN_ON), "thirty rules": _set(30, THIRTY_ON)}
    models = {name: TumourModel(config.with_values(entries), arm="combination") for name, entries in sets.items()}
    for model in models.values():
        for _ in range(WARM_TICKS):
            model.step()
    ticks: dict[str, list[float]] = {name: [] for name in models}
    spent: dict[str, list[float]] = {name: [] for name in models}
    for _ in range(HOURS):
        for name, model in models.items():
            before, start = model.plan.seconds["rules"], time.perf_counter()
            for _ in range(round(60 / model.dt_min)):
                model.step()
            ticks[name].append(time.perf_counter() - start)
            spent[name].append(model.plan.seconds["rules"] - before)
    rows = []
    for name in ("ten rules", "thirty rules"):
        extra = [(own - none) / tick for own, none, tick in zip(spent[name], spent["none"], ticks["none"])]
        over = [tick / none for tick, none in zip(ticks[name], ticks["none"])]
        cells = models[name].tumour.n
        rows += [row(case, f"{name}, share of a tick", statistics.median(extra), "1", cells), row(case, f"{name}, tick over one without", statistics.median(over), "1", cells)]
    return rows


def _set(count: int, terms: tuple[str, ...]) -> dict[str, Any]:
    """`count` rules that hear the signals of `HEARD` in turn and act on `terms` in turn."""
    pairs = [(heard, terms[(k + k // len(HEARD)) % len(terms)]) for k, heard in zip(range(count), HEARD * (1 + count // len(HEARD)))]
    return {f"rules.r{k:02d}": entry(*heard, term) for k, (heard, term) in enumerate(pairs)}
