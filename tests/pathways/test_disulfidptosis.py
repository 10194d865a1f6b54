"""Glucose, NADPH and disulfide bonds: death times against LSODA, who dies without glucose, and what NADPH does to ferroptosis."""

from __future__ import annotations

import math

import numba
import numpy as np
import pytest
from dishes import Cells
from scipy.integrate import solve_ivp
from support import CELLS, alive, bath, dish, hours, mean

import tme
from tme.pathways.disulfidptosis import PATHWAY


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    before = numba.get_num_threads()
    numba.set_num_threads(1)
    yield
    numba.set_num_threads(before)


def exact_death(glucose, xct, e_xct=0.0, hours=48):
    """Minutes to death by LSODA, the two equations written out; nan for a cell alive at the end."""
    j = xct / (1 + e_xct)

    def derivative(_t, y):
        n, x = y
        made = 0.3 * glucose / (1.0 + glucose)
        return [made * (1 - n) - (0.01 + 0.02 * j) * n, 1.5e-3 * (1.3 * j * (1 - n) ** 2 - x)]

    end = lambda _t, y: y[1] - 1.0  # noqa: E731
    end.terminal = True
    s = solve_ivp(derivative, (0, hours * 60), [0.89, 0.0], method="LSODA", events=end, rtol=1e-8, atol=1e-10)
    return s.t_events[0][0] if len(s.t_events[0]) else math.nan


@pytest.mark.parametrize(("glucose", "xct", "e_xct", "hours"), [
    (5.0, 3.0, 0.0, math.nan), (0.1, 1.0, 0.0, math.nan), (0.1, 3.0, 0.0, 7.8), (0.0, 1.0, 0.0, 16.9), (0.0, 3.0, 5.0, math.nan), (0.02, 2.0, 0.0, 7.6),
])  # fmt: skip
def test_death_times_stay_within_two_minutes_of_lsoda(glucose, xct, e_xct, hours):
    ours = Cells(PATHWAY, glucose_outside=glucose, xct=xct, e_xct=e_xct).run(48).death[0]
    exact = exact_death(glucose, xct, e_xct)
    assert math.isnan(exact) == math.isnan(ours) == math.isnan(hours)
    if not math.isnan(hours):
        assert exact / 60 == pytest.approx(hours, abs=0.3)
        assert ours == pytest.approx(exact, abs=2.0)


@pytest.mark.parametrize(("change", "column", "sign"), [
    ({"glucose_outside": 0.3}, "nadph", -1),
    ({"xct": 3.0}, "nadph", -1),
    ({"nrf2": 3.0}, "disulfides", +1),
    ({"cystine": 200.0}, "disulfides", +1),
    ({"ifng_response": 1.0}, "disulfides", -1),
    ({"e_xct": 5.0}, "disulfides", -1),
    ({"terms": {"pentose_pathway": 0.3}}, "nadph", -1),
    ({"terms": {"cystine_uptake": 3.0}}, "disulfides", +1),
])  # fmt: skip
@pytest.mark.mechanism("M105")
def test_each_part_moves_its_pool_the_stated_way(change, column, sign):
    def after(change):
        return Cells(PATHWAY, **change).run(4).col[column][0]

    assert np.sign(after(change) / after({}) - 1.0) == sign


def test_a_cell_with_bonds_is_stepped_at_every_tick():
    cells = Cells(PATHWAY, 2)
    cells.col["disulfides"][1] = 0.5
    cells.run(5 / 60)
    assert cells.clock.tolist() == [0, 5]


# ---- in the tissue -----------------------------------------------------------------------------------------------------
def starved(glucose=0.05, xct=3.0, arm=None, **changes):
    """A dish of cells with much SLC7A11 in little glucose."""
    changes = {"mechanisms__disulfidptosis": {"on": True}, "fields__glucose": {"initial": glucose, "held": True}, "tumour__traits": {"xct": xct}, **changes}
    return dish("x", arms={"x": arm or {}}, **changes)


@pytest.mark.mechanism("M105")
def test_without_glucose_cells_with_much_slc7a11_die_by_disulfidptosis():
    model = hours(starved(), 12)
    assert model.counters["dead_disulfidptosis"] == CELLS == model.observe()["dead_disulfidptosis"]
    assert set(model.cells_table()["fate"]) == {"disulfidptosis"} and (model.tumour.state == 6).all()
    for other in (starved(glucose=5.0), starved(xct=0.5), starved(arm=bath("erastin", 1.0)), starved(mechanisms__disulfidptosis={"on": False})):
        assert alive(hours(other, 12)) == CELLS


@pytest.mark.mechanism("M105")
def test_without_nadph_cells_lose_fsp1_and_recycle_no_gssg():
    def treated(**rules):
        lasting = {"mechanisms__disulfidptosis": {"on": True, "x_max": 0.1}, "mechanisms__ferroptosis": {"d_leth": 5000}}
        return hours(starved(0.02, 1.0, bath("rsl3", 0.05), rules=rules, **lasting), 8)

    both, fsp1, gsr, none = (treated(**{"M105.gsr": a, "M105.fsp1": b}) for a, b in (("on", "on"), ("off", "on"), ("on", "off"), ("off", "off")))
    assert mean(both, "nadph") < 0.3
    assert mean(fsp1, "coq10h2") < 0.7 * mean(none, "coq10h2") and mean(fsp1, "plooh") > 1.2 * mean(none, "plooh")
    assert mean(gsr, "term_ferroptosis_gssg_recycling") < 0.5 and mean(gsr, "gsh") < mean(none, "gsh")
    assert mean(both, "plooh") > mean(none, "plooh")


def test_in_plasmas_glucose_nothing_changes():
    on, off = (hours(starved(5.0, 1.0, mechanisms__disulfidptosis={"on": x}), 6) for x in (True, False))
    assert mean(on, "disulfides") < 0.05 and mean(on, "plooh") == pytest.approx(mean(off, "plooh"), rel=0.02)
    assert not {"nadph", "disulfides"} & set(off.tumour.declared) and "dead_disulfidptosis" not in off.observe()


def test_a_checkpoint_goes_on_with_the_same_bits():
    whole, half = hours(starved(), 6), hours(starved(), 3)
    half = hours(tme.TumourModel.from_state(half.config, half.state_dict(), arm="x", seed=1), 3)
    assert {k: v.tobytes() for k, v in whole.state_dict().items()} == {k: v.tobytes() for k, v in half.state_dict().items()}
