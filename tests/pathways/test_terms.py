"""Terms of the ferroptosis pathway: neutral ones change nothing, each moves its pool the stated way."""

from __future__ import annotations

import numba
import numpy as np
import pytest
from dishes import Cells

from tme.pathways import stepping
from tme.pathways.ferroptosis import PARAMETERS, PATHWAY


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    before = numba.get_num_threads()
    numba.set_num_threads(1)
    yield
    numba.set_num_threads(before)


def random_cells(n=400):
    rng = np.random.default_rng(3)
    cells = Cells(PATHWAY, n)
    for column in cells.col.values():
        column *= rng.uniform(0.5, 1.5, n)
    cells.col["peroxide"][:], cells.col["j_fe"][:] = rng.uniform(0, 0.1, n), rng.uniform(0, 0.3, n)
    cells.clock[:] = -(np.arange(n) // 150)
    return cells


@pytest.mark.parametrize("filled", [False, True])
@pytest.mark.parametrize("scattered", [False, True])
def test_neutral_terms_give_the_bits_of_the_kernel_without_terms(filled, scattered):
    base, other = random_cells(), random_cells()
    terms = [np.full(base.n, t.neutral) if filled else np.zeros(0) for t in PATHWAY.terms]
    rows = np.random.default_rng(1).permutation(base.n) if scattered else np.arange(base.n)
    p = PARAMETERS.build({"kap_b": 0.5, "p53": 0.3})
    for tick in (1, 2, 8):
        stepping.advance(PATHWAY, rows, base.n, tick, 1.0, p, base.state, base.clock, *base.col.values())
        stepping.advance(PATHWAY, rows, base.n, tick, 1.0, p, other.state, other.clock, *other.col.values(), *terms, modulated=True)
    for name in PATHWAY.state_names:
        assert (base.col[name].view(np.int64) == other.col[name].view(np.int64)).all(), name


# term, value, column, sign of its change against a cell without the term, after 12 h from its own rest
SIGNS = [
    ("xct", 2.0, "cysteine", +1),
    ("p53", 1.0, "cysteine", -1),
    ("cysteine_supply", 10.0, "gsh", +1),
    ("gcl", 0.3, "gsh", -1),
    ("gsh_loss", 0.005, "gsh", -1),
    ("gsh_use", 5.0, "gsh", -1),
    ("gpx4_synthesis", 2.0, "gpx4", +1),
    ("gpx4_loss", 0.01, "gpx4", -1),
    ("gpx4_activity", 0.3, "plooh", +1),
    ("fsp1", 4.0, "coq10h2", +1),
    ("coq_reduction", 0.3, "coq10h2", -1),
    ("dhodh", 0.005, "coq10h2", +1),
    ("coq_trapping", 3.0, "plooh", -1),
    ("vitamin_e", 3.0, "plooh", -1),
    ("trap", 2.0, "plooh", -1),
    ("plooh_clearance", 0.1, "plooh", +1),
    ("initiation", 5.0, "plooh", +1),
    ("h2o2", 3.0, "plooh", +1),
    ("repair", 5.0, "damage", -1),
    ("tfr1", 2.0, "lip", +1),
    ("iron_influx", 0.05, "lip", +1),
    ("fpn", 2.0, "lip", -1),
    ("iron_chelation", 0.1, "lip", -1),
    ("ferritin_storage", 2.0, "ferritin", +1),
    ("ncoa4", 3.0, "ferritin", -1),
    ("acsl4", 1.5, "pufa", +1),
    ("lipid_supply", 0.5, "pufa", -1),
    ("mufa", 1.0, "pufa", -1),
    ("nrf2", 2.0, "gsh", +1),
]


@pytest.mark.parametrize(("term", "value", "column", "sign"), SIGNS)
def test_each_term_moves_its_pool_the_stated_way(term, value, column, sign):
    def after(terms):
        return Cells(PATHWAY, terms=terms).settle().run(12, dt=6.0, resting_every=1).col[column][0]

    assert np.sign(after({term: value}) / after({}) - 1.0) == sign


def test_terms_that_need_something_beside_them_act_there():
    """BH4 where kap_b is not 0, GSH recycling while GPX4 works, IFN-gamma felt where there is some."""
    bh4 = [Cells(PATHWAY, parameters={"kap_b": 2.0}, terms=t).settle().col["plooh"][0] for t in ({}, {"gch1": 3.0})]
    assert bh4[1] < bh4[0]
    gsh = [Cells(PATHWAY, terms=t, plooh=30.0, gsh=2000.0).run(0.5).col["gsh"][0] for t in ({}, {"gssg_recycling": 5.0})]
    assert gsh[1] > gsh[0]
    felt = [Cells(PATHWAY, terms=t, ifng=0.3).run(24).col["ifng_response"][0] for t in ({}, {"ifng_sensitivity": 5.0})]
    assert felt[1] > felt[0]


def test_every_term_of_the_table_is_tested_for_its_sign():
    tested = {row[0] for row in SIGNS} | {"gch1", "gssg_recycling", "ifng_sensitivity"}
    assert {t.name.split(".")[1] for t in PATHWAY.terms} == tested


def test_cells_with_their_own_turnover_of_ferritin_are_stepped_apart():
    """ncoa4 differs between neighbours of one block: each moves by its own loss."""
    cells = Cells(PATHWAY, 64, terms={"ncoa4": 1.0})
    cells.terms[[t.name for t in PATHWAY.terms].index("ferroptosis.ncoa4")][:] = np.linspace(0.1, 5.0, 64)
    assert (np.diff(cells.run(6).col["ferritin"]) < 0.0).all()
