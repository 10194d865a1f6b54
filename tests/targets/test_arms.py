"""What the targets of paired arms read of a run: all tumours on one day, signs and burden in nine of ten pairs."""

import numpy as np
import pandas as pd
import pytest

from tme.model import load_config
from tme.targets import arms, mice, trials
from tme.targets.trials import at_day, geometric_ratio, mean_between, trial, with_shares

VOLUME = {"control": 8.0, "anti_pdl1": 6.0, "rsl3_np": 4.0, "combination": 2.0}


def table(pairs=10, stop_hour=360.0, **changes):
    """Ten replicates of each arm, daily rows to day 15; the control of replicate 1 ends at `stop_hour`; readouts of the combination as `changes`."""
    rows = []
    for arm, volume in VOLUME.items():
        for replicate in range(pairs):
            end = stop_hour if (arm, replicate) == ("control", 1) else 360.0
            for hour in [h for h in np.arange(0.0, 360.0, 24.0) if h < end] + [end]:
                readouts = {"dc_mature_share_with_node": 0.2, "cd8_exhausted_share": 0.5, "treg": 20.0, "cd8": 80.0, "cd4": 0.0}
                if arm == "combination":
                    readouts |= changes
                rows.append({"arm": arm, "replicate": replicate, "hour": hour, "day": hour / 24.0, "tumour_volume_mm3": volume + hour / 1e3, **readouts})
    return pd.DataFrame(rows)


@pytest.fixture
def finished(tmp_path, monkeypatch):
    """Makes a run directory of a table."""

    def write(rows):
        rows.to_csv(tmp_path / "series.csv", index=False)
        return tmp_path

    return write


RIGHT = {"dc_mature_share_with_node": 0.4, "cd8_exhausted_share": 0.3, "treg": 10.0}


def test_signs_are_those_of_the_combination_one_to_three_days_after_the_last_dose(finished):
    found = arms.immune_signs(finished(table(**RIGHT)))
    assert found.passed and found.values["days"] == [13.0, 15.0] and found.values["pairs"] == 10
    assert arms.immune_signs(finished(table(**{**RIGHT, "treg": 30.0}))).missed == ["Treg among T cells down"]


def test_where_a_simulation_stopped_early_the_last_days_that_all_share_are_read(finished):
    found = arms.immune_signs(finished(table(stop_hour=252.0, **RIGHT)))
    assert found.values["days"] == [8.0, 10.0]


def test_the_burden_is_that_of_one_day_where_a_simulation_stopped_early(finished):
    found = arms.burden(finished(table(stop_hour=252.0)))
    assert found.passed and found.values["day"] == 10.0
    assert found.values["volume_mm3"]["control"] == pytest.approx(8.24)


def test_a_combination_larger_than_one_alone_in_two_of_ten_pairs_misses(finished):
    rows = table()
    rows.loc[(rows["arm"] == "combination") & rows["replicate"].isin([2, 5]), "tumour_volume_mm3"] += 3.0
    found = arms.burden(finished(rows))
    assert found.missed == ["smaller than particles"]


def test_replicates_that_lack_an_arm_are_left_out_and_a_run_without_an_arm_is_refused(finished):
    rows = table()
    assert arms.burden(finished(rows[~((rows["arm"] == "rsl3_np") & (rows["replicate"] == 2))])).values["pairs"] == 9
    with pytest.raises(ValueError, match="combination, rsl3_np"):
        arms.burden(finished(rows[rows["arm"].isin(["control", "anti_pdl1"])]))


def test_readouts_that_the_model_gives_itself_are_taken_as_they_are():
    own = pd.DataFrame({"treg": [1.0], "cd8": [3.0], "cd8_exhausted_share": [0.25], "cd8_functional_share": [0.5]})
    assert with_shares(own)["cd8_functional_share"].tolist() == [0.5]
    assert with_shares(own.drop(columns="cd8_functional_share"))["cd8_functional_share"].tolist() == [0.75]
    assert with_shares(own)["treg_share"].tolist() == [0.25]


def test_means_and_ratios_are_paired_and_a_tumour_that_is_gone_counts():
    rows = table(pairs=3)
    assert mean_between(rows, "tumour_volume_mm3", 1, 2)["control"].tolist() == pytest.approx([8.036] * 3)
    assert geometric_ratio(at_day(rows, 0.0), "rsl3_np") == pytest.approx(0.5)
    volume = pd.DataFrame({"control": [1.0, 1.0], "x": [0.0, 1.0]})
    assert geometric_ratio(volume, "x") == pytest.approx(0.1)


@pytest.mark.slow
def test_an_inert_agent_leaves_arms_equal_bit_for_bit(monkeypatch):
    monkeypatch.setattr(trials, "PROCESSES", 1)
    inert = {"drugs": {"slows_division": {"hits": []}}}
    given = {"control": {}, "inert": mice.held("slows_division")}
    rows = trial(given, seeds=1, days=0.5, n_cells=60, size_um=400.0, record_every_h=12.0, library=[str(mice.AGENTS)], entries=inert)
    columns = [c for c in rows.columns if c not in ("arm", "seed") and not c.startswith("drug")]
    control, other = (rows[rows["arm"] == a][columns].reset_index(drop=True) for a in given)
    pd.testing.assert_frame_equal(control, other, check_exact=True)
    active = trial(given, seeds=1, days=1, n_cells=60, size_um=400.0, populations=mice.NO_IMMUNE, library=[str(mice.AGENTS)])
    births = active.groupby("arm")["births"].max()
    assert births["inert"] < births["control"]


def test_sampled_tumours_are_always_the_same_and_differ_from_each_other():
    draws = mice.sampled()
    assert draws.shape == (20, 2) and np.array_equal(draws, mice.sampled())
    assert np.log(draws).std(axis=0) == pytest.approx([0.6, 0.8], rel=0.5)


def test_doses_are_those_of_the_four_arm_experiment(request):
    config = load_config(request.config.rootpath / "configs" / "four_arms.yaml")
    for name, kind in (("anti_pdl1", "antibodies"), ("rsl3_np", "nanoparticles")):
        (theirs,) = getattr(config.arms[name], kind)
        (ours,) = arms.ARMS[name][kind]
        assert (theirs.name, theirs.dose_mg_kg) == (ours["name"], ours["dose_mg_kg"])
