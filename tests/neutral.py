"""Take one mechanism out of the model, so that the test that shows its sign must fail: `pytest --neutral M35`.

Whatever a config says, under `neutralised("M35")`
    rules of the id              act by a factor of 1, or add nothing
    entries that carry it        drugs without hits, antibodies that do not bind, particles without payload, events that are not given,
                                 axes without effect, tumours with the traits of the reference, cell types that do nothing
    numbers of mechanisms.yaml   have the value at which the mechanism does nothing, and so have traits
    laws that name it            are off, where none of the above takes it out or they stand for it alone

`python tests/neutral.py M35 M36` runs the tests of some ids with each of them neutral and prints, as JSON, which of them failed.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, redirect_stdout
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pytest

HERE = Path(__file__).parent
SPECIAL = ("traits", "terms", "arms", "resists")  # first words of neutral numbers that are no group of parameters
VANISHING, NEVER, SMALLEST = 1e-12, 1e12, 5e-324


# ---- entries ---------------------------------------------------------------------------------------------------------------
def scaled(raw: dict[str, Any], **values: float) -> dict[str, Any]:
    """A raw entry with the value of some numbers replaced, without their ranges."""
    numbers = {k: {**{w: x for w, x in raw[k].items() if w != "range"}, "value": v} for k, v in values.items() if k in raw}
    return {**raw, **numbers}


def drug(entry: Any, raw: dict) -> tuple[Any, dict]:
    """It hits nothing."""
    return entry.model_copy(update={"hits": ()}), {**raw, "hits": []}


def antibody(entry: Any, raw: dict) -> tuple[Any, dict]:
    """It does not bind."""
    changed = {"kd_nM": NEVER, "k_on_per_nM_min": VANISHING, "depletion": 0.0}
    return entry.model_copy(update=changed), scaled(raw, **changed)


def nanoparticle(entry: Any, raw: dict) -> tuple[Any, dict]:
    """It carries nothing and its coat covers nothing."""
    iron = [p for p in entry.payloads if p.iron][:1]  # one of nothing is as good as several
    kept = [p.model_copy(update={"loading": 0.0}) for p in entry.payloads if not p.iron or p in iron]
    update: dict[str, Any] = {"payloads": tuple(kept)}
    raw = {**raw, "payloads": [scaled(p, loading=SMALLEST) for p in raw["payloads"]]}
    if entry.coat is not None:
        update["coat"], raw["coat"] = entry.coat.model_copy(update={"kd_uM": NEVER}), scaled(raw["coat"], kd_uM=NEVER)
    return entry.model_copy(update=update), raw


def tumour(entry: Any, raw: dict) -> tuple[Any, dict]:
    """Its cells and its numbers are the reference's, and it carries no alteration; so with an alteration itself."""
    update: dict[str, Any] = {k: type(getattr(entry, k))() for k in ("clones", "parameters", "alterations", "effects", "rules") if hasattr(entry, k)}
    raw = {k: v for k, v in raw.items() if k not in update}
    for key in ("traits", "feels"):  # factors on the reference, but the level of MUFA
        numbers = getattr(entry, key, {})
        if numbers:
            plain = {name: 0.0 if name == "mufa" else 1.0 for name in numbers}
            update[key] = {name: number.model_copy(update={"value": plain[name]}) for name, number in numbers.items()}
            raw[key] = scaled(raw[key], **plain)
    return entry.model_copy(update=update), raw


def cell(entry: Any, raw: dict) -> tuple[Any, dict]:
    """Its cells are there and do nothing."""
    update: dict[str, Any] = {"secretes": (), "presents": False, "phagocytoses": None}
    if entry.kills is not None:
        update["kills"] = entry.kills.model_copy(update={"attach": 0.0})
        raw = {**raw, "kills": scaled(raw["kills"], attach=0.0) if isinstance(raw["kills"].get("attach"), dict) else raw["kills"]}
    return entry.model_copy(update=update), {k: v for k, v in raw.items() if k not in ("secretes", "presents", "phagocytoses")}


NEUTRAL: dict[str, Callable[[Any, dict], tuple[Any, dict]]] = {
    "drugs": drug, "antibodies": antibody, "nanoparticles": nanoparticle, "tumours": tumour, "alterations": tumour, "cells": cell,
}  # fmt: skip


def rule(entry: Any) -> Any:
    """A rule that multiplies by 1, or adds nothing."""
    if entry.combine == "cbhg":
        return entry.model_copy(update={"to": entry.base})
    return entry.model_copy(update={"to": 1.0} if entry.adds_to is None else {"to": 0.0, "slope": None if entry.slope is None else 0.0})


