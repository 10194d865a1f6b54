"""`tme spatial`: what it prints and writes, of tables and of runs; bad input writes nothing."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from test_tables import HOSTILE, table

from tme.experiments.h5ad import write_h5ad


def field(path: Path, seed: int = 1, **more):
    """A tumour on the left, T cells on the right and some within."""
    rng = np.random.default_rng(seed)
    tumour, cd8 = rng.random((250, 2)) * [250, 300], rng.random((60, 2)) * [400, 300]
    x, y = np.concatenate([tumour, cd8]).T
    return table(path, x=x, y=y, type=["tumour"] * 250 + ["cd8"] * 60, marker=x / 400, **more)


def run_directory(root: Path, name: str = "run", arms=("control", "anti_pdl1"), replicates: int = 2, hours=(0.0, 24.0)) -> Path:
    """A run directory as far as snapshots go: a disc of tumour cells that die in a wave from its middle in the second arm."""
    folder = root / name
    folder.mkdir()
    (folder / "config.resolved.yaml").write_text(f"name: x\ndomain: {{size_um: [600, 600]}}\narms: {json.dumps({a: {} for a in arms})}\n")
    grid = np.stack(np.meshgrid(np.arange(7.5, 600, 15), np.arange(7.5, 600, 15)), axis=-1).reshape(-1, 2)
    far = np.hypot(*(grid - 300).T)
    tumour = grid[far < 200]
    rows = []
    for a, arm in enumerate(arms):
        for r in range(replicates):
            rng = np.random.default_rng(10 * a + r)
            (folder / arm / f"rep-{r:03d}").mkdir(parents=True)
            cd8 = np.floor(rng.random((80, 2)) * 40) * 15 + 7.5
            for hour in hours:
                death = np.hypot(*(tumour - 300).T) / (5.5 * 60) * 30 + rng.normal(0, 0.2, len(tumour))
                dead = (death < hour) & (a == 1) & (np.hypot(*(tumour - 300).T) < 120)
                n = len(tumour) + len(cd8)
                at = np.concatenate([tumour, cd8])
                write_h5ad(folder / arm / f"rep-{r:03d}" / f"cells_{hour:g}.h5ad", {
                    "x_um": at[:, 0], "y_um": at[:, 1], "z_um": np.full(n, 7.5), "uid": np.arange(n), "cell_type": np.array(["tumour"] * len(tumour) + ["cd8"] * len(cd8)),
                    "fate": np.array([*np.where(dead, "ferroptosis", "alive"), *["alive"] * len(cd8)]),
                    "death_hour": np.r_[np.where(dead, death, np.nan), np.full(len(cd8), np.nan)], "pdl1": np.r_[rng.random(len(tumour)), np.full(len(cd8), np.nan)],
                }, {"hour": hour}, flat=True)  # fmt: skip
                rows.append({"arm": arm, "replicate": r, "hour": hour, "cd8_per_mm2": 300.0, "cd8_inside_per_mm2": 100.0, "cd8_rim_per_mm2": 400.0})
    pd.DataFrame(rows).to_csv(folder / "series.csv", index=False)
    return folder


def test_a_table_gives_a_summary_tidy_tables_and_a_page(tme):
    field(Path("field.csv"))
    code, out, err = tme("spatial", "field.csv", "--mark", "marker", "--out", "out")
    assert (code, err) == (0, "")
    assert "field.csv: x = x, y = y, type = type; types tumour 250, cd8 60" in out
    assert "contacts (cells within 30 um; expected of shuffled types)" in out and "infiltration" in out and "niche" in out
    written = {p.name for p in Path("out").iterdir()}
    assert written == {f"{n}.csv" for n in ("enrichment", "correlation", "weighted", "nearest", "nearest_curves", "margin", "mixing", "niches", "summary")} | {"spatial.png"}
    enrichment = pd.read_csv("out/enrichment.csv")
    assert list(enrichment.columns[:3]) == ["sample", "source", "target"] and len(enrichment) == 4
    with Image.open("out/spatial.png") as page:
        assert page.size[0] > 1000 and len(np.unique(np.asarray(page.convert("L")))) > 50


def test_json_has_every_table(tme):
    field(Path("a.csv"))
    field(Path("b.csv"), 2)
    code, out, _ = tme("spatial", "a.csv", "b.csv", "--json", "--out", "out", "--shuffles", "9", "--niches", "0")
    found = json.loads(out)
    assert code == 0 and {r["sample"] for r in found["enrichment"]} == {"a", "b"} and "niches" not in found
    assert found["enrichment"][0]["shuffles"] == 9 and len(found["files"]) == len(list(Path("out").iterdir()))


def test_the_same_call_gives_the_same_bytes_and_another_order_of_rows_too(tme):
    path = field(Path("field.csv"))
    assert tme("spatial", path, "--out", "one")[0] == 0
    frame = pd.read_csv(path)
    frame.sample(frac=1.0, random_state=3).to_csv(path, index=False)
    assert tme("spatial", path, "--out", "two")[0] == 0
    for one in Path("one").glob("*.csv"):
        assert one.read_bytes() == (Path("two") / one.name).read_bytes(), one.name


def test_a_run_is_told_by_arm_replicate_and_hour(tme, tmp_path):
    run_directory(tmp_path)
    before = sorted(Path("run").rglob("*"))
    code, out, err = tme("spatial", "run", "--out", "out")
    assert (code, err) == (0, "") and sorted(Path("run").rglob("*")) == before
    assert "hour 24 (day 1), mean over replicates with 95 % interval" in out and "excluded 2" in out
    summary = pd.read_csv("out/summary.csv")
    assert {tuple(k) for k in summary[["arm", "replicate", "hour"]].drop_duplicates().itertuples(index=False)} == {(a, r, h) for a in ("control", "anti_pdl1") for r in (0, 1) for h in (0, 24)}
    wave = summary[(summary["arm"] == "anti_pdl1") & (summary["hour"] == 24)].set_index("statistic")["value"]
    assert (wave["propagation_index"].astype(float) > 0.6).all() and (wave["clusters"].astype(float) == 1).all()
    assert wave["front_um_min"].astype(float).to_numpy() == pytest.approx(5.5 / 30, rel=0.1)
    assert {"clusters.csv", "front.csv", "weighted.csv", "spatial.png"} <= {p.name for p in Path("out").iterdir()}
    code, out, _ = tme("spatial", "run", "--out", "less", "--arm", "control", "--hour", "24", "--json")
    assert code == 0 and {(r["arm"], r["hour"]) for r in json.loads(out)["enrichment"]} == {("control", 24.0)}


def test_rows_for_a_data_table_are_those_that_calibrate_reads(tme):
    field(Path("a.csv"))
    field(Path("b.csv"), 2)
    code, _, err = tme("spatial", "a.csv", "b.csv", "--out", "out", "--target", "spatial.contacts.cd8.tumour", "--target", "spatial.nearest_um.tumour.cd8", "--day", "3", "--arm", "ctl")
    assert (code, err) == (0, "")
    from tme.studies.data_table import read

    rows = read("out/data.csv", ("control", "ctl"), ("spatial.contacts.cd8.tumour", "spatial.nearest_um.tumour.cd8"), (-1, 10))
    assert [(r.readout, r.arm, r.day, r.n) for r in rows] == [("spatial.contacts.cd8.tumour", "ctl", 3, 2), ("spatial.nearest_um.tumour.cd8", "ctl", 3, 2)]
    assert all(r.sd > 0 and r.value > 0 for r in rows)


def test_hostile_names_do_no_harm(tme):
    n = 12 * len(HOSTILE)
    rng = np.random.default_rng(4)
    name = "=1+1 $x^{<b>[red].csv"
    table(Path(name), x=rng.random(n) * 200, y=rng.random(n) * 200, type=HOSTILE * 12, **{"$m$[/]": rng.random(n)})
    code, out, err = tme("spatial", name, "--out", "out", "--tumour", HOSTILE[0], "--mark", "$m$[/]", "--shuffles", "9")
    assert (code, err) == (0, "") and "\x1b" not in out
    assert set(pd.read_csv("out/enrichment.csv")["source"]) == set(HOSTILE)
    assert Path("out/spatial.png").stat().st_size > 10_000


GOOD = {"x": [0.0, 10, 20, 30], "y": [0.0, 0, 20, 5], "type": list("abab")}


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["a.csv", "--columns", "x"], "--columns: 'x' is no pair; expected e.g. --columns x=AbsoluteX"),
        (["a.csv", "--types", "a=b", "--types", "a=c"], "--types: 'a' is there twice"),
        (["a.csv", "--unit", "inch"], "a unit of 'inch'; expected um, mm, nm"),
        (["a.csv", "--window", "round"], "a window 'round'; expected one of box, tumour, tissue"),
        (["a.csv", "--window", "tumour"], "no tumour region: there are no cells of type tumour"),
        (["a.csv", "--neighbours", "next"], "neighbours by 'next'; expected one of radius, nearest, delaunay"),
        (["a.csv", "--radius", "-1"], "a radius of -1 um"),
        (["a.csv", "--hour", "3"], "--hour is for run directories"),
        (["a.csv", "--target", "spatial.contacts.a.b"], "--target, --day and of a table --arm go together"),
        (["a.csv", "--target", "spatial.contact.a.b", "--day", "1"], "did you mean 'spatial.contacts.a.b'"),
        (["a.csv", "--target", "spatial.contacts.dead_other.a", "--day", "1"], "cannot be told of a"),
        (["a.csv", "--out", "a.csv"], "a.csv is a file"),
        (["."], "is no run directory (holds no config.resolved.yaml)"),
        (["run", "a.csv"], "one run directory at a time"),
        (["run", "--types", "a=b"], "--types is for tables"),
        (["run", "--arm", "contrl"], "no snapshots of 'contrl'; expected one of anti_pdl1, control; did you mean 'control'?"),
        (["run", "--mark", "pld1"], "--mark: no snapshot has a column 'pld1'; expected one of cell_type, death_hour, fate, pdl1, spatial_0, spatial_1, uid; did you mean 'pdl1'?"),
        (["run", "--unit", "mm"], "--unit is for tables"),
        (["run", "--hour", "7"], "no snapshot at hour 7; expected one of 0, 24"),
        (["empty"], "holds no snapshots of cells"),
        (["broken"], "is no snapshot of cells that can be read"),
    ],
)
def test_bad_input_exits_2_and_writes_nothing(tme, tmp_path, args, words):
    table(Path("a.csv"), **GOOD)
    run_directory(tmp_path, replicates=1)
    Path("empty").mkdir()
    (Path("empty") / "config.resolved.yaml").write_text("name: x\n")
    (Path("broken") / "control" / "rep-000").mkdir(parents=True)
    (Path("broken") / "config.resolved.yaml").write_text("name: x\n")
    (Path("broken") / "control" / "rep-000" / "cells_0.h5ad").write_bytes(b"no")
    before = sorted(tmp_path.rglob("*"))
    out = [] if "--out" in args else ["--out", "out"]
    code, printed, err = tme("spatial", *args, *out)
    assert (code, printed) == (2, "") and words in err and "Traceback" not in err
    assert sorted(tmp_path.rglob("*")) == before


def test_what_an_earlier_call_left_does_not_stay_among_the_tables(tme, tmp_path):
    run_directory(tmp_path)
    assert tme("spatial", "run", "--out", "out")[0] == 0 and Path("out/clusters.csv").exists()
    Path("out/mine.csv").write_text("x")
    assert tme("spatial", "run", "--out", "out", "--arm", "control", "--niches", "0")[0] == 0
    assert not {"clusters.csv", "front.csv", "niches.csv"} & {p.name for p in Path("out").iterdir()} and Path("out/mine.csv").exists()


def test_infiltration_is_judged_by_the_types_asked_for(tme, tmp_path):
    """A run's own densities are those of CD8; of other types it is counted on the tissue."""
    run_directory(tmp_path)
    assert tme("spatial", "run", "--out", "own")[0] == 0
    code, out, _err = tme("spatial", "run", "--out", "other", "--cd8", "nk")
    assert code == 0 and "no sample has cells of the type 'nk' (--cd8)" in out + _err
    known = {o: set(pd.read_csv(f"{o}/summary.csv")["statistic"]) for o in ("own", "other")}
    assert "infiltration" in known["own"] and "infiltration" not in known["other"]


def test_rows_without_a_group_are_refused(tme):
    path = field(Path("field.csv"))
    frame = pd.read_csv(path).assign(fov="a")
    frame.loc[[3, 7], "fov"] = np.nan
    frame.to_csv(path, index=False)
    code, _out, err = tme("spatial", path, "--by", "fov", "--out", "out")
    assert code == 2 and "has no group" in err and "fov" in err and not Path("out").exists()
