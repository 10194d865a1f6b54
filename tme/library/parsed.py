"""Our library files as plain data, parsed once: what YAML says is kept as JSON in the user's cache folder.

Reading YAML strictly (1.2, with the line of every key) takes half a second for the whole library, at the start of every
command and of every worker. The copy is named by a digest of the file's text, so it can never be out of date.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import ruamel.yaml
from ruamel.yaml import YAML


def parse(text: str) -> Any:
    """The YAML of a text, with the line of each key (ruamel's round-trip types); YAMLError if it is none."""
    return YAML(typ="rt", pure=True).load(text) or {}


def plain(value: Any) -> Any:
    """The same without ruamel's types: dict, list, str, int, float, bool, None."""
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, list):
        return [plain(v) for v in value]
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int):
        return int(value)
    return float(value) if isinstance(value, float) else str(value)


def plain_of(text: str) -> Any:
    """Plain data of a YAML text, from the copy if there is one. YAMLError and ValueError (a duplicate key) as `parse`."""
    copy = folder() / f"{hashlib.sha256(f'{ruamel.yaml.__version__} {text}'.encode()).hexdigest()[:32]}.json"
    with suppress(OSError, ValueError):
        return json.loads(copy.read_text(encoding="utf-8"))
    data = plain(parse(text))
    with suppress(OSError):  # a folder that cannot be written to costs time, nothing else
        _keep(copy, json.dumps(data))
    return data


def folder() -> Path:
    """Where copies lie, beside the compiled kernels."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tme" / "library"


def _keep(path: Path, text: str) -> None:
    """Write whole or not at all: other processes read while we write."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(name, path)
