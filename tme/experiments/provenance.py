"""provenance.json: with what, where, when and by whom the numbers were made."""

from __future__ import annotations

import hashlib
import os
import platform
import subprocess
import sys
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path
from typing import Any

from tme.experiments import files
from tme.experiments.plan import Plan
from tme.experiments.run_directory import PROVENANCE, RunError, now
from tme.model.initial_cells import arrangement

PACKAGES = ("numpy", "numba", "llvmlite", "scipy", "pandas", "mesa", "h5py", "pydantic", "ruamel.yaml")
PROCESSOR = ("cpu", "cpu")  # device, and what computes there


def begin(
    folder: Path, config: Any, plan: Plan, jobs: int, threads: int, device: tuple[str, str] = PROCESSOR,
    where: tuple[str, dict[str, str]] | None = None,
) -> None:  # fmt: skip
    """Add this invocation to provenance.json; a resumed run keeps the earlier ones under `invocations`.

    `where`: the executor, and features by model of the processors that compute.
    """
    executor, found_processors = where or ("processes", processors())
    found = files.read_json(folder / PROVENANCE)
    this = {"command": command_line(), "started": now(), "finished": None, "exit_code": None, "jobs": jobs,
            "threads": threads, "executor": executor, "processors": found_processors, "device": device[1], "versions": versions(device[0]), "machine": machine(), "git": git_commit(),
            "source_sha256": source_digest(), "primary": config.to_dict().get("primary")}  # fmt: skip
    record = {
        "name": config.name, "config_digest": config.digest, "seed": config.seed, "device": device[0],
        "versions": this["versions"], "machine": this["machine"], "git": this["git"],
        "command": this["command"],
        "started": found.get("started") or this["started"], "finished": None, "inputs": inputs(config), "own": own_files(config),
        "simulations": [{"folder": s.folder, "arm": s.arm, "replicate": s.replicate, "seed": s.seed,
                         "point": s.point} for s in plan.simulations],
        "invocations": [*found.get("invocations", []), this], **tissue(config),
    }  # fmt: skip
    files.write_json(folder / PROVENANCE, record)


def same_device(folder: Path, device: str, fresh: bool = False) -> None:
    """Refuse to go on with a run that another device began: the last digits would change in its middle."""
    found = files.read_json(folder / PROVENANCE)
    begun = found.get("device", "cpu")
    if found and begun != device and not fresh:
        raise RunError(
            f"{folder} was begun with --device {begun} and this is --device {device}, whose last digits differ: "
            f"use --device {begun}, choose another --out, or start over with --fresh"
        )


def end(folder: Path, exit_code: int, wall_s: float, processors: dict[str, str] | None = None, unlike: Iterable[str] = ()) -> None:
    """Close the entry of this invocation; `unlike`: in what workers differed that it admitted nevertheless."""
    record = files.read_json(folder / PROVENANCE)
    finished = now()
    for entry in record.get("invocations", [])[-1:]:
        entry.update(finished=finished, exit_code=exit_code, wall_seconds=wall_s)
        if processors:
            entry["processors"] = processors
        if unlike:
            entry["bits_may_differ"] = list(unlike)
    total = sum(e.get("wall_seconds") or 0.0 for e in record.get("invocations", []))
    record.update(finished=finished, wall_seconds=total)
    files.write_json(folder / PROVENANCE, record)


def changes(folder: Path, processors: dict[str, str], device: str = "cpu") -> list[str]:
    """In what earlier invocations in this folder were unlike this one, in words."""
    past = files.read_json(folder / PROVENANCE).get("invocations", [])
    out = []
    if any(e.get("source_sha256") != source_digest() or e.get("versions") != versions(device) for e in past):
        out.append("by other sources or library versions")
    if any(e.get("processors", processors) != processors for e in past):
        out.append("on another processor: its last digits may differ")
    return out


def processors() -> dict[str, str]:
    """Features of this machine's processor by its model."""
    found = machine()
    return {found["cpu"]: found["features"]}


def versions(device: str = "cpu") -> dict[str, str]:
    """Versions of tme, Python and the libraries the numbers depend on."""
    from tme import __version__

    out = {"tme": __version__, "python": platform.python_version()}
    for name in (*PACKAGES, *(() if device == "cpu" else ("numba-cuda",))):
        try:
            out[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return out


def machine() -> dict[str, Any]:
    """Processor, its features, cores, system."""
    cpu = platform.processor() or platform.machine()
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                cpu = line.partition(":")[2].strip()
                break
    except OSError:
        pass
    return {"cpu": cpu, "features": features(), "cores": os.cpu_count(), "system": platform.platform()}


def features() -> str:
    """What the processor can do, as the compiler of the kernels sees it: names, sorted."""
    from llvmlite.binding import get_host_cpu_features

    try:
        found = get_host_cpu_features()
    except RuntimeError:  # the compiler knows no such processor
        return ""
    return " ".join(sorted(name for name, there in found.items() if there))


def command_line() -> str:
    """The command as typed, with the program by name only."""
    return " ".join([Path(sys.argv[0]).name or "python", *sys.argv[1:]])


def git_commit() -> str | None:
    """Commit of the checkout the package runs from, with '+' where files differ from it; None elsewhere."""
    root = Path(__file__).resolve().parents[2]
    if not (root / ".git").exists():
        return None

    def git(*words: str) -> str:
        return subprocess.run(["git", "-C", str(root), *words], capture_output=True, text=True, timeout=10,
                              check=True).stdout.strip()  # fmt: skip

    try:
        changed = git("status", "--porcelain", "--untracked-files=no", "--", "tme")
        return git("rev-parse", "HEAD") + ("+" if changed else "")
    except (OSError, subprocess.SubprocessError):
        return None


def source_digest() -> str:
    """SHA-256 over the package's Python sources and library data."""
    root = Path(__file__).resolve().parents[1]
    digest = hashlib.sha256()
    for path in sorted(p for p in root.rglob("*") if p.suffix in (".py", ".yaml")):
        digest.update(path.relative_to(root).as_posix().encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def own_files(config: Any) -> list[dict[str, str]]:
    """The user's library files and plugins: which key names them, where they lay, SHA-256 of what was used."""
    own: list[Any] = getattr(config, "own_files", list)()
    return [{"key": f.key, "path": f.path, "sha256": f.sha256} for f in own]


def tissue(config: Any) -> dict[str, Any]:
    """What became of a table of cells: counts, types without a meaning, displacement; empty for a start of another kind."""
    cells = arrangement(config) if getattr(config, "initial", None) is not None else None
    return {} if cells is None else {"tissue": cells.report}


def inputs(config: Any) -> dict[str, str]:
    """SHA-256 of the files the configuration came from or names (tissue tables)."""
    named = sorted({str(file) for file, _ in getattr(config, "origin", {}).values()})
    initial = getattr(config, "initial", None)
    for start in (initial, getattr(initial, "base", None)):
        table = start.get("file") if isinstance(start, dict) else getattr(start, "file", None)
        named += [str(table)] if table else []
    return {name: files.sha256(Path(name)) for name in named if Path(name).is_file()}
