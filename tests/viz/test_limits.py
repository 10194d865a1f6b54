"""Axes that one late value would stretch end earlier, and say what lies beyond."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from tme.viz import limits, style
from tme.viz.layout import OnceMeasured

DAYS = np.linspace(0, 10, 41)
CALM = np.full(41, 0.05)


def curve(mean, high=None):
    return DAYS, np.asarray(mean), np.asarray(mean if high is None else high)


def test_a_late_value_does_not_set_the_scale_and_is_marked_at_the_border():
    wild = CALM.copy()
    wild[-1] = 1.7
    axis = Figure().subplots()
    cut, marked = limits.keep_in(axis, {"a": curve(CALM), "b": curve(wild)}, {"a": "#000000", "b": "#009E73"})
    assert cut and marked and 0.05 < axis.get_ylim()[1] < 0.2
    (mark,) = [line for line in axis.lines if line.get_marker() == "^"]
    assert mark.get_xdata()[0] == 10 and mark.get_ydata()[0] == axis.get_ylim()[1]
    assert [t.get_text() for t in axis.texts] == ["1.7"]
    assert "triangles at the border" in limits.words([(cut, marked)])


def test_calm_curves_keep_their_whole_interval():
    top, cut = limits.top_of([curve(CALM, CALM * 1.5)])
    assert not cut and top > 0.075 and limits.words([(cut, False)]) == ""


def test_an_interval_far_above_the_means_is_cut_and_told_without_triangles():
    high = CALM.copy()
    high[-3:] = 5.0
    top, cut = limits.top_of([curve(CALM, high)])
    assert cut and 0.05 < top < 0.2
    assert "triangles" not in limits.words([(True, False)]) and "cut" in limits.words([(True, False)])


def test_nothing_but_zeros_and_gaps_still_has_an_axis():
    assert limits.top_of([curve(np.zeros(41)), curve(np.full(41, np.nan))]) == (1.0, False)
    assert limits.top_of([]) == (1.0, False)


def test_panels_measured_once_stand_where_constrained_layout_puts_them():
    places = []
    for layout in ("constrained", OnceMeasured()):
        with style.use():
            figure = Figure(figsize=(6, 4), dpi=100, layout=layout)
            for k, axis in enumerate(figure.subplots(2, 2).ravel()):
                axis.plot([0, 1], [0, 10 ** (k + 1)])
                axis.set(xlabel="time (d)", ylabel="value", title=f"panel {k}")
            figure.draw_without_rendering()
        places.append(np.array([axis.get_position().bounds for axis in figure.axes]))
    np.testing.assert_allclose(places[0], places[1], atol=0.02)


def test_powers_of_ten_on_an_axis_are_letters():
    with style.use():
        figure = style.new_figure(4, 3)
        axis = figure.subplots()
        axis.plot([0, 1], [0, 3e7])
        style.pixels(figure)
    assert axis.yaxis.get_offset_text().get_text() == "×10⁷"
