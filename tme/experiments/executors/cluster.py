"""Workers as jobs of a queue (SLURM, PBS, LSF), through dask-jobqueue, from a file of options.

    jobs: 20                        # how many are asked for (ours; all other keys are those of dask-jobqueue's cluster class)
    cores: 32
    processes: 32                   # one simulation each
    memory: 64GB
    walltime: "04:00:00"
    queue: short
"""

from __future__ import annotations

import difflib
import inspect
import shutil
from pathlib import Path
from typing import Any

from tme.experiments.run_directory import RunError

CLASSES = {"slurm": "SLURMCluster", "pbs": "PBSCluster", "lsf": "LSFCluster"}
_OURS = "jobs"
_NOT_OFFERED = {"self", "scheduler", "name", "job_cls", "loop", "asynchronous", "n_workers", "scheduler_cls", "silence_logs", "config_name",
                "base_class_kwargs", "job_kwargs", "security"}  # fmt: skip
_NEEDED = ("cores", "memory")


def start(kind: str, file: Path) -> Any:
    """A cluster with its jobs asked for; RunError for options that do not fit, with their lines."""
    import dask_jobqueue

    cls = getattr(dask_jobqueue, CLASSES[kind])
    options = read(file, kind, cls)
    jobs = options.pop(_OURS, 1)
    command = cls.job_cls.submit_command.split()[0]
    if shutil.which(command) is None:
        raise RunError(f"--cluster {kind}: there is no command {command} here; run tme where jobs are submitted")
    answers: list[str] = []
    try:
        cluster = type(cls.__name__, (cls,), {"job_cls": _told(cls.job_cls, answers), "answers": answers})(**options)
        cluster.scale(jobs=jobs)
    except (OSError, ValueError, TypeError, RuntimeError) as error:
        raise RunError(f"{file}: {kind} cluster: {error}") from error
    return cluster


def _told(job: Any, answers: list[str]) -> Any:
    """The job class, with what the queue answers to a job that it refuses kept: dask only logs it."""

    async def submit(self: Any, file: str) -> Any:
        try:
            return await job._submit_job(self, file)
        except Exception as error:
            answers.append(str(error).strip())
            raise

    return type(job.__name__, (job,), {"_submit_job": submit})


def keys(cls: Any) -> list[str]:
    """Options that the cluster class takes, and `jobs`."""
    from dask_jobqueue.core import Job, JobQueueCluster

    found = {n for c in (cls.job_cls, Job, JobQueueCluster) for n in inspect.signature(c.__init__).parameters}
    return sorted((found - _NOT_OFFERED) | {_OURS})


def read(file: Path, kind: str, cls: Any) -> dict[str, Any]:
    """The options of a file, checked: all faults at once, as file:line: key: what is wrong."""
    from ruamel.yaml import YAML
    from ruamel.yaml.comments import CommentedMap
    from ruamel.yaml.error import YAMLError

    try:
        data: Any = YAML(typ="rt").load(Path(file).read_text(encoding="utf-8"))
    except OSError as error:
        raise RunError(f"--cluster-options: {file}: {error.strerror}; expected a YAML file of options of the {kind} cluster") from error
    except YAMLError as error:
        raise RunError(f"--cluster-options: {file}: no YAML: {str(error).splitlines()[0]}") from error
    if not isinstance(data, CommentedMap):
        raise RunError(f"--cluster-options: {file}: expected keys such as {', '.join((_OURS, *_NEEDED))}")
    known, faults = keys(cls), []
    for key, value in data.items():
        line = data.lc.key(key)[0] + 1
        fault = _fault(str(key), value, known, kind)
        if fault:
            faults.append(f"{file}:{line}: {key}: {fault}")
    faults += [f"{file}:1: {key}: missing; dask-jobqueue needs it" for key in _NEEDED if key not in data]
    if faults:
        raise RunError("\n".join(faults))
    return {str(k): _plain(v) for k, v in data.items()}


def _fault(key: str, value: Any, known: list[str], kind: str) -> str:
    if key not in known:
        near = difflib.get_close_matches(key, known, 1, 0.5)
        return f"unknown option of the {kind} cluster; expected one of {', '.join(known)}" + (f"; did you mean {near[0]!r}?" if near else "")
    if key in (_OURS, "cores", "processes") and (not isinstance(value, int) or isinstance(value, bool) or value < 1):
        return f"expected a whole number from 1, found {value!r}"
    if key in ("memory", "walltime") and not isinstance(value, str):
        return f"expected text such as {'64GB' if key == 'memory' else '04:00:00'!r} in quotes, found {value!r}"
    if key == "memory" and not _is_memory(value):
        return f"expected an amount such as 64GB, found {value!r}"
    return ""


def _is_memory(text: str) -> bool:
    from dask.utils import parse_bytes

    try:
        return parse_bytes(text) > 0
    except ValueError:
        return False


def _plain(value: Any) -> Any:
    """Without the parser's own classes."""
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_plain(v) for v in value]
    return str(value) if isinstance(value, str) else value
