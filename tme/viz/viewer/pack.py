"""The viewer inside a report: the module and the frames in the page itself, small enough to send on.

Bytes stand as base64 in script blocks that are text, not code; the browser decodes a moment when it is shown.
"""

from __future__ import annotations

import base64
import hashlib
import json
import zlib
from dataclasses import dataclass
from html import escape
from importlib.resources import files as resources
from pathlib import Path
from typing import Any

from tme.viz.load import Run
from tme.viz.viewer import frames, labels
from tme.viz.viewer.source import Source, Unreadable

MOST_BYTES = 3_600_000  # of frames before base64, which adds a third
COLUMNS = (*labels.STATES, "pdl1", "mhc1", "exhaustion", "m1", "mature")
DETAILS = (
    (frames.Detail(levels=126, columns=COLUMNS, across=192, effort=4), 8),
    (frames.Detail(levels=62, columns=COLUMNS, across=128, effort=4), 6),
    (frames.Detail(levels=30, columns=("gsh", "gpx4", "plooh", "damage"), across=96, effort=4), 4),
    (frames.Detail(levels=30, columns=(), across=64, effort=4), 2),
)
START = "\nmountLater(document.getElementById('tme-viewer'), fromPage());\n"


@dataclass(frozen=True)
class Block:
    """What a page needs: the element with its data, the code, and the hash that the page's policy allows."""

    body: str
    script: str
    hash: str


def block(run_dir: str | Path, run: Run | None = None) -> Block | None:
    """The viewer of a run, None where no moment can be shown. Details give way until all arms fit.

    `run` is the directory as read before, where it was.
    """
    for detail, n_hours in DETAILS:
        found = _packed(Source(run_dir, detail), n_hours, run)
        if not found:
            return None
        if sum(len(v) for v in found.values()) <= MOST_BYTES:
            break
    else:
        return None
    code = script()
    return Block(_elements(found), f'<script type="module">{code}</script>', policy_hash(code))


def script() -> str:
    """The module, and the line that starts it in a report."""
    return resources("tme.viz.viewer").joinpath("viewer.js").read_text(encoding="utf-8") + START


def policy_hash(code: str) -> str:
    """What `script-src` of a page says to allow this code and no other."""
    return "'sha256-" + base64.b64encode(hashlib.sha256(code.encode()).digest()).decode() + "'"


def _packed(source: Source, n_hours: int, run: Run | None = None) -> dict[str, bytes]:
    """Blocks by key: the index, frames of one replicate per arm, its table of mothers."""
    index = source.index(run)
    out: dict[str, bytes] = {}
    arms: list[dict[str, Any]] = []
    for arm in index["arms"]:
        key, number = arm["key"], str(index["chosen"][arm["key"]])
        moments = [m for m in arm["replicates"][number] if not m["live"]]
        kept = _thinned([m["hour"] for m in moments], index["doses"], n_hours)
        shown = []
        for moment in moments:
            if moment["hour"] in kept:
                try:
                    out[f"frame/{key}/{number}/{moment['id']}"] = source.frame(key, int(number), moment["hour"])
                except Unreadable:
                    continue  # a torn snapshot costs its own hour only
                shown.append(moment)
        if shown:
            out[f"descent/{key}/{number}"] = source.descent(key, int(number))
            arms.append({**arm, "replicates": {number: [{**m, "stamp": ""} for m in shown]}})
        if sum(len(v) for v in out.values()) > 2 * MOST_BYTES:
            break  # it will not fit: try with less
    if not arms:
        return {}
    chosen = {a["key"]: int(next(iter(a["replicates"]))) for a in arms}
    said = {**index, "arms": arms, "chosen": chosen, "state": "done", "sentence": ""}
    text = json.dumps(said, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return {"index": zlib.compress(text.encode(), 6), **out}


def _thinned(hours: list[float], doses: list[dict[str, Any]], n: int) -> set[float]:
    """At most n hours: the last, the first, the one nearest to a day after the first dose, then evenly between."""
    first = 24.0 * min((d for dose in doses for d in dose["days"]), default=0.0)
    wanted = [hours[-1], hours[0], min(hours, key=lambda h: abs(h - first - 24.0))] if hours else []
    wanted += [hours[round(k * (len(hours) - 1) / max(n - 1, 1))] for k in range(n if hours else 0)]
    return set(list(dict.fromkeys([*wanted, *hours]))[:n])


def _elements(found: dict[str, bytes]) -> str:
    blocks = "\n".join(f'<script type="text/plain" data-tme="{escape(key)}">{base64.b64encode(value).decode("ascii")}</script>' for key, value in found.items())
    return f'<div id="tme-viewer"></div>\n{blocks}'

