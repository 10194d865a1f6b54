"""Frames a second of the viewer in headless Chromium's software renderer, cells 1e4 to 1e6: `python benchmarks/viewer.py`.

Prints JSON lines: cells, painter, frames a second, and the time from opening the page to its first picture. Needs
playwright and a chromium on the PATH; says so where one is missing.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np

from tme.viz.viewer import frames
from tme.viz.viewer.server import ViewServer
from tme.viz.viewer.source import Source

FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync", "--no-first-run", "--enable-unsafe-swiftshader")


def write_run(folder: Path, n: int) -> None:
    """A run directory with one arm and one ready frame of `n` cells on a square lattice, nine in ten voxels filled."""
    rng, side = np.random.default_rng(1), int(np.ceil(np.sqrt(n / 0.9)))
    place = rng.choice(side * side, n, replace=False)
    cells = {
        "x": (place % side + 0.5) * 15.0, "y": (place // side + 0.5) * 15.0, "z": np.full(n, 7.5), "gsh": rng.normal(1500, 300, n),
        "cell_type": np.array(["tumour", "cd8", "macrophage"], dtype=object)[rng.choice(3, n, p=[0.8, 0.1, 0.1])],
        "fate": np.array(["alive", "ferroptosis"], dtype=object)[rng.choice(2, n, p=[0.9, 0.1])],
    }  # fmt: skip
    oxygen = rng.random((1, side, side)) * 40
    raw = frames.make(cells, {"oxygen": oxygen}, {"oxygen": "mmHg"}, 15.0, {"arm": "bench", "replicate": 0, "hour": 0.0}, None, frames.Detail(levels=254))
    place_ = folder / "bench" / "rep-000" / "frames"
    place_.mkdir(parents=True)
    (place_ / "0.frame").write_bytes(raw)
    (place_.parent / "DONE").write_text("{}")
    (folder / "config.resolved.yaml").write_text("name: bench\narms: {bench: {}}\n")


def measure(browser, n: int, seconds: float, canvas: bool) -> dict:
    """One case."""
    with tempfile.TemporaryDirectory() as name:
        write_run(Path(name), n)
        server = ViewServer(Source(name))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.set_default_timeout(600_000)
        begun = time.perf_counter()
        page.goto(server.url + ("?canvas" if canvas else ""))
        page.wait_for_selector("[data-state]", state="attached")
        first = time.perf_counter() - begun
        page.wait_for_selector("[data-state=whole]", state="attached")
        found = page.evaluate(f"document.getElementById('viewer').viewer.bench({seconds})")
        page.close()
        server.shutdown()
        server.server_close()
    return {"case": "viewer", "cells": found["cells"], "painter": found["painter"], "fps": round(found["fps"], 1), "first_picture_s": round(first, 2), "load": round(os.getloadavg()[0], 1)}


def main() -> int:
    """Measure, print a line each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cells", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--canvas", action="store_true", help="without WebGL")
    asked = parser.parse_args()
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        chromium = None
    if chromium is None:
        print("needs a chromium on the PATH, and playwright: pip install playwright", file=sys.stderr)
        return 2
    with sync_playwright() as p:
        browser = p.chromium.launch(executable_path=chromium, args=list(FLAGS))
        for n in asked.cells:
            print(json.dumps(measure(browser, n, asked.seconds, asked.canvas)), flush=True)
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
