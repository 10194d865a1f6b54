"""Files that are either whole or absent: temporary file, fsync, rename, fsync of the folder.

A reader never sees half a file, and a process killed at any moment leaves at worst a `.name.pid.tmp`
that the next run clears away.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import math
import os
import shutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import numpy as np

_TEMPORARY = ".*.tmp"


def atomic_write(path: Path, write: Callable[[Path], None]) -> None:
    """Let `write` fill a temporary file beside `path`, make it durable, and move it into place."""
    path = Path(path)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        write(temporary)
        with open(temporary, "rb+") as file:
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


class MemoryFolder:
    """Files by name in memory: where a simulation writes that does not see its run directory."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}

    def __truediv__(self, name: str) -> MemoryFile:
        return MemoryFile(self, name)

    def glob(self, pattern: str) -> list[MemoryFile]:
        """The files whose names match."""
        return [MemoryFile(self, name) for name in self.files if fnmatchcase(name, pattern)]


@dataclass(frozen=True)
class MemoryFile:
    """A name in a `MemoryFolder`, with as much of a path as those who write there use."""

    folder: MemoryFolder
    name: str

    def exists(self) -> bool:
        """Whether something was written."""
        return self.name in self.folder.files

    def unlink(self, missing_ok: bool = False) -> None:
        """Take it away."""
        if self.folder.files.pop(self.name, None) is None and not missing_ok:
            raise FileNotFoundError(self.name)


Folder = Path | MemoryFolder
File = Path | MemoryFile


def write_bytes(path: File, *parts: bytes | memoryview) -> None:
    """Write the parts one after the other, atomically."""
    if isinstance(path, MemoryFile):
        path.folder.files[path.name] = b"".join(parts)
        return

    def write(temporary: Path) -> None:
        with open(temporary, "wb") as file:
            for part in parts:
                file.write(part)

    atomic_write(path, write)


def write_text(path: File, text: str) -> None:
    """Write UTF-8 text atomically."""
    write_bytes(path, text.encode("utf-8"))


def write_json(path: File, value: Any) -> None:
    """Write indented JSON atomically; numpy scalars become plain numbers."""
    write_text(path, json.dumps(value, indent=2, default=plain) + "\n")


def read_json(path: Path) -> dict:
    """A JSON mapping, or an empty one where the file is absent or broken."""
    try:
        found = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def plain(value: Any) -> Any:
    """A numpy scalar or array, or a path, as something JSON knows."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return value.tolist()
    return str(value)


def sync_folder(folder: Path) -> None:
    """Make a rename or a new name in `folder` durable; file systems that refuse are left alone."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(handle)
    except OSError:
        pass
    finally:
        os.close(handle)


def make_folder(folder: Path) -> Path:
    """Make a folder, and its name durable."""
    if not folder.is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        sync_folder(folder.parent)
    return folder


def link_or_copy(source: Path, target: Path) -> None:
    """Give `source` a second name; files here are replaced, never edited, so a hard link is safe."""

    def write(temporary: Path) -> None:
        temporary.unlink(missing_ok=True)
        try:
            os.link(source, temporary)
        except OSError:
            shutil.copyfile(source, temporary)

    atomic_write(target, write)


def sha256(path: Path) -> str:
    """SHA-256 of a file, hex."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def clear_temporary(folder: Path) -> int:
    """Remove what killed writers left anywhere below `folder`; returns how many files."""
    found = [p for p in Path(folder).rglob(_TEMPORARY) if p.is_file()]
    for path in found:
        path.unlink(missing_ok=True)
    return len(found)


def number(value: Any) -> str:
    """A value as it stands in a CSV file: integers bare, floats with all their digits, NaN as nothing."""
    if value is None:
        return ""
    if isinstance(value, (bool, np.bool_)):
        return str(int(value))
    if isinstance(value, (int, np.integer)):
        return str(int(value))
    if isinstance(value, (float, np.floating)):
        return "" if math.isnan(value) else repr(float(value))
    return str(value)


def columns_of(rows: Iterable[dict]) -> list[str]:
    """All keys of the rows, in order of first appearance."""
    names: dict[str, None] = {}
    for row in rows:
        names.update(dict.fromkeys(row))
    return list(names)


def write_csv(path: File, rows: Sequence[dict], columns: Sequence[str] | None = None) -> None:
    """Write rows as CSV, atomically; the bits depend on the values alone. A missing entry stays empty."""
    columns = list(columns) if columns else columns_of(rows)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([number(row.get(name)) for name in columns] for row in rows)
    write_text(path, text.getvalue())


def read_csv(path: Path) -> list[dict[str, str]]:
    """Rows of a CSV file as text, so that merging repeats every digit."""
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
