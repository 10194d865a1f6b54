"""Which source files a kernel is compiled from: its own and every file of the package that it imports, directly or not.

numba's cache notices an edit of the kernel's own file only. Compiled code is therefore kept under a digest of all
files it depends on: an edit recompiles what can have changed and nothing else.
"""

from __future__ import annotations

import hashlib
import re
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).parents[1]
_IMPORT = re.compile(r"^[ \t]*from (tme[\w.]*) import (\([^)]*\)|[^\n]*)|^[ \t]*import (tme[\w.]*)", re.MULTILINE)


def digest(file: str | Path) -> str:
    """16 hexadecimal digits over the contents of `file` and of all files of the package it imports."""
    total = hashlib.sha256()
    for path in sorted(closure(Path(file).resolve())):
        total.update(path.name.encode() + b"\0")
        total.update(path.read_bytes() + b"\0")
    return total.hexdigest()[:16]


@cache
def closure(file: Path) -> frozenset[Path]:
    """`file` and every file of the package reached from it by imports."""
    found, left = set(), [file]
    while left:
        path = left.pop()
        if path not in found:
            found.add(path)
            left += imported(path)
    return frozenset(found)


@cache
def imported(path: Path) -> tuple[Path, ...]:
    """Files of the package that one file imports; `__init__` files only where they are named themselves."""
    out = []
    for module, names, plain in _IMPORT.findall(path.read_text(encoding="utf-8")):
        if plain:
            out.append(_file(plain))
            continue
        out.append(_file(module))
        out += [_file(f"{module}.{word.split()[0]}") for word in names.strip("()").replace("\n", " ").split(",") if word.strip()]
    return tuple(p for p in out if p is not None)


def _file(module: str) -> Path | None:
    """The file of a module of the package; None for a name inside a module."""
    place = PACKAGE.joinpath(*module.split(".")[1:])
    if module != "tme" and place.with_suffix(".py").is_file():
        return place.with_suffix(".py")
    package = place / "__init__.py"
    return package if module != "tme" and package.is_file() else None
