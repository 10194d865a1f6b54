"""Figures and one self-contained page for a run directory.

>>> from tme.viz import report
>>> report.write("runs/four_arms-0123abcd")          # doctest: +SKIP
"""

from __future__ import annotations

import gc
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from html import escape
from importlib.resources import files as resources
from pathlib import Path
from string import Template
from typing import TypeVar

import numpy as np

from tme.viz import cautions, doses, outcome_tables, page, style, vector
from tme.viz.composition import causes, composition
from tme.viz.curves import chain, percentiles
from tme.viz.fields import fields
from tme.viz.files import whole
from tme.viz.growth import growth
from tme.viz.kymograph import kymograph
from tme.viz.load import Missing, Run
from tme.viz.maps import maps
from tme.viz.measured import Measured
from tme.viz.methods import methods_html
from tme.viz.primary import primary, primary_html
from tme.viz.profiles import profiles
from tme.viz.sheets import Placed, Shown, placed
from tme.viz.style import Drawn
from tme.viz.survival import survival
from tme.viz.sweep import sweep
from tme.viz.synergy import synergy
from tme.viz.viewer import pack

T = TypeVar("T")
FIGURES: tuple[tuple[str, Callable[..., list[Drawn]]], ...] = (
    ("the primary question", primary),
    ("tumour growth", growth),
    ("maps of cells", maps),
    ("combination against independent action", synergy),
    ("time to a size", survival),
    ("causes of death", causes),
    ("immune composition", composition),
    ("the chain from DAMP to SLC7A11", chain),
    ("percentiles at the tumour cells", percentiles),
    ("profiles across the tumour edge", profiles),
    ("fields", fields),
    ("wave front", kymograph),
)
MOST_UNCOLLECTED = 1_000_000  # objects, some 200 MB
SWEEP_FIGURES = (("sweep", sweep), ("dose-response", doses.responses), ("dose surfaces", doses.surfaces))


def write(run_dir: str | Path, dpi: int | None = None, data: Measured | None = None) -> Path:
    """Draw every figure the run allows into figures/ and write report.html; returns the page's path.

    A figure whose columns or files are missing, or that fails, is named on the page with the reason; the
    others are unaffected. A sweep gets an overview of its points. Figures of an earlier report that no
    longer exist are removed. `data`: measured points for the growth figure.
    """
    run = Run(run_dir)
    folder = run.folder / "figures"

    def save(one: Drawn) -> Shown:
        path = style.save(one.figure, folder / f"{one.name}.png", dpi)
        return Shown(one.title, one.caption, path, one.figure.get_figwidth())

    with _quietly(), ThreadPoolExecutor(1) as beside:  # reading and deflating leave Python free to draw
        packed = beside.submit(_viewer, run)
        drawn, skipped = each_figure(run, save, data)
        page_path = _write_page(run, drawn, skipped, packed.result(), data)
    for stale in [*folder.glob(".*.png.*.tmp"), *run.folder.glob(".report.html.*.tmp")]:
        stale.unlink(missing_ok=True)  # left by a report that was killed
    keep = {one.path.name for one in drawn}
    for old in folder.glob("*.png"):
        if old.name not in keep:
            old.unlink(missing_ok=True)
    return page_path


def each_figure(run: Run, save: Callable[[Drawn], T], data: Measured | None = None) -> tuple[list[T], list[tuple[str, str]]]:
    """What `save` returns for every figure that the run allows, and (title, reason) of those that could not be drawn or saved."""
    out: list[T] = []
    skipped: list[tuple[str, str]] = []
    for title, draw in FIGURES if run.sweep.empty else SWEEP_FIGURES:
        try:
            drawn = list(draw(run, data) if draw is growth else draw(run))
        except Missing as reason:
            skipped.append((title, str(reason)))
            continue
        except Exception as fault:  # one broken figure must not cost the reader the others
            skipped.append((title, could_not(fault)))
            continue
        for one in drawn:
            try:
                out.append(save(one))
            except OSError:  # a full disk costs all
                raise
            except Exception as fault:
                skipped.append((title, could_not(fault)))
            if gc.get_count()[0] > MOST_UNCOLLECTED:
                gc.collect(0)
    return out, skipped


def write_figures(run_dir: str | Path, kind: str, out: str | Path | None = None, data: Measured | None = None) -> tuple[list[Path], list[tuple[str, str]]]:
    """Every figure as a file of its own, `kind` svg or pdf, into `out` or the run's figures/; their paths, and what could not be drawn."""
    run = Run(run_dir)
    folder = run.folder / "figures" if out is None else Path(out)
    with _quietly():
        return each_figure(run, lambda one: vector.save(one.figure, folder / f"{one.name}.{kind}", one.title), data)


@contextmanager
def _quietly() -> Iterator[None]:
    """The style of figures, no warnings of means over nothing, and Python's search for unused cycles put off.

    Among the many small parts of figures that search took a tenth of a report's time.
    """
    was = gc.isenabled()
    gc.disable()
    try:
        with style.use(), np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # means over arms that have no value
            yield
    finally:
        if was:
            gc.enable()


def could_not(fault: Exception) -> str:
    """Why a figure is left out, in words."""
    return f"could not be drawn ({type(fault).__name__}: {fault})"


def _viewer(run: Run) -> tuple[pack.Block | None, str]:
    """The viewer with its frames, and the reason where a broken file keeps it from the page."""
    try:
        with np.errstate(all="ignore"):
            return pack.block(run.folder, run) if run.sweep.empty else None, ""
    except (OSError, ValueError, KeyError) as fault:  # the figures say the same
        return None, f"could not be packed ({type(fault).__name__}: {fault})"


def _write_page(run: Run, drawn: list[Shown], skipped: list[tuple[str, str]], packed: tuple[pack.Block | None, str], data: Measured | None) -> Path:
    viewer, reason = packed
    if reason:
        skipped.append(("the viewer", reason))
    found = placed(drawn)
    without = [key for key, there in (("viewer", viewer), ("loop", found.loop), ("figures", found.rest or skipped or not drawn)) if not there]
    template = Template(resources("tme.viz").joinpath("report.html").read_text(encoding="utf-8"))
    text = template.substitute(
        title=escape(f"{run.name}: report"),
        policy=escape(page.policy(viewer.hash if viewer else None)),
        lead=page.lead(run),
        nav=page.nav(without),
        first=found.first,
        loop=f'<h2 id="loop">The loop</h2>\n{found.loop}' if found.loop else "",
        viewer=page.viewer_html(viewer.body if viewer else ""),
        script=viewer.script if viewer else "",
        warnings=cautions.warnings_html(run),
        config=page.config_html(run),
        primary=primary_html(run),
        outcomes=outcome_tables.outcome_html(run),
        words=page.words_html(run),
        endpoints=page.endpoints_html(run),
        figures=_rest_html(found, drawn, skipped),
        methods=methods_html(run, data.source if data else ""),
        provenance=page.provenance_html(run),
    )
    target = run.folder / "report.html"
    with whole(target, "w") as file:
        file.write(text)
    return target


def _rest_html(found: Placed, drawn: list[Shown], skipped: list[tuple[str, str]]) -> str:
    """Figures that stand neither on the first screen nor in the loop, and what could not be drawn."""
    rest = found.rest or ("" if drawn else "<p>No figure could be drawn.</p>")
    left_out = page.skipped_html(skipped)
    return f'<h2 id="figures">Further figures</h2>\n{rest}\n{left_out}' if rest or left_out else ""
