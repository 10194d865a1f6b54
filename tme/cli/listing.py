"""`tme list`: what a config may name."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from tme.cli.shared import AsJson, echo_json
from tme.library.kinds import KINDS

OTHER = ("signals", "terms", "mechanisms", "targets")
Kind = StrEnum("Kind", [*(kind.name for kind in KINDS), *OTHER])  # type: ignore[misc]  # the kinds of entries, and what is no entry


def list_(kind: Annotated[Kind, typer.Argument(help="What to list.")], as_json: AsJson = False) -> None:
    """List what configs may name."""
    from tme.cli import text

    rows = text.rows_of(kind.value)
    if as_json:
        echo_json(rows)
    else:
        text.table(rows, kind.value)
