"""Geometry behind the pictures: regions, distances, what is painted on top, fronts."""

from __future__ import annotations

import numpy as np
import pytest
import synthetic

from tme.viz import fields, kymograph, maps, profiles, space, style
from tme.viz.load import Run, read_h5ad
from tme.viz.sheet import LatticeSheet


def disc(n=61, radius=20.0, dx=20.0):
    y, x = np.mgrid[:n, :n]
    on = np.hypot(x - n // 2, y - n // 2) <= radius
    iy, ix = np.nonzero(on)
    cells = {"x": (ix + 0.5) * dx, "y": (iy + 0.5) * dx, "z": np.full(ix.size, dx / 2)}
    cells["cell_type"] = np.full(ix.size, "tumour", dtype=object)
    cells["fate"] = np.full(ix.size, "alive", dtype=object)
    return cells, on


def test_signed_distance_of_a_disc_is_its_radius_at_the_centre():
    cells, on = disc()
    region = space.tumour_region(cells, (1, 61, 61), 20.0)
    distance = space.signed_distance(region, 20.0)
    assert distance[0, 30, 30] == pytest.approx(-20.5 * 20, abs=20)
    assert (distance[0][on] < 0).all() and distance[0, 0, 0] > 0


def test_holes_are_filled_and_specks_do_not_move_the_edge():
    cells, _ = disc()
    keep = np.random.default_rng(0).random(cells["x"].size) > 0.3
    thinned = {k: np.append(v[keep], v[:1]) for k, v in cells.items()}
    thinned["x"][-1] = thinned["y"][-1] = 10.0
    region = space.tumour_region(thinned, (1, 61, 61), 20.0)
    assert not region[0, 0, 0] and abs(region.sum() - cells["x"].size) < 0.06 * cells["x"].size


def test_region_in_three_dimensions_is_a_ball():
    z, y, x = np.mgrid[:25, :25, :25]
    iz, iy, ix = np.nonzero((x - 12) ** 2 + (y - 12) ** 2 + (z - 12) ** 2 <= 64)
    cells = {"x": ix * 20 + 10.0, "y": iy * 20 + 10.0, "z": iz * 20 + 10.0}
    cells["cell_type"] = np.full(ix.size, "tumour", dtype=object)
    region = space.tumour_region(cells, (25, 25, 25), 20.0)
    assert abs(region.sum() - ix.size) <= 0.1 * ix.size
    assert space.signed_distance(region, 20.0)[12, 12, 12] == pytest.approx(-8.5 * 20, abs=20)


def test_cd8_profile_returns_the_density_that_was_sown():
    cells, on = disc()
    iy, ix = np.nonzero(on)
    for key, values in (("x", (ix + 0.5) * 20), ("y", (iy + 0.5) * 20), ("z", np.full(ix.size, 10.0))):
        cells[key] = np.concatenate([cells[key], values])
    cells["cell_type"] = np.concatenate([cells["cell_type"], np.full(ix.size, "cd8", dtype=object)])
    cells["fate"] = np.full(cells["x"].size, "alive", dtype=object)
    edges = np.arange(-420.0, 181, 60)
    oxygen = np.full((1, 61, 61), 12.5)
    found = profiles.profile(cells, oxygen, (1, 61, 61), 20.0, edges)
    inside = edges[1:] <= -60
    assert found.cd8_per_mm2[inside & np.isfinite(found.cd8_per_mm2)] == pytest.approx(2500)
    assert np.nanmax(found.cd8_per_mm2[edges[:-1] >= 0]) == 0
    assert found.oxygen[np.isfinite(found.oxygen)] == pytest.approx(12.5)


def test_t_cells_cover_tumour_cells_and_corpses_show_their_cause():
    cells = {"x": np.array([10.0, 10.0, 30.0]), "y": np.full(3, 10.0), "z": np.full(3, 10.0)}
    cells["cell_type"] = np.array(["cd8", "tumour", "tumour"], dtype=object)
    cells["fate"] = np.array(["alive", "alive", "ferroptosis"], dtype=object)
    image = maps.paint(cells, (1, 1, 2), 20.0, "slice")
    assert [maps.KEYS[k] for k in image[0]] == ["cd8", "dead_ferroptosis"]


def test_unknown_cell_types_are_drawn_as_other():
    cells = {"x": np.array([10.0]), "y": np.array([10.0]), "z": np.array([10.0])}
    cells["cell_type"] = np.array(["newcomer"], dtype=object)
    assert maps.KEYS[maps.paint(cells, (1, 1, 1), 20.0, "slice")[0, 0]] == "other"


def test_types_of_the_users_own_take_colours_of_the_cycle_in_turn():
    names = [f"own{k}" for k in range(8)]
    cells = {"x": 10.0 + 20.0 * np.arange(8), "y": np.full(8, 10.0), "z": np.full(8, 10.0)}
    cells["cell_type"] = np.array(names, dtype=object)
    own = maps.own_types([cells, {"cell_type": np.array(["cd8"], dtype=object)}])
    assert own == tuple(names)
    image = maps.paint(cells, (1, 1, 8), 20.0, "slice", own)[0]
    assert len(set(image[:6].tolist())) == 6 and image[6] == image[0]
    assert maps.legend_name(maps.KEYS[image[0]], own) == "own0, own6"


def test_all_colours_of_a_map_differ():
    assert len({tuple(c) for c in maps.PALETTE}) == len(maps.PALETTE)


def test_voxels_of_a_map_are_whole_pixels(tmp_path):
    from matplotlib.image import imread

    sheet = LatticeSheet(1, 2, (30, 40))
    board = (np.indices((30, 40)).sum(axis=0) % 2).astype(float)
    with style.use():
        sheet.show(0, 0, board, cmap="gray")
        sheet.show(0, 1, board, cmap="gray")
        picture = imread(style.save(sheet.figure, tmp_path / "x.png"))[..., 0]
    x, y = sheet.corner(0, 1)
    zoom = sheet.width_px // 40
    middle = picture[y + 5 * zoom + zoom // 2, x : x + sheet.width_px]
    runs = np.diff(np.flatnonzero(np.diff((middle > 0.5).astype(int))))
    assert zoom >= 10 and set(runs[1:].tolist()) == {zoom}  # the frame covers the first pixel


def test_powers_of_ten_are_written_without_a_formula():
    assert [style.decade_text(v) for v in (1e-3, 0.1, 1.0, 10.0, 1e4, 2.5)] == ["10⁻³", "10⁻¹", "1", "10", "10⁴", "2.5"]


def test_a_field_that_spans_decades_is_logarithmic_and_a_flat_one_is_not():
    flat, wide = np.full((9, 9), 3.0), np.full((9, 9), 1e-3)
    wide[4, 4] = 10
    assert type(fields.scale_for([flat])).__name__ == "Normalize"
    assert type(fields.scale_for([wide])).__name__ == "LogNorm"
    assert fields.scale_for([flat]).vmin == 0


@pytest.mark.parametrize("radial", [False, True])
def test_front_speed_is_recovered_from_death_hours(radial):
    rng = np.random.default_rng(0)
    x, y = rng.random((2, 20000)) * 4000
    distance = np.hypot(x - 2000, y - 2000) if radial else 4000 - x
    cells = {
        "x": x,
        "y": y,
        "z": np.zeros(x.size),
        "death_hour": 2 + distance / 5.5 / 60 + 0.1 * rng.normal(size=x.size),
    }
    found, label = kymograph.distance_along(cells)
    line = kymograph.fit_front(*kymograph.front(found, cells["death_hour"], 20.0))
    assert line.slope == pytest.approx(5.5, rel=0.03) and line.r2 > 0.99
    assert ("first deaths" in label) == radial


def test_no_bin_of_a_kymograph_falls_between_columns_of_cells():
    for columns in (20, 50, 61, 119, 250):
        distance = np.repeat(np.arange(columns) * 20.0, 3)
        counts = np.histogram(distance, kymograph.bins_of(distance, 20.0))[0]
        inner = counts[:-1] if counts[-1] == 0 else counts
        assert counts.sum() == distance.size and inner.min() > 0 and inner.size <= 61


def test_h5ad_reader_returns_text_for_categories_and_positions_in_um(tmp_path):
    obs = {"cell_type": np.array([0, 1], np.int8), "uid": np.array([7, 9]), "gsh": np.array([1.0, np.nan])}
    synthetic.write_h5ad(tmp_path / "cells_1.h5ad", obs, np.array([[10.0, 30.0], [50.0, 70.0]]))
    found = read_h5ad(tmp_path / "cells_1.h5ad")
    assert list(found["cell_type"]) == ["tumour", "cd8"] and list(found["uid"]) == ["7", "9"]
    assert found["y"][1] == 70 and found["z"][0] == 0
    assert set(read_h5ad(tmp_path / "cells_1.h5ad", ["gsh", "absent"])) == {"x", "y", "z", "gsh"}


def test_combined_arms_inherit_doses_and_come_after_their_parts(four_arms):
    run = Run(four_arms)
    assert run.control == "control" and run.arms[0] == "control" and run.arms[-1] == "combination"
    assert {d.name for d in run.doses["combination"]} == {"anti_pd_l1", "peg_pdpa_rsl3"}
    assert dict(run.dose_days)["anti_pd_l1"] == (0, 3, 6)
