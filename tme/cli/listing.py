"""`tme list`: what a config may name."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from tme.cli.shared import AsJson, echo_json

OTHER = ("signals", "terms", "mechanisms", "targets")
ENTRIES = sorted(path.stem for path in (Path(__file__).parents[1] / "library").glob("*.yaml"))  # without reading them
Kind = StrEnum("Kind", [*ENTRIES, *OTHER])  # type: ignore[misc]


def list_(kind: Annotated[Kind, typer.Argument(help="What to list.")], as_json: AsJson = False) -> None:
    """List what configs may name."""
    from tme.cli import text

    rows = text.rows_of(kind.value)
    if as_json:
        echo_json(rows)
    else:
        text.table(rows, kind.value)
