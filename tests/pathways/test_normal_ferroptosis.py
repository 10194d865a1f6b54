"""Normal tissue that runs the ferroptosis pathway with its own numbers: off by default, harmed by what reaches it."""

from __future__ import annotations

import numpy as np
import pytest
from support import bath, hours, tissue

from tme.readouts.counts import types

NORMAL = {"populations__normal": {"share": 0.3}}
ON = {**NORMAL, "mechanisms__ferroptosis_normal": {"on": True}}


def weak(**numbers):
    """Normal cells that run the pathway with other numbers."""
    return {**ON, "entries__cells__normal__pathways__ferroptosis__preset": numbers}


def dead_of_ferroptosis(population):
    return float((population.state[: population.n] == 1).mean())


def test_off_by_default_and_without_columns():
    model = tissue(**NORMAL)
    assert model.normal.n > 50
    assert not {"gsh", "plooh"} & set(model.normal.declared)
    assert not [m.name for m in model.plan.entries if m.name.endswith("_normal")]


def test_untreated_tissue_lives_and_the_tumour_is_the_same():
    on, off = hours(tissue(**ON), 3), hours(tissue(**NORMAL), 3)
    assert dead_of_ferroptosis(on.normal) == 0.0
    assert np.array_equal(on.tumour.plooh, off.tumour.plooh)


@pytest.mark.mechanism("M85")
def test_a_gpx4_inhibitor_kills_normal_cells_that_lack_fsp1_and_ferrostatin_saves_them():
    own = weak(fsp1=0.0, acsl4=1.0, tfr1=1.0, d_leth=20.0)
    harmed = hours(tissue("a", arms={"a": bath("rsl3", 2.0)}, **own), 10)
    saved = hours(tissue("a", arms={"a": bath("rsl3", 2.0, "ferrostatin_1", 10.0)}, **own), 10)
    untouched = hours(tissue("a", arms={"a": bath("rsl3", 2.0)}, **NORMAL), 10)
    assert dead_of_ferroptosis(harmed.normal) > 0.3
    assert types(harmed)["dead_ferroptosis_normal"] == (harmed.normal.state[: harmed.normal.n] == 1).sum() + harmed.counters["cleared_normal"]
    assert "dead_ferroptosis_normal" not in types(untouched)
    assert dead_of_ferroptosis(saved.normal) < 0.1
    assert dead_of_ferroptosis(untouched.normal) == 0.0


def test_a_hit_that_names_its_cells_leaves_others_alone():
    own = {"entries__drugs__rsl3__hits": [
        {"target": "gpx4", "in": ["tumour"], "k_per_uM_min": {"value": 0.08, "unit": "1/(uM min)", "source": "assumed: a test"}}]}
    spared = hours(tissue("a", arms={"a": bath("rsl3", 2.0)}, **weak(fsp1=0.0), **own), 4)
    met = hours(tissue("a", arms={"a": bath("rsl3", 2.0)}, **weak(fsp1=0.0)), 4)
    n = spared.normal.n
    assert spared.normal.gpx4[:n].mean() > 0.8 > 0.5 > met.normal.gpx4[:n].mean()


@pytest.mark.mechanism("D17")
def test_curcumin_protects_normal_cells_and_not_the_tumour():
    model = hours(tissue("a", arms={"a": bath("curcumin", 10.0)}, **ON), 6)
    rest = hours(tissue(**ON), 6)
    assert model.normal.lip[: model.normal.n].mean() < 0.8 * rest.normal.lip[: rest.normal.n].mean()
    assert model.tumour.lip[: model.tumour.n].mean() > 0.95 * rest.tumour.lip[: rest.tumour.n].mean()
