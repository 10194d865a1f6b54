"""Densities of CD8 within the tumour's edge and in its rim, and of macrophages, as a section shows them."""

from __future__ import annotations

import pytest
from support import tissue

from tme.readouts.immune import RIM_UM, lymphocytes, myeloid


def test_cd8_inside_and_in_the_rim_add_up_to_those_of_the_tumour():
    model = tissue()
    depth, row = model.lattice.depth_um(), lymphocytes(model)
    voxel_mm2 = model.grid.dx_um**2 * 1e-6
    core, rim = (depth > 0).sum() * voxel_mm2, ((depth > RIM_UM) & (depth <= 0)).sum() * voxel_mm2
    assert core > 0 and rim > 0 and row["cd8_per_mm2"] > 0
    assert row["cd8_inside_per_mm2"] * core + row["cd8_rim_per_mm2"] * rim == pytest.approx(row["cd8_per_mm2"] * (core + rim))


def test_cd8_outside_the_edge_count_for_the_rim_alone():
    model = tissue()
    rim = (model.lattice.depth_um() <= -20).nonzero()[0]
    near = rim[model.lattice.depth_um()[rim] > RIM_UM]
    model.cd8.voxel[:] = near[0]
    row = lymphocytes(model)
    assert row["cd8_inside_per_mm2"] == 0 and row["cd8_rim_per_mm2"] > row["cd8_per_mm2"] > 0


def test_macrophages_are_counted_per_area_of_tumour_and_rim():
    model = tissue()
    row, area = myeloid(model), (model.lattice.depth_um() > RIM_UM).sum() * model.grid.dx_um**2 * 1e-6
    assert row["macrophage"] > 0 and row["macrophage_per_mm2"] * area * model.macrophage.in_slab == pytest.approx(row["macrophage"])
