"""The page of a study: its sentences, its figure, its tables.

A study directory says what it is in study.yaml; summary.json holds the sentences and what figures draw. `FIGURES` names the
figures of each kind of study: functions of `StudyPage` that return a list of `Drawn`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import cache
from html import escape
from importlib import import_module
from importlib.resources import files as resources
from pathlib import Path
from string import Template
from typing import Any, TypeVar

import pandas as pd
from ruamel.yaml import YAML

from tme.viz import style, vector
from tme.viz.files import whole
from tme.viz.load import Missing
from tme.viz.page import flatten
from tme.viz.sheets import Shown, figure_html
from tme.viz.style import Drawn

T = TypeVar("T")
STUDY = "study.yaml"
MOST_ROWS = 40


class NotFinished(Missing):
    """The study has no tables yet."""

    exit_code = 2


# of an unfinished study's directory: rows of table.csv and summary.json of what is finished; None where that says nothing
SoFar = Callable[[Path], tuple[list[dict[str, Any]], dict[str, Any]] | None]


class StudyPage:
    """What a study directory holds, read once; of an unfinished one what `so_far` finds."""

    def __init__(self, folder: str | Path, so_far: SoFar | None = None) -> None:
        self.folder = Path(folder)
        self.study: dict[str, Any] = YAML(typ="safe").load((self.folder / STUDY).read_text(encoding="utf-8"))
        try:
            self.summary: dict[str, Any] = json.loads((self.folder / "summary.json").read_text(encoding="utf-8"))
            self.table = pd.read_csv(self.folder / "table.csv")
        except OSError as error:
            found = so_far(self.folder) if so_far is not None else None
            if found is None:
                raise NotFinished(f"{self.folder} is not finished: run its command again to complete it") from error
            self.table, self.summary = pd.DataFrame(found[0]), found[1]

    @property
    def kind(self) -> str:
        """Which study it is."""
        return self.study["kind"]

    @property
    def name(self) -> str:
        """Name of the experiment."""
        return self.study.get("name", self.folder.name)


# kind of study : module of tme.viz with a function of that name
FIGURES = ("sensitivity:sensitivity", "robust:robust", "calibrate:calibrate", "optimise:optimise", "cohort:cohort")


@cache
def figures_of(kind: str) -> tuple[Callable[[StudyPage], list[Drawn]], ...]:
    """The functions that draw a kind of study."""
    modules = [m for k, _, m in (f.partition(":") for f in FIGURES) if k == kind]
    return tuple(getattr(import_module(f"tme.viz.{m}"), m) for m in modules)


def is_study(folder: Path) -> bool:
    """Whether a folder holds a study."""
    return (Path(folder) / STUDY).is_file()


def write(folder: str | Path, dpi: int | None = None, so_far: SoFar | None = None) -> Path:
    """Draw the figures of a study and write report.html; returns the page's path."""
    page = StudyPage(folder, so_far)

    def save(one: Drawn) -> Shown:
        path = style.save(one.figure, page.folder / "figures" / f"{one.name}.png", dpi)
        return Shown(one.title, one.caption, path, one.figure.get_figwidth())

    drawn, skipped = each_figure(page, save)
    for old in (page.folder / "figures").glob("*.png"):
        if old.name not in {one.path.name for one in drawn}:
            old.unlink(missing_ok=True)
    return _write(page, drawn, skipped)


def each_figure(page: StudyPage, save: Callable[[Drawn], T]) -> tuple[list[T], list[str]]:
    """What `save` returns for every figure that the study allows, and why others could not be drawn."""
    out: list[T] = []
    skipped: list[str] = []
    with style.use():
        for draw in figures_of(page.kind):
            try:
                out += [save(one) for one in draw(page)]
            except Missing as reason:
                skipped.append(str(reason))
    return out, skipped


def write_figures(folder: str | Path, kind: str, out: str | Path | None = None, so_far: SoFar | None = None) -> tuple[list[Path], list[tuple[str, str]]]:
    """Every figure as a file of its own, `kind` svg or pdf, into `out` or the study's figures/; their paths, and why others could not be drawn."""
    page = StudyPage(folder, so_far)
    place = page.folder / "figures" if out is None else Path(out)
    written, skipped = each_figure(page, lambda one: vector.save(one.figure, place / f"{one.name}.{kind}", one.title))
    return written, [("figure", reason) for reason in skipped]


def _write(page: StudyPage, drawn: list[Shown], skipped: list[str]) -> Path:
    template = Template(resources("tme.viz").joinpath("study.html").read_text(encoding="utf-8"))
    style_sheet = re.search(r"<style>.*?</style>", resources("tme.viz").joinpath("report.html").read_text(encoding="utf-8"), re.S)
    provenance = json.loads((page.folder / "provenance.json").read_text(encoding="utf-8"))
    text = template.substitute(
        title=escape(f"{page.name}: {page.kind}"), style=style_sheet.group(0) if style_sheet else "", lead=escape(page.summary.get("lead", "")),
        sentences="".join(f"<li>{escape(s)}</li>" for s in page.summary.get("sentences", ())),
        figures="\n".join(figure_html(k, one) for k, one in enumerate(drawn, 1)) + "".join(f'<p class="small">{escape(s)}</p>' for s in skipped),
        tables=_tables(page), asked=_pairs({k: v for k, v in page.study.items() if k not in ("format",)}),
        provenance=_pairs({k: v for k, v in provenance.items() if k != "simulations"}),
    )  # fmt: skip
    target = page.folder / "report.html"
    with whole(target, "w") as file:
        file.write(text)
    return target


def _pairs(data: dict[str, Any]) -> str:
    rows = "".join(f"<tr><th>{escape(k)}</th><td><code>{escape(str(v))}</code></td></tr>" for k, v in flatten(data))
    return f'<div class="scroll"><table>{rows}</table></div>'


def _tables(page: StudyPage) -> str:
    """The tables that summary.json names for the page, else table.csv; long ones by their first rows."""
    shown = page.summary.get("tables") or {"table.csv": page.table.to_dict("records")}
    return "".join(f"<h3>{escape(title)}</h3>{table(rows)}" for title, rows in shown.items())


def table(rows: list[dict[str, Any]]) -> str:
    """Rows as a table; columns are the keys in order of appearance."""
    columns = list(dict.fromkeys(k for row in rows for k in row))
    head = "".join(f"<th>{escape(c)}</th>" for c in columns)
    body = "".join("<tr>" + "".join(f"<td>{escape(shown(row.get(c)))}</td>" for c in columns) + "</tr>" for row in rows[:MOST_ROWS])
    more = f'<p class="small">and {len(rows) - MOST_ROWS} more in table.csv</p>' if len(rows) > MOST_ROWS else ""
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>{more}'


def shown(value: Any) -> str:
    """A value in a cell."""
    if value is None or value != value:
        return ""
    return f"{value:.3g}" if isinstance(value, float) else str(value)
