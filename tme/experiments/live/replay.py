"""The same interventions again: a log and the configuration beside it give the same bits."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tme.experiments.live.log import LOG, START, read_log
from tme.experiments.live.model import Encode, LiveModel
from tme.experiments.run_directory import RunError


def log_of(place: Path) -> Path:
    """The log that is meant by a log or a run directory."""
    return place / LOG if place.is_dir() else place


def start_of(log: Path, allow_plugins: bool = False) -> Any:
    """The configuration that the session of a log began with; RunError where it is missing or another one."""
    from tme.model import load_config

    path = log.parent / START
    if not path.is_file():
        raise RunError(f"{log} has no {START} beside it; expected the run directory of `tme live`, whole")
    config = load_config(path, allow_plugins=allow_plugins)
    digest = read_log(log)[0]["config"]
    if config.digest != digest:
        raise RunError(f"{path} has digest {config.digest} and the session began with {digest}: the file, or what this version makes of it, has changed")
    return config


def replay(log: Path, config: Any, folder: Path, encode: Encode | None = None) -> tuple[LiveModel, list[str]]:
    """Do a session again into `folder`; the model, which is at its end, and where its state differed, in words."""
    lines = read_log(log)
    live = LiveModel(config, folder, int(lines[0]["replicate"]), encode)
    differs: list[str] = []
    try:
        for number, line in enumerate(lines[1:], 2):
            try:
                _repeat(live, line, differs)
            except ValueError as fault:
                raise RunError(f"{log}:{number}: {fault}") from fault
    finally:
        live.end()
    return live, differs


def _repeat(live: LiveModel, line: dict[str, Any], differs: list[str]) -> None:
    """Go on to the tick of a line, compare the state, do what it says."""
    if line["tick"] < live.tick:
        raise ValueError(f"tick {line['tick']} lies before tick {live.tick}")
    while live.tick < line["tick"]:
        if not live.goes_on:
            raise ValueError(f"the run ends at tick {live.tick}, before tick {line['tick']}")
        live.step()
    if "state" in line and (found := live.digest()) != line["state"]:
        differs.append(f"{line['event']} at tick {line['tick']}: state {found} instead of {line['state']}")
    if line["event"] == "set":
        live.change(line["key"], line["value"])
    elif line["event"] == "give":
        item = line["item"]
        live.give(line["kind"], {k: v for k, v in item.items() if k != "day"} if isinstance(item, dict) else item)
