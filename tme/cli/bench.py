"""`tme bench`: speed and memory, measured."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tme.cli.shared import AsJson, Device


def bench(
    cases: Annotated[
        list[str] | None, typer.Argument(metavar="[CASE]...", help="Cases [default: all].")
    ] = None,
    as_json: AsJson = False,
    versus: Annotated[
        Path | None, typer.Option("--vs", metavar="FILE", help="Compare with an earlier --json output.")
    ] = None,
    device: Annotated[Device, typer.Option(help="What the kernels run on.")] = Device.cpu,
) -> None:
    """Measure speed: ns per cell and voxel; `tme bench mesa` sets the plain-Mesa twin beside it."""
    from tme.bench import main as measure

    code = measure(cases or [], as_json, versus, device.value)
    if code:
        raise typer.Exit(code)
