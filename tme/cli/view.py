"""`tme view`: a run directory in the browser."""

from __future__ import annotations

from typing import Annotated

import typer

from tme.cli.shared import InputError, RunPath


def view(
    run_dir: RunPath,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port on 127.0.0.1 [default: one that is free].")] = 0,
    open_: Annotated[bool, typer.Option("--open/--no-open", help="Open the page in the browser.")] = True,
) -> None:
    """Show a running or finished run in the browser; Ctrl-C ends it. Reads only; works on a copy as well."""
    if not run_dir.is_dir():
        raise InputError(f"{run_dir} is no folder; expected a run directory, e.g. runs/four_arms-0123abcd")
    from tme.viz.viewer.server import ViewServer
    from tme.viz.viewer.source import Source

    try:
        server = ViewServer(Source(run_dir), port)
    except OSError as fault:
        raise InputError(f"--port {port}: {fault.strerror}; expected a free port, or none to take any") from fault
    server.prepare()
    serve(server, open_)


def serve(server, open_: bool) -> None:
    """Say where the page is, open it if asked, and answer until Ctrl-C."""
    typer.echo(server.url)
    if open_:
        import webbrowser

        webbrowser.open(server.url)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        typer.echo("")
    finally:
        server.server_close()
