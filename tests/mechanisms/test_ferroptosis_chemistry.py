"""Which cells die of ferroptosis and when, against LSODA; and the sign of each row of the chemistry."""

from __future__ import annotations

import math

import numba
import numpy as np
import pytest
from ferroptosis_dish import (
    INPUTS,
    STATES,
    TRAITS,
    Dish,
    bso,
    dfo,
    erastin,
    exact_death,
    fer1,
    ifsp1,
    rsl3,
    untreated,
)

from tme.kernels.chemistry import dying
from tme.pathways import ferroptosis


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """A handful of cells is not worth waking a second thread."""
    before = numba.get_num_threads()
    numba.set_num_threads(1)
    yield
    numba.set_num_threads(before)


LETHAL = {
    "RSL3 1": ({}, rsl3(1.0), 3.0),
    "RSL3 0.1": ({}, rsl3(0.1), 9.9),
    "erastin 10": ({}, erastin(10), 15.4),
    "erastin 2": ({}, erastin(2), 23.0),
    "cystine 0": ({}, {"cystine": 0.0}, 15.0),
    "iron 0.3": ({}, {"j_fe": 0.3}, 25.2),
    "iron 1": ({}, {"j_fe": 1.0}, 0.5),
    "RSL3 0.02 + iFSP1 10": ({}, rsl3(0.02) | ifsp1(10), 39.3),
    "RSL3 0.02 + BSO 100": ({}, rsl3(0.02) | bso(100), 17.5),
    "IFN 10 + AA 35": ({}, {"ifng": 10.0, "aa": 35.0}, 18.6),
    "IFN 10 at cystine 5": ({}, {"ifng": 10.0, "cystine": 5.0}, 24.9),
    "ACSL4 high, AA 35": ({"acsl4": 1.5}, {"aa": 35.0}, 17.2),
    "FSP1 x8, RSL3 + iFSP1": ({"fsp1": 8.0}, rsl3(1.0) | ifsp1(10), 2.7),
    "MUFA 1.5, RSL3 + iFSP1": ({"mufa": 1.5}, rsl3(1.0) | ifsp1(10), 8.0),
    "NRF2 x3, RSL3": ({"nrf2": 3.0}, rsl3(1.0), 10.9),
    "NRF2 x3, RSL3 + iFSP1": ({"nrf2": 3.0}, rsl3(1.0) | ifsp1(10), 3.1),
    "GPX4 x2, RSL3": ({"gpx4_trait": 2.0}, rsl3(1.0), 3.2),
    "GPX4 x2, erastin": ({"gpx4_trait": 2.0}, erastin(10), 19.5),
}
SURVIVED = {
    "untreated": ({}, {}),
    "RSL3 0.02": ({}, rsl3(0.02)),
    "erastin 1": ({}, erastin(1)),
    "BSO 100": ({}, bso(100)),
    "iFSP1 10": ({}, ifsp1(10)),
    "IFN 10": ({}, {"ifng": 10.0}),
    "AA 35": ({}, {"aa": 35.0}),
    "iron 0.2": ({}, {"j_fe": 0.2}),
    "RSL3 + Fer-1": ({}, rsl3(1.0) | fer1(1)),
    "RSL3 + DFO": ({}, rsl3(1.0) | dfo(100)),
    "erastin + Fer-1": ({}, erastin(10) | fer1(1)),
    "erastin + DFO": ({}, erastin(10) | dfo(100)),
    "cystine 0 + Fer-1": ({}, {"cystine": 0.0} | fer1(1)),
    "iron 1 + Fer-1": ({}, {"j_fe": 1.0} | fer1(1)),
    "iron 1 + DFO": ({}, {"j_fe": 1.0} | dfo(100)),
    "RSL3 at 1 mmHg": ({}, rsl3(1.0) | {"oxygen": 1.0}),
    "IFN + AA + Fer-1": ({}, {"ifng": 10.0, "aa": 35.0} | fer1(1)),
    "FSP1 x8, RSL3": ({"fsp1": 8.0}, rsl3(1.0)),
    "FSP1 x8, erastin": ({"fsp1": 8.0}, erastin(10)),
    "ACSL4 0.3, RSL3": ({"acsl4": 0.3}, rsl3(1.0)),
    "ACSL4 0.3, erastin": ({"acsl4": 0.3}, erastin(10)),
    "ACSL4 0.3, RSL3 + iFSP1": ({"acsl4": 0.3}, rsl3(1.0) | ifsp1(10)),
    "ACSL4 0.3, IFN + AA": ({"acsl4": 0.3}, {"ifng": 10.0, "aa": 35.0}),
    "MUFA 1.5, RSL3": ({"mufa": 1.5}, rsl3(1.0)),
    "MUFA 1.5, erastin": ({"mufa": 1.5}, erastin(10)),
    "NRF2 x3, erastin": ({"nrf2": 3.0}, erastin(10)),
}


