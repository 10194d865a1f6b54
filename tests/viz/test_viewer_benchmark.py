"""benchmarks/viewer.py: what it measures, and that a flat picture's cost goes by pixels. No time is asserted."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from pages import NEEDS, VIEWER

pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = NEEDS
SCRIPT = Path(__file__).parents[2] / "benchmarks" / "viewer.py"


def test_a_line_for_each_case_and_viewer_with_frames_bytes_and_first_picture():
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(SCRIPT.parents[1]), *filter(None, [os.environ.get("PYTHONPATH")])])}
    told = subprocess.run([sys.executable, str(SCRIPT), "--cells", "900", "--seconds", "0.2"], capture_output=True, text=True, env=env)
    assert told.returncode == 0, told.stderr
    flat, deep = (json.loads(line) for line in told.stdout.splitlines())
    assert flat["cells"] == deep["cells"] == 900 and (flat["ndim"], deep["ndim"]) == (2, 3)
    assert min(flat["move_fps"], flat["play_fps"], deep["turn_fps"]) > 0
    assert flat["module_bytes"] < 100_000 and flat["moment_bytes"] > 900 and flat["first_picture_s"] > 0


def test_cells_on_voxels_are_one_texture_however_small_they_are(opened, served, tmp_path):
    spec = importlib.util.spec_from_file_location("benchmark_of_the_viewer", SCRIPT)
    benchmark = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(benchmark)
    benchmark.write_run(tmp_path, 20_000, 2)
    page, faults = opened(served(tmp_path))
    sizes = page.evaluate(f"""(() => {{ const v = {VIEWER}, p = v.panels[0], cam = v.camera(p.frame), out = [];
        for (const zoom of [4, 0.2, 0.02]) {{ const g = p.drawn.grid({{ ...cam, zoom }}, 1); out.push([g.nx, g.ny, g.d]); }} return out; }})()""")
    assert sizes[0] == sizes[1] and sizes[0][2] == 15 and 150 < sizes[0][0] < 180
    assert sizes[2][2] == 60 and sizes[2][0] in (sizes[0][0] // 4, sizes[0][0] // 4 + 1)  # blocks of four voxels where one is 0.3 pixels wide
    empty = page.evaluate(f"""(async () => {{ const v = {VIEWER}; v.cats.forEach((c) => v.hidden.add(c.key)); await v.show(); v.paintAll(); return v.panels[0].drawn.count; }})()""")
    assert empty == 0 and faults == []
