"""What must hold in a run directory at any moment, whoever was killed in it: every file is whole."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from ruamel.yaml import YAML

from tme.experiments.checkpoint import read_checkpoint
from tme.experiments.frame import read_frame
from tme.experiments.h5ad import read_h5ad
from tme.experiments.run_directory import is_done

TEMPORARY = ".*.tmp"  # the only names that may hold half a file (tme/experiments/files.py)
SAME = ("*.csv", "cells_*.h5ad", "fields_*.npz", "frame.bin", "branch_state")  # bits must not depend on kills


def visible(folder: Path) -> Iterator[Path]:
    """All files below `folder` but the temporary ones."""
    return (p for p in sorted(folder.rglob("*")) if p.is_file() and not p.match(TEMPORARY))


def temporaries(folder: Path) -> int:
    """How many half-written files a kill left behind."""
    return sum(1 for _ in folder.rglob(TEMPORARY))


def unreadable(folder: Path) -> list[str]:
    """One line per file that does not open whole, or that nobody documents."""
    faults = []
    for path in visible(folder):
        name = path.relative_to(folder).as_posix()
        opener = OPENERS.get(path.name) or OPENERS.get(path.suffix)
        if opener is None:
            faults.append(f"{name}: a file that no part of the run directory's description names")
            continue
        try:
            opener(path)
        except Exception as error:
            faults.append(f"{name}: {type(error).__name__}: {error}")
    return faults


def _csv(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    rows = list(csv.reader(text.splitlines()))
    assert text.endswith("\n") and rows, "torn"
    assert all(len(row) == len(rows[0]) for row in rows), "ragged rows"


def _json(path: Path) -> None:
    assert isinstance(json.loads(path.read_text(encoding="utf-8")), dict), "no mapping"


def _events(path: Path) -> None:
    """Every line an event; the last may be torn (it is closed, and passed over, by the next run)."""
    for line in path.read_text(encoding="utf-8").splitlines()[:-1]:
        json.loads(line)


def _npz(path: Path) -> None:
    with np.load(path, allow_pickle=False) as file:
        assert file.files, "empty"
        for name in file.files:
            assert name in ("units", "hour", "dx_um") or np.isfinite(file[name]).all(), f"{name} is not finite"


def _h5ad(path: Path) -> None:
    assert len(read_h5ad(path)["uid"]), "no cells"


def _done(path: Path) -> None:
    assert is_done(path.parent, verify=True), "a listed file is missing or altered"


def _png(path: Path) -> None:
    raw = path.read_bytes()
    assert raw[:8] == b"\x89PNG\r\n\x1a\n" and raw[-8:-4] == b"IEND", "torn"


def _html(path: Path) -> None:
    assert path.read_text(encoding="utf-8").rstrip().endswith("</html>"), "torn"


def _card(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.startswith("# ") and text.endswith("\n"), "torn"


def _lock(path: Path) -> None:
    """Written in place under the kernel's lock: whole, or still empty."""
    text = path.read_text(encoding="utf-8")
    assert not text or json.loads(text)["pid"], "torn"


def _yaml(path: Path) -> None:
    assert YAML(typ="safe").load(path.read_text(encoding="utf-8"))["arms"], "no arms"


OPENERS: dict[str, Callable[[Path], object]] = {
    ".csv": _csv, ".json": _json, ".jsonl": _events, ".npz": _npz, ".h5ad": _h5ad, ".yaml": _yaml, ".png": _png,
    ".html": _html, "card.md": _card, ".lock": _lock, "DONE": _done, "frame.bin": read_frame, "checkpoint_a": read_checkpoint,
    "checkpoint_b": read_checkpoint, "branch_state": read_checkpoint,
}  # fmt: skip


def sha256(path: Path) -> str:
    """SHA-256 of a file, hex."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def fingerprint(folder: Path) -> dict[str, str]:
    """SHA-256 by name of everything whose bits must be those of a run in one piece."""
    chosen = (p for pattern in SAME for p in folder.rglob(pattern))
    return {p.relative_to(folder).as_posix(): sha256(p) for p in chosen}


def differences(found: dict[str, str], expected: dict[str, str]) -> list[str]:
    """One line per file that is missing, too many, or of other bits."""
    names = sorted(found.keys() | expected.keys())
    return [f"{n}: differs from the undisturbed run" for n in names if found.get(n) != expected.get(n)]
