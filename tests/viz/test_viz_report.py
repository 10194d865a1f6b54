"""The whole report, on complete and on deficient runs."""

from __future__ import annotations

import json
import re

import numpy as np
import pandas as pd
import pytest
import synthetic
from matplotlib.image import imread

from tme.viz import cautions, maps, page, report, style, synergy
from tme.viz.load import Missing, Run

USUAL = {
    "growth",
    "maps",
    "maps_close",
    "synergy",
    "causes",
    "composition",
    "chain",
    "percentiles",
    "profiles",
}


def page_of(run):
    return report.write(run, dpi=80).read_text(encoding="utf-8")


def test_every_figure_is_written_and_shows_something(four_arms):
    names = {p.stem for p in (four_arms / "figures").glob("*.png")}
    assert names >= USUAL | {"fields_day1", "fields_day11"}
    for path in (four_arms / "figures").glob("*.png"):
        picture = imread(path)[..., :3]
        assert picture.std() > 0.02, path.name
        assert min(picture.shape[:2]) > 200, path.name


def test_figures_fit_a_printed_page(four_arms):
    for path in (four_arms / "figures").glob("*.png"):
        height, width = imread(path).shape[:2]
        assert width <= style.PAGE_IN * style.DPI + 1 and height <= 10 * style.DPI, path.name


def test_no_letter_is_smaller_than_seven_points(smallest_letters):
    assert set(smallest_letters) >= USUAL
    assert {k: v for k, v in smallest_letters.items() if v < 7} == {}


def test_every_figure_says_what_one_sees(four_arms):
    captions = re.findall(
        r"<figcaption>(.*?)</figcaption>", (four_arms / "report.html").read_text(encoding="utf-8")
    )
    assert len(captions) >= len(USUAL) and min(len(c) for c in captions) > 80
    assert len(set(captions)) == len(captions)


def test_the_page_asks_nothing_of_the_network(four_arms):
    text = (four_arms / "report.html").read_text(encoding="utf-8")
    code = re.findall(r'<script type="module">(.*?)</script>', text, re.DOTALL)
    plain = re.sub(r"<script type=\"(module|text/plain)\".*?</script>", "", text, flags=re.DOTALL)
    assert len(code) == 1 and not re.search(r"https?://|//cdn|@import|<script|<link|url\(", plain)
    assert set(re.findall(r"https?://[^\s'\"]+", code[0])) == {"http://www.w3.org/2000/svg"}  # a name, not an address
    sources = re.findall(r'(?:src|href)="([^"]{0,40})', plain)
    assert sources and all(s.startswith(("data:image/png;base64,", "#")) for s in sources)
    assert "width=device-width" in text and str(four_arms) not in text


def test_the_page_names_arms_numbers_and_provenance(four_arms):
    text = (four_arms / "report.html").read_text(encoding="utf-8")
    for needle in (
        "anti-PD-L1",
        "RSL3 particles",
        "n = 4",
        "Holm",
        "0.62.1",
        "made up",
        "1000, 1001, 1002, 1003",
    ):
        assert needle in text, needle


def test_nothing_temporary_is_left_behind(four_arms):
    assert not [p for p in four_arms.rglob("*") if p.name.endswith(".tmp")]


def test_writing_twice_gives_the_same_bytes(tmp_path):
    run = synthetic.write_wave(tmp_path, length=40, width=6, replicates=1)
    assert page_of(run) == page_of(run)


def test_a_single_replicate_gets_a_report_without_intervals(tmp_path):
    run = synthetic.write_run(
        tmp_path, arms=("control", "combination"), replicates=1, n=64, scale=0.1, days=(0, 5), every_h=12
    )
    text = page_of(run)
    assert "single simulation" in text and "no interval" in text
    assert {p.stem for p in (run / "figures").glob("*.png")} >= {"growth", "maps", "profiles"}
    assert "p = " not in re.sub(r"<[^>]+>", "", re.sub(r"<script.*?</script>", "", text, flags=re.S)).replace("\u00a0", " ")


def test_a_single_arm_is_not_compared_with_itself(tmp_path):
    run = synthetic.write_run(
        tmp_path, arms=("anti_pdl1",), replicates=2, n=64, scale=0.1, days=(0, 5), every_h=12
    )
    text = page_of(run)
    assert "than control" not in text and "no untreated control arm" in text
    assert (run / "figures" / "growth.png").exists()


