"""Runs in the formats of others: `tme export RUN --to FORMAT`, a file a format. `FORMATS` is all there is."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

from tme.experiments import Run
from tme.experiments.run_directory import RunError
from tme.experiments.snapshots import need
from tme.exporting.contract import Choice, Format
from tme.exporting.output import check_free, new_file, new_folder

FORMATS = {  # name -> file and class, imported when asked for
    "h5ad": ("h5ad", "H5ad"), "csv": ("tables", "Tables"), "zarr": ("zarr", "Zarr"), "vtk": ("vtk", "Vtk"),
    "sbml": ("sbml", "Sbml"), "openvt": ("openvt", "OpenVT"), "ro-crate": ("crate", "Crate"),
}  # fmt: skip

__all__ = ["FORMATS", "Choice", "Format", "export", "format_of"]


def format_of(name: str) -> Format:
    """A format by its name; RunError says which there are."""
    if name not in FORMATS:
        raise RunError(f"there is no format '{name}'; expected one of {', '.join(FORMATS)}")
    file, word = FORMATS[name]
    return getattr(import_module(f"tme.exporting.{file}"), word)()


def export(run: Any, to: str, out: Path | str | None = None, choice: Choice = Choice()) -> tuple[Path, list[str]]:  # noqa: B008  # frozen
    """Write a run, or what is chosen of it, in a format; returns the path, by default NAME plus the format's ending, here, and remarks.

    `run` is a run directory or a `Run`. RunError (exit code 2) where the choice does not fit, the path is taken or a
    library is missing; then nothing is written. What is written appears whole, at once.
    """
    form = format_of(to)
    run = run if isinstance(run, Run) else Run(run)
    if not form.selects and choice.narrows:
        raise RunError(f"--{choice.narrows}: {to} is of the whole run; leave it out")
    for module, extra in form.needs:
        need(module, extra, f"--to {to}")
    path = Path(out) if out is not None else Path(run.path.resolve().name + form.ending)
    check_free(path)
    notes: list[str] = []
    (new_folder if form.is_folder(path) else new_file)(path, lambda place: notes.extend(form.write(run, choice, place)))
    return path, notes
