"""The `tme` command. Everything heavy is imported inside the command that needs it.

Exit codes: 0 done, 2 bad input, 3 some simulations failed, 75 interrupted after a checkpoint.
"""

from __future__ import annotations

import json
import os
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

app = typer.Typer(
    name="tme",
    help="Ferroptosis immunotherapy in silico: simulate tumours under therapy arms, report, compare.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(asked: bool) -> None:
    if asked:
        import tme

        typer.echo(f"tme {tme.__version__}")
        raise typer.Exit


@app.callback()
def _common(version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Show the version and exit.")) -> None:
    """Ferroptosis immunotherapy in silico: simulate tumours under therapy arms, report, compare."""


ConfigPath = Annotated[
    Path, typer.Argument(metavar="CONFIG", help="An experiment, e.g. configs/four_arms.yaml.")
]
RunPath = Annotated[
    Path, typer.Argument(metavar="RUN", help="A run directory, e.g. runs/four_arms-0123abcd.")
]
Set = Annotated[
    list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Replace a value; may be repeated.")
]
Quick = Annotated[bool, typer.Option("--quick", help="The config's small version: about a minute.")]
AllowPlugins = Annotated[bool, typer.Option("--allow-plugins", help="Run the code that the config names under plugins:.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


class Executor(StrEnum):
    """Where simulations run."""

    processes = "processes"
    dask = "dask"


class Device(StrEnum):
    """Where fields and chemistry are computed."""

    cpu = "cpu"
    cuda = "cuda"


class InputError(Exception):
    """Bad input outside the config; the message says what and why."""

    exit_code = 2


@app.command()
def run(
    config: ConfigPath,
    out: Annotated[Path | None, typer.Option(help="Run directory [default: runs/<name>-<hash>].")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Replaces the config's seed.")] = None,
    set_: Set = None,
    quick: Quick = False,
    jobs: Annotated[
        int | None, typer.Option(min=1, help="Simulations at a time [default: one per core].")
    ] = None,
    threads: Annotated[int, typer.Option(min=1, help="Threads per simulation.")] = 1,
    executor: Annotated[
        Executor, typer.Option(help="Local processes, or a dask cluster.")
    ] = Executor.processes,
    scheduler: Annotated[
        str | None, typer.Option(metavar="ADDR", help="Address of a dask scheduler.")
    ] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Start over instead of completing a run.")] = False,
    device: Annotated[Device, typer.Option(help="Where fields and chemistry are computed.")] = Device.cpu,
    allow_plugins: AllowPlugins = False,
) -> None:
    """Run an experiment, or complete a part-done run."""
    resolved = load(config, set_, quick, seed, allow_plugins)
    if scheduler is not None and executor is not Executor.dask:
        raise InputError("--scheduler: needs --executor dask")
    from tme import experiments
    from tme.core.device import check as check_device
    from tme.experiments.run_directory import default_folder

    check_device(device.value)
    folder = out if out is not None else default_folder(resolved)
    check_out(folder)
    result = experiments.run(
        resolved, out=folder, jobs=jobs, threads=threads, fresh=fresh, executor=executor.value, device=device.value
    )
    if result.exit_code:
        raise typer.Exit(result.exit_code)


@app.command()
def check(config: ConfigPath, set_: Set = None, quick: Quick = False, seed: int | None = None, allow_plugins: AllowPlugins = False) -> None:
    """Validate an experiment and print it resolved, with what it will cost."""
    from tme.config.estimate import predict

    resolved = load(config, set_, quick, seed, allow_plugins)
    typer.echo(f"# {config}: valid, digest {resolved.digest}")
    typer.echo(as_yaml(resolved.to_dict()), nl=False)
    for line in predict(resolved).lines():
        typer.echo(f"# {line}")


@app.command()
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
    from tme import cli_text
    from tme.model import describe as describe_model

    resolved = load(config, set_, quick, None, allow_plugins)
    found = describe_model(resolved)
    if assumed:
        found = cli_text.only_assumed(found)
    if evidence:
        found = cli_text.evidence(found)
    if as_json:
        echo_json(found)
    elif odd:
        typer.echo(cli_text.odd(found, resolved.to_dict()))
    else:
        cli_text.show(found)


@app.command()
def report(run_dir: RunPath) -> None:
    """Draw the figures of a run and write one self-contained report.html."""
    check_run(run_dir)
    from tme.viz import report as page

    typer.echo(page.write(run_dir))


@app.command()
def status(run_dir: RunPath, as_json: AsJson = False) -> None:
    """Say what of a run is done, running, failed or waiting."""
    check_run(run_dir)
    from tme.experiments import status as look

    found = look(run_dir)
    if as_json:
        echo_json(found)
        return
    from tme import cli_text

    cli_text.show_status(found)


@app.command("list")
def list_(
    kind: Annotated[str, typer.Argument(help="drugs, antibodies, nanoparticles, tumours, fields, mechanisms, targets, ...")],
    config: Annotated[Path | None, typer.Option("--config", metavar="CONFIG", help="With the library of this experiment.")] = None,
    library: Annotated[
        list[Path] | None, typer.Option("--library", metavar="FILE", help="With entries of your own; may be repeated.")
    ] = None,
    as_json: AsJson = False,
    allow_plugins: AllowPlugins = False,
) -> None:
    """List what configs may name."""
    from tme import cli_text

    own = load(config, None, False, None, allow_plugins) if config is not None else None
    rows = cli_text.rows_of(kind, own, library or [])
    if as_json:
        echo_json(rows)
    else:
        cli_text.table(rows, kind)


@app.command()
def targets(
    ids: Annotated[
        list[str] | None, typer.Argument(metavar="[ID]...", help="Targets [default: all].")
    ] = None,
    as_json: AsJson = False,
    run_dir: Annotated[
        Path | None, typer.Option("--run", metavar="DIR", help="A finished run of configs/paired_seeds.yaml, for T19.")
    ] = None,
) -> None:
    """Reproduce published results and score them."""
    from tme.targets import main as score

    if run_dir is not None:
        check_run(run_dir)
    code = score(ids or [], as_json, run_dir=run_dir)
    if code:
        raise typer.Exit(code)


@app.command()
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


@app.command()
def schema() -> None:
    """Print the JSON schema of experiment files, for editors."""
    from tme.config.json_schema import json_schema
    from tme.library import load_library
    from tme.model import parameter_registry

    echo_json(json_schema(parameter_registry(), load_library()))


# ---- what the commands share ----------------------------------------------------------------------------


def load(config: Path, changes: list[str] | None, quick: bool, seed: int | None, allow_plugins: bool = False) -> Any:
    """The resolved experiment; ConfigError tells every fault."""
    from tme.model import load_config

    overrides = [*(changes or []), *([] if seed is None else [f"seed={seed}"])]
    return load_config(config, overrides=overrides, quick=quick, allow_plugins=allow_plugins)


def check_out(folder: Path) -> None:
    """Refuse an output folder that is a file or cannot be written, before anything is written."""
    if folder.exists() and not folder.is_dir():
        raise InputError(f"--out: {folder} is a file; expected a folder, or a name that is not taken")
    above = folder
    while not above.exists() and above != above.parent:
        above = above.parent
    if not above.is_dir():
        raise InputError(f"--out: {above} is a file, so {folder} cannot be made; expected a folder")
    if not os.access(above, os.W_OK | os.X_OK):
        raise InputError(f"--out: {above} cannot be written; expected a folder with write permission")


def check_run(folder: Path) -> None:
    """Refuse what is no run directory."""
    if not (folder / "config.resolved.yaml").is_file():
        what = "holds no config.resolved.yaml" if folder.is_dir() else "is no folder"
        raise InputError(f"{folder} is no run directory ({what}); expected e.g. runs/four_arms-0123abcd")


def as_yaml(data: Any) -> str:
    """Plain data as YAML: mappings of scalars and lists in one line, the rest in blocks."""
    import io

    from ruamel.yaml import YAML

    text = io.StringIO()
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = None
    yaml.width = 110
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]  # declared as None
    yaml.dump(data, text)
    return text.getvalue()


def echo_json(data: Any) -> None:
    """Print JSON; anything JSON lacks becomes text."""
    typer.echo(json.dumps(data, indent=2, default=str, ensure_ascii=False))


def main(args: list[str] | None = None) -> None:
    """Entry point: bad input ends with its message and exit code 2, never a traceback."""
    try:
        app(args=args, prog_name="tme")
    except Exception as error:
        code = getattr(error, "exit_code", None)
        if not isinstance(code, int):
            raise
        typer.echo(str(error), err=True)
        faults = getattr(error, "faults", None)
        if faults is not None and len(faults) > 1:
            typer.echo(f"{len(faults)} faults; nothing was written", err=True)
        sys.exit(code)


if __name__ == "__main__":
    main()
