"""Tissue other than the tumour: fibroblasts keep their place, normal tissue yields and can be harmed."""

import numpy as np
import pytest
from support import flood, hours, level, tissue

from tme.config import ConfigError
from tme.core.lattice import FIRM, FREE, YIELDING

GROWS = {"mechanisms__division__k_div": 0.005, "mechanisms__killing__k_hit": 0}


def one_a_voxel(model):
    """Whether every voxel holds one tissue cell at most, and the lattice knows which."""
    row = model.lattice.tissue_row
    voxels = np.concatenate([t.voxel for t in model.tissue])
    assert len(np.unique(voxels)) == len(voxels)
    assert np.array_equal(row[model.tumour.voxel], np.arange(model.tumour.n))
    for t in model.lattice.others:
        assert (row[t.voxel] == (YIELDING if t.entry.yields else FIRM)).all()
    assert (row != FREE).sum() == len(voxels)


def test_fibroblasts_lie_among_the_tumours_cells_and_take_room():
    model = tissue(populations__caf={"share": 0.2})
    assert model.tumour.n == 250 and model.caf.n == 50
    depth = model.lattice.depth_um()[model.caf.voxel]
    assert (depth > 60.0).sum() > 5 and (depth > -40.0).all()
    one_a_voxel(model)


def test_fibroblasts_stay_where_they_are_while_the_tumour_grows_around_them():
    model = tissue(populations__caf={"share": 0.1}, mechanisms__death__k_nec=0, **GROWS)
    place = dict(zip(model.caf.uid.tolist(), model.caf.voxel.tolist()))
    hours(model, 12)
    assert model.tumour.n > 400
    assert dict(zip(model.caf.uid.tolist(), model.caf.voxel.tolist())) == place
    one_a_voxel(model)
    assert model.observe()["caf"] == model.caf.n


@pytest.mark.mechanism("M78")
def test_fibroblasts_secrete_suppressive_cytokines():
    alone = {"mechanisms__suppression": {"treg_rate": 0, "m2_rate": 0}}
    assert level(hours(tissue(**alone), 2), "suppression") == 0.0
    assert level(hours(tissue(populations__caf={}, **alone), 2), "suppression") > 0.0


def test_normal_tissue_fills_what_is_outside_the_tumour():
    model = tissue(populations__normal={})
    assert model.normal.n == model.grid.n_voxels - model.tumour.n
    one_a_voxel(model)
    half = tissue(populations__normal={"share": 0.5})
    assert half.normal.n == round(0.5 * (half.grid.n_voxels - half.tumour.n))


def test_the_tumour_grows_into_normal_tissue_as_into_none_and_displaces_it():
    """Yielding is complete: the same cells divide into the same places; who was there is gone and counted, not dead."""
    free = hours(tissue(**GROWS), 12)
    model = hours(tissue(populations__normal={}, mechanisms__death__k_nec=0, **GROWS), 12)
    model_free = hours(tissue(mechanisms__death__k_nec=0, **GROWS), 12)
    assert model.tumour.n > 400 and free.tumour.n > 400
    assert np.array_equal(np.sort(model.tumour.voxel), np.sort(model_free.tumour.voxel))
    displaced = model.counters["displaced_normal"]
    assert displaced > 100 and model.normal.n == model.grid.n_voxels - 250 - displaced
    assert model.observe()["displaced_normal"] == displaced
    assert model.counters["dead_necrosis_normal"] == 0
    one_a_voxel(model)


def test_normal_cells_die_of_anoxia_become_corpses_and_leave_room():
    model = tissue(populations__normal={}, mechanisms__death__k_nec=0.01, mechanisms__damp__tau_clear_min=60)
    start = model.normal.n
    hours(flood(model, "oxygen", 0.0), 4)
    died = model.counters["dead_necrosis_normal"]
    assert died > 0.8 * start
    assert model.counters["cleared_normal"] > 0 and model.normal.n == start - model.counters["cleared_normal"]
    assert model.observe()["normal"] == start - died
    assert level(model, "atp") > 0.0
    one_a_voxel(model)


def test_a_tumour_without_other_tissue_asks_nothing_of_it():
    model = tissue()
    assert model.lattice.others == () and len(model.tissue) == 1
    assert set(np.unique(model.lattice.tissue_row[model.lattice.tissue_row < 0])) == {FREE}


def test_a_table_of_cells_may_hold_any_type(tmp_path):
    """Tumour cells first, then fibroblasts in the nearest free voxel, guests where they are; an unknown name is refused."""
    lines = ["x,y,kind"]
    lines += [f"{20 * (i % 10) + 10},{20 * (i // 10) + 10},T" for i in range(100)]
    lines += ["110,110,F", "30,30,F", "10,190,M", "10,190,M", "90,90,K"]
    (tmp_path / "t.csv").write_text("\n".join(lines) + "\n")
    start = {"kind": "cells", "file": str(tmp_path / "t.csv"), "columns": {"x": "x", "y": "y", "type": "kind"},
             "types": {"T": "tumour", "F": "caf", "M": "mdsc", "K": "nk"}, "duplicates": "keep"}  # fmt: skip
    model = tissue(initial={**start, "n_cells": None}, populations=None)
    assert (model.tumour.n, model.caf.n, model.mdsc.n, model.nk.n) == (100, 2, 2, 1)
    assert model.placement.report["placed"] == {"tumour": 100, "caf": 2, "cd8": 0, "dendritic": 0, "treg": 0, "macrophage": 0, "mdsc": 2, "nk": 1}
    one_a_voxel(model)
    hours(model, 1)
    one_a_voxel(model)
    with pytest.raises(ConfigError, match="did you mean 'caf'"):
        tissue(initial={**start, "n_cells": None, "types": {"T": "tumour", "F": "caff"}})


def test_regions_hold_other_tissue_and_take_the_place_of_what_yields():
    band = {"shape": "band", "axis": "x", "from_um": 0}
    start = {"kind": "regions", "base": {"kind": "nodule", "n_cells": 250},
             "regions": [{**band, "to_um": 60, "cells": "tumour"}, {**band, "to_um": 100, "cells": "caf", "share": 0.5},
                         {**band, "to_um": 200, "cells": "nk", "share": 0.1}]}  # fmt: skip
    model = tissue(initial={**start, "n_cells": None}, populations__normal={})
    x = {kind: model.lattice.position_um(model.populations[kind].voxel)[0] for kind in ("tumour", "caf", "normal", "nk")}
    assert (x["tumour"] < 60).sum() == 3 * 26 and not (x["normal"] < 60).any() and not (x["caf"] < 60).any()
    assert 15 < model.caf.n < 40 and (x["caf"] < 100).all()
    assert sum(((x[kind] > 60) & (x[kind] < 100)).sum() for kind in ("normal", "caf", "tumour")) == 2 * 26
    assert model.nk.n == 26 and (x["nk"] < 200).all()
    one_a_voxel(model)


def test_cells_of_any_type_may_be_given_to_a_tumour_that_had_none():
    arms = {"given": {"events": [{"name": "cell_transfer", "cells": "nk", "count": 20, "day": 0.01}]}}
    model = tissue("given", arms=arms)
    assert model.nk.n == 0
    assert hours(model, 1).nk.n == 20
