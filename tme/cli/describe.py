"""`tme describe`: the plan of a tick and every number behind it."""

from __future__ import annotations

from typing import Annotated

import typer

from tme.cli.shared import AllowPlugins, AsJson, ConfigPath, Quick, Set, echo_json, load


def describe(
    config: ConfigPath,
    set_: Set = None,
    quick: Quick = False,
    assumed: Annotated[bool, typer.Option("--assumed", help="Only numbers without a source.")] = False,
    odd: Annotated[bool, typer.Option("--odd", help="As an ODD protocol, in Markdown.")] = False,
    evidence: Annotated[bool, typer.Option("--evidence", help="How many numbers are measured, derived, tuned, chosen, assumed.")] = False,
    as_json: AsJson = False,
    allow_plugins: AllowPlugins = False,
) -> None:
    """Print the plan of a tick, every parameter with unit, source and origin: a Methods section."""
    from tme.cli import text
    from tme.model.describe import describe as describe_model

    resolved = load(config, set_, quick, None, allow_plugins)
    found = describe_model(resolved)
    if assumed:
        found = text.only_assumed(found)
    if evidence:
        from tme.model.evidence import evidence as counted

        found = counted(found)
    if as_json:
        echo_json(found)
    elif odd:
        typer.echo(text.odd(found, resolved.to_dict()))
    else:
        text.show(found)
