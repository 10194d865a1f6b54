"""`tme list`: what a config may name."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tme.cli.shared import AllowPlugins, AsJson, echo_json, load


def list_(
    kind: Annotated[str, typer.Argument(help="drugs, antibodies, nanoparticles, tumours, alterations, cohorts, fields, cells, receptors, events, rules, signals, terms, pathways, mechanisms, targets")],
    config: Annotated[Path | None, typer.Option("--config", metavar="CONFIG", help="With the library of this experiment.")] = None,
    library: Annotated[
        list[Path] | None, typer.Option("--library", metavar="FILE", help="With entries of your own; may be repeated.")
    ] = None,
    as_json: AsJson = False,
    allow_plugins: AllowPlugins = False,
) -> None:
    """List what configs may name."""
    from tme.cli import text

    own = load(config, None, False, None, allow_plugins) if config is not None else None
    rows = text.rows_of(kind, own, library or [])
    if as_json:
        echo_json(rows)
    else:
        text.table(text.shown(rows, kind), kind)