def test_missing_columns_are_named_and_the_rest_is_drawn(tmp_path):
    arms = ("control", "combination")
    run = synthetic.write_run(tmp_path, arms=arms, replicates=2, n=48, scale=0.08, days=(0,), every_h=6)
    table = pd.read_csv(run / "series.csv")
    gone = [
        c for c in table if c.startswith(("dead_", "ifng", "cd8", "treg", "dc_", "m1", "kills", "primed"))
    ]
    table.drop(columns=gone).to_csv(run / "series.csv", index=False)
    text = page_of(run)
    assert "series.csv has no dead_… columns" in text and "Figures left out" in text
    names = {p.stem for p in (run / "figures").glob("*.png")}
    assert "growth" in names and "maps" in names and not {"causes", "composition", "chain"} & names


def test_a_run_with_tumour_cells_only_needs_no_immune_columns(tmp_path):
    whole = synthetic.series("control", 0, np.arange(0.0, 25.0))
    drop = [c for c in whole if c.startswith(("cd8", "treg", "macrophage", "m1", "dc_", "primed", "kills"))]
    arms = ("control", "rsl3_particles")
    run = synthetic.write_run(tmp_path, arms=arms, replicates=2, days=(0, 5), every_h=12, drop=drop)
    text = page_of(run)
    assert "no immune columns" in text and "no cells_&lt;hour&gt;.h5ad snapshots" in text
    assert (run / "figures" / "growth.png").exists()


def test_three_dimensions_give_a_central_slice_and_a_projection(tmp_path):
    run = synthetic.write_run(
        tmp_path,
        arms=("control", "combination"),
        replicates=1,
        n=48,
        depth=16,
        scale=0.08,
        days=(0, 1),
        every_h=12,
    )
    report.write(run, dpi=80)
    names = {p.stem for p in (run / "figures").glob("*.png")}
    assert {"maps", "maps_projection", "fields_day1", "fields_day1_projection", "profiles"} <= names


def test_a_wave_run_shows_its_front_and_speed(tmp_path):
    run = synthetic.write_wave(tmp_path, speed_um_min=5.5, length=120, width=12)
    text = page_of(run)
    speed = float(re.search(r"front speed ([\d.]+) µm/min", text).group(1))
    assert speed == pytest.approx(5.5, rel=0.03)
    assert imread(run / "figures" / "kymograph.png").std() > 0.1


def test_deaths_without_a_front_get_no_speed(tmp_path):
    run = synthetic.write_wave(tmp_path, length=60, width=12, replicates=1, spread_h=40.0)
    text = page_of(run)
    assert "no single front" in text and "µm/min" not in text
    assert (run / "figures" / "kymograph.png").exists()


def test_early_stops_and_small_numbers_are_warned_of(tmp_path):
    run = synthetic.write_run(
        tmp_path,
        replicates=3,
        n=64,
        scale=0.1,
        days=(0, 2),
        every_h=12,
        stop={("control", 1): 1.0},
        horizon_day=2,
    )
    found = " ".join(cautions.warnings(Run(run)))
    assert "Only 3 simulations" in found
    assert "The tumour touched the edge of the domain: control 1 of 3 (day 1)." in found
    assert Run(run).last_common_hour == 24


def test_the_reports_first_lines_say_what_stopped_early(tmp_path):
    how = {"replicates": 3, "n": 48, "scale": 0.08, "days": (0, 2), "every_h": 12, "horizon_day": 2}
    cut = Run(synthetic.write_run(tmp_path / "a", stop={("control", 1): 1.0}, **how))
    assert page.lead(cut).endswith("followed to day 1 of treatment. Stopped early: 1 (control). All simulations are compared on the same day.")
    assert "Stopped early" not in page.lead(Run(synthetic.write_run(tmp_path / "b", **how)))


def test_numbers_of_each_simulations_own_end_are_marked_as_not_comparable(tmp_path):
    run = synthetic.write_run(tmp_path, replicates=3, n=48, scale=0.08, days=(0, 2), every_h=12)
    ends = pd.read_csv(run / "summary.csv").assign(final_hour=48.0)
    ends.to_csv(run / "summary.csv", index=False)
    assert "do not compare the arms here" not in page.summary_html(Run(run))
    ends.assign(final_hour=[24.0] + [48.0] * (len(ends) - 1)).to_csv(run / "summary.csv", index=False)
    assert "do not compare the arms here" in page.summary_html(Run(run))


