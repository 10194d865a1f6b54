"""Ferroptosis selects: survivors are better defended, and their daughters inherit it."""

import numpy as np
import pytest
from support import alive, bath, dish, hours, rises, tissue

VARIED = {"tumour__cv": 0.5, "seed": 3}


@pytest.mark.mechanism("M58")
def test_survivors_of_rsl3_are_better_defended_than_the_founders():
    model = dish("r", arms__r=bath("rsl3", 0.06), **VARIED)
    founders = {name: getattr(model.tumour, name).mean() for name in ("fsp1", "acsl4", "gpx4_trait", "tfr1")}
    n = alive(model)
    while alive(model) > n // 4 and model.sim_hour < 72:
        hours(model, 0.5)
    assert 0 < alive(model) < n // 2
    t = model.tumour
    left = {name: getattr(t, name)[t.state == 0].mean() for name in founders}
    assert left["fsp1"] > 1.1 * founders["fsp1"]
    assert left["acsl4"] < 0.9 * founders["acsl4"]
    assert left["tfr1"] < founders["tfr1"]


@pytest.mark.mechanism("M58")
def test_resistant_clones_take_over_and_do_not_without_the_drug():
    clones = {"fsp1_high": {"share": 0.2, "fsp1": 6}, "acsl4_low": {"share": 0.2, "acsl4": 0.3}}
    settings = {"tumour__clones": clones, "arms__r": bath("rsl3", 0.1), "domain__size_um": [400, 400]}
    treated, control = (hours(dish(arm, **settings), 14) for arm in ("r", "control"))

    def resistant(model):
        row = model.observe()
        return row["clone_fsp1_high_share"] + row["clone_acsl4_low_share"]

    assert resistant(treated) > 0.8 > 0.6 > resistant(control)


def grown(drift=0.0, memory=1.0):
    """A tumour after a few divisions, and which of its cells were born in it."""
    settings = {
        "mechanisms__division": {"k_div": 0.002, "memory": memory},
        "tumour__drift_per_division": drift,
    }
    model = tissue(populations=None, **settings)
    hours(model, 6)
    return model, model.tumour.born_tick > 0


def kinship(model, born):
    """How far each newborn's FSP1 (log) lies from that of the nearest founder of its clone."""
    t = model.tumour
    gaps = []
    for clone in np.unique(t.clone[born]):
        founders = np.log(t.fsp1[~born & (t.clone == clone)])
        gaps += np.abs(np.log(t.fsp1[born & (t.clone == clone)])[:, None] - founders).min(axis=1).tolist()
    return np.array(gaps)


@pytest.mark.mechanism("M58")
def test_daughters_inherit_their_mothers_traits():
    """With full memory and no drift every newborn has the FSP1 of a founder; with less memory few do."""
    model, born = grown()
    assert born.sum() > 30
    assert kinship(model, born).max() < 1e-9
    assert (kinship(*grown(memory=0.5)) > 1e-9).all()


@pytest.mark.mechanism("M58")
def test_traits_drift_at_division_by_the_stated_amount():
    spread = []
    for drift in (0.0, 0.05, 0.2):
        model, born = grown(drift)
        reference = model.tumour.clone == 0
        spread.append(np.log(model.tumour.nrf2[born & reference]).std())
    assert spread[0] == 0.0
    assert rises(spread[1:], 2) and spread[1] > 0.02
