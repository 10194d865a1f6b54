"""The directory of a study: runs/<name>-<kind>-<hash8>/, written by one process.

study.yaml (what is asked; its digest)  config.resolved.yaml  provenance.json  events.jsonl  design.csv
results.jsonl (append-only)  table.csv  summary.json (numbers and sentences)  figures/*.png  report.html
"""

from __future__ import annotations

import hashlib
import io
import json
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from tme.config.hashing import canonical
from tme.experiments import files
from tme.experiments.run_directory import ConfigMismatch, RunError, erase, stored_digest, write_config
from tme.studies.design import Ask
from tme.studies.records import NAME as RESULTS

STUDY = "study.yaml"
DESIGN, TABLE, SUMMARY = "design.csv", "table.csv", "summary.json"
OURS = (STUDY, DESIGN, RESULTS, TABLE, SUMMARY)
FORMAT = 1


def description(config: Any, kind: str, ask: Ask, settings: dict[str, Any]) -> dict[str, Any]:
    """What is asked, as plain data; equal descriptions are one study."""
    asked = config.study.model_dump(mode="json", exclude_none=True) if getattr(config, "study", None) is not None else {}
    primary = config.to_dict().get("primary")  # no part of a config's digest, since it changes no simulation
    return {
        "kind": kind, "format": FORMAT, "config": config.digest, "readouts": list(ask.readouts), "days": list(ask.days),
        "settings": json.loads(json.dumps(settings, default=files.plain)), "study": asked, **({"primary": primary} if primary else {}),
    }  # fmt: skip


def digest_of(described: dict[str, Any]) -> str:
    """Eight hexadecimal digits over a description."""
    return hashlib.sha256(canonical(described).encode()).hexdigest()[:8]


def default_folder(config: Any, kind: str, digest: str, base: Path = Path("runs")) -> Path:
    """runs/<name>-<kind>-<hash8>."""
    return Path(base) / f"{config.name}-{kind}-{digest}"


def read_study(folder: Path) -> dict[str, Any]:
    """study.yaml of a directory; empty where there is none."""
    try:
        return YAML(typ="safe").load((Path(folder) / STUDY).read_text(encoding="utf-8")) or {}
    except OSError:
        return {}


def prepare(folder: Path, config: Any, described: dict[str, Any], fresh: bool) -> None:
    """Make the folder ready, with its lock held; refuses a folder of another study or of a run."""
    digest, found = digest_of(described), read_study(folder).get("digest")
    if found is None:
        known = {*OURS, "run.lock", "config.resolved.yaml", "provenance.json", "events.jsonl"}
        strangers = sorted(p.name for p in folder.iterdir() if p.name not in known and not p.name.startswith("."))
        if strangers:
            raise RunError(f"{folder} is no study directory and holds {', '.join(strangers[:3])}: choose another --out")
    elif fresh:
        for name in OURS[1:]:
            (folder / name).unlink(missing_ok=True)
        erase(folder)
        (folder / STUDY).unlink(missing_ok=True)  # last: while it is there, a kill leaves no records that another study would take for its own
    elif found != digest:
        raise ConfigMismatch(f"{folder} belongs to another study (digest {found}, this one {digest}): choose another --out, or start over with --fresh")
    files.clear_temporary(folder)
    if stored_digest(folder) != config.digest:
        write_config(folder, config)
    if read_study(folder).get("digest") != digest:
        files.write_text(folder / STUDY, as_yaml({"digest": digest, "name": config.name, **described}))


def as_yaml(data: Any) -> str:
    """Plain data as YAML in blocks."""
    text = io.StringIO()
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = None
    yaml.width = 110
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]  # declared as None
    yaml.dump(data, text)
    return text.getvalue()
