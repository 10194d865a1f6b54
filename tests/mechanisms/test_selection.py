"""Ferroptosis selects: survivors are better defended, and their daughters inherit it."""

import numpy as np
import pytest
from support import alive, bath, dish, hours, tissue

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
        return row["clone_fsp1_share"] + row["clone_acsl4_share"]

    assert resistant(treated) > 0.8 > 0.6 > resistant(control)


def grown(drift):
    """A tumour after a few divisions, its founders' trait, and whose daughter each newcomer is."""
    model = tissue(populations=None, mechanisms__division__k_div=0.002, tumour__drift_per_division=drift)
    founders = model.tumour.fsp1.copy()
    return hours(model, 6), founders


@pytest.mark.mechanism("M58")
def test_daughters_inherit_their_mothers_traits():
    model, founders = grown(0.0)
    born = model.tumour.born_tick > 0
    assert born.sum() > 30
    assert set(model.tumour.fsp1[born]) <= set(founders)


@pytest.mark.mechanism("M58")
def test_traits_drift_at_division_by_the_stated_amount():
    model, founders = grown(0.05)
    born = model.tumour.born_tick > 0
    changed = model.tumour.fsp1[born]
    assert not set(changed) & set(founders)
    nearest = np.min(np.abs(np.log(changed)[:, None] - np.log(founders)[None, :]), axis=1)
    assert nearest.max() < 0.5
