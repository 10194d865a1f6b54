"""Exports appear whole or not at all: written under a temporary name beside their place, made durable, then renamed."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

from tme.experiments import files
from tme.experiments.run_directory import RunError

_UNSAFE = re.compile(r"[^A-Za-z0-9_.+-]")
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def check_free(path: Path) -> None:
    """Refuse a path that is taken or cannot be written, before anything is computed."""
    if path.exists() or path.is_symlink():
        raise RunError(f"--out: {path} is there already; expected a name that is not taken")
    above = path.resolve().parent
    if not above.is_dir():
        raise RunError(f"--out: there is no folder {path.parent}; expected a path in a folder that exists")
    if not os.access(above, os.W_OK | os.X_OK):
        raise RunError(f"--out: {path.parent} cannot be written; expected a folder with write permission")


def new_file(path: Path, write: Callable[[Path], None]) -> None:
    """Let `write` fill one file."""
    files.atomic_write(path, write)


def new_folder(path: Path, write: Callable[[Path], None]) -> None:
    """Let `write` fill one folder."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    shutil.rmtree(temporary, ignore_errors=True)
    try:
        temporary.mkdir()
        write(temporary)
        for place in sorted(temporary.rglob("*"), reverse=True):
            if place.is_dir():
                files.sync_folder(place)
            elif not place.is_symlink():
                with open(place, "rb") as file:
                    os.fsync(file.fileno())
        files.sync_folder(temporary)
        os.rename(temporary, path)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    files.sync_folder(path.resolve().parent)


def file_name(text: str) -> str:
    """A name of a file made of any text: letters, digits and _ . + - stay, nothing leads out of the folder."""
    return _UNSAFE.sub("_", text).lstrip(".") or "_"


def file_names(texts: Iterable[str]) -> dict[str, str]:
    """Such a name for each of several texts, all different."""
    out: dict[str, str] = {}
    for text in texts:
        name, k = file_name(text), 2
        while name in out.values():
            name, k = f"{file_name(text)}-{k}", k + 1
        out.setdefault(text, name)
    return out


def xml_text(text: str) -> str:
    """Text without the characters that XML cannot hold even when escaped."""
    return _NOT_XML.sub("\ufffd", str(text))
