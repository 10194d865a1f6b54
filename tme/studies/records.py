"""Finished simulations of a study: one line each in an append-only file, with a checksum, on the disk before it is counted.

A kill at any instant leaves at worst a torn last line, which the next opening cuts off. Order and repetitions of lines
say nothing: records are known by their key, and the last whole one counts.
"""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from tme.experiments import files

NAME = "results.jsonl"


class Records:
    """The records of a study directory, by key; `append` makes them durable before it returns."""

    def __init__(self, folder: Path) -> None:
        self.path = Path(folder) / NAME
        new = not self.path.exists()
        self._handle = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        if new:
            files.sync_folder(self.path.parent)
        text = self.path.read_bytes()
        whole = text.rfind(b"\n") + 1
        if whole < len(text):  # torn by a kill in the middle of a write
            os.ftruncate(self._handle, whole)
            os.fsync(self._handle)
        records = list(parsed(text[:whole]))
        self.lines = len(records)
        self.by_key = {record["key"]: record for record in records}

    def append(self, records: Iterable[dict[str, Any]]) -> None:
        """Write records in one piece and wait for the disk."""
        new = list(records)
        data = b"".join(line_of(r) for r in new)
        while data:
            data = data[os.write(self._handle, data) :]
        os.fsync(self._handle)
        self.lines += len(new)
        self.by_key.update({r["key"]: r for r in new})

    def close(self) -> None:
        """Close the file."""
        os.close(self._handle)


def line_of(record: dict[str, Any]) -> bytes:
    """A record as its line: CRC-32 of the JSON text in hexadecimal, a space, the text."""
    text = json.dumps(record, separators=(",", ":"), default=files.plain, allow_nan=False).encode()
    return f"{zlib.crc32(text):08x} ".encode() + text + b"\n"


def parsed(data: bytes) -> Iterator[dict[str, Any]]:
    """Records of whole lines whose checksum holds."""
    for line in data.splitlines():
        check, _, text = line.partition(b" ")
        try:
            if int(check, 16) == zlib.crc32(text):
                yield json.loads(text)
        except ValueError:
            continue
