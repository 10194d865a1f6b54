"""A run in a notebook: its figures one by one (`run.plot.growth()`), and what it shows of itself."""

from __future__ import annotations

import base64
import warnings
from html import escape
from pathlib import Path

import numpy as np

from tme import statistics
from tme.viz import outcomes, page, style
from tme.viz.composition import causes, composition
from tme.viz.curves import chain, percentiles
from tme.viz.fields import fields
from tme.viz.growth import growth
from tme.viz.kymograph import kymograph
from tme.viz.load import Missing, Run
from tme.viz.maps import maps
from tme.viz.primary import primary
from tme.viz.profiles import profiles
from tme.viz.style import Drawn, arm_name
from tme.viz.survival import survival
from tme.viz.synergy import synergy
from tme.viz.words import number

FIGURES = {f.__name__: f for f in (primary, growth, maps, synergy, survival, causes, composition, chain, percentiles, profiles, fields, kymograph)}


class Plots:
    """The figures of a report, each drawn when it is asked for: `growth()`, `maps()`, `fields()` ...

    Each returns a picture with `figure` (matplotlib), `title` and `caption`, or a list of them where it takes several
    sheets; `Missing` says what a run lacks for it.
    """

    def __init__(self, folder: str | Path) -> None:
        self._folder = Path(folder)

    def __dir__(self) -> list[str]:
        return sorted(FIGURES)

    def __getattr__(self, name: str):
        if name not in FIGURES:
            raise AttributeError(f"no figure {name!r}; there are {', '.join(FIGURES)}")

        def draw() -> Drawn | list[Drawn]:
            found = drawn(Run(self._folder), name)
            return found[0] if len(found) == 1 else found

        draw.__doc__ = FIGURES[name].__doc__
        return draw


def drawn(run: Run, name: str) -> list[Drawn]:
    """The sheets of one figure."""
    with style.use(), np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # means over arms that have no value
        return FIGURES[name](run)


def html(folder: str | Path) -> str:
    """A run as a notebook shows it: the answer to its question, its arms, growth; plain HTML with one picture."""
    run = Run(folder)
    return f"<div><h3>{escape(run.name)}</h3><p>{page.lead(run)}</p>{_question(run)}{_arms(run)}{_growth(run)}</div>"


def _question(run: Run) -> str:
    try:
        one, points = outcomes.answered(run)
    except Missing:
        return ""
    lines = one.lines() if one is not None else [line for p in points.values() for line in p.lines()]
    return "".join(f"<p>{escape(line)}</p>" for line in lines)


def _arms(run: Run) -> str:
    if not run.has("tumour_alive") or not run.sweep.empty:
        return ""
    rows = []
    for arm in run.measured:
        e = statistics.mean_of_amounts(run.at(arm, "tumour_alive"))
        within = f"{number(e.low)} to {number(e.high)}" if e.has_interval else "–"
        rows.append(f"<tr><td>{escape(arm_name(arm))}</td><td>{len(run.replicates(arm))}</td><td>{number(e.value)}</td><td>{within}</td></tr>")
    head = f"<tr><th>arm</th><th>n</th><th>living tumour cells, {style.day_text(run.last_common_hour)}</th><th>95 % interval</th></tr>"
    return f"<table><thead>{head}</thead><tbody>{''.join(rows)}</tbody></table>"


def _growth(run: Run) -> str:
    if not run.sweep.empty:
        return ""
    try:
        found = drawn(run, "growth")[0]
    except Missing:
        return ""
    data = base64.b64encode(found._repr_png_()).decode("ascii")
    return f'<img alt="growth of the arms" style="max-width:100%" width="720" src="data:image/png;base64,{data}">'
