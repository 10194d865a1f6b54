"""A run in a notebook: figures, what it shows of itself, and the widget's answers."""

from __future__ import annotations

import json

import pytest
import synthetic

import tme
from tme.viz.viewer import frames, notebook
from tme.viz.viewer.source import Source, Unreadable


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return synthetic.write_run(tmp_path_factory.mktemp("small"), arms=("control", "combination"), replicates=2, n=40, scale=0.05, days=(0, 1), every_h=12)


def test_a_run_draws_its_figures_one_by_one(small):
    run = tme.load(small)
    assert {"growth", "maps", "fields", "composition"} <= set(dir(run.plot))
    growth = run.plot.growth()
    assert growth.figure.axes and "tumour" in growth.caption.lower()
    assert growth._repr_png_().startswith(b"\x89PNG")
    with pytest.raises(AttributeError, match="there are primary, growth"):
        run.plot.groth  # noqa: B018


def test_a_run_shows_itself_with_its_arms_and_growth(small):
    shown = tme.load(small)._repr_html_()
    assert "combination" in shown and "living tumour cells" in shown and "data:image/png;base64," in shown


def test_a_name_of_a_run_cannot_put_code_into_a_notebook(small, copy_of):
    run = copy_of(small)
    config = run / "config.resolved.yaml"
    config.write_text(config.read_text().replace("name: four_arms", "name: <script>alert(1)</script>"))
    assert "<script" not in tme.load(run)._repr_html_()


def test_the_kernel_answers_what_the_page_asks_for(small):
    source = Source(small)
    assert json.loads(notebook.answer(source, {"ask": "index"}))["name"] == "four_arms"
    assert frames.read(notebook.answer(source, {"ask": "frame", "arm": "control", "replicate": "0", "hour": "24.0"}))[0]["hour"] == 24
    assert notebook.answer(source, {"ask": "descent", "arm": "control", "replicate": 0})
    with pytest.raises(Unreadable):
        notebook.answer(source, {"ask": "frame", "arm": "../x", "replicate": 0, "hour": 0})


def test_the_widget_sends_frames_and_says_what_is_missing(small):
    pytest.importorskip("anywidget", reason="the extra `notebook` is not installed")
    widget = tme.view(tme.load(small))
    sent = []
    widget.send = lambda content, buffers=None: sent.append((content, buffers))
    widget._asked(widget, {"ask": "frame", "arm": "control", "replicate": 0, "hour": 24, "id": 7}, [])
    widget._asked(widget, {"ask": "frame", "arm": "control", "replicate": 0, "hour": 25, "id": 8}, [])
    assert sent[0][0] == {"id": 7} and sent[0][1][0].startswith(frames.MAGIC)
    assert sent[1][0]["id"] == 8 and "no snapshot" in sent[1][0]["error"]
    assert "export default" in widget._esm
    assert repr(widget) == f"<viewer of {small}: drawn while the notebook runs>"


def test_without_the_extra_one_line_says_what_to_install(small, monkeypatch):
    import sys

    notebook._widget_class.cache_clear()
    monkeypatch.setitem(sys.modules, "anywidget", None)
    with pytest.raises(notebook.MissingExtra, match=r'pip install "tme\[notebook\]"'):
        tme.view(small)
    notebook._widget_class.cache_clear()


def test_a_comparison_shows_the_question_first_and_folds_the_rest(small, copy_of):
    run = copy_of(small)
    config = run / "config.resolved.yaml"
    text = config.read_text()
    shown = tme.load(run).compare()._repr_html_()
    assert shown.index("exploratory") < shown.index("<details><summary>readouts against control</summary>") and "<th>arm</th>" in shown
    for path in (config, run / "series.csv", run / "summary.csv"):
        path.write_text(path.read_text().replace("combination", "<b>x</b>"))
    hostile = tme.load(run).compare()._repr_html_()
    assert text != config.read_text() and "<b>x" not in hostile and "&lt;b&gt;x" in hostile
