"""Guards name what is broken, stop the run, and leave a checkpoint that continues."""

import re

import numpy as np
import pytest
from support import tissue

from tme import experiments
from tme.core.guards import EVERY, BrokenState, count_broken
from tme.experiments.checkpoint import newest
from tme.experiments.plan import plan
from tme.experiments.worker import Task, simulate
from tme.model import TumourModel


def until_scan(model):
    """Step until just before the next scan of everything."""
    while (model.tick + 1) % EVERY:
        model.step()
    return model


@pytest.mark.parametrize("value", [np.nan, np.inf, -1.0, -1e-300])
def test_a_value_that_is_not_finite_or_below_zero_is_counted(value):
    values = np.array([0.0, -0.0, 5e-324, 1e308, value, 3.0])
    assert count_broken(0, 6, values) == 1
    assert count_broken(0, 4, values) == 0


@pytest.mark.parametrize(
    ("field", "broken", "value", "text", "voxel"),
    [("hmgb1", 24, np.nan, "nan", "74 (x 22, y 2, z 0)"), ("cxcl", 24, -1.0, "-1", "74 (x 22, y 2, z 0)"), ("ifng", 100, np.inf, "inf", "100 (x 22, y 3, z 0)")],
)
def test_a_broken_voxel_is_named_with_its_tick(field, broken, value, text, voxel):
    """Of a field on wider voxels, which has 13 of them in a row here, by the wide voxel's corner."""
    model = until_scan(tissue())
    model.held_fields.add(field)  # no solve before the scan
    model.fields[field].on_solver_grid.concentration[broken] = value
    with pytest.raises(BrokenState, match=re.escape(f"field {field} is {text} in voxel {voxel}") + "$") as error:
        model.step()
    assert str(error.value).startswith(f"tick {EVERY} (hour 1): ")


def test_of_many_broken_voxels_the_first_is_named_and_all_are_counted():
    model = until_scan(tissue())
    model.held_fields.add("ifng")
    model.fields["ifng"].concentration[[100, 7, 300]] = -1.0
    with pytest.raises(BrokenState, match=r"in voxel 7 \(x 7, y 0, z 0\), 3 voxels in all$"):
        model.step()


@pytest.mark.parametrize(("kind", "column", "value"), [("tumour", "antigenicity", np.nan), ("cd8", "exhaustion", -1.0), ("macrophage", "m1", np.inf)])
def test_a_broken_cell_is_named_with_its_column_and_uid(kind, column, value):
    model = until_scan(tissue())
    population = getattr(model, kind)
    getattr(population.col, column)[2] = value
    with pytest.raises(BrokenState, match=rf"{kind}\.{column} is \S+ in the cell uid {population.uid[2]}, row 2"):
        model.step()


def test_a_source_that_is_no_number_is_named_at_the_solve_it_breaks():
    model = tissue()
    while not model.due("oxygen") or model.tick < 1:
        model.step()
    model.fields["oxygen"].vmax[77] = np.nan
    with pytest.raises(BrokenState, match=rf"tick {model.tick + 1} .*field oxygen, its vmax is nan in voxel 77"):
        model.step()


def test_a_broken_state_is_never_kept():
    model = tissue()
    model.tumour.col.gsh[0] = np.nan
    with pytest.raises(BrokenState, match=r"tumour\.gsh is nan"):
        model.state_dict()


class Poisoned(TumourModel):
    """A cell's GSH turns into nothing in hour 5."""

    def step(self):
        super().step()
        if self.tick == 310 and not self.config.name.startswith("mended"):
            self.tumour.col.gsh[7] = np.nan


def test_a_poisoned_run_fails_by_name_and_its_checkpoint_continues(tmp_path):
    config = tissue(output={"checkpoint_every_h": 1, "record_every_h": 1}, horizon_day=0.25).config
    made = experiments.run(config, tmp_path / "run", jobs=1, progress=False, report=False, model_factory=Poisoned)
    assert (made.exit_code, made.failed) == (3, ("control/rep-000",))
    error = (made.path / "control/rep-000/error.txt").read_text()
    assert "BrokenState: tick 360 (hour 6): " in error and "tumour.gsh is nan in the cell uid" in error
    task = Task(str(made.path), plan(config).simulations[0], config)
    _, state, meta = newest(task.folder, task.identity)
    assert meta["tick"] == 300 and all(np.isfinite(v).all() for v in state.values() if v.dtype.kind == "f")
    outcome = simulate(task, lambda: False)  # the sound model takes it up
    assert (outcome.state, outcome.resumed_from_hour) == ("done", 5.0)