def test_a_tumour_at_the_wall_is_warned_of(tmp_path):
    run = synthetic.write_run(tmp_path, replicates=1, n=40, scale=0.4, days=(0, 1), every_h=12)
    assert "touch the edge" in " ".join(cautions.warnings(Run(run)))


def test_failed_and_unfinished_simulations_are_named(four_arms, copy_of):
    run = copy_of(four_arms)
    (run / "control" / "rep-002" / "DONE").unlink()
    with open(run / "events.jsonl", "a") as file:
        file.write(json.dumps({"event": "failed", "arm": "control", "replicate": 2}) + "\n{broken\n")
    found = " ".join(cautions.warnings(Run(run)))
    assert "Failed at least once: control 2" in found and "1 simulation not finished" in found


def test_an_empty_directory_still_gives_a_page(tmp_path):
    text = page_of(tmp_path)
    assert "No figure could be drawn" in text


def test_a_missing_directory_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        report.write(tmp_path / "nowhere")


def test_names_from_the_configuration_cannot_inject_markup(tmp_path):
    run = synthetic.write_run(
        tmp_path, arms=("control",), replicates=1, n=48, scale=0.05, days=(0,), every_h=12
    )
    table = pd.read_csv(run / "series.csv")
    table["arm"] = "<b>x</b>"
    table.to_csv(run / "series.csv", index=False)
    assert "<b>x</b>" not in page_of(run)


def test_combinations_are_found_by_use_and_by_union_of_treatments(four_arms, copy_of):
    run = Run(four_arms)
    expected = [synergy.Combination("combination", "anti_pdl1", "rsl3_particles")]
    assert synergy.combinations(run) == expected
    both = synthetic.THERAPY["anti_pdl1"] | synthetic.THERAPY["rsl3_particles"]
    run.config["arms"]["combination"] = both
    assert synergy.combinations(run) == expected
    run.config["arms"]["combination"] = {"drugs": [{"name": "erastin", "day": 0}]}
    del run.__dict__["doses"]
    with pytest.raises(Missing):
        synergy.combinations(run)


def test_daily_excess_uses_pairs_of_replicates(four_arms):
    run = Run(four_arms)
    c = synergy.combinations(run)[0]
    f = {k: run.at(arm, "tumour_alive", 120) for k, arm in
         {"c": "control", "a": c.a, "b": c.b, "ab": c.combined}.items()}  # fmt: skip
    by_hand = (f["a"] / f["c"]) * (f["b"] / f["c"]) - f["ab"] / f["c"]
    found = synergy.excess_at(run, c, 5.0)
    assert found.value == pytest.approx(by_hand.mean()) and found.n == 4


