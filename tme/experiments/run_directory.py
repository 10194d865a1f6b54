"""The run directory: its names, its lock, and the rule that DONE comes last.

runs/<name>-<hash8>/
  config.resolved.yaml  card.md (what was asked, of which model, with which evidence and limits)  provenance.json  events.jsonl
  series.csv  summary.csv  run.lock (while written)
  library/  plugins/  copies of the user's own files, where the config names some: config.resolved.yaml loads from them
  <arm>/rep-000/      series.csv  cells_<hour>.h5ad  fields_<hour>.npz  checkpoint_{a,b}  frame.bin
                      timing.json  DONE (last)  error.txt (if it failed)
  growth/branch-000/  with `branch_at_day`: what all arms of a replicate continue from (`branch_state`)
  sweep-000/<arm>/rep-000/   with `sweep`: a folder per point, itself readable as a run; see sweep.csv
"""

from __future__ import annotations

import errno
import fcntl
import io
import json
import os
import re
import shutil
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from tme.experiments import files

DONE_FORMAT = 1
CONFIG = "config.resolved.yaml"
PROVENANCE = "provenance.json"
EVENTS = "events.jsonl"
CARD = "card.md"
LOCK = "run.lock"
_OWN = ("library", "plugins")  # folders with copies of the user's files
_OURS = (
    *_OWN,
    CONFIG,
    CARD,
    PROVENANCE,
    EVENTS,
    LOCK,
    "series.csv",
    "summary.csv",
    "sweep.csv",
    "report.html",
    "report_error.txt",
    "config.start.yaml",  # of a live session, with its log
    "live.jsonl",
)
_NOT_SEALED = re.compile(r"^(DONE|checkpoint_[ab]|\..*)$")
_POINT = re.compile(r"sweep-\d+")
_DIGEST = re.compile(r"^# .*digest ([0-9a-f]{8,})")


class RunError(Exception):
    """The run cannot start, and the message says why; `exit_code` is what the command returns."""

    exit_code = 2


class RunBroken(RunError):
    """The run began and could not go on; what is finished stands, and a rerun completes it."""

    exit_code = 3


class RunLocked(RunError):
    """Another process writes into this run directory."""


class ConfigMismatch(RunError):
    """The directory belongs to another configuration."""


def now() -> str:
    """Time stamp, UTC, ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def default_folder(config: Any, base: Path = Path("runs")) -> Path:
    """runs/<name>-<hash8>, the hash being that of the resolved configuration."""
    return Path(base) / f"{config.name}-{config.digest[:8]}"


def prepare(folder: Path, config: Any, fresh: bool = False) -> None:
    """Make the folder ready for `config`; call it with the lock held. Refuses another config's folder."""
    found = stored_digest(folder)
    if found is None:
        strangers = sorted(
            p.name for p in folder.iterdir() if p.name not in _OURS and not p.name.startswith(".")
        )
        if strangers:
            raise RunError(
                f"{folder} is no run directory and holds {', '.join(strangers[:3])}: choose another --out"
            )
        write_config(folder, config)
    elif fresh:
        erase(folder)
        write_config(folder, config)
    elif found != config.digest:
        raise ConfigMismatch(
            f"{folder} belongs to another configuration (digest {found[:8]}, this one {config.digest[:8]}): "
            f"choose another --out, or start over with --fresh"
        )
    elif asks_anew(folder, config):
        write_config(folder, config)
    files.clear_temporary(folder)


def asks_anew(folder: Path, config: Any) -> bool:
    """Whether the config puts another primary question than the one stored; that changes no simulation."""
    return read_config(folder).get("primary") != config.to_dict().get("primary")


def write_config(folder: Path, config: Any, name: str = CONFIG) -> None:
    """Write config.resolved.yaml; its first line carries the digest. The user's files lie beside it as copies."""
    from tme import __version__

    data = {**config.to_dict(), **copy_own(folder, config)}
    text = io.StringIO()
    yaml = YAML(typ="safe")
    yaml.default_flow_style = False
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]  # declared as None
    yaml.dump(json.loads(json.dumps(data, default=files.plain)), text)
    header = f"# tme {__version__}, resolved configuration, digest {config.digest}\n"
    files.write_text(folder / name, header + text.getvalue())


def copy_own(folder: Path, config: Any) -> dict[str, list[str]]:
    """Write the library files and plugins a config stands on into the folder; returns key -> their names there."""
    named: dict[str, list[str]] = {}
    for own in getattr(config, "own_files", list)():
        path = Path(own.path)
        name = next(n for k in range(1000) if (n := f"{own.key}/{path.stem}{f'-{k}' * bool(k)}{path.suffix}") not in named.get(own.key, ()))
        files.make_folder(folder / own.key)
        files.write_text(folder / name, own.text)
        named.setdefault(own.key, []).append(name)
    return named


def read_config(folder: Path) -> dict:
    """The resolved configuration of a run as plain mappings."""
    with open(Path(folder) / CONFIG, encoding="utf-8") as file:
        return YAML(typ="safe").load(file) or {}


def stored_digest(folder: Path) -> str | None:
    """Digest of the configuration a folder belongs to; None where it holds no run."""
    try:
        with open(Path(folder) / CONFIG, encoding="utf-8") as file:
            found = _DIGEST.match(file.readline())
    except OSError:
        return None
    return found.group(1) if found else "0" * 8


