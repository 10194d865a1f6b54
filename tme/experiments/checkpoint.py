"""Checkpoints: the complete state of a simulation in one checked file, two of them alternating.

File: 8 bytes `TMECKPT1` (the digit is the format version), 32 bytes SHA-256 of the rest, then an uncompressed
npz with the arrays of `state_dict()` under `state/<name>` and a JSON text `meta` (simulation, tick, the series rows
so far). A damaged file is passed over for the other slot; a whole one that belongs to another simulation or
format version is refused by name and left alone.
"""

from __future__ import annotations

import hashlib
import io
import json
from pathlib import Path
from typing import Any

import numpy as np

from tme.experiments import files

FORMAT = 1
_NAME = b"TMECKPT"
MAGIC = _NAME + str(FORMAT).encode()
SLOTS = ("checkpoint_a", "checkpoint_b")


class BadCheckpoint(Exception):
    """The file is absent, no checkpoint, or damaged."""


class ForeignCheckpoint(BadCheckpoint):
    """A whole checkpoint of another simulation, another configuration or another format version."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(f"{path}: {why}; delete it to repeat this simulation, or start over with --fresh")


def write_checkpoint(path: files.File, state: dict[str, Any], meta: dict) -> None:
    """Write one checkpoint atomically."""
    arrays = {f"state/{name}": np.asarray(value) for name, value in state.items()}
    objects = [name for name, value in arrays.items() if value.dtype.kind == "O"]
    if objects:
        raise TypeError(f"a checkpoint takes plain arrays only, not {', '.join(objects)}")
    text = json.dumps(meta, default=files.plain)
    payload = io.BytesIO()
    about = np.frombuffer(text.encode("utf-8"), np.uint8)
    np.savez(payload, meta=about, **arrays)  # type: ignore[arg-type]  # stub takes **arrays for allow_pickle
    with payload.getbuffer() as body:  # let go of at once, also where writing fails: Python 3.13 warns of a buffer that is still lent
        files.write_bytes(path, MAGIC, hashlib.sha256(body).digest(), body)


def read_checkpoint(path: Path, identity: dict | None = None) -> tuple[dict[str, np.ndarray], dict]:
    """State and meta of a checkpoint whose checksum holds and, where given, whose identity is this one."""
    try:
        raw = Path(path).read_bytes()
    except OSError as error:
        raise BadCheckpoint(f"{path}: {error.strerror}") from error
    return parse_checkpoint(raw, identity, Path(path))


def parse_checkpoint(raw: bytes, identity: dict | None, path: Path) -> tuple[dict[str, np.ndarray], dict]:
    """`read_checkpoint` of bytes that were read from `path`, or sent from there."""
    if raw[:7] == _NAME and raw[7:8].isdigit() and raw[:8] != MAGIC:
        raise ForeignCheckpoint(path, f"is of format version {raw[7:8].decode()}, this version reads {FORMAT}")
    if raw[:8] != MAGIC:
        raise BadCheckpoint(f"{path}: not a checkpoint of this format")
    body = memoryview(raw)[40:]
    if hashlib.sha256(body).digest() != raw[8:40]:
        raise BadCheckpoint(f"{path}: the checksum does not hold")
    with np.load(io.BytesIO(body), allow_pickle=False) as file:
        meta = json.loads(file["meta"].tobytes().decode("utf-8"))
        if identity is not None and meta.get("identity") != identity:
            raise ForeignCheckpoint(path, _difference(meta.get("identity") or {}, identity))
        return {n.removeprefix("state/"): file[n] for n in file.files if n.startswith("state/")}, meta


def _difference(found: dict, expected: dict) -> str:
    keys = [k for k in {**expected, **found} if found.get(k) != expected.get(k)]
    each = ", ".join(f"{k} {found.get(k)} instead of {expected.get(k)}" for k in keys)
    return f"belongs to another simulation ({each})"


def newest(folder: Path, identity: dict) -> tuple[str, dict[str, np.ndarray], dict] | None:
    """Slot, state and meta of the valid checkpoint with the highest tick that has this identity.

    None where there is none; ForeignCheckpoint where there are only others'.
    """
    best, foreign = None, None
    for slot in SLOTS:
        try:
            state, meta = read_checkpoint(folder / slot, identity)
        except ForeignCheckpoint as error:
            foreign = error
        except BadCheckpoint:
            continue
        else:
            if best is None or meta["tick"] > best[2]["tick"]:
                best = (slot, state, meta)
    if best is None and foreign is not None:
        raise foreign
    return best


def other_slot(slot: str | None) -> str:
    """The slot to write next: never the one that holds the newest valid checkpoint."""
    return SLOTS[1] if slot == SLOTS[0] else SLOTS[0]


def remove_slots(folder: Path) -> None:
    """Remove the two slots of a simulation that is finished."""
    for slot in SLOTS:
        (Path(folder) / slot).unlink(missing_ok=True)