@pytest.fixture(scope="module")
def fates():
    """Every cell of both tables in one dish for 72 h, at a base tick of 1 min and a resting clock of 6."""
    cases = {**{k: v[:2] for k, v in LETHAL.items()}, **SURVIVED}
    dish = Dish([c for c, _ in cases.values()], [e for _, e in cases.values()], settle_at=200.0).run(72)
    return dict(zip(cases, dish.death, strict=True))


# ---- death and survival ----------------------------------------------------------------------------------
@pytest.mark.parametrize("case", LETHAL)
def test_death_times_stay_within_two_minutes_of_lsoda(case, fates):
    cell, env, hours = LETHAL[case]
    exact = exact_death(cell, env, hours + 2)
    assert exact / 60 == pytest.approx(hours, abs=0.06)
    assert fates[case] == pytest.approx(exact, abs=2.0)


@pytest.mark.parametrize("case", SURVIVED)
def test_sublethal_rescued_and_resistant_cells_live_for_three_days(case, fates):
    assert math.isnan(fates[case])


def test_steady_state_is_that_of_lsoda():
    cells = [{}, {"nrf2": 3.0, "xct": 0.7}, {"fsp1": 8.0, "acsl4": 0.6}, {"tfr1": 1.5, "mufa": 0.5}]
    for cystine in (200.0, 40.0):
        dish = Dish(cells, [{}], settle_at=cystine)
        for i, cell in enumerate(cells):
            exact = untreated(tuple(sorted(cell.items())), cystine)
            ours = [dish.col[k][i] for k in STATES]
            np.testing.assert_allclose(ours[1:], exact[1:], rtol=3e-6)


def test_untreated_cell_has_the_published_pools():
    dish = Dish([{}], [{}])
    for name, value in {
        "cysteine": 188,
        "gsh": 2634,
        "lip": 1.0,
        "ferritin": 222,
        "pufa": 1997,
        "plooh": 0.025,
    }.items():
        assert dish.col[name][0] == pytest.approx(value, rel=0.01)


def test_erastin_drains_gsh_as_in_ht1080():
    doses, model = (0.0568, 0.1137, 0.2288, 0.4559), (0.92, 0.80, 0.59, 0.40)
    dish = Dish([{}] * 5, [{}, *(erastin(d) for d in doses)]).run(5)
    np.testing.assert_allclose(dish.col["gsh"][1:] / dish.col["gsh"][0], model, atol=0.006)


@pytest.mark.mechanism("M67")
@pytest.mark.mechanism("M68")
def test_ifng_lowers_gsh_and_raises_lipid_without_killing():
    dish = Dish([{}] * 2, [{}, {"ifng": 10.0}]).run(24)
    ratio = {k: v[1] / v[0] for k, v in dish.col.items() if k in STATES and v[0] > 0}
    assert ratio["gsh"] == pytest.approx(0.44, abs=0.01)
    assert ratio["pufa"] == pytest.approx(1.28, abs=0.01)
    assert ratio["plooh"] == pytest.approx(2.5, abs=0.1)
    assert np.isnan(dish.death).all()


@pytest.mark.parametrize(
    ("drug", "doses"), [(rsl3, np.geomspace(0.01, 3, 12)), (erastin, np.geomspace(0.3, 30, 12))]
)
def test_more_inducer_never_kills_later(drug, doses):
    death = Dish([{}] * 12, [drug(d) for d in doses]).run(36).death
    death[np.isnan(death)] = np.inf
    assert (np.diff(death[np.isfinite(death)]) <= 0).all()
    assert np.isinf(death[0]) and np.isfinite(death[-1])
    assert (np.diff(np.isfinite(death).astype(int)) >= 0).all()


