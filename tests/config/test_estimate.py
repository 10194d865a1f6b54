"""The forecast of `tme check` against measured runs, and its warning of the edge."""

from pathlib import Path

import pytest

from tme.config.estimate import growth, predict
from tme.model import load_config

CONFIGS = Path(__file__).parents[2] / "configs"
CUT = ["replicates=1", "horizon_day=6"]
# config, overrides, seconds of one core (a quiet machine, 2026-11-27), untreated cells at the end
MEASURED = [
    ("quick", [], 16.4, 3661),
    ("attribution", ["replicates=6", "horizon_day=8"], 128, 6128),
    ("four_arms", CUT, 32.3, 9525),
    ("base", [], 12.8, 13816),
    ("tissue", ["replicates=1"], 11.1, 2090),
    ("wave", [], 3.9, 7704),
]


@pytest.mark.parametrize(("name", "changes", "seconds", "cells"), MEASURED, ids=[m[0] for m in MEASURED])
def test_the_forecast_is_within_a_factor_of_two_of_measured_runs(name, changes, seconds, cells):
    config = load_config(CONFIGS / f"{name}.yaml", overrides=changes)
    assert 0.5 < predict(config).seconds / seconds < 2.0
    assert 1 / 1.75 < growth(config)[-1] / cells < 1.75
    if name == "four_arms":
        assert growth(config)[-1] == pytest.approx(cells, rel=0.2)


def test_the_domain_of_the_struck_tables_is_warned_of_on_the_day_it_was_too_small():
    """Six tenths of the present domain's width are too little for seven days."""
    (warning,) = predict(load_config(CONFIGS / "attribution.yaml", overrides=["domain.size_um=[1200, 1200]"])).warnings
    day = float(warning.split("about day ")[1].split()[0])
    assert 5.0 <= day <= 7.5 and "will stop there" in warning


@pytest.mark.parametrize("name", sorted(p.stem for p in CONFIGS.glob("*.yaml") if p.stem != "tissue"))
@pytest.mark.parametrize("quick", [False, True])
def test_no_shipped_config_is_too_small_for_its_tumour(name, quick):
    assert predict(load_config(CONFIGS / f"{name}.yaml", quick=quick)).warnings == ()


def test_a_wall_that_only_holds_back_is_warned_of_too():
    changes = ["domain.size_um=[1200, 1200]", "domain.at_edge=continue"]
    assert "held back by the wall" in predict(load_config(CONFIGS / "attribution.yaml", overrides=changes)).lines()[-1]


def test_the_size_that_the_warning_names_is_large_enough():
    (warning,) = predict(load_config(CONFIGS / "attribution.yaml", overrides=["domain.size_um=[1200, 1200]"])).warnings
    size = warning.split("some ")[1].split(" um")[0]
    assert predict(load_config(CONFIGS / "attribution.yaml", overrides=[f"domain.size_um=[{size}, {size}]"])).warnings == ()


def test_a_domain_whose_smooth_fields_cannot_be_solved_on_wider_voxels_is_warned_of_with_a_size_that_can():
    (warning,) = predict(load_config(CONFIGS / "attribution.yaml", overrides=["domain.size_um=[2010, 1995]"])).warnings
    assert "134 x 133 voxels are along x, y no multiple of 4" in warning
    size = warning.split("domain.size_um [")[1].split("]")[0]
    assert predict(load_config(CONFIGS / "attribution.yaml", overrides=[f"domain.size_um=[{size}]"])).warnings == ()


@pytest.mark.parametrize("change", ["mechanisms.division.on=false", "mechanisms.division.k_div=0", "domain.boundary=periodic"])
def test_tumours_that_cannot_grow_or_have_no_edge_are_not_warned_of(change):
    changes = ["domain.size_um=[1200, 1200]", change]
    assert predict(load_config(CONFIGS / "attribution.yaml", overrides=changes)).warnings == ()


def test_the_nearest_wall_counts_for_a_tumour_off_the_middle():
    changes = ["initial={kind: nodule, n_cells: 300, centre_um: [500, 990]}"]
    assert predict(load_config(CONFIGS / "attribution.yaml", overrides=changes)).warnings
