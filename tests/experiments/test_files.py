"""Files are whole or absent, and a directory has one writer."""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import subprocess
import sys
import time

import numpy as np
import pytest

from tme.experiments import files
from tme.experiments.checkpoint import (
    BadCheckpoint,
    ForeignCheckpoint,
    newest,
    other_slot,
    read_checkpoint,
    write_checkpoint,
)
from tme.experiments.run_directory import LOCK, RunLocked, holder, is_done, lock, seal

WRITER = """
import itertools, sys, numpy as np
from pathlib import Path
from tme.experiments.checkpoint import write_checkpoint, other_slot
folder, slot = Path(sys.argv[1]), None
print("ready", flush=True)
for tick in itertools.count():
    slot = other_slot(slot)
    state = {"a": np.full(300_000, float(tick))}
    write_checkpoint(folder / slot, state, {"identity": {"who": 1}, "tick": tick})
"""


def test_a_killed_writer_never_leaves_an_unreadable_checkpoint(tmp_path):
    dice = random.Random(1)
    for _ in range(6):
        process = subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE)
        assert process.stdout.readline() == b"ready\n"
        time.sleep(0.02 + 0.1 * dice.random())
        process.kill()
        process.wait()
        process.stdout.close()
        found = list(tmp_path.glob("checkpoint_?"))
        for path in found:
            state, meta = read_checkpoint(path)
            assert np.all(state["a"] == meta["tick"])
        if found:
            assert newest(tmp_path, {"who": 1}) is not None
    assert list(tmp_path.glob("checkpoint_?"))
    files.clear_temporary(tmp_path)
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(p.name for p in tmp_path.glob("checkpoint_?"))


def test_a_failing_write_leaves_the_old_file_and_no_rubbish(tmp_path):
    path = tmp_path / "table.csv"
    files.write_text(path, "old")

    def write(temporary):
        temporary.write_text("half")
        raise OSError("no space left on device")

    with pytest.raises(OSError, match="no space"):
        files.atomic_write(path, write)
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["table.csv"]


def test_a_damaged_checkpoint_is_passed_over_for_the_older_one(tmp_path):
    for tick, slot in ((1, "checkpoint_a"), (2, "checkpoint_b")):
        write_checkpoint(tmp_path / slot, {"x": np.arange(5)}, {"identity": {}, "tick": tick})
    raw = bytearray((tmp_path / "checkpoint_b").read_bytes())
    raw[200] ^= 1
    (tmp_path / "checkpoint_b").write_bytes(raw)
    with pytest.raises(BadCheckpoint, match="checksum"):
        read_checkpoint(tmp_path / "checkpoint_b")
    slot, _, meta = newest(tmp_path, {})
    assert (slot, meta["tick"]) == ("checkpoint_a", 1)
    assert other_slot(slot) == "checkpoint_b"


def test_a_checkpoint_of_another_simulation_is_refused_by_name(tmp_path):
    write_checkpoint(tmp_path / "checkpoint_a", {"x": np.arange(5)}, {"identity": {"seed": 1}, "tick": 3})
    with pytest.raises(ForeignCheckpoint, match=r"checkpoint_a.*seed 1 instead of 2.*--fresh"):
        newest(tmp_path, {"seed": 2})
    write_checkpoint(tmp_path / "checkpoint_b", {"x": np.arange(5)}, {"identity": {"seed": 2}, "tick": 1})
    assert newest(tmp_path, {"seed": 2})[0] == "checkpoint_b"


def test_a_checkpoint_of_another_format_version_is_refused_by_name(tmp_path):
    write_checkpoint(tmp_path / "checkpoint_a", {"x": np.arange(5)}, {"identity": {}, "tick": 3})
    raw = (tmp_path / "checkpoint_a").read_bytes()
    (tmp_path / "checkpoint_a").write_bytes(raw.replace(b"TMECKPT1", b"TMECKPT7", 1))
    with pytest.raises(ForeignCheckpoint, match="format version 7, this version reads 1"):
        newest(tmp_path, {})


def test_a_checkpoint_refuses_objects(tmp_path):
    with pytest.raises(TypeError, match="thing"):
        write_checkpoint(tmp_path / "checkpoint_a", {"thing": np.array([{}])}, {})
    assert not list(tmp_path.iterdir())


def test_numbers_in_csv_keep_every_bit(tmp_path):
    values = [0.1 + 0.2, 1 / 3, 5e-324, -1e300, 2.0]
    files.write_csv(
        tmp_path / "t.csv", [{"x": v, "n": np.int64(2**60)} for v in values] + [{"x": float("nan")}]
    )
    rows = files.read_csv(tmp_path / "t.csv")
    assert [float(r["x"]) for r in rows[:-1]] == values
    assert rows[0]["n"] == str(2**60)
    assert rows[-1] == {"x": "", "n": ""}


def test_done_notices_missing_and_altered_files(tmp_path):
    (tmp_path / "series.csv").write_text("hour\n1\n")
    (tmp_path / "checkpoint_a").write_text("not sealed")
    seal(tmp_path, {"arm": "control"})
    assert set(json.loads((tmp_path / "DONE").read_text())["files"]) == {"series.csv"}
    assert is_done(tmp_path, verify=True)
    (tmp_path / "series.csv").write_text("hour\n2\n")
    assert is_done(tmp_path)
    assert not is_done(tmp_path, verify=True)
    (tmp_path / "series.csv").unlink()
    assert not is_done(tmp_path)


def test_a_second_writer_is_refused_with_the_name_of_the_first(tmp_path):
    with lock(tmp_path) as stale:
        assert stale is None
        assert holder(tmp_path)["pid"] == os.getpid()
        with (
            pytest.raises(RunLocked, match=f"process {os.getpid()} on {socket.gethostname()}"),
            lock(tmp_path),
        ):
            pass
    assert not (tmp_path / LOCK).exists()
    with lock(tmp_path):
        pass


def test_the_lock_of_a_dead_process_is_taken_over(tmp_path):
    code = "import sys,time\nfrom pathlib import Path\nfrom tme.experiments.run_directory import lock\n"
    code += "with lock(Path(sys.argv[1])):\n    print('held', flush=True)\n    time.sleep(60)\n"
    process = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"held\n"
    with pytest.raises(RunLocked), lock(tmp_path):
        pass
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    assert holder(tmp_path) is None
    with lock(tmp_path) as stale:
        assert stale["pid"] == process.pid


def test_a_reused_pid_does_not_keep_a_lock(tmp_path):
    text = {"pid": os.getpid(), "pid_start": 1, "host": socket.gethostname(), "started": "long ago"}
    (tmp_path / LOCK).write_text(json.dumps(text))
    with lock(tmp_path) as stale:
        assert stale["started"] == "long ago"


def test_a_lock_of_another_host_is_respected(tmp_path):
    (tmp_path / LOCK).write_text(json.dumps({"pid": 1, "host": "elsewhere", "started": "now"}))
    with pytest.raises(RunLocked, match=r"elsewhere.*delete"), lock(tmp_path):
        pass