# ---- one mechanism -----------------------------------------------------------------------------------------------------------
def places_of(mid: str) -> list[tuple[str, str]]:
    """(kind, name) of the entries that carry an id."""
    from tme.library import load_library
    from tme.library.mechanisms import carriers

    return [(kind, name) for m, kind, name, _ in carriers(load_library()) if m == mid]


def laws_off(mid: str) -> set[str]:
    """The laws that are off, with their columns and counters: those of an id that has neither numbers nor entries, and
    beside entries those that stand for this id alone (but for pathways, whose columns rules need)."""
    from tme.library.mechanisms import load_mechanisms
    from tme.model.registry import PLAN

    if load_mechanisms()[mid].neutral:
        return set()
    laws = [cls for cls in PLAN if mid in cls.ids and cls.switchable]
    return {cls.name for cls in laws if not places_of(mid) or (cls.ids == (mid,) and not hasattr(cls, "pathway") and not hasattr(cls, "of"))}


@contextmanager
def neutralised(mid: str) -> Iterator[None]:
    """The model without one mechanism. ValueError if nothing takes it out."""
    from tme.library import load_library
    from tme.library.mechanisms import load_mechanisms

    library, row, places, laws = load_library(), load_mechanisms()[mid], places_of(mid), laws_off(mid)
    with ExitStack() as stack:
        for kind, name in places:
            if kind in NEUTRAL:
                entry, raw = NEUTRAL[kind](library.entries[kind][name], library.raw[kind][name])
                stack.enter_context(mock.patch.dict(library.entries[kind], {name: entry}))
                stack.enter_context(mock.patch.dict(library.raw[kind], {name: raw}))
        numbers = {first: {k.partition(".")[2]: v for k, v in row.neutral.items() if k.partition(".")[0] == first} for first in SPECIAL}
        without_rules(stack, mid)
        with_arms(stack, {name for kind, name in places if kind == "events"}, numbers["arms"])
        without_effects(stack, {name for kind, name in places if kind == "receptors"})
        with_numbers(stack, {k: v for k, v in row.neutral.items() if k.partition(".")[0] not in SPECIAL})
        with_columns(stack, numbers["traits"], numbers["terms"])
        without_resistance(stack, set(numbers["resists"]))
        if not places and not row.neutral and not laws:
            raise ValueError(f"nothing takes {mid} out: expected entries, numbers in mechanisms.yaml, or a law with a switch")
        without_laws(stack, laws)
        yield


def without_rules(stack: ExitStack, mid: str) -> None:
    """Rules of the id are there, with their columns, and change nothing."""
    from tme.rules import resolve

    chosen = resolve.chosen
    stack.enter_context(
        mock.patch.object(resolve, "chosen", lambda config: {n: rule(e) if n.split(".")[0] == mid else e for n, e in chosen(config).items()})
    )


def with_arms(stack: ExitStack, events: set[str], doses: dict[str, float]) -> None:
    """Events of these names are not given in any arm; what is given is given with these `doses`, as `day: 0`."""
    from tme.config.schema import Config

    therapy_of = Config.therapy_of

    def without(self: Any, arm: str) -> Any:
        given = therapy_of(self, arm)
        update = {"events": [e for e in given.events if e.name not in events]}
        for kind in ("drugs", "antibodies", "nanoparticles", "events"):
            same = {k: [v] if k == "day" else v for k, v in doses.items()}
            update[kind] = type(getattr(given, kind))(item.model_copy(update=same) for item in update.get(kind, getattr(given, kind)))
        return given.model_copy(update=update)

    if events or doses:
        stack.enter_context(mock.patch.object(Config, "therapy_of", without))


def without_effects(stack: ExitStack, names: set[str]) -> None:
    """Axes of these names have no effect on the terms that they act on."""
    from tme.config.schema import Config

    axes = Config.axes

    def idle(entry: Any) -> Any:
        return entry.model_copy(update={"effects": {k: e.model_copy(update={"without": 1.0, "to": 1.0}) for k, e in entry.effects.items()}})

    if names:
        stack.enter_context(mock.patch.object(Config, "axes", lambda self: {n: idle(e) if n in names else e for n, e in axes(self).items()}))


def with_numbers(stack: ExitStack, numbers: dict[str, float]) -> None:
    """Parameters "group.name" that have these values wherever they are built."""
    from tme.core.parameters import ParameterSet

    build = ParameterSet.build

    def built(self: Any, overrides: Any = None) -> Any:
        mine = {k.partition(".")[2]: float(v) for k, v in numbers.items() if k.partition(".")[0] == self.group}
        return build(self, overrides)._replace(**mine)

    if numbers:
        stack.enter_context(mock.patch.object(ParameterSet, "build", built))


