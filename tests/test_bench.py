"""The benchmark runner: it names its cases, refuses unknown ones, and measures something."""

from __future__ import annotations

import json

import pytest

from tme import bench, cli


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


@pytest.mark.parametrize(("text", "message"), [(None, "no such file"), ("{}", "not the output"), ("[", "not the output")])
def test_a_file_to_compare_with_must_be_a_result(tmp_path, text, message):
    path = tmp_path / "before.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(bench.UnknownCase, match=message):
        bench.measure(["stream-limit"], path)
