"""The viewer in a real headless Chromium: no request to others, no error, and pictures that change as they must."""

from __future__ import annotations

import base64
import json
import shutil
import threading
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
import synthetic
from pages import NEEDS, VIEWER, different, picture

from tme.viz import report
from tme.viz.viewer import frames, notebook
from tme.viz.viewer.source import Source

pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = NEEDS
HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Two arms, three snapshots, real uids, a cell type with a hostile name, and a report."""
    out = synthetic.write_run(tmp_path_factory.mktemp("browser"), arms=("control", "combination"), replicates=1, n=64, scale=0.1, days=(0, 1, 4), every_h=12)
    config = out / "config.resolved.yaml"
    config.write_text(config.read_text().replace("name: four_arms", f"name: '{HOSTILE}'"))
    report.write(out, dpi=60)
    return out


def widget_page(run, tmp_path: Path) -> str:
    """A page that does for the widget what a notebook does: a model that sends messages and gets bytes back."""
    source = Source(run, frames.Detail(levels=254))
    index = json.loads(notebook.answer(source, {"ask": "index"}))
    known = {"index": notebook.answer(source, {"ask": "index"})}
    for arm in index["arms"]:
        for number, moments in arm["replicates"].items():
            known[f"descent/{arm['key']}/{number}"] = source.descent(arm["key"], int(number))
            known |= {f"frame/{arm['key']}/{number}/{m['id']}": source.frame(arm["key"], int(number), m["hour"]) for m in moments}
    (tmp_path / "viewer.js").write_text(files("tme.viz.viewer").joinpath("viewer.js").read_text(encoding="utf-8"))
    (tmp_path / "known.json").write_text(json.dumps({k: base64.b64encode(v).decode() for k, v in known.items()}))
    (tmp_path / "index.html").write_text("""<!DOCTYPE html><link rel="icon" href="data:,"><div id="out"></div><script type="module">
        import widget from './viewer.js';
        const known = await (await fetch('known.json')).json(), heard = [];
        const model = { get: () => [], on: (_, f) => heard.push(f), send: (m) => setTimeout(() => {
            const key = m.ask === 'index' ? 'index' : m.ask === 'descent' ? `descent/${m.arm}/${m.replicate}` : `frame/${m.arm}/${m.replicate}/${m.hour}`;
            const raw = Uint8Array.from(atob(known[key]), (c) => c.charCodeAt(0));
            heard.forEach((f) => f({ id: m.id }, [new DataView(raw.buffer)])); }) };
        widget.render({ model, el: document.getElementById('out') });</script>""")
    return "index.html"


@pytest.fixture
def folder_served(tmp_path):
    """A plain server of a folder."""
    from functools import partial
    from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/", tmp_path
    server.shutdown()
    server.server_close()


LOOKS = (  # colouring, field, device pixels per pixel, theme
    ("type", "", 1, "light"), ("type", "", 2, "dark"), ("gsh", "", 1, "light"), ("fate", "oxygen", 2, "light"), ("plooh", "ifng", 1, "dark"),
)  # fmt: skip


def test_the_picture_is_the_same_in_view_report_and_notebook(run, opened, served, folder_served):
    url, folder = folder_served
    shutil.copy(run / "report.html", folder / "report.html")
    (folder / "favicon.ico").write_bytes(b"")
    found = {}
    for name, address in (("view", served(run)), ("report", url + "report.html"), ("widget", url + widget_page(run, folder))):
        page, faults = opened(address)
        for at in (2, 0):
            page.locator("input.time").fill(str(at))  # the scrubber itself
            page.wait_for_function(f"() => {VIEWER}.state.at === {at}")
            for colour, field, ratio, theme in LOOKS:
                page.evaluate(f"(async () => {{ const v = {VIEWER}; Object.assign(v.state, {{ colour: '{colour}', field: '{field}' }}); await v.show(); }})()")
                found[name, at, colour, field, ratio] = picture(page, 640, 360, ratio, theme)
        assert faults == [], name
    for at in (2, 0):
        for colour, field, ratio, _ in LOOKS:
            view, others = found["view", at, colour, field, ratio], [found[n, at, colour, field, ratio] for n in ("report", "widget")]
            assert view.std() > 10 and view.shape == (360 * ratio, 640 * ratio, 3)
            assert [different(view, other) <= 0.01 for other in others] == [True, True], (at, colour, field, [different(view, o) for o in others])
    for name in ("view", "report", "widget"):
        assert all(different(found[name, 0, *look[:3]], found[name, 2, *look[:3]]) > 0.01 for look in LOOKS), name


def test_time_colour_field_and_types_change_the_picture(run, opened, served):
    page, faults = opened(served(run))
    first = picture(page)
    page.evaluate(f"{VIEWER}.ui.over.focus()")
    page.keyboard.press("Home")
    page.evaluate(f"{VIEWER}.show()")
    assert page.evaluate(f"{VIEWER}.ui.when.textContent") == "day 0"
    early = picture(page)
    assert different(first, early) > 0.01
    page.evaluate(f"(async () => {{ const v = {VIEWER}; v.state.colour = 'gsh'; await v.show(); }})()")
    states = picture(page)
    page.evaluate(f"(async () => {{ const v = {VIEWER}; v.state.field = 'oxygen'; await v.show(); }})()")
    field = picture(page)
    page.evaluate(f"(async () => {{ const v = {VIEWER}; v.state.field = ''; v.state.colour = 'type'; v.hidden.add('tumour'); await v.show(); }})()")
    without = picture(page)
    assert different(early, states) > 0.01 and different(states, field) > 0.1 and different(early, without) > 0.02
    assert faults == []


def test_webgl_and_the_canvas_draw_the_same_cells(run, opened, served):
    url = served(run)
    kinds, pictures = [], []
    for address in (url, url + "?canvas"):
        page, faults = opened(address)
        pictures.append(picture(page))
        kinds.append(page.evaluate(f"{VIEWER}.painter.constructor.name"))
        assert faults == []
    if kinds[0] == "CanvasPainter":
        pytest.skip("this Chromium has no WebGL2")
    coarse = [p.reshape(90, 4, 160, 4, 3).mean(axis=(1, 3)) for p in pictures]  # rims of cells fade differently
    assert kinds == ["GlPainter", "CanvasPainter"]
    assert (np.abs(coarse[0] - coarse[1]).max(axis=2) > 24).mean() < 0.02


def test_a_click_takes_up_a_cell_and_a_region_is_compared_with_the_rest(run, opened, served):
    page, faults = opened(served(run))
    words = page.evaluate(f"""async () => {{ const v = {VIEWER}, p = v.panels[0], f = p.frame, row = p.drawn.rows[0];
        await v.select({{ panel: 0, row }}); return v.ui.inspect.textContent; }}""")
    assert "glutathione (GSH)" in words and "snapshot" in words and "oxygen" in words
    words = page.evaluate(f"async () => {{ const v = {VIEWER}; v.region = {{ panel: 0, x0: 300, y0: 300, x1: 900, y1: 900 }}; await v.inspectRegion(); return v.ui.inspect.textContent; }}")
    assert "Region of 0.36 mm²" in words and "inside" in words and "×" in words
    box = page.locator("canvas.over").bounding_box()
    page.mouse.move(box["x"] + box["width"] / 4, box["y"] + box["height"] / 2)
    page.wait_for_selector(".tip:not([hidden])")
    assert "fields here" in page.evaluate(f"{VIEWER}.ui.tip.textContent")
    assert faults == []


def test_names_of_a_run_are_shown_as_text(run, opened, served):
    page, faults = opened(served(run))
    assert page.evaluate(f"{VIEWER}.ui.title.textContent") == HOSTILE
    assert page.evaluate(f"{VIEWER}.root.querySelectorAll('img').length") == 0 and faults == []


@pytest.mark.parametrize("dark", [False, True])
def test_on_a_phone_nothing_is_wider_than_the_screen(run, opened, served, dark):
    page, faults = opened(served(run), width=390, height=800, dark=dark, has_touch=True, is_mobile=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.evaluate(f"{VIEWER}.ui.stage.clientHeight") >= 190
    assert (page.evaluate(f"{VIEWER}.ground()[0]") < 60) == dark and faults == []


def test_a_run_without_pictures_shows_a_sentence(opened, served, tmp_path):
    (tmp_path / "config.resolved.yaml").write_text("name: new\n")
    page, faults = opened(served(tmp_path))
    assert page.evaluate(f"{VIEWER}.ui.note.textContent") and faults == []
    assert not page.get_by_role("button", name="picture").is_visible() and not page.locator("input.time").is_visible()


def test_a_run_without_snapshots_shows_its_curves(run, opened, served, copy_of):
    bare = copy_of(run)
    for path in bare.glob("*/rep-*/cells_*"):
        path.unlink()
    page, faults = opened(served(bare))
    assert "snapshot_days" in page.evaluate(f"{VIEWER}.ui.note.textContent")
    drawn = page.evaluate(f"""(() => {{ const c = {VIEWER}.ui.curve, d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data, seen = new Set();
        for (let i = 0; i < d.length; i += 4) if (d[i + 3] === 255) seen.add([d[i], d[i + 1], d[i + 2]].join()); return [...seen]; }})()""")
    assert {"77,77,77", "0,114,178"} <= set(drawn) and faults == []  # the colours of both arms


def test_a_torn_snapshot_leaves_the_other_arm_with_its_scale_bar(run, opened, served, copy_of):
    torn = copy_of(run)
    (torn / "control" / "rep-000" / "cells_96.h5ad").write_bytes(b"PK\x03\x04 cut short")
    page, faults = opened(served(torn))
    assert page.evaluate(f"{VIEWER}.panels.map((p) => !!p.frame)") == [False, True]
    assert "cells_96.h5ad cannot be read" in page.evaluate(f"{VIEWER}.panels[0].words")
    both = [page.evaluate(f"(() => {{ const v = {VIEWER}; let n = 0; const own = v.scaleBar; v.scaleBar = (...a) => {{ n++; own.apply(v, a); }}; v.paintAll(); v.scaleBar = own; return n; }})()")]
    page.locator("input.time").fill("0")
    page.wait_for_function(f"() => {VIEWER}.panels.every((p) => p.frame)")
    assert both == [1] and [f for f in faults if "404" not in f] == []  # the browser tells a missing moment itself


def test_another_replicate_is_loaded_whole(opened, served, tmp_path):
    run = synthetic.write_run(tmp_path, arms=("control",), replicates=2, n=32, scale=0.05, days=(0, 1, 4), every_h=12)
    page, faults = opened(served(run))
    other = "1" if page.evaluate(f"{VIEWER}.replicate") == "0" else "0"
    page.get_by_label("Replicate").select_option(other)
    page.wait_for_function(f"() => [...{VIEWER}.ready.keys()].filter((k) => k.startsWith('control/{other}/')).length === 3")
    assert faults == []


def test_three_dimensions_have_slices_a_view_from_above_and_points(opened, served, tmp_path):
    run = synthetic.write_run(tmp_path, arms=("control",), replicates=1, n=32, depth=12, scale=0.05, days=(0,), every_h=12)
    page, faults = opened(served(run))
    views = []
    for view, layer in (("slice", 6), ("slice", 1), ("projection", 6), ("points", 6)):
        page.evaluate(f"(async () => {{ const v = {VIEWER}; Object.assign(v.state, {{ view: '{view}', slice: {layer} }}); v.cam.moved = false; await v.show(); }})()")
        views.append(picture(page))
    page.evaluate(f"{VIEWER}.cam.yaw += 0.7")
    turned = picture(page)
    low, above, points = views[1:]
    assert different(views[0], low) > 0.02 and different(low, above) > 0.02 and different(above, points) > 0.02 and different(points, turned) > 0.02
    assert faults == []


def ball(folder: Path, across: int) -> Path:
    """A run of one moment: a ball of cells, nine in ten voxels filled, a hole in its middle."""
    rng = np.random.default_rng(3)
    z, y, x = np.indices((across,) * 3).reshape(3, -1)
    r = np.sqrt(sum((a - (across - 1) / 2) ** 2 for a in (x, y, z)))
    at = np.flatnonzero((r < across / 2) & (r > across / 8) & (rng.random(r.size) < 0.9))
    cells = {
        "x": (x[at] + 0.5) * 15.0, "y": (y[at] + 0.5) * 15.0, "z": (z[at] + 0.5) * 15.0,
        "cell_type": np.array(["tumour", "cd8"], dtype=object)[(rng.random(at.size) < 0.3).astype(int)],
    }  # fmt: skip
    place = folder / "control" / "rep-000" / "frames"
    place.mkdir(parents=True)
    (place / "0.frame").write_bytes(frames.make(cells, {}, {}, 15.0, {"arm": "control", "replicate": 0, "hour": 0.0}))
    (place.parent / "DONE").write_text("{}")
    (folder / "config.resolved.yaml").write_text("name: ball\narms: {control: {}}\n")
    return folder


def test_points_inside_a_ball_are_left_out_where_nobody_sees_them(opened, served, tmp_path):
    page, faults = opened(served(ball(tmp_path, 48)))
    page.evaluate(f"(async () => {{ const v = {VIEWER}; v.state.view = 'points'; v.cam.moved = false; await v.show(); }})()")
    for yaw, pitch in ((0.6, -1.0), (0.0, 0.0), (0.1, -0.15), (2.5, -3.0)):
        page.evaluate(f"Object.assign({VIEWER}.cam, {{ yaw: {yaw}, pitch: {pitch} }})")
        fewer = picture(page)
        drawn, cells = page.evaluate(f"[{VIEWER}.panels[0].drawn.count, {VIEWER}.panels[0].frame.n]")
        page.evaluate(f"{VIEWER}.options.everything = true")
        whole = picture(page)
        assert page.evaluate(f"{VIEWER}.panels[0].drawn.count") == cells and drawn < 0.75 * cells
        assert different(fewer, whole) <= 0.005, (yaw, pitch)
        page.evaluate(f"{VIEWER}.options.everything = false")
    page.evaluate(f"(async () => {{ const v = {VIEWER}; v.state.view = 'slice'; await v.show(); }})()")  # a slice shows its inside
    assert page.evaluate(f"{VIEWER}.panels[0].drawn.count") > 0.9 * 0.85 * np.pi / 4 * 48**2 * (1 - 1 / 16) and faults == []
