"""Fields and chemistry on a CUDA device against the processor, under numba's simulator: no device is needed.

The figures are computed by `cuda_cases.py` in a process of its own, because numba reads the simulator's switch
when it is imported. The simulator checks arithmetic and bookkeeping, not a device.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tme.core import device

ROOT = Path(__file__).parents[2]
CONFIG = """
horizon_day: 1
domain: {size_um: [400, 400]}
initial: {kind: nodule, n_cells: 20}
arms: {control: {}}
"""
NO_SIMULATOR = "import numba.cuda as c; raise SystemExit(0 if c.is_available() else 3)"


def python(*words: str, simulator: bool) -> subprocess.CompletedProcess:
    """Run a fresh interpreter on the package."""
    path = os.pathsep.join(p for p in (str(ROOT), os.environ.get("PYTHONPATH")) if p)
    environment = {**os.environ, "PYTHONPATH": path, "NUMBA_ENABLE_CUDASIM": "1" if simulator else "0"}
    if not simulator:
        environment["CUDA_VISIBLE_DEVICES"] = ""
    return subprocess.run([sys.executable, *words], env=environment, capture_output=True, text=True)


slow = pytest.mark.slow


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    if python("-c", NO_SIMULATOR, simulator=True).returncode:
        pytest.skip("this numba has no CUDA simulator")
    folder = tmp_path_factory.mktemp("cuda")
    done = python(str(Path(__file__).parent / "cuda_cases.py"), str(folder), simulator=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@slow
def test_fields_agree_to_1e_5_where_both_are_solved_tightly(found):
    tight = [f for f in found["fields"] if f["tol"] == 1e-9]
    assert len(tight) == 25
    assert not [f for f in tight if not f["apart"] < 1e-5]


@slow
def test_fields_agree_to_the_tolerance_where_that_is_loose(found):
    """Where the processor takes its multigrid the steps are the same; else both are within 1e-3 of the truth."""
    loose = [f for f in found["fields"] if f["tol"] == 1e-3]
    assert len(loose) == 10
    assert not [f for f in loose if not f["apart"] < 1e-2]
    assert not [f for f in loose if "saturating" in f["case"] and not f["apart"] < 1e-9]


@slow
def test_a_solve_takes_few_cycles_and_is_never_negative(found):
    assert all(0 < f["cycles"] <= 25 and f["lowest"] >= 0.0 for f in found["fields"])


@slow
def test_a_closed_field_loses_what_it_gains(found):
    assert found["balance"] < 1e-12


@slow
def test_the_launch_shape_changes_no_bit(found):
    assert found["same bits"]


@slow
def test_what_has_no_solution_is_refused_as_on_the_processor(found):
    assert (
        found["refusals"]["endless"] == "ValueError: field endless has no sink: a steady state does not exist"
    )
    assert found["refusals"]["broken"].startswith("RuntimeError: field x did not converge")


@slow
def test_cells_agree_and_only_the_listed_ones_move(found):
    assert found["chemistry"]["apart"] < 1e-12
    assert found["chemistry"]["clocks"]
    assert found["chemistry"]["stepped"] == [0, 8]


@slow
def test_every_pathway_is_the_same_on_both_with_terms_and_without(found):
    assert set(found["pathways"]) == {"ferroptosis", "ferroptosis modulated", "cuproptosis", "cuproptosis modulated", "disulfidptosis", "disulfidptosis modulated"}
    assert not [name for name, apart in found["pathways"].items() if not apart < 1e-12]


@slow
def test_a_small_tumour_is_the_same_on_both(found):
    assert found["model"]["unequal"] == []
    assert found["model"]["apart"] < 1e-5, found["model"]["worst"]
    assert found["model"]["peroxide"] > 0.01


@slow
def test_a_run_records_its_device_and_is_not_completed_on_another(found):
    runs = found["runs"]
    assert (runs["exit_code"], runs["device"], runs["where"], runs["again"]) == (
        0,
        "cuda",
        device.SIMULATOR,
        0,
    )
    assert "begun with --device cuda and this is --device cpu" in runs["refused"]


@pytest.mark.parametrize("command", ["run", "bench"])
def test_without_a_device_the_command_exits_2_with_a_clear_message(command, tmp_path):
    (tmp_path / "x.yaml").write_text(CONFIG)
    words = ["x.yaml", "--out", "there"] if command == "run" else ["stream-limit"]
    code = f"import os; os.chdir({str(tmp_path)!r}); from tme.cli import main; main({[command, *words, '--device', 'cuda']!r})"
    done = python("-c", code, simulator=False)
    assert done.returncode == 2, done.stderr
    assert "--device cuda: " in done.stderr
    assert "--device cpu" in done.stderr
    assert "Traceback" not in done.stderr
    assert [p.name for p in tmp_path.iterdir()] == ["x.yaml"]


def test_an_unknown_device_is_refused_by_name():
    with pytest.raises(device.DeviceError, match="expected one of cpu, cuda"):
        device.check("abacus")


def test_the_processor_needs_no_cuda_package():
    done = python(
        "-c", "import sys, tme.model, tme.experiments; print('numba.cuda' in sys.modules)", simulator=False
    )
    assert done.stdout.strip() == "False", done.stderr
