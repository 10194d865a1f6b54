"""docs/benchmarks.md: made from kept measurements, with machine, commit and bands that warn."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import pytest

from tme import bench, cli
from tme.bench import references
from tme.bench.kernels import row
from tme.pathways import PATHWAYS

ROOT = Path(__file__).parents[1]


def module(path: Path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


record = module(ROOT / "benchmarks" / "record.py")
page = module(ROOT / "docs" / "make_benchmarks.py")


def measured(what):
    """Made-up rows of the shape that a step has."""
    if isinstance(what, tuple) and isinstance(what[0], int):
        n, ndim, threads = what
        return [row(f"scaling-{ndim}d", m, v, u, n, threads) for m, v, u in (("time after a dose", 200.0 / threads, "ns/cell/tick"), ("share of fields", 0.4, "1"), ("share of chemistry", 0.3, "1"))]
    if isinstance(what, str):
        case = what.partition("'")[2].partition("'")[0]
        rows = [row(case, m, v, u, 3000) for m, v, u in (("ns_per_cell_tick", 150.0, "ns/cell/tick"), ("ns_per_cell_tick_after_dose", 250.0, "ns/cell/tick"), ("voxels per living cell", 10.0, "1"),
                ("ferroptosis", 60.0, "ns/cell/tick"), ("ferroptosis_after_dose", 120.0, "ns/cell/tick"), ("diffuse_oxygen", 2.0, "ns/voxel/tick"), ("diffuse_oxygen_after_dose", 3.0, "ns/voxel/tick"))]  # fmt: skip
        return rows if case.startswith("whole") else [row(case, "resident memory per extra cell", 2500.0, "B", 30_000)]
    return [row(case, "plain Mesa over arrays" if case == "mesa" else "read and write one float64" if case == "stream-limit" else "second-order step", 40.0, "ns/cell", 1000) for case in what]


@pytest.fixture
def found(tmp_path):
    said = []
    one = record.record(record.SMALL, "small", measured, said.append)
    assert len(said) == len(record.SMALL) and all(" s" in s for s in said)
    path = record.keep(one, tmp_path)
    again = json.loads(path.read_text())
    assert again["rows"] == one["rows"] and again["kind"] in path.name
    return [again]


def test_the_page_is_what_its_measurements_make_of_it():
    kept = page.records()
    assert page.render(kept) == page.PAGE.read_text(encoding="utf-8"), "run `python docs/make_benchmarks.py --redraw`"
    assert not kept or all((page.FIGURES / f"benchmarks_{name}.png").is_file() for name in ("scaling", "phases", "history"))


def test_every_section_with_a_table_names_the_command_that_makes_it():
    sections = page.PAGE.read_text(encoding="utf-8").split("\n## ")[1:]
    tables = [s for s in sections if "\n|---|" in s]
    assert len(tables) == 5
    assert [s.splitlines()[0] for s in tables if "`tme bench" not in s and "`python " not in s.partition("\n|")[0]] == []


def test_every_kept_measurement_says_when_where_and_of_what():
    for one in page.records():
        assert one["date"] and one["commit"] and one["machine"]["cpu"] and one["versions"]["numba"]
        assert one["kind"] == references.kind_of(one["machine"])
        assert {"case", "metric", "value", "unit", "n", "threads"} == set(one["rows"][0])


def test_bands_are_of_kinds_of_machines_that_were_measured():
    assert set(references.known()) <= {one["kind"] for one in page.records()}
    assert all(low < high for bands in references.known().values() for low, high in bands.values())


def test_bands_are_written_from_measurements(found):
    (line,) = [one for one in page.bands(found * 2).splitlines() if "memory-3k-30k" in one]
    assert line == '  "memory-3k-30k: resident memory per extra cell": [2e+03, 3.25e+03]'
    assert page.bands(found).splitlines()[1] == f"{found[0]['kind']}:" and page.bands([]) == "{}\n"


def test_a_measurement_becomes_a_page_with_its_commit_and_figures(found, tmp_path, monkeypatch):
    monkeypatch.setattr(references, "known", dict)  # the made-up numbers lie outside the bands of a real machine
    text = page.render(found)
    assert f"commit `{found[0]['commit'][:8]}`" in text and f"kind `{found[0]['kind']}`" in text
    assert "| 2D | 1 | 10,000 | 200 | 83,333 | 40 % | 30 % |" in text
    assert "| `memory-3k-30k` | resident memory per extra cell | 2,500 | B | 30,000 |" in text
    for draw in (page.draw_scaling, page.draw_phases):
        draw(found[0], tmp_path / "x.png")
        assert (tmp_path / "x.png").stat().st_size > 5000
    page.draw_history(found * 3, tmp_path / "y.png")
    assert (tmp_path / "y.png").stat().st_size > 5000


def test_a_full_measurement_is_shown_before_a_newer_small_one(found):
    full = {**found[0], "size": "full"}
    assert page.newest([full, found[0]]) is full and page.newest(found * 2) is found[0]


def test_a_band_spans_what_was_measured_and_tells_what_lies_outside():
    assert references.band_of([10.0, 20.0]) == (8.0, 26.0)
    bands = {"a: time": (8.0, 26.0)}
    assert references.outside([row("a", "time", 25.0, "ns", 1), row("b", "time", 1e9, "ns", 1)], bands) == []
    (said,) = references.outside([row("a", "time", 27.0, "ns", 1)], bands)
    assert said == "a: time: 27 ns lies above 8 to 26, seen before on this kind of machine"
    assert references.outside([row("a", "time", 27.0, "ns", 1)], None) == []


def test_machines_of_one_kind_have_one_name():
    epyc = {"cpu": "AMD EPYC 9B14 96-Core Processor", "features": "avx avx2 avx512f", "cores": 2}
    assert references.kind_of(epyc) == "amd-epyc-9b14-avx512-2cores"
    assert references.kind_of({"cpu": "Intel(R) Xeon(R) CPU @ 2.20GHz", "features": "avx avx2", "cores": 8}) == "intel-xeon-avx2-8cores"
    assert references.kind_of({}) == "scalar-?cores"


def test_the_command_warns_and_does_not_fail(monkeypatch, capsys):
    kind = references.kind_of(__import__("tme.experiments.provenance", fromlist=["machine"]).machine())
    monkeypatch.setattr(references, "known", lambda: {kind: {"stream-limit: read and write one float64": (1e6, 1e7)}})
    with pytest.raises(SystemExit) as end:
        cli.main(["bench", "stream-limit", "--json"])
    out, err = capsys.readouterr()
    assert not end.value.code and json.loads(out)[0]["case"] == "stream-limit"
    assert "warning: stream-limit: read and write one float64" in err and "lies below 1e+06 to 1e+07" in err


def test_every_pathway_is_measured(monkeypatch):
    from tme.bench import pathways

    rows = pathways.pathways("pathways", 500)
    assert [r["metric"] for r in rows] == [f"one step, {name}" for name in PATHWAYS]
    assert all(r["value"] > 0 for r in rows) and "pathways" in bench.CASES


def test_steps_are_told_in_words():
    assert [record.told(w) for w in (("mesa", "rules"), (10_000, 3, 2), "whole.whole('a', 3)")] == ["tme bench mesa rules", "10,000 cells in 3D on 2 threads", "whole.whole('a', 3)"]
