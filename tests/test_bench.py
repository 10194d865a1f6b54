"""The benchmark runner: it names its cases, refuses unknown ones, and measures something."""

from __future__ import annotations

import json

import pytest

from tme import bench


def test_an_unknown_case_is_refused_with_the_nearest_name():
    with pytest.raises(bench.UnknownCase, match="did you mean 'chemistry-100k'") as error:
        bench.main(["chemistry-10k"])
    assert error.value.exit_code == 2


def test_a_case_prints_its_measurements_as_json(capsys):
    assert bench.main(["move-100k"], as_json=True) == 0
    rows = json.loads(capsys.readouterr().out)
    assert {"case", "metric", "value", "unit", "n", "threads"} == set(rows[0])
    by_metric = {r["metric"]: r["value"] for r in rows}
    assert by_metric["attempts"] > 0
    assert 0.2 < by_metric["granted share"] < 0.6
