"""`tme import`: what others wrote as configs of ours, a command a source."""

from __future__ import annotations

import typer

from tme.cli import import_physicell, import_tissue

app = typer.Typer(help="Bring in models and tissues of others.", no_args_is_help=True, rich_markup_mode=None)
app.command("physicell")(import_physicell.physicell)
app.command("tissue")(import_tissue.tissue)
