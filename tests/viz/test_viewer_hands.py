"""The viewer under hands, in a real headless Chromium: keys, fingers, wheel, and what it gives to keep."""

from __future__ import annotations

import base64
import io

import numpy as np
import pytest
import synthetic
from pages import NEEDS, VIEWER, WAIT_MS, different, picture
from PIL import Image

pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = NEEDS
PHONE = {"width": 390, "height": 800, "has_touch": True, "is_mobile": True}
TOLD = f"""(() => {{ const v = {VIEWER}, s = v.state; return {{ at: s.at, colour: s.colour, field: s.field, scale: s.scale, cells: s.cells, mode: v.mode,
    x: v.cam.x, y: v.cam.y, zoom: v.cam.zoom, playing: !!v.playing, help: v.ui.help.open, view: s.view, yaw: v.cam.yaw }}; }})()"""
# shows what a recorded movie holds: the size, and a coarse picture of every frame that comes
FILM = """async (text) => {
    const video = document.createElement('video'), bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0)), seen = [];
    video.muted = true;
    video.src = URL.createObjectURL(new Blob([bytes], { type: 'video/webm' }));
    const look = () => {
        const c = Object.assign(document.createElement('canvas'), { width: 48, height: 32 }).getContext('2d');
        c.drawImage(video, 0, 0, 48, 32);
        seen.push([...c.getImageData(0, 0, 48, 32).data]);
        video.requestVideoFrameCallback(look);
    };
    video.requestVideoFrameCallback(look);
    const ended = new Promise((done, wrong) => { video.onended = done; video.onerror = () => wrong(new Error(video.error.message)); });
    await video.play();
    await ended;
    return { width: video.videoWidth, height: video.videoHeight, seen };
}"""


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Two arms, three snapshots."""
    return synthetic.write_run(tmp_path_factory.mktemp("hands"), arms=("control", "combination"), replicates=1, n=64, scale=0.1, days=(0, 1, 4), every_h=12)


class Fingers:
    """Touches of a page by the browser's own input, as a screen sends them."""

    def __init__(self, page):
        self.page, self.line = page, page.context.new_cdp_session(page)

    def send(self, kind, places):
        self.line.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y, "id": i} for i, (x, y) in enumerate(places)]})

    def drag(self, begin, end, steps=5):
        """Fingers from places to places, together."""
        begin, end = np.array(begin, float), np.array(end, float)
        self.send("touchStart", begin.tolist())
        for k in range(1, steps + 1):
            self.send("touchMove", (begin + (end - begin) * k / steps).tolist())
        self.send("touchEnd", [])


def middle(page):
    """The middle of the first picture, in pixels of the page."""
    box = page.locator("canvas.over").bounding_box()
    return box["x"] + box["width"] / 4, box["y"] + box["height"] / 2


def test_every_key_does_what_the_help_says(run, opened, served):
    page, faults = opened(served(run))
    page.evaluate(f"{VIEWER}.ui.over.focus()")
    told = lambda: page.evaluate(TOLD)  # noqa: E731
    first = told()

    def press(key, **expected):
        page.keyboard.press(key)
        page.wait_for_function(f"(want) => {{ const now = {TOLD}; return Object.entries(want).every(([k, v]) => now[k] === v); }}", arg=expected)

    for key, at in (("Home", 0), ("ArrowRight", 1), ("ArrowRight", 2), ("ArrowRight", 2), ("ArrowLeft", 1), ("End", 2)):
        press(key, at=at)
    press("c", colour="fate")
    press("Shift+C", colour="type")
    press("f", field="oxygen")
    press("Shift+F", field="")
    press("x", cells=False)
    press("x", cells=True)
    press("a", scale="auto")
    press("a", scale="fixed")
    press("b", mode="brush")
    press("b", mode="move")
    press("+")
    assert told()["zoom"] == pytest.approx(1.25 * first["zoom"])
    press("-")
    press("Shift+ArrowLeft")
    press("Shift+ArrowUp")
    assert told()["x"] < first["x"] and told()["y"] > first["y"] and told()["zoom"] == pytest.approx(first["zoom"])
    press("0", x=first["x"], y=first["y"])
    press(" ", playing=True)
    press(" ", playing=False)
    press("?", help=True)
    press("x", cells=True)  # keys wait while the list of keys is open
    press("Escape", help=False)
    page.evaluate(f"(async () => {{ const v = {VIEWER}; await v.select({{ panel: 0, row: v.panels[0].drawn.rows[0] }}); }})()")
    page.keyboard.press("Escape")
    page.wait_for_function(f"() => {VIEWER}.selected === null")
    keys = page.evaluate(f"[...{VIEWER}.ui.help.querySelectorAll('th')].map((e) => e.textContent)")
    assert len(keys) == 14 and faults == []