def erase(folder: Path) -> None:
    """Remove what a run wrote (lock aside), and nothing a user may have put beside it.

    The configuration goes last: until then a killed erasure can be taken up again.
    """
    for path in sorted(folder.iterdir()):
        if path.is_dir() and not path.is_symlink():
            if path.name in ("growth", "figures", *_OWN) or _POINT.fullmatch(path.name) or any(path.glob("rep-*")):
                shutil.rmtree(path)
        elif path.name in _OURS and path.name not in (LOCK, CONFIG):
            path.unlink()
    files.clear_temporary(folder)
    (folder / CONFIG).unlink(missing_ok=True)
    files.sync_folder(folder)


def seal(folder: Path, about: dict) -> None:
    """Write DONE, the last file of a simulation: SHA-256 and size of every other file but the checkpoints."""
    names = sorted(p.name for p in folder.iterdir() if p.is_file() and not _NOT_SEALED.match(p.name))
    listed = {n: {"sha256": files.sha256(folder / n), "bytes": (folder / n).stat().st_size} for n in names}
    files.write_json(folder / "DONE", {"format": DONE_FORMAT, **about, "finished": now(), "files": listed})


def is_done(folder: Path, verify: bool = False) -> bool:
    """Whether DONE stands and what it lists is there; with `verify`, every checksum is computed anew."""
    listed = files.read_json(folder / "DONE").get("files")
    if not isinstance(listed, dict):
        return False
    for name, entry in listed.items():
        path = folder / name
        try:
            if path.stat().st_size != entry["bytes"] or (verify and files.sha256(path) != entry["sha256"]):
                return False
        except (OSError, KeyError, TypeError):
            return False
    return True


def me() -> dict:
    """Holder of a lock: pid, the start time of that pid (pids are reused), host."""
    return {
        "pid": os.getpid(),
        "pid_start": _pid_start(os.getpid()),
        "host": socket.gethostname(),
        "started": now(),
    }


def _pid_start(pid: int) -> int | None:
    """Start time of a process in clock ticks since boot; None where /proc does not tell."""
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])
    except (OSError, ValueError, IndexError):
        return None


def holder(folder: Path) -> dict | None:
    """The live (or foreign) holder of a run's lock, None where no process writes."""
    found = files.read_json(Path(folder) / LOCK)
    if not found.get("pid"):
        return None
    if found.get("host") != socket.gethostname():
        return found
    try:
        os.kill(int(found["pid"]), 0)
    except ProcessLookupError:
        return None
    except PermissionError:
        pass
    begun = _pid_start(int(found["pid"]))
    same = begun is None or found.get("pid_start") is None or begun == found["pid_start"]
    return found if same else None


def _refuse(folder: Path) -> RunLocked:
    who = files.read_json(folder / LOCK)
    text = f"{folder} is being written by process {who.get('pid')} on {who.get('host')}"
    text += f" since {who.get('started')}"
    if who.get("host") not in (None, socket.gethostname()):
        text += f"; if that run is surely dead, delete {folder / LOCK}"
    return RunLocked(text)


@contextmanager
def lock(folder: Path) -> Iterator[dict | None]:
    """Hold run.lock; yields the stale holder it took over from, if any. A second writer gets RunLocked.

    The kernel's lock on the file dies with its process; the text in it (pid, host, start time) also stops
    writers on other hosts, where such locks may not reach.
    """
    path = folder / LOCK
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        if not _flock(handle):
            os.close(handle)
            raise _refuse(folder)
        try:
            if os.fstat(handle).st_ino == path.stat().st_ino:
                break
        except FileNotFoundError:
            pass
        os.close(handle)  # the former holder removed the file meanwhile: try again on a new one
    try:
        if holder(folder) is not None:
            raise _refuse(folder)
        stale = files.read_json(path) or None
        text = json.dumps(me()).encode()
        os.ftruncate(handle, 0)
        os.pwrite(handle, text, 0)
        os.fsync(handle)
        try:
            yield stale
        finally:
            path.unlink(missing_ok=True)
    finally:
        os.close(handle)


def _flock(handle: int) -> bool:
    """Try the kernel's exclusive lock; a file system without such locks counts as taken by us."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno not in (errno.EWOULDBLOCK, errno.EACCES)
    return True


@contextmanager
def claim(folder: Path, patience_s: float = 20.0) -> Iterator[None]:
    """Hold one simulation's folder while computing it.

    A worker whose parent was killed may still be finishing its step: wait a little for it to notice.
    """
    handle = os.open(folder, os.O_RDONLY)
    deadline = time.monotonic() + patience_s
    try:
        while not _flock(handle):
            if time.monotonic() > deadline:
                raise RunLocked(f"{folder} is still being written by another process")
            time.sleep(0.1)
        yield
    finally:
        os.close(handle)


def is_claimed(folder: Path) -> bool:
    """Whether some process on this host computes in the folder right now."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:
        return False
    try:
        return not _flock(handle)
    finally:
        os.close(handle)


def prepare_point(folder: Path, config: Any) -> None:
    """Give a sweep point's folder its own resolved configuration, so that it reads as a run."""
    if stored_digest(folder) != config.digest or asks_anew(folder, config):
        write_config(folder, config)
