"""`--to ro-crate`: the run directory as a Process Run Crate, a folder, or with `--out NAME.zip` one zip file.

RO-Crate 1.1 with the profile Process Run Crate 0.5 (https://w3id.org/ro/wfrun/process/0.5): each call of `tme run` is a
CreateAction with its command, times and outcome; tme the software that did it, at its version; the config and the user's own
files what it took; tables, snapshots and report what it made. Locks, checkpoints and temporary files stay out.
"""

from __future__ import annotations

import json
import mimetypes
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tme.experiments import files
from tme.experiments.run_directory import CONFIG, LOCK, PROVENANCE, RunError, now
from tme.exporting.contract import Choice, Format

METADATA = "ro-crate-metadata.json"
PROFILE = "https://w3id.org/ro/wfrun/process/0.5"
CRATE = "https://w3id.org/ro/crate/1.1"
CONTEXT = [f"{CRATE}/context", "https://w3id.org/ro/terms/workflow-run/context"]
_LEFT_OUT = ("checkpoint_a", "checkpoint_b", "branch_state", LOCK, METADATA)
_INPUT_FOLDERS = ("library", "plugins")
_ENCODINGS = {".h5ad": "application/x-hdf5", ".npz": "application/zip", ".yaml": "application/yaml", ".jsonl": "application/jsonl", ".md": "text/markdown"}


class Crate(Format):
    """A Process Run Crate."""

    name, about, ending = "ro-crate", "the run with its provenance, as a Process Run Crate", "-crate"
    selects = False

    def is_folder(self, path: Path) -> bool:
        """Unless it is to be zipped."""
        return path.suffix != ".zip"

    def write(self, run: Any, choice: Choice, place: Path) -> tuple[str, ...]:
        """The folder or the zip file."""
        listed = list(contents(run.path))
        text = json.dumps(metadata(run, listed), indent=2, default=files.plain, ensure_ascii=False) + "\n"
        if place.is_dir():
            for name in listed:
                (place / name).parent.mkdir(parents=True, exist_ok=True)
                files.link_or_copy(run.path / name, place / name)
            (place / METADATA).write_text(text, encoding="utf-8")
            return ()
        with zipfile.ZipFile(place, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            archive.writestr(METADATA, text)
            for name in listed:
                archive.write(run.path / name, name.as_posix())
        return ()


def contents(folder: Path) -> Iterator[Path]:
    """The files of a run that belong into the crate, relative to it, in order; links are not followed."""
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        hidden = any(part.startswith(".") for part in name.parts)
        linked = any((folder / above).is_symlink() for above in (name, *name.parents))
        if path.is_file() and not hidden and not linked and path.name not in _LEFT_OUT:
            try:
                path.name.encode()
            except UnicodeEncodeError:
                raise RunError(f"{str(path)!a}: the name of the file is not UTF-8; rename it") from None
            yield name


def identifier(name: Path) -> str:
    """The @id of a file: its path as a relative URI."""
    return quote(name.as_posix())


def is_input(name: Path) -> bool:
    """Whether a run took the file rather than made it."""
    return name.as_posix() == CONFIG or name.parts[0] in _INPUT_FOLDERS


def metadata(run: Any, listed: Sequence[Path]) -> dict[str, Any]:
    """ro-crate-metadata.json."""
    found = run.provenance
    if not found:
        raise RunError(f"{run.path} has no {PROVENANCE}: it is not known how it was made")
    name = str(found.get("name") or run.path.resolve().name)
    actions = list(actions_of(found, listed))
    software = software_of(found)
    root = {
        "@id": "./", "@type": "Dataset", "name": f"{name}, a run of tme",
        "description": f"Simulations of {name}: arms {', '.join(run.arms)}; configuration {found.get('config_digest', '')}, seed {found.get('seed', '')}.",
        "datePublished": str(found.get("finished") or now())[:10], "license": {"@id": "#licence"},
        "conformsTo": {"@id": PROFILE}, "hasPart": [{"@id": identifier(n)} for n in listed], "mentions": [{"@id": a["@id"]} for a in actions],
    }  # fmt: skip
    graph = [
        {"@id": METADATA, "@type": "CreativeWork", "conformsTo": {"@id": CRATE}, "about": {"@id": "./"}},
        root,
        {"@id": PROFILE, "@type": "CreativeWork", "name": "Process Run Crate", "version": "0.5"},
        {"@id": "#licence", "@type": "CreativeWork", "name": "not stated", "description": "Whoever made the run has stated no licence: ask before reuse."},
        software, *actions, *(file_of(run.path, n) for n in listed),
    ]  # fmt: skip
    return {"@context": CONTEXT, "@graph": graph}


def software_of(found: dict[str, Any]) -> dict[str, Any]:
    """The program: tme, with the libraries it ran on."""
    versions = found.get("versions") if isinstance(found.get("versions"), dict) else {}
    needs = ", ".join(f"{k} {v}" for k, v in (versions or {}).items() if k != "tme")
    about = {"softwareVersion": str((versions or {}).get("tme", "unknown")), "softwareRequirements": needs}
    commit = f", commit {found['git']}" if found.get("git") else ""
    return {"@id": "#tme", "@type": "SoftwareApplication", "name": "tme", "description": f"ferroptosis immunotherapy in silico{commit}", **about}


def actions_of(found: dict[str, Any], listed: Sequence[Path]) -> Iterator[dict[str, Any]]:
    """One action for every call of the command; the last one's results are the files."""
    calls = [c for c in found.get("invocations", []) if isinstance(c, dict)] or [found]
    for k, call in enumerate(calls):
        code = call.get("exit_code")
        action: dict[str, Any] = {
            "@id": f"#run-{k + 1}", "@type": "CreateAction", "name": f"call {k + 1}: {call.get('command') or 'tme run'}",
            "description": f"exit code {code}" if code is not None else "not finished, or killed",
            "instrument": {"@id": "#tme"}, "startTime": str(call.get("started") or found.get("started") or ""),
            "object": one_or_all([{"@id": identifier(n)} for n in listed if is_input(n)]),
        }  # fmt: skip
        if k == len(calls) - 1:
            action["result"] = one_or_all([{"@id": identifier(n)} for n in listed if not is_input(n)])
        if code is not None:
            action["actionStatus"] = f"http://schema.org/{'Completed' if code == 0 else 'Failed'}ActionStatus"
        if call.get("finished"):
            action["endTime"] = str(call["finished"])
        if code not in (0, None):
            action["error"] = f"exit code {code}"
        yield action


def one_or_all(items: list[dict[str, str]]) -> Any:
    """A single value on its own, as RO-Crate writes it."""
    return items[0] if len(items) == 1 else items


def file_of(folder: Path, name: Path) -> dict[str, Any]:
    """The entry of a file."""
    encoding = _ENCODINGS.get(name.suffix) or mimetypes.guess_type(name.name)[0] or "application/octet-stream"
    size = (folder / name).stat().st_size
    return {"@id": identifier(name), "@type": "File", "name": name.as_posix(), "encodingFormat": encoding, "contentSize": str(size), "sha256": files.sha256(folder / name)}