def test_a_corpse_loses_its_lipid_and_its_peroxide():
    dish = Dish([{}], [rsl3(1.0)]).run(4)
    assert dish.state[0] == 1
    peak = 0.0
    for _ in range(240):
        dish.step()
        peak = max(peak, dish.col["plooh"][0])
    assert peak > 300.0
    assert dish.col["plooh"][0] < 20.0 and dish.col["pufa"][0] < 20.0


# ---- signs -----------------------------------------------------------------------------------------------
SIGNS = [  # id, what is changed (parameter, trait or input), column, sign of its change after 12 h
    ("M01", {"xct": 2.0}, "cysteine", +1),
    ("M01", {"cystine": 20.0}, "cysteine", -1),
    ("M03", bso(100), "gsh", -1),
    ("M05", {"v_gpx": 11.4}, "plooh", -1),
    ("M06", rsl3(0.1), "gpx4", -1),
    ("M14", {"h0": 3.0}, "plooh", +1),
    ("M14", {"h0": 3.0}, "damage", +1),
    ("M16", rsl3(0.1), "damage", +1),
    ("M17", {"fsp1": 8.0}, "coq10h2", +1),
    ("M17", ifsp1(10), "plooh", +1),
    ("M24", {"k_rep": 0.04}, "damage", -1),
    ("M25", fer1(1), "plooh", -1),
    ("M26", {"tfr1": 2.0}, "lip", +1),
    ("M27", {"k_sto": 0.2}, "ferritin", +1),
    ("M28", {"ncoa4": 3.0}, "ferritin", -1),
    ("M29", {"fpn": 2.0}, "lip", -1),
    ("M36", dfo(100), "lip", -1),
    ("M38", {"j_fe": 0.05}, "lip", +1),
    ("M39", {"acsl4": 2.0}, "pufa", +1),
    ("M40", {"aa": 20.0}, "pufa", +1),
    ("M41", {"k_i0": 5e-3}, "plooh", +1),
    ("M42", {"k_br": 0.024}, "plooh", +1),
    ("M48", {"nrf2": 3.0}, "gsh", +1),
    ("M48", {"nrf2": 3.0}, "lip", -1),
    ("M48", {"nrf2": 3.0}, "gpx4", +1),
    ("M50", {"p53": 1.0}, "cysteine", -1),
    ("M67", {"ifng": 1.0}, "cysteine", -1),
    ("M68", {"ifng": 1.0}, "pufa", +1),
]


@pytest.mark.parametrize(
    ("change", "column", "sign"),
    [
        pytest.param(*row[1:], marks=pytest.mark.mechanism(row[0]), id=f"{row[0]}-{i}")
        for i, row in enumerate(SIGNS)
    ],
)
def test_each_mechanism_moves_its_pool_the_stated_way(change, column, sign):
    def after(change):
        p = ferroptosis.PARAMETERS.build({k: v for k, v in change.items() if k in ferroptosis.PARAMETERS})
        cell = {k: v for k, v in change.items() if k in TRAITS}
        dish = Dish([cell], [{k: v for k, v in change.items() if k in INPUTS}], p=p)
        return dish.run(12, dt=6.0, resting_every=1).col[column][0]

    assert np.sign(after(change) / after({}) - 1.0) == sign


@pytest.mark.mechanism("M04")
def test_gpx4_consumes_gsh_while_it_clears_peroxide():
    left = []
    for loss in (0.0, 0.2):
        dish = Dish([{}], [{}], p=ferroptosis.PARAMETERS.build({"loss_gssg": loss}))
        dish.col["plooh"][0] = 30.0
        left.append(dish.run(0.5).col["gsh"][0])
    assert left[1] < left[0] - 10.0


@pytest.mark.mechanism("M28")
def test_ferritinophagy_frees_iron():
    dish = Dish([{}], [{}])
    before = dish.col["lip"][0]
    dish.p = ferroptosis.PARAMETERS.build({"ncoa4": 10.0})
    assert dish.run(2).col["lip"][0] > before * 1.05


@pytest.mark.mechanism("M47")
def test_rupture_flags_living_cells_with_lethal_damage_only():
    state = np.array([0, 0, 1, 0], np.int8)
    fate = np.array([0, 0, 0, 12], np.int8)
    dying(0, 4, state, np.array([0.99, 1.0, 2.0, 2.0]), fate, 11)
    assert fate.tolist() == [0, 11, 0, 12]
