"""`tme live`: a model that runs under the sliders of a page, and the same session again from its log."""

from __future__ import annotations

import signal
import socket
from pathlib import Path
from typing import Annotated, Any

import typer

from tme.cli.shared import AllowPlugins, InputError, Quick, Set, check_out, load
from tme.cli.view import serve


def live(
    config: Annotated[Path | None, typer.Argument(metavar="CONFIG", help="An experiment, e.g. configs/four_arms.yaml.", show_default=False)] = None,
    arm: Annotated[str | None, typer.Option(help="Arm to start from [default: control, else the first].")] = None,
    replicate: Annotated[int, typer.Option(min=0, max=9999, help="Replicate whose seed it takes.")] = 0,
    set_: Set = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Replaces the config's seed.")] = None,
    quick: Quick = False,
    out: Annotated[Path | None, typer.Option(help="Run directory, new [default: runs/<name>-live-<hash>].")] = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port on 127.0.0.1 [default: one that is free].")] = 0,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open the page in the browser.")] = True,
    replay: Annotated[Path | None, typer.Option(metavar="LOG", help="Do the session of this live.jsonl or run directory again, without a page.", show_default=False)] = None,
    allow_plugins: AllowPlugins = False,
) -> None:
    """Run one simulation under the sliders of a page: start, pause, step, doses and numbers; Ctrl-C ends it.

    Its run directory is as that of any run; live.jsonl in it says what was done at which tick, and `--replay` does it again, bit for bit.
    """
    if (config is None) == (replay is None):
        raise InputError("expected an experiment, or --replay with the log of a session" if config is None else "--replay takes its config from beside the log; expected no CONFIG with it")
    if out is not None:
        check_out(out)
    if replay is not None:
        _replay(replay, out, allow_plugins)
        return
    assert config is not None
    from tme.experiments.live import start
    from tme.viz.viewer.kept import encode

    whole = load(config, set_, quick, seed, allow_plugins)
    left_out = [key for key in ("branch_at_day", "sweep", "primary") if getattr(whole, key) not in (None, {})]
    if left_out:
        typer.echo(f"one arm, from the first moment on: {', '.join(left_out)} of the config left out", err=True)
    check_port(port)
    model = start(whole, arm, replicate, out, encode)
    _serve(model, port, browser)


def check_port(port: int) -> None:
    """Refuse a port that is taken, before a run directory is made."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as fault:
            raise InputError(f"--port {port}: {fault.strerror}; expected a free port, or none to take any") from fault


def _serve(model: Any, port: int, browser: bool) -> None:
    """The page, until Ctrl-C; then the run directory is completed."""
    from tme.experiments.live import Session
    from tme.viz.viewer.server import ViewServer
    from tme.viz.viewer.source import Source

    try:
        session = Session(model)

        def interrupt(number: int, frame: Any) -> None:
            raise KeyboardInterrupt

        for number in (signal.SIGINT, signal.SIGTERM):  # a shell may have told a job in the background to ignore the first
            signal.signal(number, interrupt)
        try:
            server = ViewServer(Source(model.folder), port, session.ask, session.index)
        except OSError as fault:
            raise InputError(f"--port {port}: {fault.strerror}; expected a free port, or none to take any") from fault
        serve(server, browser)
    finally:
        session.end()
    typer.echo(f"{model.folder}: day {model.day:.2f}, tick {model.tick}, {len(session.interventions)} interventions in live.jsonl")
    if model.fault:
        typer.echo(model.fault, err=True)
        raise typer.Exit(3)


def _replay(place: Path, out: Path | None, allow_plugins: bool) -> None:
    """The session of a log again, and whether its bits are the same."""
    from tme.experiments.live import free_folder, log_of, read_log, replay, start_of
    from tme.viz.viewer.kept import encode

    log = log_of(place)
    lines = read_log(log)
    config = start_of(log, allow_plugins)
    model, differs = replay(log, config, out or free_folder(config), encode)
    compared = sum("state" in line for line in lines)
    typer.echo(f"{model.folder}: day {model.day:.2f}, tick {model.tick}")
    for words in differs:
        typer.echo(words, err=True)
    if differs:
        typer.echo(f"not the same bits: {len(differs)} of {compared} states differ", err=True)
        raise typer.Exit(3)
    typer.echo(f"the same bits: {compared} of {compared} states agree" if compared else "nothing to compare: the log holds no state")
    if lines[-1]["event"] != "end":
        typer.echo("the session was cut off: its log has no end, so this is as far as its last intervention")
