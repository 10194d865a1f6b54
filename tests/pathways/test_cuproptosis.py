"""Copper: death times against LSODA, the sign of each row of the mechanism table, and the two ways it meets ferroptosis."""

from __future__ import annotations

import math

import numba
import numpy as np
import pytest
from dishes import Cells
from scipy.integrate import solve_ivp
from support import CELLS, bath, dish

from tme.config import ConfigError
from tme.pathways import ferroptosis
from tme.pathways.cuproptosis import PATHWAY


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    before = numba.get_num_threads()
    numba.set_num_threads(1)
    yield
    numba.set_num_threads(before)


def elesclomol(um):
    return {"j_cu": 0.35 * um}


def exact_death(gsh, es=0.0, fdx1=1.0, atp7=1.0, hours=96):
    """Minutes to death by LSODA, the two equations written out; nan for a cell alive at the end."""

    def derivative(_t, y):
        copper, aggregate = y
        free = copper / (1.0 + gsh / 150.0)
        into = 0.01 * 0.3 + 0.35 * es
        return [
            into - 0.06 * atp7 * copper / (1.0 + copper / 5.0),
            0.0016 * fdx1 * free**2 / (0.02**2 + free**2) - 4e-4 * aggregate,
        ]

    end = lambda _t, y: y[1] - 1.0  # noqa: E731
    end.terminal = True
    s = solve_ivp(derivative, (0, hours * 60), [0.05, 0.0], method="LSODA", events=end, rtol=1e-8, atol=1e-10)
    return s.t_events[0][0] if len(s.t_events[0]) else math.nan


CASES = {  # what is given, hours to death
    "elesclomol 0.04": (dict(gsh=2600.0, **elesclomol(0.04)), {}, {"es": 0.04}, 40.9),
    "elesclomol 0.1": (dict(gsh=2600.0, **elesclomol(0.1)), {}, {"es": 0.1}, 15.9),
    "elesclomol 0.04, GSH 10 %": (dict(gsh=260.0, **elesclomol(0.04)), {}, {"es": 0.04}, 12.5),
    "elesclomol 0.04, ATP7B 0.3": (dict(gsh=2600.0, **elesclomol(0.04)), {"atp7b": 0.3}, {"es": 0.04, "atp7": 0.3}, 14.0),
    "elesclomol 0.1, FDX1 0.1": (dict(gsh=2600.0, **elesclomol(0.1)), {"fdx1": 0.1}, {"es": 0.1, "fdx1": 0.1}, math.nan),
    "no ionophore": ({"gsh": 2600.0}, {}, {}, math.nan),
}


@pytest.mark.parametrize("case", CASES)
def test_death_times_stay_within_two_minutes_of_lsoda(case):
    given, parameters, reference, hours = CASES[case]
    ours = Cells(PATHWAY, parameters=parameters, **given).run(96).death[0]
    exact = exact_death(given["gsh"], **reference)
    assert math.isnan(exact) == math.isnan(ours) == math.isnan(hours)
    if not math.isnan(hours):
        assert exact / 60 == pytest.approx(hours, abs=0.06)
        assert ours == pytest.approx(exact, abs=2.0)


SIGNS = [  # id, what is changed, column, sign of its change after 12 h of ionophore
    ("M59", {"terms": {"ctr1": 5.0}}, "copper", +1),
    ("M60", elesclomol(0.1), "copper", +1),
    ("M61", {"terms": {"atp7b": 0.3}}, "copper", +1),
    ("M62", {"gsh": 260.0}, "aggregate", +1),
    ("M62", {"terms": {"metallothionein": 10.0}}, "aggregate", -1),
    ("M63", {"terms": {"fdx1": 0.1}}, "aggregate", -1),
    ("M63", {"terms": {"lipoylation": 0.1}}, "aggregate", -1),
    ("M64", elesclomol(0.1), "clusters_lost", +1),
    ("M116", {"terms": {"copper_chelation": 0.1}}, "copper", -1),
    ("M117", {"parameters": {"lipoylation": 0.0}}, "aggregate", -1),
    ("M60", {"terms": {"copper_influx": 0.03}}, "copper", +1),
    ("M63", {"terms": {"proteostasis": 3.0}}, "aggregate", -1),
    ("M64", {"terms": {"cluster_assembly": 3.0}}, "clusters_lost", -1),
]


@pytest.mark.parametrize(
    ("change", "column", "sign"),
    [pytest.param(*row[1:], marks=pytest.mark.mechanism(row[0]), id=f"{row[0]}-{i}") for i, row in enumerate(SIGNS)],
)
def test_each_mechanism_moves_its_pool_the_stated_way(change, column, sign):
    def after(change):
        return Cells(PATHWAY, **{**elesclomol(0.02), **change}).run(12).col[column][0]

    assert np.sign(after(change) / after({}) - 1.0) == sign


@pytest.mark.mechanism("M65")
def test_less_copper_than_iron_kills_and_sooner():
    iron = Cells(ferroptosis.PATHWAY, 2, cystine=200.0).settle()
    iron.col["j_fe"][:] = (0.05, 0.2)
    copper = Cells(PATHWAY, 1, j_cu=0.05)
    assert np.isnan(iron.run(72).death).all()
    assert copper.run(72).death[0] < 24 * 60


