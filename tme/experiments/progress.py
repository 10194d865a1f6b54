"""What a run tells while it goes: events.jsonl always; bars on a terminal, JSON lines elsewhere."""

from __future__ import annotations

import json
import os
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from tme.experiments import files
from tme.experiments.run_directory import EVENTS, now

LINE_EVERY_S = 5.0


class EventLog:
    """Append-only events.jsonl: one JSON object per line, each written in one piece and flushed.

    A log that cannot be written (the disk is full) is told once and does not stop the simulations.
    """

    def __init__(self, path: Path) -> None:
        self._handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        size = os.fstat(self._handle).st_size
        if size and os.pread(self._handle, 1, size - 1) != b"\n":
            os.write(self._handle, b"\n")  # a torn last line of a killed run stays alone on its line
        self._torn = self._told = False

    def write(self, event: dict[str, Any]) -> str:
        """Append one event; returns the line."""
        line = json.dumps({"time": now(), **event}, default=files.plain)
        data = ("\n" * self._torn + line + "\n").encode("utf-8")
        try:
            done = os.write(self._handle, data)
        except OSError as error:
            self._tell(str(error.strerror))
        else:
            self._torn = 0 < done < len(data) or (self._torn and done == 0)
            if done < len(data):
                self._tell("written in part")
        return line

    def _tell(self, why: str) -> None:
        if not self._told:
            print(f"{EVENTS} cannot be written ({why}): events are missing from it", file=sys.stderr, flush=True)
        self._told = True

    def close(self) -> None:
        """Make the log durable and close it."""
        with suppress(OSError):
            os.fsync(self._handle)
        os.close(self._handle)


def read_events(folder: Path) -> list[dict[str, Any]]:
    """All whole events of a run; torn lines are passed over."""
    out: list[dict[str, Any]] = []
    try:
        lines = (Path(folder) / EVENTS).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return out
    for line in lines:
        try:
            event = json.loads(line)
        except ValueError:
            continue
        if isinstance(event, dict):
            out.append(event)
    return out


class Progress:
    """Where events go. Use as a context manager and call with an event.

    `show` None means: bars if standard output is a terminal, else lines; False means silent.
    """

    def __init__(self, folder: Path, total: int, show: bool | None = None) -> None:
        self._log = EventLog(folder / EVENTS)
        self._lines_at: dict[str, float] = {}
        terminal = sys.stdout.isatty()
        self._bars = _Bars(total) if show is not False and terminal else None
        self._print = show is not False and not terminal

    def __enter__(self) -> Progress:
        if self._bars:
            self._bars.start()
        return self

    def __exit__(self, *exception: Any) -> None:
        if self._bars:
            self._bars.stop()
        self._log.close()

    def __call__(self, event: dict[str, Any]) -> None:
        """Take one event; progress of one simulation is written down every few seconds only."""
        if self._bars:
            self._bars.take(event)
        if event["event"] == "progress" and not self._due(event["simulation"]):
            return
        line = self._log.write(event)
        if self._print:
            print(line, flush=True)

    def _due(self, simulation: str) -> bool:
        if time.monotonic() - self._lines_at.get(simulation, -1e9) < LINE_EVERY_S:
            return False
        self._lines_at[simulation] = time.monotonic()
        return True


class _Bars:
    """One bar per running simulation, with its hour, living tumour cells and time left; one for the whole."""

    def __init__(self, total: int) -> None:
        from rich.progress import (
            BarColumn,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )
        from rich.progress import (
            Progress as Rich,
        )

        self._rich = Rich(
            TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:3.0f} %"),
            TextColumn("{task.fields[note]}"), TimeElapsedColumn(), TimeRemainingColumn(),
        )  # fmt: skip
        self._all = self._rich.add_task("all simulations", total=total, note="")
        self._one: dict[str, Any] = {}

    def start(self) -> None:
        """Draw."""
        self._rich.start()

    def stop(self) -> None:
        """Leave the terminal as it was."""
        self._rich.stop()

    def take(self, event: dict[str, Any]) -> None:
        """Move the bar that the event is about."""
        name, kind = event.get("simulation", ""), event["event"]
        if kind == "start":
            self._one[name] = self._rich.add_task(name, total=1.0, note="")
        elif kind == "progress" and name in self._one:
            span = max(event["end_hour"] - event["start_hour"], 1e-9)
            alive = event.get("tumour_alive")
            note = f"day {event['hour'] / 24:.2f}" + ("" if alive is None else f", {alive:,.0f} alive")
            self._rich.update(
                self._one[name], completed=(event["hour"] - event["start_hour"]) / span, note=note
            )
        elif kind in ("done", "skipped", "failed", "interrupted"):
            if name in self._one:
                self._rich.remove_task(self._one.pop(name))
            if kind in ("done", "skipped"):
                self._rich.advance(self._all)
            elif kind == "failed":
                self._rich.console.print(f"[red]failed[/red] {name}: {event.get('error')}")
        elif "message" in event:
            self._rich.console.print(event["message"])