def with_columns(stack: ExitStack, traits: dict[str, float], terms: dict[str, float]) -> None:
    """Traits and terms that the chemistry sees at these values, whatever a cell has."""
    from tme.pathways import stepping

    if not traits and not terms:
        return
    advance, settle = stepping.advance, stepping.settle

    def seen(pathway: Any, columns: Iterable[np.ndarray]) -> list[np.ndarray]:
        values = [traits.get(n) for n in pathway.column_names] + [terms.get(t.name) for t in pathway.terms]
        return [c if v is None else np.full_like(c, v) for c, v in zip(columns, values)]

    def advanced(pathway: Any, rows: Any, n_rows: int, *rest: Any, modulated: bool = False) -> None:
        advance(pathway, rows, n_rows, *rest[:5], *seen(pathway, rest[5:]), modulated=modulated)

    def settled(pathway: Any, n: int, p: Any, state: Any, *columns: Any, modulated: bool = False) -> None:
        settle(pathway, n, p, state, *seen(pathway, columns), modulated=modulated)

    stack.enter_context(mock.patch.object(stepping, "advance", advanced))
    stack.enter_context(mock.patch.object(stepping, "settle", settled))


def without_resistance(stack: ExitStack, families: set[str]) -> None:
    """Clones resist drugs as if their `resists` did not name these families, or `efflux`."""
    from tme.library.agents import DrugEntry

    if families:
        resisted = DrugEntry.resisted
        kept = lambda self, resists: resisted(self, {k: v for k, v in resists.items() if k not in families})  # noqa: E731
        stack.enter_context(mock.patch.object(DrugEntry, "resisted", kept))


def without_laws(stack: ExitStack, names: set[str]) -> None:
    """Laws of these names are off."""
    from tme.config.schema import Config
    from tme.pathways.entries import PathwayEntry

    if not names:
        return
    off, is_on = Config.switched_off, PathwayEntry.is_on.__func__  # type: ignore[attr-defined]
    stack.enter_context(mock.patch.object(Config, "switched_off", lambda self: off(self) | names))
    stack.enter_context(mock.patch.object(PathwayEntry, "is_on", classmethod(lambda cls, config: cls.name not in names and is_on(cls, config))))


# ---- tests of some ids ---------------------------------------------------------------------------------------------------------
class Outcomes:
    """Which tests failed, and by what; stops at the first where `first` is set."""

    def __init__(self, first: bool) -> None:
        self.first = first
        self.failed: dict[str, str] = {}
        self.passed: dict[str, list[str]] = {}  # with the ids that each is marked with

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[Any]) -> None:
        """Of the drugs and particles the cases of one row alone, where there are any: others run under every row they are marked with."""
        if not self.first:
            alone = [i for i in items if len({m for mark in i.iter_markers("mechanism") for m in mark.args if m[0] in "DN"}) == 1]
            items[:] = alone or items

    def pytest_runtest_makereport(self, item: Any, call: Any) -> None:
        if call.excinfo is not None and call.when != "teardown":
            self.failed[item.nodeid] = f"{call.excinfo.typename}{'' if call.when == 'call' else ' in setup'}"
            if self.first and call.when == "call":
                item.session.shouldstop = "one has failed"
        elif call.when == "call":
            self.passed[item.nodeid] = [mid for mark in item.iter_markers("mechanism") for mid in mark.args]

    def pytest_collectreport(self, report: Any) -> None:
        if report.failed:
            self.failed[report.nodeid] = "in collection"


def outcomes(mid: str, first: bool) -> dict[str, Any]:
    """Failed (by exception) and passed tests of an id with it neutral; `first`: no further than the first that fails."""
    from tme.model.mechanisms import tests_by_id

    plugin = Outcomes(first)
    arguments = ["-n", "0", "-q", "-m", "", "-p", "no:cacheprovider", "--tb=no", "--no-header", "--neutral", mid]
    os.chdir(HERE.parent)
    with open(os.devnull, "w") as nothing, redirect_stdout(nothing):
        pytest.main([*arguments, *tests_by_id()[mid]], plugins=[plugin])
    for name, module in list(sys.modules.items()):  # what they built with this mechanism neutral goes with them
        if name != "__main__" and str(getattr(module, "__file__", None) or "").startswith(str(HERE)):
            del sys.modules[name]
    return {"failed": plugin.failed, "passed": plugin.passed, "absent": sorted(laws_off(mid))}


def main(ids: list[str]) -> None:
    """One line of JSON for every id."""
    for given in ids:
        print("NEUTRAL " + json.dumps({"id": given, **outcomes(given, first=given.startswith("M"))}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
