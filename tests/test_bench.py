"""The benchmark runner: it names its cases, refuses unknown ones, and measures something."""

from __future__ import annotations

import json
import os

import pytest

from tme import bench, cli
from tme.bench import versus, whole
from tme.bench.kernels import row
from tme.model import TumourModel


def test_an_unknown_case_is_refused_with_the_nearest_name():
    with pytest.raises(bench.UnknownCase, match="did you mean 'chemistry-100k'") as error:
        bench.measure(["chemistry-10k"])
    assert error.value.exit_code == 2


def test_a_case_prints_its_measurements_as_json(capsys):
    with pytest.raises(SystemExit) as end:
        cli.main(["bench", "move-100k", "--json"])
    assert not end.value.code
    rows = json.loads(capsys.readouterr().out)
    assert {"case", "metric", "value", "unit", "n", "threads"} == set(rows[0])
    by_metric = {r["metric"]: r["value"] for r in rows}
    assert by_metric["attempts"] > 0
    assert 0.2 < by_metric["granted share"] < 0.6


def test_an_earlier_result_is_set_beside_this_one(tmp_path):
    rows = bench.measure(["stream-limit"])
    earlier = tmp_path / "before.json"
    rows[0]["value"] *= 2.0
    earlier.write_text(json.dumps(rows))
    now = bench.measure(["stream-limit"], earlier)[0]
    assert now["before"] == rows[0]["value"]
    assert now["ratio"] == pytest.approx(now["value"] / now["before"], abs=1e-3)
    assert now["of_stream"] == 1.0


@pytest.mark.parametrize(("text", "message"), [(None, "no such file or commit"), ("{}", "not the output"), ("[", "not the output")])
def test_a_file_to_compare_with_must_be_a_result(tmp_path, text, message):
    path = tmp_path / "before.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises((bench.UnknownCase, versus.NoComparison), match=message) as error:
        bench.measure(["stream-limit"], path)
    assert error.value.exit_code == 2


IN_A_CHECKOUT = pytest.mark.skipif(not (versus.ROOT / ".git").exists(), reason="no git checkout")


@IN_A_CHECKOUT
def test_a_commit_is_measured_by_turns_and_ratios_are_of_pairs():
    order, told = [], []

    def turn(tree, cases, device, states):
        now = tree == versus.ROOT
        order.append("now" if now else "before")
        assert states.is_dir() and (tree / "tme" / "bench" / "whole.py").read_bytes() == (versus.ROOT / "tme" / "bench" / "whole.py").read_bytes()
        mood = 1.0 + len(order) // 2  # the machine slows down from pair to pair, both sides alike
        rows = [row("a", "time", (1.1 if now else 1.0) * mood, "ns", 1)]
        return rows + [row("a", "new metric", 1.0, "ns", 1)] if now else rows

    rows = versus.by_turns("HEAD", ["a"], pairs=3, turn=turn, told=told.append)
    assert order == ["before", "now", "now", "before", "before", "now"]
    assert [len(told), rows[0]["ratio_low"] <= rows[0]["ratio"] <= rows[0]["ratio_high"]] == [6, True]
    assert (rows[1]["before"], rows[1]["ratio"]) == ("", "")


def test_the_ratio_is_the_median_over_pairs_with_its_spread():
    now, before = ([[row("a", "time", v, "ns", 1)] for v in values] for values in ((1.0, 3.0, 2.2), (1.0, 2.0, 2.0)))
    (found,) = versus.paired(now, before)
    assert (found["value"], found["before"]) == (2.2, 2.0)
    assert (found["ratio"], found["ratio_low"], found["ratio_high"]) == (1.1, 1.0, 1.5)


@IN_A_CHECKOUT
@pytest.mark.slow
def test_a_turn_is_a_process_of_its_own_in_the_commits_files(tmp_path):
    tree = versus.lay_out("HEAD", tmp_path / "tree")
    (rows,) = versus.measured(tree, ["stream-limit"], "cpu", tmp_path)
    assert rows["case"] == "stream-limit" and rows["value"] > 0
    with pytest.raises(versus.NoComparison, match=r"the commit cannot run stream-limits: .*did you mean 'stream-limit'"):
        versus.measured(tree, ["stream-limits"], "cpu", tmp_path)


def test_a_whole_model_is_measured_while_a_dose_kills_and_after(monkeypatch, tmp_path):
    monkeypatch.setattr(whole, "AFTER_DOSE", (2, 3))
    monkeypatch.setattr(whole, "QUIET", (5, 6))
    monkeypatch.setenv(whole.KEEP_IN, str(tmp_path))
    first = {r["metric"]: r for r in whole.whole("small", 300)}
    assert first["ns_per_cell_tick"]["value"] > 0 and first["ns_per_cell_tick_after_dose"]["value"] > 0
    assert first["ferroptosis_after_dose"]["value"] < first["ns_per_cell_tick_after_dose"]["value"]
    assert sorted(os.listdir(tmp_path)) == ["300-2.npz", "300-5.npz"]
    steps, step = [], TumourModel.step
    monkeypatch.setattr(TumourModel, "step", lambda model: steps.append(model.tick) or step(model))
    again = {r["metric"]: r for r in whole.whole("small", 300)}
    assert [again[m]["n"] for m in ("ns_per_cell_tick", "ns_per_cell_tick_after_dose")] == [
        first[m]["n"] for m in ("ns_per_cell_tick", "ns_per_cell_tick_after_dose")
    ]  # the same cells, from the states that were kept
    assert len(steps) == 1 + 4 * 60  # the first tick, and for each stretch an hour to get warm and an hour


def test_every_spatial_statistic_is_measured_and_told():
    from tme.bench import spatial

    found = json.loads(spatial.measured(4000))
    assert len(found["seconds"]) == 11 and all(s >= 0 for s in found["seconds"].values()) and sum(found["seconds"].values()) > 0
    assert found["bytes"] > 1e7
