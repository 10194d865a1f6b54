"""`tme check`: validate an experiment and say what it will cost."""

from __future__ import annotations

import typer

from tme.cli.shared import AllowPlugins, ConfigPath, Quick, Set, as_yaml, load


def check(config: ConfigPath, set_: Set = None, quick: Quick = False, seed: int | None = None, allow_plugins: AllowPlugins = False) -> None:
    """Validate an experiment and print it resolved, with what it will cost."""
    from tme.config.estimate import predict
    from tme.model.initial_cells import arrangement, report_lines

    resolved = load(config, set_, quick, seed, allow_plugins)
    typer.echo(f"# {config}: valid, digest {resolved.digest}")
    typer.echo(as_yaml(resolved.to_dict()), nl=False)
    tissue = arrangement(resolved)
    for line in report_lines(tissue.report) if tissue is not None else ():
        typer.echo(f"# {line}")
    for line in predict(resolved).lines():
        typer.echo(f"# {line}")
