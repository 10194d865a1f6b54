"""Suppressive cytokines: from Tregs, M2 macrophages and DAMPs, against CD8."""

import numpy as np
import pytest
from support import CELLS, dish, falls, flood, hours, level, rises, tissue


def function(model):
    """Mean effector function of engaged CD8."""
    return float(model.cd8.function[model.cd8.engaged == 1].mean())


@pytest.mark.mechanism("M78")
def test_suppressive_cytokines_weaken_cd8():
    models = [hours(flood(tissue(), "suppression", s), 8) for s in (0, 1, 10)]
    assert falls([function(m) for m in models], 1.3)
    assert falls([m.counters["kills"] for m in models])
    assert falls([level(m, "ifng") for m in models], 1.2)


@pytest.mark.mechanism("M78")
def test_cd8_that_do_not_heed_the_cytokines_are_not_weakened():
    cut = {"mechanisms__killing__k_sup": 0, "mechanisms__polarisation__w_sup": 0}
    free, flooded = (hours(flood(tissue(**cut), "suppression", s), 4) for s in (0, 10))
    assert np.array_equal(free.cd8.function, flooded.cd8.function)
    assert free.counters["kills"] == flooded.counters["kills"]


@pytest.mark.mechanism("M78")
def test_inflamed_tissue_itself_suppresses_when_told_to():
    def suppression(rate, hmgb1):
        return level(
            hours(flood(dish(mechanisms__suppression__damp_rate=rate), "hmgb1", hmgb1), 2), "suppression"
        )

    assert rises([suppression(0.02, 0.1), suppression(0.02, 5)], 1.2)
    assert suppression(0.02, 0) == suppression(0, 5) == 0.0


@pytest.mark.mechanism("M83")
def test_tregs_suppress_cd8_by_their_number():
    quiet = {"m2_rate": 0, "treg_rate": 0.2}
    models = [
        hours(
            tissue(populations__treg__per_mm2=n, mechanisms__suppression=quiet, domain__immune_per_voxel=8), 8
        )
        for n in (0, 100, 800)
    ]
    assert rises([level(m, "suppression") for m in models])
    assert falls([function(m) for m in models], 1.05)
    assert models[0].counters["kills"] > models[-1].counters["kills"]


@pytest.mark.mechanism("M83")
def test_tregs_that_secrete_nothing_do_not_suppress():
    silent = {"m2_rate": 0, "treg_rate": 0}
    assert (
        level(hours(tissue(populations__treg__per_mm2=800, mechanisms__suppression=silent), 1), "suppression")
        == 0.0
    )


@pytest.mark.mechanism("M78")
def test_m2_macrophages_suppress_and_m1_do_not():
    def suppression(m1):
        model = dish(populations__macrophage={"share": 0.2}, mechanisms__polarisation__tau_min=2880)
        model.macrophage.col.m1[: model.macrophage.n] = m1
        return level(hours(model, 1), "suppression")

    assert falls([suppression(0.0), suppression(0.5), suppression(1.0)], 1.5)
    assert CELLS * 0.2 > 10
