"""An arm is the same in any experiment that holds it: alone, in company, listed first or last, branched or used."""

import numpy as np
import pytest
from support import TISSUE, bath, config_of, particles, tissue
from test_model import assert_same, ticks

from tme.experiments import run
from tme.model import TumourModel

BLOCKADE = {"antibodies": [{"name": "anti_pdl1", "dose_mg_kg": 10, "day": 0}]}
DRUG = bath("rsl3", 0.3)
PARTICLES = particles("peg_pdpa_rsl3", 20)
COMPANY = (
    {"x": DRUG},
    {"x": DRUG, "control": {}},
    {"control": {}, "particles": PARTICLES, "blockade": BLOCKADE, "x": DRUG, "both": {"use": ["x", "blockade"]}},
    {"other": DRUG, "x": {"use": ["other"]}},
)


def test_the_company_of_other_arms_changes_no_bit():
    first, *others = (
        ticks(tissue("x", 7, arms={"control": None, **arms}, replicates=n + 1, name=f"n{n}"), 90)
        for n, arms in enumerate(COMPANY)
    )
    untreated = ticks(tissue("control", 7, arms={"control": {}}), 90)
    assert np.median(first.tumour.gpx4) < 0.9 * np.median(untreated.tumour.gpx4), "the drug acts at all"
    for other in others:
        assert_same(first, other)


def test_what_is_recorded_and_for_how_long_changes_no_bit():
    a = ticks(tissue("x", 7, arms={"x": DRUG}), 90)
    b = ticks(tissue("x", 7, arms={"x": DRUG}, horizon_day=2, output={"record_every_h": 1, "snapshot_days": [0, 1]}), 90)
    b.observe()
    assert_same(a, b)


def test_a_later_dose_changes_nothing_before_its_day():
    twice = bath("rsl3", 0.3, day=[0, 3])
    assert_same(ticks(tissue("x", 7, arms={"x": DRUG}), 90), ticks(tissue("x", 7, arms={"x": twice}), 90))


@pytest.mark.slow
def test_two_experiments_that_share_an_arm_write_the_same_series_for_it(tmp_path):
    """The whole way through the runner: other arms, another order, another name; the rows agree as text."""
    rows = []
    for n, arms in enumerate(({"x": DRUG, "control": {}}, {"blockade": BLOCKADE, "control": {}, "x": DRUG})):
        config = config_of(TISSUE, name=f"e{n}", arms={"control": None, **arms}, start_day=-0.05, horizon_day=0.1,
                           branch_at_day=0, replicates=2, output={"record_every_h": 0.2})  # fmt: skip
        done = run(config, tmp_path / f"e{n}", jobs=1, progress=False, report=False)
        assert done.exit_code == 0
        text = (done.path / "series.csv").read_text().splitlines()
        rows.append([line for line in text if line.split(",")[0] in ("x", "control")])
    assert sorted(rows[0]) == sorted(rows[1]) and len(rows[0]) > 20


def test_a_branched_arm_continues_its_own_growth():
    """Growing without therapy and branching equals the arm that is given nothing before its day."""
    config = tissue("x", 7, arms={"control": {}, "x": bath("rsl3", 0.3, day=0)}, start_day=-0.05).config
    straight = ticks(TumourModel(config, seed=7, arm="x"), 150)
    trunk = ticks(TumourModel(config, seed=7, arm="growth"), 72)
    branch = ticks(TumourModel.from_state(config, trunk.state_dict(), arm="x", seed=7), 78)
    assert np.array_equal(np.sort(straight.tumour.uid), np.sort(branch.tumour.uid))
    assert_same(straight, branch)
