"""How fast the viewer draws in headless Chromium's software renderer, cells 1e4 to 1e6: `python benchmarks/viewer.py`.

Prints a JSON line per case: frames a second while the picture is moved (`move_fps`), while time goes on over moments already
loaded (`play_fps`), and while the points of a 3D tumour turn (`turn_fps`), each frame waited for; processor seconds of the browser per
frame; the time from opening the page to its first picture; bytes of the page and of a moment. `--vs COMMIT` measures the viewer of
that commit by turns with this one, on the same frames. Needs playwright and a chromium on the PATH; says so where one is missing.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from tme.viz.viewer import frames
from tme.viz.viewer.server import ViewServer
from tme.viz.viewer.source import Source

ROOT = Path(__file__).parents[1]
MODULE = "tme/viz/viewer/viewer.js"
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync", "--no-first-run", "--enable-unsafe-swiftshader")
WAIT_MS = 600_000
MOMENTS = 3
# draws until the time is up, each frame waited for, with a pause for the browser itself after every tenth
DRAWN = """async ([what, seconds]) => {
    const v = document.getElementById('viewer').viewer, last = v.hours.length;
    const once = { move: (n) => { v.cam.x += n % 2 ? 3 : -3; }, turn: () => { v.cam.yaw += 0.02; }, play: (n) => v.go(n % last) };
    let n = 0, begun = 0;
    for (let warm = 0; warm < 3; warm++) { await once[what](warm); v.paintAll(); v.painter.finish(); }
    begun = performance.now();
    while (performance.now() - begun < 1000 * seconds || n < 3) {
        await once[what](n); v.paintAll(); v.painter.finish();
        if (++n % 10 === 0) await new Promise((r) => setTimeout(r, 0));
    }
    return { frames: n, seconds: (performance.now() - begun) / 1000, cells: v.panels[0].frame.n, painter: v.painter.constructor.name };
}"""


def write_run(folder: Path, n: int, ndim: int) -> None:
    """A run directory with one arm and ready frames of `n` cells: a disc or ball of tissue on a lattice, nine in ten voxels filled."""
    rng, across = np.random.default_rng(1), int(np.ceil((n / 0.9 / (np.pi / 4 if ndim == 2 else np.pi / 6)) ** (1 / ndim))) + 2
    shape = (1 if ndim == 2 else across, across, across)
    z, y, x = np.indices(shape).reshape(3, -1)
    centre = [(s - 1) / 2 for s in shape]
    inside = np.argsort((z - centre[0]) ** 2 + (y - centre[1]) ** 2 + (x - centre[2]) ** 2, kind="stable")[: int(n / 0.9)]
    place = folder / "bench" / "rep-000"
    (place / "frames").mkdir(parents=True)
    for k in range(MOMENTS):
        at = rng.choice(inside, n, replace=False)
        cells = {
            "x": (x[at] + 0.5) * 15.0, "y": (y[at] + 0.5) * 15.0, "z": (z[at] + 0.5) * 15.0, "gsh": rng.normal(1500, 300, n),
            "cell_type": np.array(["tumour", "cd8", "macrophage"], dtype=object)[rng.choice(3, n, p=[0.8, 0.1, 0.1])],
            "fate": np.array(["alive", "ferroptosis"], dtype=object)[rng.choice(2, n, p=[0.9, 0.1])],
        }  # fmt: skip
        raw = frames.make(cells, {"oxygen": rng.random(shape) * 40}, {"oxygen": "mmHg"}, 15.0, {"arm": "bench", "replicate": 0, "hour": 24.0 * k}, None, frames.Detail(levels=254))
        (place / "frames" / f"{24 * k}.frame").write_bytes(raw)
    (place / "DONE").write_text("{}")
    (folder / "config.resolved.yaml").write_text("name: bench\narms: {bench: {}}\n")


def processor_seconds(root: int) -> float | None:
    """Processor time of a process and all below it so far; None where the system does not tell."""
    if not Path("/proc/self/stat").exists():
        return None
    parents, spent = {}, {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            told = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it has ended
        parents[int(path.parent.name)], spent[int(path.parent.name)] = int(told[1]), int(told[11]) + int(told[12])
    below, todo = set(), [root]
    while todo:
        below.add(todo.pop())
        todo = [p for p, parent in parents.items() if parent in below and p not in below]
    return sum(spent.get(p, 0) for p in below - {root}) / os.sysconf("SC_CLK_TCK")


@contextmanager
def page_of(browser: Any, url: str, module: str | None, canvas: bool) -> Iterator[tuple[Any, float]]:
    """The page, its moments loaded, and the seconds to its first picture; `module` takes the place of the viewer served."""
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    page.set_default_timeout(WAIT_MS)
    if module is not None:
        page.route("**/viewer.js", lambda route: route.fulfill(body=module, content_type="text/javascript"))
    begun = time.perf_counter()
    page.goto(url + ("?canvas" if canvas else ""))
    page.wait_for_selector("[data-state]", state="attached")
    first = time.perf_counter() - begun
    page.wait_for_selector("[data-state=whole]", state="attached")
    yield page, first
    page.close()


def measure(browser: Any, n: int, ndim: int, seconds: float, viewers: dict[str, str | None], canvas: bool) -> Iterator[dict[str, Any]]:
    """The viewers by turns on the same frames."""
    with tempfile.TemporaryDirectory() as name:
        write_run(Path(name), n, ndim)
        bytes_ = (Path(name) / "bench" / "rep-000" / "frames" / "0.frame").stat().st_size
        server = ViewServer(Source(name))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        for what, module in viewers.items():
            out: dict[str, Any] = {"case": "viewer", "viewer": what, "ndim": ndim}
            with page_of(browser, server.url, module, canvas) as (page, first):
                if ndim == 3:
                    page.evaluate("(async () => { const v = document.getElementById('viewer').viewer; v.state.view = 'points'; v.cam.moved = false; await v.show(); })()")
                for how in ("move", "play") if ndim == 2 else ("turn",):
                    before = processor_seconds(os.getpid())
                    found = page.evaluate(DRAWN, [how, seconds])
                    after = processor_seconds(os.getpid())
                    out |= {"cells": found["cells"], "painter": found["painter"], f"{how}_fps": round(found["frames"] / found["seconds"], 1)}
                    if before is not None and after is not None:
                        out[f"{how}_processor_ms"] = round(1000 * (after - before) / found["frames"], 1)
            yield {**out, "first_picture_s": round(first, 2), "module_bytes": len((module or (ROOT / MODULE).read_text(encoding="utf-8")).encode()), "moment_bytes": bytes_, "load": round(os.getloadavg()[0], 1)}
        server.shutdown()
        server.server_close()


def main() -> int:
    """Measure, print a line each."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--cells", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--dimensions", type=int, nargs="+", choices=(2, 3), default=[2, 3])
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--canvas", action="store_true", help="without WebGL")
    parser.add_argument("--vs", metavar="COMMIT", help="measure the viewer of this commit by turns with that of the working tree")
    asked = parser.parse_args()
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        chromium = None
    if chromium is None:
        print("needs a chromium on the PATH, and playwright: pip install playwright", file=sys.stderr)
        return 2
    viewers: dict[str, str | None] = {"this": None}
    if asked.vs:
        told = subprocess.run(["git", "-C", str(ROOT), "show", f"{asked.vs}:{MODULE}"], capture_output=True, text=True)
        if told.returncode:
            print(f"--vs {asked.vs}: expected a commit that has {MODULE}", file=sys.stderr)
            return 2
        viewers = {asked.vs: told.stdout, "this": None}
    with sync_playwright() as p:
        browser = p.chromium.launch(executable_path=chromium, args=list(FLAGS))
        for ndim in asked.dimensions:
            for n in asked.cells:
                for line in measure(browser, n, ndim, asked.seconds, viewers, asked.canvas):
                    print(json.dumps(line), flush=True)
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
