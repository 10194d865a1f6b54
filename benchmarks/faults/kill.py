"""Kill a small four-arm experiment at random instants, restart it each time, and look for damage.

    python benchmarks/faults/kill.py --kills 200

One run goes undisturbed. Then the same experiment is started in a fresh directory and killed with SIGKILL
(the whole process group, so that workers die too) at instants drawn from a seeded generator: half anywhere
between the start of the process and its expected end, half while simulations run. After every kill each file
must open, and no finished simulation may be lost, altered or begun again; a run that gets to its end must
equal the undisturbed one bit for bit, and the next kill starts a fresh directory. Exit code 1 on any fault.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from checks import differences, fingerprint, sha256, temporaries, unreadable  # noqa: E402 - beside this file

CONFIG = ROOT / "configs" / "quick.yaml"
CHANGES = [
    "replicates=1", "start_day=-0.25", "horizon_day=0.5", "domain.size_um=[700,700]", "initial.n_cells=150",
    "output.snapshot_days=[0,0.25,0.5]", "output.record_every_h=1", "output.checkpoint_every_h=1",
]  # fmt: skip
REPORTS = 0.25  # share of starts that also draw the report, the slowest part


@dataclass
class Campaign:
    """What happened so far."""

    kills: int = 0
    starts: int = 0
    completed: int = 0
    resumed: int = 0
    half_files: int = 0
    states: Counter = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)


def child(folder: Path, jobs: int, report: bool) -> int:
    """The experiment, in this process."""
    import tme

    return tme.run(tme.load_config(CONFIG, overrides=CHANGES), folder, jobs=jobs, report=report).exit_code


def start(folder: Path, jobs: int, report: bool) -> subprocess.Popen:
    """The experiment in a process group of its own."""
    words = [sys.executable, __file__, "--child", str(folder), "--jobs", str(jobs)] + ["--report"] * report
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with open(folder.with_suffix(".log"), "ab") as log:
        return subprocess.Popen(words, env=environment, stdout=log, stderr=log, start_new_session=True)


def kill_group(process: subprocess.Popen) -> None:
    """SIGKILL to all of the group; returns when none of them is left."""
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    while any(_runs_in(process.pid)):
        time.sleep(0.005)


def _runs_in(group: int):
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            words = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(words[2]) == group and words[0] not in "ZX":
            yield stat


def events(folder: Path) -> list[dict]:
    """The whole lines of events.jsonl."""
    out = []
    try:
        lines = (folder / "events.jsonl").read_text(encoding="utf-8").splitlines()
    except OSError:
        return out
    for line in lines:
        try:
            out.append(json.loads(line))
        except ValueError:
            continue
    return out


def finished(folder: Path) -> dict[str, tuple[str, int]]:
    """Folder of each finished simulation, with checksum and time of its DONE."""
    found = folder.rglob("DONE")
    return {p.parent.relative_to(folder).as_posix(): (sha256(p), p.stat().st_mtime_ns) for p in found}


def where(folder: Path, before: int) -> str:
    """In which part of the run the kill fell, told by the events after the first `before`."""
    here = events(folder)[before:]
    kinds = [e["event"] for e in here]
    if not kinds:
        return "starting up"
    if "finished" in kinds:
        return "report"
    running: dict[str, str] = {}
    for e in here:
        if e["event"] in ("start", "done"):
            running[e["simulation"]] = e["event"]
    open_ones = [name for name, kind in running.items() if kind == "start"]
    if not open_ones:
        return "tables" if "done" in running.values() else "loading the model"
    return "growth" if open_ones[0].startswith("growth") else "arms"


def lost_or_repeated(folder: Path, before: dict, seen: int) -> list[str]:
    """What became of simulations that had their DONE: lost, rewritten, or begun again since event `seen`."""
    now = finished(folder)
    out = [f"{n}: finished before the kill, {'rewritten' if n in now else 'lost'}" for n in before if now.get(n) != before[n]]
    again = {e["simulation"] for e in events(folder)[seen:] if e["event"] == "start"} & before.keys()
    failed = [e for e in events(folder)[seen:] if e["event"] == "failed"]
    out += [f"{n}: finished, and begun again" for n in sorted(again)]
    return out + [f"{e['simulation']}: failed: {e['error']}" for e in failed]


def wait_until(process: subprocess.Popen, deadline: float) -> bool:
    """Whether the process still runs at `deadline`."""
    while process.poll() is None and time.monotonic() < deadline:
        time.sleep(min(0.01, max(0.0, deadline - time.monotonic())))
    return process.poll() is None


def at_work(process: subprocess.Popen, folder: Path, seen: int) -> None:
    """Wait for the first simulation of this start, or the end of the process."""
    while process.poll() is None and not any(e["event"] == "start" for e in events(folder)[seen:]):
        time.sleep(0.01)


def one_start(folder: Path, c: Campaign, dice: random.Random, spans: tuple[float, float], expected: dict) -> bool:
    """Start, kill at a random instant, check; True when the run reached its end instead."""
    before, seen = finished(folder), len(events(folder))
    whole, work = spans
    aimed, share = dice.random() < 0.5, dice.random()
    process = start(folder, dice.choice((1, 1, 1, 2)), dice.random() < REPORTS)
    c.starts += 1
    if aimed:
        at_work(process, folder, seen)
    alive = wait_until(process, time.monotonic() + share * (work if aimed else whole))
    if alive:
        kill_group(process)
        c.kills += 1
        state = where(folder, seen)
        c.states[state] += 1
        c.half_files += temporaries(folder)
    faults = unreadable(folder) + lost_or_repeated(folder, before, seen)
    if not alive:
        if process.returncode:
            faults.append(f"the run ended with exit code {process.returncode}, see {folder.with_suffix('.log')}")
        faults += differences(fingerprint(folder), expected)
        faults += [f"{temporaries(folder)} temporary files left by a whole run"] if temporaries(folder) else []
    c.resumed += sum(1 for e in events(folder)[seen:] if e.get("resumed_from_hour") is not None)
    c.faults += [f"{folder.name}, kill {c.kills}: {fault}" for fault in faults]
    return not alive


def undisturbed(folder: Path) -> tuple[dict[str, str], tuple[float, float]]:
    """Fingerprint of a run in one piece; seconds it took in all, and from its first simulation on."""
    for name in ("warm", "undisturbed"):  # the first compiles
        begun = time.monotonic()
        process = start(folder / name, 1, False)
        at_work(process, folder / name, 0)
        at = time.monotonic()
        if process.wait():
            raise SystemExit(f"the undisturbed run failed, see {(folder / name).with_suffix('.log')}")
        end = time.monotonic()
    faults = unreadable(folder / "undisturbed")
    faults += differences(fingerprint(folder / "warm"), fingerprint(folder / "undisturbed"))
    if faults:
        raise SystemExit("undisturbed: " + "; ".join(faults))
    return fingerprint(folder / "undisturbed"), (end - begun, end - at)


def campaign(kills: int, seed: int, folder: Path) -> Campaign:
    """Kill until `kills` is reached, in as many directories as that takes; the last run is left to finish."""
    c, dice = Campaign(), random.Random(seed)
    expected, spans = undisturbed(folder)
    print(f"undisturbed: {spans[0]:.1f} s, {spans[1]:.1f} s of it from the first simulation on; {len(expected)} files compared", flush=True)
    run = folder / "run-000"
    while c.kills < kills:
        if one_start(run, c, dice, spans, expected):
            c.completed += 1
            shutil.rmtree(run)
            run = folder / f"run-{c.completed:03d}"
        if c.kills and c.kills % 10 == 0:
            print(f"{c.kills} kills, {c.starts} starts, {c.completed} runs completed, {len(c.faults)} faults", flush=True)
    if run.exists() and one_start(run, c, dice, (1e9, 1e9), expected):
        c.completed += 1
    return c


def main() -> int:
    """Command line; 1 on any fault."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, help="where to work [default: a temporary folder]; kept on a fault")
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--jobs", type=int, default=1, help=argparse.SUPPRESS)
    parser.add_argument("--report", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        return child(given.child, given.jobs, given.report)
    folder = given.folder or Path(tempfile.mkdtemp(prefix="tme-faults-"))
    folder.mkdir(parents=True, exist_ok=True)
    c = campaign(given.kills, given.seed, folder)
    print(f"{c.kills} kills in {c.starts} starts; {c.completed} runs completed, each equal to the undisturbed one; {c.resumed} simulations taken up from a checkpoint; {c.half_files} half-written temporary files left by kills")
    for state, n in c.states.most_common():
        print(f"  killed while {state}: {n}")
    for fault in c.faults:
        print(f"FAULT {fault}")
    print(f"{len(c.faults)} faults")
    if not c.faults and given.folder is None:
        shutil.rmtree(folder)
    return 1 if c.faults else 0


if __name__ == "__main__":
    sys.exit(main())
