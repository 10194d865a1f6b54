"""live.jsonl: what was done to a model while it ran, one JSON object a line, written before anything else goes on.

    {"event": "start", "format": 1, "tme": ..., "config": digest, "arm": ..., "replicate": ..., "seed": ..., "tick": 0, "day": ...}
    {"event": "give", "tick": 1440, "day": ..., "state": ..., "kind": "drugs", "item": {"name": ..., "dose_mg_kg": ..., "day": [...]}}
    {"event": "set", "tick": 2000, "day": ..., "state": ..., "key": "mechanisms.division.k_div", "value": ..., "was": ..., "unit": ...}
    {"event": "end", "tick": 5000, "day": ..., "state": ..., "why": ...}

An intervention acts between two ticks: after tick `tick`, before the next. `state` is the digest of the whole state at
that moment, before the intervention; `time` says when it was done and is not read again. The configuration that the
session began with lies beside the log, `config.start.yaml`: both together give the same bits again (`replay`).
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tme.experiments.run_directory import RunError, now

FORMAT = 1
LOG = "live.jsonl"
START = "config.start.yaml"
NEEDS = {"start": ("format", "config", "arm", "replicate"), "give": ("tick", "kind", "item"), "set": ("tick", "key", "value"), "end": ("tick",)}


def digest_of(state: Mapping[str, Any]) -> str:
    """SHA-256 (16 hexadecimal digits) of a model's `state_dict`: names, types, shapes and every bit."""
    whole = hashlib.sha256()
    for name in sorted(state):
        array = np.ascontiguousarray(state[name])
        whole.update(f"{name} {array.dtype.str} {array.shape}\n".encode())
        whole.update(array.tobytes())
    return whole.hexdigest()[:16]


class Log:
    """The log of a session that is written; each line is on the disk before the session goes on."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lines: list[dict[str, Any]] = []

    def write(self, line: dict[str, Any]) -> dict[str, Any]:
        """Add one line."""
        line = {**line, "time": now()}
        with open(self.path, "a", encoding="utf-8") as file:
            file.write(json.dumps(line, ensure_ascii=False, allow_nan=False) + "\n")
            file.flush()
            os.fsync(file.fileno())
        self.lines.append(line)
        return line


def read_log(path: Path) -> list[dict[str, Any]]:
    """The lines of a log, in order; a last line that was cut short is left out. RunError names a line that is none."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as fault:
        raise RunError(f"{path} cannot be read ({getattr(fault, 'strerror', None) or fault}); expected a {LOG} or the run directory of `tme live`") from fault
    whole = text.split("\n")
    lines: list[dict[str, Any]] = []
    for number, line in enumerate(whole[:-1], 1):  # without its end a line may be cut short
        try:
            lines.append(_checked(json.loads(line), len(lines)))
        except ValueError as fault:
            raise RunError(f"{path}:{number}: {fault}") from fault
    if not lines:
        raise RunError(f"{path} holds no whole line; expected one that begins a session")
    return lines


def _checked(line: Any, place: int) -> dict[str, Any]:
    """A line with all that its event needs; ValueError says what it lacks."""
    if not isinstance(line, dict) or line.get("event") not in NEEDS:
        raise ValueError(f"is no line of a live session; expected an object with event: {', '.join(NEEDS)}")
    if (line["event"] == "start") != (place == 0):
        raise ValueError("a session begins with one line `start`")
    for key in NEEDS[line["event"]]:
        if key not in line:
            raise ValueError(f"{line['event']} lacks {key}")
    if place == 0 and line["format"] != FORMAT:
        raise ValueError(f"format {line['format']}; this version reads {FORMAT}")
    tick = line.get("tick", 0)
    if not isinstance(tick, int) or isinstance(tick, bool) or tick < 0:
        raise ValueError(f"tick is {tick!r}; expected a whole number from 0 on")
    return line
