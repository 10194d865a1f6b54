"""Checkpoints: the complete state of a simulation in one checked file, two of them alternating.

File: 8 bytes `TMECKPT1`, 32 bytes SHA-256 of the rest, then an uncompressed npz with the arrays of
`state_dict()` under `state/<name>` and a JSON text `meta` (who, where, the series rows so far).
"""

from __future__ import annotations

import hashlib
import io
import json
from pathlib import Path
from typing import Any

import numpy as np

from tme.experiments import files

MAGIC = b"TMECKPT1"
SLOTS = ("checkpoint_a", "checkpoint_b")


class BadCheckpoint(Exception):
    """The file is no checkpoint, is damaged, or belongs to something else."""


def write_checkpoint(path: Path, state: dict[str, Any], meta: dict) -> None:
    """Write one checkpoint atomically."""
    arrays = {f"state/{name}": np.asarray(value) for name, value in state.items()}
    objects = [name for name, value in arrays.items() if value.dtype.kind == "O"]
    if objects:
        raise TypeError(f"a checkpoint takes plain arrays only, not {', '.join(objects)}")
    text = json.dumps(meta, default=files.plain)
    payload = io.BytesIO()
    about = np.frombuffer(text.encode("utf-8"), np.uint8)
    np.savez(payload, meta=about, **arrays)  # type: ignore[arg-type]  # stub takes **arrays for allow_pickle
    body = payload.getbuffer()
    files.write_bytes(path, MAGIC, hashlib.sha256(body).digest(), body)


def read_checkpoint(path: Path) -> tuple[dict[str, np.ndarray], dict]:
    """State and meta of a checkpoint whose checksum holds."""
    try:
        raw = Path(path).read_bytes()
    except OSError as error:
        raise BadCheckpoint(f"{path}: {error.strerror}") from error
    if raw[:8] != MAGIC:
        raise BadCheckpoint(f"{path}: not a checkpoint of this format")
    body = memoryview(raw)[40:]
    if hashlib.sha256(body).digest() != raw[8:40]:
        raise BadCheckpoint(f"{path}: the checksum does not hold")
    with np.load(io.BytesIO(body), allow_pickle=False) as file:
        state = {n.removeprefix("state/"): file[n] for n in file.files if n.startswith("state/")}
        return state, json.loads(file["meta"].tobytes().decode("utf-8"))


def newest(folder: Path, identity: dict) -> tuple[str, dict[str, np.ndarray], dict] | None:
    """Slot, state and meta of the valid checkpoint with the highest tick that has this identity."""
    best = None
    for slot in SLOTS:
        try:
            state, meta = read_checkpoint(folder / slot)
        except BadCheckpoint:
            continue
        if meta.get("identity") == identity and (best is None or meta["tick"] > best[2]["tick"]):
            best = (slot, state, meta)
    return best


def other_slot(slot: str | None) -> str:
    """The slot to write next: never the one that holds the newest valid checkpoint."""
    return SLOTS[1] if slot == SLOTS[0] else SLOTS[0]
