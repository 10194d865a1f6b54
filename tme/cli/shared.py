"""What the commands share: arguments, refusals, printing. Nothing heavy is imported before it is needed."""

from __future__ import annotations

import json
import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

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


class ExecutorName(StrEnum):
    """Where simulations run."""

    processes = "processes"
    dask = "dask"


class ClusterName(StrEnum):
    """Queues that dask-jobqueue can ask for jobs."""

    slurm = "slurm"
    pbs = "pbs"
    lsf = "lsf"


Jobs = Annotated[int | None, typer.Option(min=1, help="Simulations at a time [default: one per core].")]
Threads = Annotated[int, typer.Option(min=1, help="Threads per simulation.")]
ExecutorOption = Annotated[ExecutorName, typer.Option("--executor", help="Where simulations run: processes of this machine, or dask workers.")]
Scheduler = Annotated[str | None, typer.Option("--scheduler", metavar="ADDRESS", help="Of a dask scheduler, e.g. tcp://10.0.0.1:8786.")]
Cluster = Annotated[ClusterName | None, typer.Option("--cluster", help="Ask this queue for dask workers.")]
ClusterOptions = Annotated[Path | None, typer.Option("--cluster-options", metavar="FILE", help="YAML: jobs, cores, memory, walltime, queue ...")]
AllowMixed = Annotated[bool, typer.Option("--allow-mixed", help="Admit workers of other processors or libraries: bits may differ.")]


class Device(StrEnum):
    """Where fields and chemistry are computed."""

    cpu = "cpu"
    cuda = "cuda"


class InputError(Exception):
    """Bad input outside the config; the message says what and why."""

    exit_code = 2


def load(config: Path, changes: list[str] | None, quick: bool, seed: int | None, allow_plugins: bool = False) -> Any:
    """The resolved experiment; ConfigError tells every fault."""
    from tme.model import load_config

    overrides = [*(changes or []), *([] if seed is None else [f"seed={seed}"])]
    return load_config(config, overrides=overrides, quick=quick, allow_plugins=allow_plugins)


def check_out(folder: Path, option: str = "--out") -> None:
    """Refuse an output folder that is a file or cannot be written, before anything is written."""
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{option}: {folder} is a file; expected a folder, or a name that is not taken")
    above = folder
    while not above.exists() and above != above.parent:
        above = above.parent
    if not above.is_dir():
        raise InputError(f"{option}: {above} is a file, so {folder} cannot be made; expected a folder")
    if not os.access(above, os.W_OK | os.X_OK):
        raise InputError(f"{option}: {above} cannot be written; expected a folder with write permission")


def where(scheduler: str | None, cluster: ClusterName | None, options: Path | None, mixed: bool) -> dict[str, Any]:
    """What `executors.executor` takes besides a name, of the options above."""
    return {"scheduler": scheduler, "cluster": cluster.value if cluster else None, "cluster_options": options, "allow_mixed": mixed}


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
