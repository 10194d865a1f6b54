"""Entries of a plan declare what they read and write, by real names, and touch nothing else.

Hazards are raised so that within an hour cells divide, die in every way, enter and leave.
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
from state_access import Step, changed, state, visit
from support import bath, tissue

from tme.core.mechanism import Mechanism, Phase
from tme.model import TumourModel, load_config

CONFIGS = Path(__file__).parents[2] / "configs"
SMALL = ("domain.size_um=[520, 520]", "initial.n_cells=200", "start_day=0", "branch_at_day=null", "domain.at_edge=continue")
BUSY = {
    "mechanisms": {
        "death": {"k_apo": 2e-3, "k_nec": 0.1, "o2_necrosis": 30},
        "division": {"k_div": 5e-3},
        "damp": {"tau_clear_min": 60},
        "ferroptosis": {"d_leth": 1},
        "killing": {"k_hit": 0.2, "n_hits": 1},
        "priming": {"k_mature": 0.1, "residence_min": 10, "travel_min": 10, "expansion_min": 0},
        "cd8_turnover": {"life_d": 0.5, "k_expand": 1e-2, "other_life_d": 0.5, "et_cap": 0.5},
        "recruitment": {"k_cd8": 0.05, "k_treg": 0.02, "k_mac": 0.02, "k_dc": 0.02, "basal": 1},
        "suppression": {"damp_rate": 0.01},
        "vessels": {"per_mm2": 150, "core_factor": 1},
    }
}
OVERRIDES = tuple(f"mechanisms.{group}.{name}={value}" for group, values in BUSY["mechanisms"].items() for name, value in values.items())


def shipped(name, arm, *changes):
    """A shipped experiment, small and busy."""
    return TumourModel(load_config(CONFIGS / f"{name}.yaml", overrides=(*changes, *OVERRIDES)), seed=20, arm=arm)


def blocked(antibody):
    """A tissue in which one antibody and a drug are at work."""
    return tissue("a", arms={"a": {"antibodies": [{"name": antibody, "dose_mg_kg": 10, "day": 0}], **bath("rsl3", 5.0)}}, **BUSY)


OTHER_TYPES = ("populations.mdsc={}", "populations.nk={}", "populations.cd4={}", "populations.neutrophil={per_mm2: 300}", "populations.caf={}",
               "populations.normal={}")  # fmt: skip
MODELS = {
    "other cell types": lambda: shipped("four_arms", "combination", *SMALL, *OTHER_TYPES),
    "combination": lambda: shipped("four_arms", "combination", *SMALL, "populations.cd8.per_mm2=400"),
    "iron particles": lambda: shipped("iron_np", "injected", *SMALL),
    "iron from blood": lambda: shipped("iron_np", "hypoxia_gated", *SMALL),
    "wave": lambda: TumourModel(load_config(CONFIGS / "wave.yaml", overrides=("domain.size_um=[400, 400]",)), seed=20, arm="erastin"),
    "ball": lambda: shipped("spheroid_3d", "rsl3", "domain.size_um=[240, 240, 240]", "initial.n_cells=300", "domain.at_edge=continue"),
    "anti-PD-L1": lambda: blocked("anti_pdl1"),
    "anti-PD-1": lambda: blocked("anti_pd1"),
    "anti-CTLA-4": lambda: blocked("anti_ctla4"),
    "every pathway": lambda: tissue("a", arms={"a": bath("elesclomol", 1.0)}, mechanisms={
        **BUSY["mechanisms"], "cuproptosis": {"on": True}, "ferroptosis_cd8": {"on": True, "d_leth": 1}}),
    "normal tissue": lambda: tissue("a", arms={"a": bath("rsl3", 5.0)}, populations__normal={"share": 0.3}, mechanisms={
        **BUSY["mechanisms"], "ferroptosis_normal": {"on": True, "d_leth": 1}}),
    "antibodies on axes and soluble factors": lambda: tissue("a", arms={"a": {"antibodies": [
        {"name": n, "dose_mg_kg": 10, "day": 0} for n in ("anti_lag3", "anti_tim3", "anti_tigit", "anti_tgfb", "anti_ifng")]}},
        receptors={"lag3": True, "tim3": True, "tigit": True}, **BUSY),
    "events": lambda: tissue("a", arms={"a": {"events": [{"name": "radiation", "dose_gy": 4, "day": 0}, {"name": "kill_share", "share": 0.1, "day": 0.04},
        {"name": "cell_transfer", "cells": "cd8", "count": 50, "day": 0.04}]}}, **BUSY),
    "rules with memory and at vessels": lambda: tissue(
        rules=dict.fromkeys(("M31", "M35", "M43", "M49", "M111.entry", "M111.speed", "M53.hif1", "M97.acsl4", "M103.lactate"), "on"), **BUSY),
    "every target": lambda: tissue("a", arms={"a": bath("erastin", 5.0, "bso", 50.0, "deferoxamine", 10.0, "ferric_ammonium_citrate", 50.0,
                                                        "cysteinase", 0.1, "ferrostatin_1", 0.1, "ifsp1", 1.0, "si_pdl1", 0.1)}, **BUSY),
}  # fmt: skip


@pytest.mark.parametrize("name", MODELS)
def test_an_entry_touches_only_what_it_declares(name):
    writes, reads, acted = defaultdict(set), defaultdict(set), set()

    def look(model, step):
        entry = step.entry.name
        acted.add(entry)
        writes[entry] |= step.undeclared_writes()
        if not reads[entry]:  # to find out which it is takes long, and once is enough
            reads[entry] = step.undeclared_reads()

    model = MODELS[name]()
    visit(model, range(1, 2), look)
    visit(model, range(59, 61), look)
    if name == "every target":
        visit(model, range(360, 361), look)  # the clock of the vessels, the longest
        assert {e.name for e in model.plan.entries} <= acted
    assert not {k: sorted(v) for k, v in writes.items() if v}
    assert not {k: sorted(v) for k, v in reads.items() if v}
    assert {e.name for e in model.plan.entries if e.every <= 60} <= acted


@pytest.mark.parametrize("name", MODELS)
def test_what_is_declared_has_a_real_name(name):
    model = MODELS[name]()
    names, optional = set(state(model)), ("counters.", "receptors.depletion.", "events.")
    unknown = {f"{e.name}: {n}" for e in model.plan.entries for n in (*e.reads, *e.writes, *e.adds) if n not in names and not n.startswith(optional)}
    assert not unknown


class Peeping(Mechanism):
    """Writes one column from another and declares neither, or both."""

    name = "peeping"
    phase = Phase.SENSE

    def step(self, model):
        t = model.tumour.col
        t.mufa[: model.tumour.n] = t.gsh[: model.tumour.n]
        model.fields["atp"].use("source")[3] += 1.0
        model.counters["peeped"] += 1


def test_what_is_not_declared_is_found():
    model = tissue()
    entry = Peeping(model)
    step = Step(model, entry)
    assert step.undeclared_writes() == {"tumour.mufa", "field.atp.source", "counters.peeped"}
    entry.writes, entry.adds = ("tumour.mufa",), ("field.atp.source", "counters.peeped")
    assert Step(model, entry).undeclared_writes() == set()
    assert Step(model, entry).undeclared_reads() == {"tumour.gsh"}
    entry.reads = ("tumour.gsh",)
    assert Step(model, entry).undeclared_reads() == set()


def test_a_step_can_be_taken_twice_from_the_same_state():
    model = shipped("four_arms", "combination", *SMALL)
    differing = {}

    def look(model, step):
        first, second = step.take()[1], step.take()[1]
        if changed(first, second):
            differing[step.entry.name] = changed(first, second)

    visit(model, range(30, 32), look)
    assert not differing


def test_looking_changes_nothing():
    seen, plain = (shipped("four_arms", "combination", *SMALL) for _ in range(2))
    visit(seen, range(28, 31), lambda model, step: step.undeclared_reads())
    for _ in range(30):
        plain.step()
    a, b = seen.state_dict(), plain.state_dict()
    assert [k for k in a if k != "meta/scalars" and not np.array_equal(a[k], b[k], equal_nan=a[k].dtype.kind == "f")] == []
