"""`tme bench`: speed and memory, measured."""

from __future__ import annotations

from typing import Annotated

import typer

from tme.cli.shared import AsJson, Device, echo_json


def bench(
    cases: Annotated[
        list[str] | None, typer.Argument(metavar="[CASE]...", help="Cases [default: all].")
    ] = None,
    as_json: AsJson = False,
    versus: Annotated[
        str | None,
        typer.Option("--vs", metavar="REF", help="Compare with an earlier --json output, or with a commit by turns."),
    ] = None,
    device: Annotated[Device, typer.Option(help="What the kernels run on.")] = Device.cpu,
) -> None:
    """Measure speed: ns per cell and voxel; `tme bench mesa` sets the plain-Mesa twin beside it."""
    from tme.bench import measure, references
    from tme.cli.text import table
    from tme.experiments.provenance import machine

    rows = measure(cases or [], versus, device.value, told=lambda text: typer.echo(text, err=True))
    if device is Device.cpu:
        for sentence in references.outside(rows, references.known().get(references.kind_of(machine()))):
            typer.echo(f"warning: {sentence}", err=True)
    if as_json:
        echo_json(rows)
    else:
        table(rows, "speed, CPU time, one thread unless said" if device is Device.cpu else f"speed on {device.value}, wall time")
