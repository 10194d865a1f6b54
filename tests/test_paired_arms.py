"""What the benchmarks of paired arms read: all arms of all runs on one day, or nothing."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tme.experiments.compare import StoppedEarly

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "benchmarks"))

import attribution  # noqa: E402
import convergence  # noqa: E402
import paired_arms  # noqa: E402
import secretion  # noqa: E402

SHARES = {"control": 1.0, "anti_pdl1": 0.9, "rsl3_np": 0.8, "combination": 0.5}


class MadeUp:
    """Daily rows of four arms on three seeds; every arm keeps its share of a growing control."""

    def __init__(self, last_day=2, stop=None):
        self.config, self.last, self.stop = {"horizon_day": 2.0}, last_day, stop or {}

    def series(self):
        rows = []
        for arm, share in SHARES.items():
            for replicate in range(3):
                end = self.stop.get((arm, replicate), 24.0 * self.last)
                for hour in [h for h in np.arange(0.0, 24 * self.last + 1, 24) if h < end] + [end]:
                    alive = (1000 + 10 * replicate) * (1 + hour / 24) * (share if hour else 1.0)
                    rows.append({"arm": arm, "replicate": replicate, "hour": hour, "day": hour / 24,
                                 "tumour_alive": alive, "cd8_per_tumour_cell": 0.1})  # fmt: skip
        return pd.DataFrame(rows)

    def stopped(self):
        return {key: (hour, "the tumour reached the edge of the domain") for key, hour in self.stop.items()}


STOPPED = {("control", 1): 33.0}


def test_shares_and_excess_are_those_of_one_day():
    day, tables = paired_arms.read({"a": MadeUp()})
    shares = paired_arms.shares(tables["a"])
    assert day == 2
    np.testing.assert_allclose(shares["anti_pdl1"], 0.9)
    np.testing.assert_allclose(shares["excess"], 0.9 * 0.8 - 0.5)
    np.testing.assert_allclose(shares["control_cells"], [3000, 3030, 3060])


def test_a_run_with_a_simulation_that_stopped_is_refused_and_named():
    with pytest.raises(StoppedEarly, match=r"b/control/1 ended on day 1.38 \(the tumour reached the edge.*last day that all recorded is 1$"):
        paired_arms.read({"a": MadeUp(), "b": MadeUp(stop=STOPPED)})


def test_a_day_before_the_stop_is_read_in_all_runs():
    day, tables = paired_arms.read({"a": MadeUp(), "b": MadeUp(stop=STOPPED)}, day=1)
    assert day == 1 and all((t["hour"] == 24).all() and len(t) == 12 for t in tables.values())
    np.testing.assert_allclose(paired_arms.shares(tables["b"])["excess"], 0.22)


def test_nothing_is_compared_before_treatment_starts():
    with pytest.raises(StoppedEarly, match="not after the start of treatment"):
        paired_arms.read({"a": MadeUp()}, day=0)


def test_a_refusal_ends_the_script_with_exit_code_2(capsys):
    with pytest.raises(SystemExit) as end:
        paired_arms.guarded(lambda: paired_arms.read({"b": MadeUp(stop=STOPPED)}))
    assert end.value.code == 2
    assert capsys.readouterr().err.startswith("refused: day 2 was not recorded by all simulations")


def test_tables_are_made_of_the_rows_of_the_day():
    _day, tables = paired_arms.read({"200": MadeUp(), "27": MadeUp()})
    lines = secretion.lines(tables)
    assert lines[2] == "| 200 | 3 | 3,030 | 0.90 (0.90 to 0.90) | 0.80 (0.80 to 0.80) | 0.50 (0.50 to 0.50) | 0.220 (0.220 to 0.220) |"
    row = attribution.row("nothing cut", tables["200"], paired_arms.shares(tables["27"])["excess"].to_numpy())
    assert row["share"] == pytest.approx(0.0) and row["share_ci"] == [None, None] and row["day"] == 2
    assert attribution.markdown([row]).startswith("Day 2.\n")


def test_scripts_read_simulations_only_through_what_refuses():
    """No benchmark of arms looks at summary.csv, whose rows are each simulation's own end."""
    for module in (attribution, convergence, secretion):
        assert "summary" not in Path(module.__file__).read_text() and module.read is paired_arms.read


@pytest.mark.parametrize("size", [(None, None), (60, 1.0), (300, 6.0)])
@pytest.mark.parametrize("name", convergence.VARIANTS)
def test_every_variant_of_the_convergence_table_has_room_and_one_horizon(name, size):
    from tme.config.estimate import predict
    from tme.model import load_config

    config = load_config(ROOT / "configs/attribution.yaml", overrides=[*convergence.VARIANTS[name], *convergence.size(name, *size)])
    assert predict(config).warnings == ()
    assert config.domain.dx_um == convergence.DX_UM.get(name, 15)


def test_the_convergence_table_has_every_field_that_is_solved_on_wider_voxels_or_at_a_slower_clock():
    from tme.model import TumourModel, load_config

    model = TumourModel(load_config(ROOT / "configs/attribution.yaml", overrides=["initial.n_cells=30"]), arm="combination")
    assert {n for n, f in model.fields.items() if f.on_solver_grid is not f} == set(convergence.FAR)


def test_the_convergence_table_sets_an_excess_against_that_of_the_same_seeds():
    _day, tables = paired_arms.read({"a": MadeUp()})
    s = paired_arms.shares(tables["a"])
    line = convergence.row("half", 2.0, s, s.assign(excess=s["excess"] - [0.01, 0.02, 0.03]))
    assert line == "| half | 3 | 2 | 3,030 | 0.90 (0.90 to 0.90) | 0.80 (0.80 to 0.80) | 0.50 (0.50 to 0.50) | 0.220 (0.220 to 0.220) | 0.020 (-0.005 to 0.045) |"


@pytest.mark.slow
def test_the_readmes_rerun_of_the_main_result_runs(tmp_path):
    words = [sys.executable, str(ROOT / "benchmarks/secretion.py"), "--config", str(ROOT / "configs/quick.yaml"),
             "--rates", "200", "27", "--seeds", "2", "--days", "0.25", "--out", str(tmp_path), "--jobs", "1"]  # fmt: skip
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert "day 0.25, 2 rates" in done.stdout
    assert [p.name for p in sorted(tmp_path.glob("rate-*"))] == ["rate-200", "rate-27"]
    assert (tmp_path / "secretion.md").read_text().count("\n") == 4
