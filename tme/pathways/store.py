"""Written kernels as files: kept beside numba's compiled code, imported once a process.

A file is named by a digest of its text, so that processes and checkouts that want the same text share one file and
no process reads a partial file: it is written under another name and moved into place. Where the cache folder cannot be
written, a temporary folder takes its part.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import sys
import tempfile
import threading
from functools import cache
from pathlib import Path
from types import ModuleType

import numba

from tme.pathways.contract import Pathway
from tme.pathways.write import device_source, source

_lock = threading.Lock()
_own: list[tempfile.TemporaryDirectory] = []  # of a process that may write nowhere else


def folders() -> list[Path]:
    """Where files may lie, the best first."""
    places = [Path(numba.config.CACHE_DIR)] if numba.config.CACHE_DIR else []
    places.append(Path(tempfile.gettempdir()) / f"tme-kernels-{os.getuid()}")
    return [p / "pathways" for p in places]


def named(name: str, text: str) -> str:
    """Name of the module of a text."""
    return f"{name}_{hashlib.sha256(text.encode()).hexdigest()[:12]}"


def kept(name: str, text: str) -> Path:
    """The file of that text, written unless it is there."""
    for folder in folders():
        path = folder / f"{named(name, text)}.py"
        try:
            if path.is_file() and path.read_text(encoding="utf-8") == text:
                return path
            folder.mkdir(parents=True, exist_ok=True)
            return _written(path, text)
        except OSError:
            continue
    _own.append(tempfile.TemporaryDirectory(prefix="tme-"))
    return _written(Path(_own[-1].name) / f"{named(name, text)}.py", text)


def _written(path: Path, text: str) -> Path:
    """Write under another name, then move."""
    handle, other = tempfile.mkstemp(dir=path.parent, prefix=path.stem, suffix=".tmp")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(other, path)
    except BaseException:
        os.unlink(other)
        raise
    return path


def imported(name: str, text: str) -> ModuleType:
    """The module of a text, the same object at every call."""
    module_name = named(name, text)
    with _lock:
        known = sys.modules.get(module_name)
        if known is not None:
            return known
        spec = importlib.util.spec_from_file_location(module_name, kept(name, text))
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[module_name] = module
        try:
            spec.loader.exec_module(module)
        except BaseException:
            del sys.modules[module_name]
            raise
        return module


@cache
def kernels(pathway: Pathway, modulated: bool = False) -> ModuleType:
    """The processor's kernels of a pathway; `modulated` where a rule acts on one of its terms."""
    return imported(f"{pathway.name}{'_modulated' * modulated}", source(pathway, modulated))


@cache
def device_kernel(pathway: Pathway, modulated: bool = False) -> ModuleType:
    """The device's."""
    cpu = kernels(pathway, modulated)
    return imported(f"{pathway.name}{'_modulated' * modulated}_cuda", device_source(pathway, modulated, cpu.__name__))
