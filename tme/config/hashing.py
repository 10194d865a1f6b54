"""The digest of a configuration: equal for equal science, whatever file it came from."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any


def file_sha256(path: str | Path) -> str:
    """SHA-256 of a file; of nothing if it cannot be read."""
    digest = hashlib.sha256()
    try:
        with open(path, "rb") as file:
            while chunk := file.read(1 << 20):
                digest.update(chunk)
    except OSError:
        pass
    return digest.hexdigest()


def canonical(data: Any) -> str:
    """JSON with sorted keys; floats that are whole are written as integers."""

    def even(value: Any) -> Any:
        if isinstance(value, dict):
            return {str(k): even(v) for k, v in value.items()}
        if isinstance(value, (list, tuple)):
            return [even(v) for v in value]
        if isinstance(value, float) and value.is_integer():
            return int(value)
        return value

    return json.dumps(even(data), sort_keys=True, separators=(",", ":"), allow_nan=False)


def digest(config: Any) -> str:
    """Eight hexadecimal digits over the resolved config and the library entries it uses.

    Left out: the name, and how often checkpoints are written. A table of cells counts by its content.
    """
    data = config.to_dict()
    data.pop("name", None)
    data.get("output", {}).pop("checkpoint_every_h", None)
    if data["initial"]["kind"] == "cells":
        data["initial"]["file"] = file_sha256(config.initial.file)
    library = config.library
    used: dict[str, Any] = {"tumour": config.tumour_parameters(), "fields": dump(library.fields), "receptors": dump(config.axes())}
    for arm in config.arms:
        therapy = config.therapy_of(arm)
        for kind in ("drugs", "antibodies", "nanoparticles"):
            names = {i.name for i in getattr(therapy, kind)}
            entries = {n: e for n, e in getattr(library, kind).items() if n in names}
            used.setdefault(kind, {}).update(dump(entries))
            payloads = {p.drug for e in entries.values() for p in getattr(e, "payloads", ()) if p.drug}
            used.setdefault("drugs", {}).update(dump({n: library.drug(n) for n in payloads}))
    return hashlib.sha256(canonical({"config": data, "library": used}).encode()).hexdigest()[:8]


def dump(entries: Any) -> dict[str, Any]:
    """Library entries as plain numbers, without their descriptions."""
    return {
        n: e.model_dump(mode="json", exclude={"about", "stage", "not_modelled"}) for n, e in entries.items()
    }
