"""The columns that a config is said to have are those that its model records."""

from __future__ import annotations

import pytest
from support import tissue

from tme.model.series_columns import series_columns
from tme.readouts import observe

EVERYTHING = {
    "populations": {"mdsc": {"share": 0.1}, "normal": {"share": 0.2}, "b_cell": {"share": 0.05}},
    "mechanisms__cuproptosis__on": True, "mechanisms__disulfidptosis__on": True, "mechanisms__ferroptosis_normal__on": True,
    "mechanisms__ferroptosis_cd8__on": True, "mechanisms__metastasis__on": True, "mechanisms__other_deaths__pyroptosis": 1e-4,
}  # fmt: skip


@pytest.mark.parametrize("changes", [{}, EVERYTHING], ids=["usual", "everything on"])
def test_a_config_knows_its_columns_before_it_runs(changes):
    model = tissue(**changes)
    seen = set(observe(model)) - {"hour", "day"}
    known = set(series_columns(model.config))
    assert seen <= known, sorted(seen - known)
    assert all(name.startswith("died_by_") for name in known - seen), sorted(known - seen)


def test_a_readout_of_the_users_own_may_bring_any_column(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text("def corners(model):\n    return {'corners': 4.0}\n\nPLUGINS = (corners,)\n")
    from tme.model import load_config

    (tmp_path / "x.yaml").write_text(
        "horizon_day: 1\ndomain: {size_um: [1000, 1000]}\ninitial: {kind: nodule, n_cells: 100}\nplugins: [mine.py]\n"
        "arms: {control: {}, a: {drugs: [{name: rsl3, dose_mg_kg: 1}]}}\nprimary: {readout: corners, contrasts: [a < control]}\n"
    )
    config = load_config(tmp_path / "x.yaml", allow_plugins=True)
    assert config.primary.readout == "corners" and series_columns(config) is None