def test_the_picture_moves_and_grows_under_fingers(run, opened, served):
    page, faults = opened(served(run), **PHONE)
    fingers, (x, y) = Fingers(page), middle(page)
    told = lambda: page.evaluate(TOLD)  # noqa: E731
    first = told()
    fingers.drag([(x, y)], [(x + 40, y + 20)])
    moved = told()
    assert moved["x"] == pytest.approx(first["x"] - 40 / first["zoom"], rel=0.02) and moved["y"] == pytest.approx(first["y"] + 20 / first["zoom"], rel=0.02)
    fingers.drag([(x - 20, y), (x + 20, y)], [(x - 60, y), (x + 60, y)])
    assert told()["zoom"] == pytest.approx(3 * first["zoom"], rel=0.02) and page.evaluate("visualViewport.scale") == 1
    page.evaluate(f"{VIEWER}.fit(true)")
    fingers.drag([(x - 20, y), (x + 20, y)], [(x + 20, y + 30), (x + 60, y + 30)])  # two fingers side by side carry it
    both = told()
    assert both["zoom"] == pytest.approx(first["zoom"], rel=0.02)
    assert both["x"] == pytest.approx(first["x"] - 40 / first["zoom"], rel=0.05) and both["y"] == pytest.approx(first["y"] + 30 / first["zoom"], rel=0.05)
    page.evaluate(f"{VIEWER}.fit(true)")
    page.touchscreen.tap(x, y)
    page.wait_for_function(f"() => {VIEWER}.ui.inspect.textContent.includes('snapshot')")
    assert page.evaluate("scrollY") == 0 and faults == []


def test_a_region_is_drawn_with_a_finger_after_its_button(run, opened, served):
    page, faults = opened(served(run), **PHONE)
    page.get_by_role("button", name="region").tap()
    x, y = middle(page)
    Fingers(page).drag([(x - 30, y - 30)], [(x + 30, y + 30)])
    page.wait_for_function(f"() => {VIEWER}.ui.inspect.textContent.startsWith('Region of')")
    assert page.evaluate(TOLD)["mode"] == "brush" and faults == []


def test_the_wheel_keeps_the_place_under_the_pointer_and_points_turn_under_it(opened, served, tmp_path):
    run = synthetic.write_run(tmp_path, arms=("control",), replicates=1, n=32, depth=12, scale=0.05, days=(0,), every_h=12)
    page, faults = opened(served(run))
    box = page.locator("canvas.over").bounding_box()
    x, y = box["x"] + 0.3 * box["width"], box["y"] + 0.4 * box["height"]
    place = f"(() => {{ const p = {VIEWER}.placeAt({x - box['x']}, {y - box['y']}); return [p.x, p.y]; }})()"
    before, zoom = page.evaluate(place), page.evaluate(TOLD)["zoom"]
    page.mouse.move(x, y)
    page.mouse.wheel(0, -400)
    page.wait_for_function(f"() => {VIEWER}.cam.zoom > {1.2 * zoom}")
    assert page.evaluate(place) == pytest.approx(before, abs=0.5)
    page.evaluate(f"(async () => {{ const v = {VIEWER}; v.state.view = 'points'; v.cam.moved = false; await v.show(); }})()")
    yaw = page.evaluate(TOLD)["yaw"]
    page.mouse.down()
    page.mouse.move(x + 80, y, steps=4)
    page.mouse.up()
    assert page.evaluate(TOLD)["yaw"] == pytest.approx(yaw + 0.64, abs=0.02) and faults == []


def test_the_picture_kept_is_the_one_shown_with_its_legend(run, opened, served, tmp_path):
    page, faults = opened(served(run))
    page.evaluate(f"{VIEWER}.ui.over.focus()")
    for act in (lambda: page.keyboard.press("s"), lambda: page.get_by_role("button", name="Save the picture").click()):
        with page.expect_download() as got:
            act()
        assert got.value.suggested_filename == "four_arms-day_4.png"
        got.value.save_as(tmp_path / "kept.png")
        kept = Image.open(tmp_path / "kept.png").convert("RGB")
        width, height = page.evaluate(f"[{VIEWER}.width, {VIEWER}.height]")
        assert kept.width == width and kept.height > height + 40
        legend = np.asarray(kept)[height:].astype(int)
        assert (np.abs(legend - 255).max(axis=2) > 60).mean() > 0.01  # words and colours below the picture
    box, screen = page.locator(".stage").bounding_box(), np.asarray(Image.open(io.BytesIO(page.screenshot())).convert("RGB")).astype(int)
    x, y = round(box["x"]), round(box["y"])
    assert different(screen[y : y + height, x : x + width], np.asarray(kept)[:height].astype(int)) <= 0.01 and faults == []


def test_the_movie_kept_plays_every_moment(run, opened, served, tmp_path):
    page, faults = opened(served(run))
    early = picture(page, 480, 320)
    page.evaluate(f"{VIEWER}.state.speed = 8")
    with page.expect_download(timeout=WAIT_MS) as got:
        page.get_by_role("button", name="Record a movie").click()
    assert got.value.suggested_filename == "four_arms-day_4.webm"
    got.value.save_as(tmp_path / "kept.webm")
    assert page.evaluate(TOLD)["at"] == 2 and different(picture(page, 480, 320), early) == 0  # and it is back where it was
    cinema = page.context.new_page()
    film = cinema.evaluate(FILM, base64.b64encode((tmp_path / "kept.webm").read_bytes()).decode())
    assert film["width"] == 480 and film["height"] > 320
    seen = np.array(film["seen"], int)
    kinds = [seen[0]]
    for frame in seen[1:]:
        if min(np.abs(frame - k).mean() for k in kinds) > 1.0:
            kinds.append(frame)
    assert len(kinds) == 3 and faults == []  # three moments, all of them different
