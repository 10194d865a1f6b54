"""CD8 T cells that run the ferroptosis pathway with their own numbers: off by default, and lost when they rupture."""

from __future__ import annotations

import numpy as np
import pytest
from support import hours, tissue

from tme.library import load_library
from tme.pathways import runs
from tme.pathways.ferroptosis import PATHWAY

CELLS = load_library().cells
PRESET = CELLS["cd8"].pathways["ferroptosis"].preset
ON = {"mechanisms__ferroptosis_cd8": {"on": True}}
STILL = {"mechanisms__cd8_turnover": {"life_d": 100, "off_tumour": 1, "k_expand": 0}, "mechanisms__killing": {"k_hit": 0}}


def preset(**numbers):
    """Other numbers of the pathway in CD8."""
    return {"entries__cells__cd8__pathways__ferroptosis__preset": numbers}


def cd8_after(n, **changes):
    return hours(tissue(**STILL, **changes), n)


@pytest.fixture(scope="module")
def resting():
    return cd8_after(3, **ON)


def test_off_by_default_and_without_columns():
    model = tissue()
    assert not {"gsh", "plooh", "chem_tick"} & set(model.cd8.declared)
    assert not [m.name for m in model.plan.entries if m.name.endswith("_cd8")]


def test_healthy_cells_live_and_are_stepped_to_the_present(resting):
    assert resting.counters["dead_ferroptosis_cd8"] == 0
    assert resting.cd8.n > 20
    assert (resting.tick - resting.cd8.chem_tick < 6).all()
    assert (resting.cd8.plooh < 1.0).all() and (resting.cd8.gsh > 100.0).all()


def test_they_have_their_own_numbers(resting):
    assert (resting.cd8.fsp1 == PRESET["fsp1"].value).all() and not (resting.tumour.fsp1 == PRESET["fsp1"].value).all()
    assert resting.mechanism("ferroptosis_cd8").p.f_x == 0.0 and resting.mechanism("ferroptosis").p.f_x == 0.7
    other = tissue(**ON, **preset(fsp1=3.0))
    assert (other.cd8.fsp1 == 3.0).all()


@pytest.mark.mechanism("M90")
def test_cd8_without_defence_ferroptose_are_removed_and_counted():
    lost = cd8_after(6, **ON, **preset(gpx4_trait=0.0, fsp1=0.0, d_leth=5.0))
    kept = cd8_after(6)
    assert lost.counters["dead_ferroptosis_cd8"] > 0.5 * kept.cd8.n
    assert lost.cd8.n < 0.5 * kept.cd8.n
    assert lost.counters["lost_cd8"] >= lost.counters["dead_ferroptosis_cd8"]


@pytest.mark.mechanism("M90")
def test_lipid_of_the_tumour_feeds_their_peroxidation(resting):
    """Rule M90.cd36: tumour cells around raise the supply of PUFA."""
    without = cd8_after(3, **ON, rules={"M90.cd36": "off"})
    near = resting.cd8.term("ferroptosis.lipid_supply")[: resting.cd8.n] > 1.5
    assert near.any() and not without.cd8.term("ferroptosis.lipid_supply").size
    assert resting.cd8.pufa[near].mean() > 1.1 * without.cd8.pufa.mean()


def test_arrivals_begin_at_their_arrival_at_rest():
    model = tissue(**ON)
    model.tick = 1000
    new = model.cd8.add(np.array([10**9], np.uint64), np.array([5], np.int32), model.tick)
    rest = next(r for r in runs(CELLS) if r.name == "ferroptosis_cd8").start_of({})
    assert model.cd8.gsh[new][0] == rest["gsh"] and rest["gsh"] != next(s.start for s in PATHWAY.states if s.name == "gsh")
    model.mechanism("ferroptosis_cd8").sense(model, model.cd8)
    assert model.cd8.chem_tick[new][0] == 1000


def test_the_tumour_is_the_same_while_no_cd8_dies():
    """What CD8 do inside themselves touches nothing else."""
    on, off = cd8_after(2, **ON), cd8_after(2)
    assert on.counters["dead_ferroptosis_cd8"] == 0
    for name in PATHWAY.state_names:
        assert np.array_equal(getattr(on.tumour, name), getattr(off.tumour, name)), name
