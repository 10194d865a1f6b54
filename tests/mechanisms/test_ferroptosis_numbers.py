"""The ferroptosis sweep as numbers: the wave it carries, positivity, and bits that depend on nothing else."""

from __future__ import annotations

from pathlib import Path

import numba
import numpy as np
import pytest
from ferroptosis_dish import STATES, Dish, P, erastin, rsl3
from scipy.linalg import solve_banded

from tme.kernels import threads
from tme.pathways import ferroptosis, stepping
from tme.pathways.ferroptosis import PATHWAY
from tme.pathways.store import kernels


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """A handful of cells is not worth waking a second thread."""
    before = numba.get_num_threads()
    numba.set_num_threads(1)
    yield
    numba.set_num_threads(before)


# ---- the wave --------------------------------------------------------------------------------------------
def wave_speed(n=400, dx=10.0, dt=0.5, hours=13.0, ignite=True):
    """Front speed (um/min) in a row of cells primed by erastin 1 uM for 24 h; own implicit field."""
    primed = Dish([{}], [erastin(1.0)]).run(24)
    dish = Dish([{}] * n, [erastin(1.0)] * n)
    for k in STATES:
        dish.col[k][:] = primed.col[k][0]
    if ignite:
        dish.col["plooh"][: round(100 / dx)] = 400.0
    r = 6000.0 * dt / dx**2
    band = np.zeros((3, n))
    band[0, 1:] = band[2, :-1] = -r
    band[1] = 1.0 + 3.0 * dt + 2.0 * r
    band[1, 0] -= r
    band[1, -1] -= r
    signal, arrival = np.zeros(n), np.full(n, np.nan)
    for i in range(round(hours * 60 / dt)):
        signal = solve_banded((1, 1), band, signal + dt * ferroptosis.emission(dish.col["plooh"], P))
        dish.col["peroxide"][:] = signal
        dish.step(dt, resting_every=round(6 / dt))
        arrival[np.isnan(arrival) & (dish.col["plooh"] > 60.0)] = (i + 1) * dt
    k = np.arange(n)[n // 5 : 9 * n // 10]
    if np.isnan(arrival[k]).any():
        return 0.0
    return 1.0 / np.polyfit(k * dx, arrival[k], 1)[0]


def test_peroxidation_crosses_a_primed_row_at_the_calibrated_speed():
    assert wave_speed() == pytest.approx(5.41, rel=0.05)


def test_a_primed_row_stays_quiet_without_a_spark():
    assert wave_speed(n=60, ignite=False, hours=6) == 0.0


# ---- numbers ---------------------------------------------------------------------------------------------
def random_dish(n, seed=0):
    """Cells in states far from any a tissue would reach."""
    rng = np.random.default_rng(seed)
    dish = Dish([{}] * n, [rsl3(1.0) | {"j_fe": 1.0, "ifng": 1.0, "peroxide": 1.0}] * n)
    for k in STATES:
        dish.col[k][:] = rng.lognormal(0.0, 3.0, n)
    np.minimum(dish.col["ifng_response"], 1.0, out=dish.col["ifng_response"])
    np.minimum(dish.col["coq10h2"], 5.0, out=dish.col["coq10h2"])
    for k in ("xct", "nrf2", "acsl4"):
        dish.col[k][:] = rng.lognormal(0.0, 0.5, n)
    dish.state[:] = rng.random(n) < 0.3
    dish.clock[:] = -rng.integers(0, 6, n)
    return dish


def advance(dish, rows, tick, dt):
    rows = np.asarray(rows, np.int64)
    stepping.advance(PATHWAY, rows, len(rows), tick, dt, P, dish.state, dish.clock, *dish.columns())


@pytest.mark.parametrize("dt", [0.5, 6.0, 60.0])
def test_states_stay_finite_and_never_negative(dt):
    dish = random_dish(20000)
    for tick in (1, 2, 3):
        advance(dish, np.arange(dish.n), tick, dt)
    for k in STATES:
        assert np.isfinite(dish.col[k]).all() and (dish.col[k] >= 0.0).all(), k
    assert dish.col["coq10h2"].max() <= 5.0
    assert (dish.clock == 3).all()


def bits(dish):
    return np.stack([dish.col[k] for k in STATES]).view(np.int64)


@pytest.fixture(scope="module")
def expected():
    dish = random_dish(1000)
    advance(dish, np.arange(1000), 1, 1.0)
    return bits(dish)


def test_row_order_does_not_change_a_bit(expected):
    dish = random_dish(1000)
    advance(dish, np.random.default_rng(1).permutation(1000), 1, 1.0)
    assert (bits(dish) == expected).all()


@pytest.mark.parametrize("piece", [64, 100, 1000])
def test_neighbours_with_one_clock_step_to_the_bits_of_the_same_cells_in_any_order(piece):
    results = []
    for rows in (np.arange(1000), np.random.default_rng(1).permutation(1000)):
        dish = random_dish(1000)
        dish.clock[:] = -(np.arange(1000) // 250)  # blocks of one clock, and blocks across two
        chosen = np.arange(1000) % 200 < 190
        rows = rows[chosen[rows]]
        for first in range(0, len(rows), piece):
            advance(dish, rows[first : first + piece], 1, 1.0)
        assert (dish.clock[chosen] == 1).all() and (dish.clock[~chosen] < 1).all()
        results.append(bits(dish))
    assert (results[0] == results[1]).all()
    untouched = bits(random_dish(1000))
    assert (results[0][:, ~chosen] == untouched[:, ~chosen]).all()
    assert (results[0][:, chosen] != untouched[:, chosen]).any(axis=0).all()


@pytest.mark.parametrize("piece", [1, 7, 63, 64, 65, 333])
def test_block_composition_does_not_change_a_bit(piece, expected):
    dish = random_dish(1000)
    for first in range(0, 1000, piece):
        advance(dish, np.arange(first, min(first + piece, 1000)), 1, 1.0)
    assert (bits(dish) == expected).all()


@pytest.mark.parametrize("n_threads", [2, 3])
def test_thread_count_does_not_change_a_bit(n_threads, expected, monkeypatch):
    monkeypatch.setattr(threads, "count", lambda: n_threads)
    monkeypatch.setattr(threads, "MIN_ROWS", 1)
    dish = random_dish(1000)
    advance(dish, np.arange(1000), 1, 1.0)
    assert (bits(dish) == expected).all()


def test_sweep_equals_the_plain_python_law(expected, monkeypatch):
    written, dish = kernels(PATHWAY), random_dish(1000)
    for module in (written, ferroptosis):
        for name, law in list(vars(module).items()):
            if hasattr(law, "py_func"):
                monkeypatch.setattr(module, name, law.py_func)
    step = written.step_cell
    for i in range(0, 1000, 25):
        h = float(1 - dish.clock[i])
        cell = [float(c[i]) for c in dish.columns()]
        new = step(P, h, *cell, 1.0 if dish.state[i] == 0 else 0.0)
        assert (np.array(new, float).view(np.int64) == expected[:, i]).all()


def test_rows_not_listed_are_left_alone():
    dish, before = random_dish(300), random_dish(300)
    advance(dish, np.arange(0, 300, 3), 1, 1.0)
    changed = (bits(dish) != bits(before)).any(axis=0)
    assert changed[::3].all() and not changed[1::3].any() and not changed[2::3].any()
    assert (dish.clock[1::3] == before.clock[1::3]).all()


def test_selection_steps_active_cells_each_tick_and_resting_ones_on_their_clock():
    state = np.array([0, 0, 0, 0, 1, 1, 2, 3, 0], np.int8)
    plooh = np.array([0.02, 0.9, 0.02, 0.02, 0.02, 80.0, 80.0, 80.0, 0.9])
    peroxide = np.array([0.0, 0.0, 0.5, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0])
    j_fe = np.array([0.0, 0.0, 0.0, 0.3, 0.0, 0.0, 0.0, 0.0, 0.0])
    clock = np.array([0, 0, 0, 0, 0, 0, 0, 0, 5], np.int32)
    rows = np.empty(9, np.int64)

    def chosen(tick):
        m = stepping.select(PATHWAY, rows, 9, tick, 6, P, state, clock, [plooh, peroxide, j_fe])
        return rows[:m].tolist()

    assert chosen(5) == [1, 2, 3, 5]
    assert chosen(6) == [0, 1, 2, 3, 4, 5, 8]


def test_a_cell_is_active_above_its_thresholds_and_not_at_them():
    state, clock, rows = np.zeros(4, np.int8), np.zeros(4, np.int32), np.empty(4, np.int64)
    rest, at = np.zeros(4), np.array([P.active_plooh, P.active_peroxide, P.active_iron, 0.0])
    for above, expected in ((0.0, []), (1e-9, [0, 1, 2])):
        level = [np.where(np.arange(4) == k, v * (1.0 + above), rest) for k, v in enumerate(at[:3])]
        assert rows[: stepping.select(PATHWAY, rows, 4, 5, 6, P, state, clock, level)].tolist() == expected


def test_every_parameter_is_read_and_has_a_source():
    text = Path(ferroptosis.__file__).read_text()
    for p in ferroptosis.PARAMETERS:
        assert f"p.{p.name}" in text, p.name
        assert p.source and p.low <= p.value <= p.high


@pytest.mark.parametrize("h, lip, plooh", [(0.5, 80.0, 500.0), (3.0, 80.0, 50.0), (6.0, 40.0, 50.0)])
def test_no_more_lipid_is_peroxidised_than_there_is_and_is_made_in_the_step(h, lip, plooh):
    # no GPX4, no CoQ10H2, much iron: the chain reaction would run away
    states = [0.0, 1.0, 1.0, 0.0, 0.0, lip, 0.0, 1500.0, plooh, 0.0]
    traits = [1.0, 1.0, 0.0, 1.0, 1.0, 1.0, 0.0]
    inputs = [0.0, 40.0, 38.0, 0.0, 0.0, 0.0, 50.0, 0.0, 0.0, 0.0, 0.0, 0.0]
    new = kernels(PATHWAY).step_cell(P, h, *states, *traits, *inputs, 1.0)
    made = P.k_u * P.u0 * h
    assert new[8] == pytest.approx(plooh + 1500.0 + made, rel=1e-12)