def test_nothing_of_the_model_is_imported():
    import subprocess
    import sys

    code = (
        "import sys, tme.viz.report; "
        "print([m for m in sys.modules if m.startswith('tme.') and not m.startswith(('tme.viz', 'tme.statistics', 'tme.spatial'))])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_cleared_corpses_still_count_in_a_front(tmp_path):
    from tme.viz import kymograph

    run = synthetic.write_wave(tmp_path, length=60, width=6, replicates=1)
    last = sorted(
        (run / "erastin" / "rep-000").glob("cells_*.h5ad"), key=lambda p: float(p.stem.split("_")[1])
    )[-1]
    whole = kymograph.collect(Run(run), "erastin", 0)
    empty = {"cell_type": np.zeros(1, np.int8), "uid": np.array([10**6]), "death_hour": np.array([np.nan])}
    synthetic.write_h5ad(last, empty, np.array([[10.0, 10.0]]))
    left = kymograph.collect(Run(run), "erastin", 0)
    assert left["x"].size == whole["x"].size + 1
    assert np.isfinite(left["death_hour"]).mean() > 0.8


def test_a_simulation_that_ends_between_records_is_read_at_its_last_row(tmp_path):
    run = synthetic.write_run(
        tmp_path, arms=("control", "combination"), replicates=3, n=48, scale=0.08, days=(0, 2), every_h=6
    )
    table = pd.read_csv(run / "series.csv")
    odd = (table.arm == "combination") & (table.replicate == 1)
    table = table[~(odd & (table.hour > 42))]
    extra = (
        table[(table.arm == "combination") & (table.replicate == 1)]
        .iloc[-1:]
        .assign(hour=44.6, day=44.6 / 24)
    )
    pd.concat([table, extra]).to_csv(run / "series.csv", index=False)
    found = Run(run)
    assert found.last_common_hour == 42
    assert found.at("combination", "tumour_alive").notna().all()
    days, values = found.matrix("combination", "tumour_alive")
    assert 44.6 / 24 not in days and np.isnan(values[1, -1]) and np.isfinite(values[0]).all()


def test_snapshots_of_early_stops_are_matched_within_three_hours(tmp_path):
    run = synthetic.write_run(
        tmp_path, arms=("control", "combination"), replicates=1, n=48, scale=0.08, days=(0, 2), every_h=6
    )
    folder = run / "combination" / "rep-000"
    for name in ("cells_48.h5ad", "fields_48.npz"):
        (folder / name).rename(folder / name.replace("48", "46.5"))
    found = Run(run)
    pairs = [("control", 0), ("combination", 0)]
    assert found.shared_hours(pairs) == [0, 48]
    assert "up to 1.5 h apart" in found.apart(pairs, [48])
    with style.use():
        assert "up to 1.5 h apart" in maps.maps(found)[0].caption


def test_a_sweep_gets_an_overview_of_its_points(tmp_path):
    root = tmp_path / "sweep-0123abcd"
    tables, ends, rows = [], [], []
    for point, dose in enumerate((1.0, 3.0, 10.0)):
        rows.append({"sweep": point, "folder": f"sweep-{point:03d}", "dose_mg_kg": dose})
        for arm in ("control", "rsl3_particles"):
            for replicate in range(3):
                table = synthetic.series(arm, replicate, np.arange(0, 49, 12.0))
                tables.append(table.assign(sweep=point))
                final = table.tumour_alive.iloc[-1] / (1 if arm == "control" else dose)
                ends.append(
                    {
                        "sweep": point,
                        "dose_mg_kg": dose,
                        "arm": arm,
                        "replicate": replicate,
                        "seed": replicate,
                        "final_tumour_alive": final,
                    }
                )
    root.mkdir()
    pd.concat(tables).to_csv(root / "series.csv", index=False)
    pd.DataFrame(ends).to_csv(root / "summary.csv", index=False)
    pd.DataFrame(rows).to_csv(root / "sweep.csv", index=False)
    text = page_of(root)
    assert (root / "figures" / "sweep.png").exists()
    assert "sweep-002, dose_mg_kg = 10.0: RSL3 particles" in text


def test_sweep_points_are_read_on_one_day_where_a_simulation_stopped_early(tmp_path):
    """A control that stops after a day would be compared with treated tumours of two days."""
    from tme.viz import sweep

    root = tmp_path / "sweep-0123abcd"
    root.mkdir()
    tables, ends = [], []
    for point in (0, 1):
        for arm, share in (("control", 1.0), ("rsl3_particles", 0.5)):
            stop = 30.0 if (point, arm) == (1, "control") else 48.0
            hours = [h for h in (0.0, 24.0, 48.0) if h < stop] + [stop]
            tables.append(pd.DataFrame({"sweep": point, "arm": arm, "replicate": 0, "hour": hours, "tumour_alive": [share * (100 + h) for h in hours]}))
            why = "the tumour reached the edge" if stop < 48 else ""
            ends.append({"sweep": point, "arm": arm, "replicate": 0, "seed": 1, "final_hour": stop, "stop_reason": why})
    pd.concat(tables).to_csv(root / "series.csv", index=False)
    pd.DataFrame(ends).to_csv(root / "summary.csv", index=False)
    pd.DataFrame({"sweep": [0, 1], "folder": ["sweep-000", "sweep-001"], "dose": [1.0, 3.0]}).to_csv(root / "sweep.csv", index=False)
    found = Run(root)
    assert sweep.sweep_hour(found) == 24
    assert all("RSL3 particles 50 %" in line for line in sweep.words_of_points(found))
    assert "Stopped early: 1 (control)" in page.lead(found) and "day 1" in page.lead(found)
    assert "on day 1, the last that every simulation recorded" in sweep.sweep(found)[0].caption


@pytest.mark.parametrize(("values", "ticks", "axis"), [
    (["on", "off"], ["on", "off"], "rules"),
    (["{'M71.efimova': 'off', 'M72.wiernicki': 'on'}", "{'M71.efimova': 'off'}"], ["0", "1"], "sweep point"),
])  # fmt: skip
def test_points_of_a_sweep_stand_on_the_axis_by_their_values_or_where_these_are_long_by_their_numbers(tmp_path, values, ticks, axis):
    from tme.viz import sweep

    rows = [{"sweep": p, "arm": a, "replicate": 0, "hour": 24.0, "tumour_alive": 10.0} for p in (0, 1) for a in ("control", "rsl3_particles")]
    pd.DataFrame(rows).to_csv(tmp_path / "series.csv", index=False)
    pd.DataFrame([{**row, "seed": 1, "final_hour": 24.0, "stop_reason": ""} for row in rows]).to_csv(tmp_path / "summary.csv", index=False)
    pd.DataFrame({"sweep": [0, 1], "folder": ["sweep-000", "sweep-001"], "rules": values}).to_csv(tmp_path / "sweep.csv", index=False)
    with style.use():
        drawn = sweep.sweep(Run(tmp_path))[0].figure.axes[0]
    assert [t.get_text() for t in drawn.get_xticklabels()] == ticks and drawn.get_xlabel() == axis


def test_the_share_at_a_sweep_point_is_of_the_same_replicates(tmp_path):
    from tme.viz import sweep

    root = tmp_path / "sweep-0123abcd"
    root.mkdir()
    rows = [{"sweep": 0, "arm": a, "replicate": r, "hour": h, "tumour_alive": 10.0**r * (1.0 if a == "control" else 0.5)}
            for a in ("control", "rsl3_particles") for r in range(4) for h in (0.0, 24.0) if (a, r) != ("rsl3_particles", 1)]  # fmt: skip
    pd.DataFrame(rows).to_csv(root / "series.csv", index=False)
    pd.DataFrame([{"sweep": 0, "arm": a, "replicate": r, "seed": r, "final_hour": 24.0, "stop_reason": ""} for a in ("control", "rsl3_particles") for r in range(4)]).to_csv(root / "summary.csv", index=False)
    pd.DataFrame({"sweep": [0], "folder": ["sweep-000"], "dose": [1.0]}).to_csv(root / "sweep.csv", index=False)
    (line,) = sweep.words_of_points(Run(root))
    assert "RSL3 particles 50 % (50 to 50)" in line


def test_colours_of_a_legend_are_those_of_the_curves_where_an_arm_has_none(tmp_path):
    from tme.viz import style, survival

    run = synthetic.write_run(tmp_path, n=48, scale=0.08, days=(0, 2, 5, 8), every_h=24, replicates=3)
    lost = Run(run).arms[1]
    table = pd.read_csv(run / "series.csv")
    table[table["arm"] != lost].to_csv(run / "series.csv", index=False)
    found = Run(run)
    figure = survival.survival(found)[0].figure
    colours = style.arm_colours(found.arms, found.control)
    shown = {text.get_text(): line.get_color() for line, text in zip(figure.legends[0].get_lines(), figure.legends[0].get_texts())}
    assert len(shown) == len(found.arms) - 1 and shown == {style.arm_name(a): colours[a] for a in found.arms if a != lost}


def test_a_torn_snapshot_costs_its_figures_and_not_the_page(tmp_path):
    run = synthetic.write_run(tmp_path, arms=("control", "combination"), replicates=1, n=64, scale=0.1, days=(0, 5), every_h=12)
    for path in run.rglob("cells_*.h5ad"):
        path.write_bytes(b"cut short")
    assert "could not be drawn" in page_of(run)


def test_a_viewer_that_cannot_be_packed_is_told_with_its_reason(tmp_path, monkeypatch):
    from tme.viz.viewer import pack

    def broken(folder, *_):
        raise ValueError("torn")

    run = synthetic.write_run(tmp_path, arms=("control", "combination"), replicates=1, n=64, scale=0.1, days=(0, 5), every_h=12)
    monkeypatch.setattr(pack, "block", broken)
    text = page_of(run)
    assert "the viewer" in text and "could not be packed (ValueError: torn)" in text