@pytest.mark.mechanism("M61")
def test_copper_kills_sooner_without_export():
    death = [Cells(PATHWAY, terms={"atp7b": f}, **elesclomol(0.1)).run(48).death[0] for f in (1.0, 0.5, 0.2)]
    assert death[0] > death[1] > death[2]


def test_a_resting_cell_is_left_to_the_resting_clock_and_copper_wakes_it():
    cells = Cells(PATHWAY, 3)
    cells.col["j_cu"][1], cells.col["copper"][2] = 0.01, 5.0
    cells.run(5 / 60)
    assert cells.clock.tolist() == [0, 5, 5]
    cells.run(1 / 60)
    assert cells.clock.tolist() == [6, 6, 6]


# ---- in the tissue -----------------------------------------------------------------------------------------
ON = {"mechanisms__cuproptosis": {"on": True}, "fields__cystine__initial": 200}
ES = {"arms": {"es": bath("elesclomol", 0.5)}, "arm": "es"}


def run(hours, **how):
    model = dish(**{**ON, **how})
    while model.sim_hour < hours:
        model.step()
    return model


@pytest.fixture(scope="module")
def treated():
    return run(16, **ES)


@pytest.mark.mechanism("M60")
def test_an_ionophore_kills_by_cuproptosis_and_leaves_corpses(treated):
    dead = treated.counters["dead_cuproptosis"]
    assert dead == CELLS == treated.observe()["dead_cuproptosis"]
    assert (treated.tumour.state == 5).all()
    assert set(treated.cells_table()["fate"]) == {"cuproptosis"}


@pytest.mark.mechanism("M64")
def test_copper_raises_peroxidation_and_lowers_gsh():
    """Lost clusters leak (ferroptosis.initiation), and copper spends GSH (ferroptosis.gsh_loss)."""
    cells = {name: run(4, **{**ES, "arms": {"es": bath("elesclomol", um)}}).tumour for name, um in (("less", 0.001), ("more", 0.5))}
    assert cells["more"].gsh.mean() < 0.9 * cells["less"].gsh.mean()
    without = run(4, **ES, rules={"M62.gsh": "off"}).tumour
    assert without.plooh.mean() > 1.1 * run(4, **ES, rules={"M62.gsh": "off", "M64.initiation": "off"}).tumour.plooh.mean()


@pytest.mark.mechanism("M64")
@pytest.mark.mechanism("M62")
def test_less_gsh_lets_copper_kill_sooner():
    """BSO, or ferroptosis, leaves less GSH to hold copper."""
    aggregates = [
        run(5, arms={"es": bath("elesclomol", 0.05, "bso", um)}, arm="es").tumour.aggregate.mean()
        for um in (0.01, 100.0)
    ]
    assert aggregates[1] > 1.2 * aggregates[0]


def test_copper_outside_is_a_field_where_the_config_has_one():
    rich = run(6, fields__copper={"initial": 3.0, "held": True}).tumour
    usual = run(6).tumour
    assert (rich.copper_outside == 3.0).all() and (usual.copper_outside == 0.3).all()
    assert rich.copper.mean() > 2.0 * usual.copper.mean()


def test_off_it_costs_nothing():
    model = dish()
    assert not {"copper", "aggregate", "j_cu", "cuproptosis_tick"} & set(model.tumour.declared)
    assert not [m.name for m in model.plan.entries if m.name.startswith("cupropt")]
    assert "dead_cuproptosis" not in model.observe()
    assert not model.mechanism("ferroptosis").modulated


def test_a_drug_that_acts_through_it_alone_is_refused_while_it_is_off():
    with pytest.raises(ConfigError, match=r"mechanisms.cuproptosis.on: elesclomol hits cu_influx, which is of the pathway cuproptosis"):
        dish(**ES)


def test_a_rule_on_a_pathway_that_is_off_is_refused():
    rule = {"in": "tumour", "signal": "own.gsh", "lowers": "cuproptosis.fdx1", "to": {"value": 0.5, "unit": "1", "source": "assumed: test"},
            "half": {"value": 1000, "unit": "uM", "source": "assumed: test"}, "evidence": "hypothetical", "source": "test"}  # fmt: skip
    with pytest.raises(ConfigError, match=r"tumour cells have no term cuproptosis.fdx1"):
        dish(rules={"mine": rule})
    assert dish(rules={"mine": rule}, **ON).tumour.term("cuproptosis.fdx1").size


def test_the_same_seed_gives_the_same_bits_across_a_checkpoint():
    from tme.model import TumourModel

    whole = run(2, **ES)
    first = run(1, **ES)
    second = TumourModel.from_state(first.config, first.state_dict(), arm="es", seed=first.seed_used)
    while second.sim_hour < 2:
        second.step()
    a, b = whole.state_dict(), second.state_dict()
    assert a.keys() == b.keys() and all(np.array_equal(a[k], b[k]) for k in a)
