"""What `tme report` takes: measured points, and figures in vector form."""

from __future__ import annotations

import re

import pytest
import synthetic
from typer.testing import CliRunner

from tme.cli import app
from tme.viz import measured, style
from tme.viz.growth import growth
from tme.viz.load import Run
from tme.viz.measured import Measured, Point

HOSTILE = "<script>alert(1)</script>.csv"


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return synthetic.write_run(tmp_path_factory.mktemp("small"), arms=("control", "combination"), replicates=3, n=48, scale=0.1, days=(0, 2), every_h=12)


def report(*words):
    """Exit code and everything printed."""
    from contextlib import redirect_stderr, redirect_stdout
    from io import StringIO

    from tme.cli import main

    said, code = StringIO(), 0
    with redirect_stdout(said), redirect_stderr(said):
        try:
            main(["report", *map(str, words)])
        except SystemExit as end:
            code = end.code or 0
    return code, said.getvalue()


def test_measured_points_lie_on_the_growth_figure_and_in_its_caption(small, tmp_path):
    table = tmp_path / HOSTILE.replace("/", "_")
    table.write_text("day,value,unit,arm,sd\n0,1,relative,control,\n2,1.3,relative,control,0.1\n1,200,cells,combination,20\n30,9,relative,control,1\n")
    code, said = report(small, "--data", table)
    text = (small / "report.html").read_text(encoding="utf-8")
    assert code == 0, said
    assert "Circles: measured (&lt;script&gt;alert(1)&lt;_script&gt;.csv)" in text and "<script>alert" not in text
    assert "control 2 points, combination 1 point" in text and "1 point beyond the days simulated is not shown" in text
    assert "Multiples are drawn from the mean of the simulated arm on day 0" in text and "--data" in text
    report(small)
    assert "Circles: measured" not in (small / "report.html").read_text(encoding="utf-8")


def test_a_multiple_is_drawn_from_the_arms_own_size_on_that_day(small):
    run = Run(small)
    point = Point("control", "tumour_alive", 2.0, 1.5, 1.4, 1.7, 0.0)
    days, values = run.matrix("control", "tumour_alive")
    at_0 = values[:, list(days).index(0.0)].mean()
    assert measured.factor(run, point) == pytest.approx(at_0)
    with style.use():
        (one,) = growth(run, Measured((point,), "t.csv"))
    axis = next(a for a in one.figure.axes if a.get_ylabel() == "living tumour cells")
    marks = [line for line in axis.lines if line.get_marker() == "o"]
    assert len(marks) == 1 and marks[0].get_ydata()[0] == pytest.approx(1.5 * at_0) and axis.get_ylim()[1] > 1.7 * at_0


def test_how_long_drawing_took_is_told_by_the_command_and_not_by_the_page(small):
    done = CliRunner().invoke(app, ["report", str(small)])
    assert done.exit_code == 0 and done.stdout == f"{small / 'report.html'}\n"
    assert re.search(r"^drawn in \d+\.\d s$", done.stderr, re.M)
    assert "drawn in" not in (small / "report.html").read_text(encoding="utf-8")


def test_a_wrong_table_is_told_by_line_with_exit_2_and_nothing_is_written(small, tmp_path):
    table = tmp_path / "growth.csv"
    table.write_text("day,value,unit,arm\n1,2,mm3,contrl\n2,two,mm3,control\n")
    (small / "report.html").unlink(missing_ok=True)
    code, said = report(small, "--data", table)
    assert code == 2 and "growth.csv:2: arm: unknown arm 'contrl'" in said and "did you mean 'control'" in said and "growth.csv:3: value" in said
    assert not (small / "report.html").exists()
    code, said = report(small, "--data", tmp_path / "nowhere.csv")
    assert code == 2 and "cannot be read" in said


@pytest.mark.parametrize("kind", ["svg", pytest.param("pdf", marks=pytest.mark.slow)])
def test_figures_in_vector_form_have_a_file_each_and_keep_their_letters(small, tmp_path, kind):
    code, said = report(small, "--figures", kind, "--out", tmp_path / "figs")
    files = {p.name for p in (tmp_path / "figs").iterdir()}
    assert code == 0 and {f"growth.{kind}", f"maps.{kind}", f"chain.{kind}"} <= files and "left out: wave front" in said
    raw = (tmp_path / "figs" / f"growth.{kind}").read_bytes()
    if kind == "svg":
        text = raw.decode()
        assert re.search(r"<text[^>]*>.*?tumour area \(mm²\)", text, re.S) and "<image" not in text and "DejaVu Sans" in text
    else:
        assert raw.startswith(b"%PDF") and b"/FontFile2" in raw and b"/Type3" not in raw


@pytest.mark.slow
def test_equal_figures_are_equal_files_and_stand_in_the_runs_own_folder_unless_told(small, tmp_path):
    report(small, "--figures", "svg")
    report(small, "--figures", "svg", "--out", tmp_path / "again")
    assert (small / "figures" / "growth.svg").read_bytes() == (tmp_path / "again" / "growth.svg").read_bytes()


def test_out_without_figures_is_refused(small, tmp_path):
    code, said = report(small, "--out", tmp_path / "figs")
    assert code == 2 and "--figures svg" in said and not (tmp_path / "figs").exists()
    code, _ = report(small, "--figures", "svg", "--out", small / "series.csv")
    assert code == 2


def test_the_help_names_the_columns_of_a_table():
    said = CliRunner().invoke(app, ["report", "--help"]).output
    assert "--data" in said and "relative" in said and "--figures" in said
