"""The page of `tme live` in a real headless Chromium: its buttons and sliders act on the model, and a bad value is told."""

from __future__ import annotations

import json
import threading
import time

import live_config
import pytest
from pages import NEEDS, WAIT_MS

from tme.experiments.live import Session
from tme.viz.viewer import notebook
from tme.viz.viewer.kept import encode
from tme.viz.viewer.server import ViewServer
from tme.viz.viewer.source import Source

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = NEEDS
HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture
def session(tmp_path):
    """A session of the small tumour, with a hostile text in an entry of the library."""
    text = f"{live_config.TEXT}\nentries: {{drugs: {{rsl3: {{about: '{HOSTILE}'}}}}}}\n"
    with Session(live_config.live(tmp_path, encode=encode, text=text)) as session:
        yield session


@pytest.fixture
def served(session):
    """Its address."""
    server = ViewServer(Source(session.folder), 0, session.ask, session.index)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.url
    server.shutdown()
    server.server_close()


def opened(browser, url, width=1100, height=760):
    """A page, and a list of what went wrong in it."""
    page = browser.new_context(viewport={"width": width, "height": height}).new_page()
    page.set_default_timeout(WAIT_MS)
    faults = []
    page.on("console", lambda m: faults.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda e: faults.append(str(e)))
    page.on("dialog", lambda d: faults.append(f"dialog {d.message}"))
    page.on("request", lambda r: faults.append(f"asked {r.url}") if not r.url.startswith(("data:", "blob:", url.rsplit("/", 1)[0])) else None)
    page.goto(url)
    page.wait_for_selector("[data-state=whole]", state="attached")
    page.get_by_role("button", name="give now").wait_for()
    return page, faults


def until(true, seconds=120):
    """Wait for something to be so."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.1)


def test_buttons_and_sliders_of_the_page_act_on_the_model(browser, served, session):
    page, faults = opened(browser, served)
    words = page.locator(".live .words")
    assert "tick 0: waits" in words.inner_text() and page.get_by_text(HOSTILE, exact=True).count() == 1  # as text
    page.get_by_role("button", name="one hour").click()
    until(lambda: "tick 60: waits" in words.inner_text())
    page.get_by_label("which", exact=True).select_option("erastin")
    page.get_by_label("way", exact=True).select_option("bath")
    page.get_by_role("spinbutton", name="held at, µM").fill("5")
    page.get_by_role("button", name="give now").click()
    until(lambda: session.interventions)
    assert session.interventions[0]["item"] | {"day": 0} == {"name": "erastin", "route": "bath", "bath_uM": 5, "day": 0} and session.interventions[0]["tick"] == 60
    box = page.get_by_role("spinbutton", name="division: k_div, 1/min")
    box.fill("0.0008")
    box.press("Enter")
    until(lambda: len(session.interventions) == 2)
    slider = page.get_by_role("slider", name="killing: k_hit, 1/min")
    slider.focus()
    slider.press("End")
    until(lambda: len(session.interventions) == 3)
    assert session.interventions[2]["value"] == pytest.approx(session.live.numbers()["mechanisms.killing.k_hit"].high)
    page.get_by_label("Another number").select_option("mechanisms.death.k_apo")
    assert page.get_by_role("slider", name="death: k_apo, 1/min").count() == 1
    until(lambda: page.locator(".lives li").count() == 3)
    assert "erastin, held everywhere, 5 µM" in page.locator(".lives li").last.inner_text()
    page.get_by_role("button", name="run").first.click()
    until(lambda: session.live.tick > 70)
    page.get_by_role("button", name="pause").click()
    until(lambda: "waits" in words.inner_text())
    panel = "document.querySelector('[data-state]').viewer.panels[0]"
    page.wait_for_function(f"(hour) => {panel}.drawn && {panel}.moment && Math.abs({panel}.moment.hour - hour) < 1e-4", arg=24 * session.live.day)
    assert page.evaluate(f"() => {panel}.drawn.count") > 50 and faults == []
    page.get_by_role("button", name="end", exact=True).click()
    page.get_by_role("button", name="end it now?").click()
    until(lambda: "run directory is complete" in words.inner_text())
    assert page.get_by_role("button", name="give now").is_disabled() and faults == []


@pytest.mark.parametrize("width", [1100, 390])
def test_a_bad_value_is_told_beside_what_it_was_given_for(browser, served, session, width):
    page, faults = opened(browser, served, width)
    box = page.get_by_role("spinbutton", name="division: k_div, 1/min")
    box.fill("5")
    box.press("Enter")
    alert = page.locator(".number [role=alert]").first
    until(lambda: "5 is out of bounds; expected 0 to 0.01 1/min" in alert.inner_text())
    assert float(box.input_value()) == session.live.numbers()["mechanisms.division.k_div"].value
    dose = page.get_by_role("spinbutton", name="dose, mg/kg")
    dose.fill("-1")
    page.get_by_role("button", name="give now").click()
    until(lambda: "dose_mg_kg: is -1; expected a number at least 0" in page.locator("details > [role=alert]").first.inner_text())
    assert session.interventions == []
    assert page.evaluate("() => document.documentElement.scrollWidth") <= width
    assert [f for f in faults if "400 (Bad Request)" not in f] == []


def test_keys_in_the_panel_are_not_taken_for_those_of_the_picture(browser, served):
    page, _ = opened(browser, served)
    page.get_by_role("spinbutton", name="dose, mg/kg").focus()
    before = page.evaluate("() => JSON.stringify(document.querySelector('[data-state]').viewer.state)")
    for key in ("c", "f", "x", "a", " ", "b"):
        page.keyboard.press(key)
    assert page.evaluate("() => JSON.stringify(document.querySelector('[data-state]').viewer.state)") == before


def test_the_widget_of_a_notebook_commands_the_same_session(browser, session, tmp_path, monkeypatch):
    pytest.importorskip("anywidget", reason="the extra `notebook` is not installed")
    widget = notebook.live_widget(session)
    sent = []
    widget.send = lambda content, buffers=None: sent.append((content, buffers))
    for number, asked in enumerate(({"ask": "control", "what": {"do": "step", "ticks": 5, "wait": True}}, {"ask": "control", "what": {"do": "fly"}}, {"ask": "index"})):
        widget._asked(widget, {**asked, "id": number}, [])
    answers = [json.loads(buffers[0]) for _content, buffers in sent]
    assert answers[0]["tick"] == 5 and "expected one of" in answers[1]["error"] and answers[2]["live"]["tick"] == 5
    folder = tmp_path / "page"
    folder.mkdir()
    (folder / "live.js").write_text(widget._esm, encoding="utf-8")
    html = '<!DOCTYPE html><link rel="icon" href="data:,"><div id="out"></div><script type="module">import widget from "./live.js"; const heard = []; const model = { get: () => [], on: (_, f) => heard.push(f), ' \
           'send: async (m) => { const raw = Uint8Array.from(atob(await window.kernel(JSON.stringify(m))), (c) => c.charCodeAt(0)); heard.forEach((f) => f({ id: m.id }, [new DataView(raw.buffer)])); } }; widget.render({ model, el: document.getElementById("out") });</script>'  # fmt: skip
    (folder / "index.html").write_text(html)
    page = browser.new_page()
    page.set_default_timeout(WAIT_MS)
    faults = []
    page.on("pageerror", lambda e: faults.append(str(e)))

    def kernel(text):
        import base64

        return base64.b64encode(widget._answer(json.loads(text))).decode()

    page.expose_function("kernel", kernel)
    page.route("http://notebook.test/*", lambda route: route.fulfill(path=folder / (route.request.url.rsplit("/", 1)[1] or "index.html")))
    page.goto("http://notebook.test/index.html")
    page.get_by_role("button", name="one tick").click()
    page.wait_for_function("() => document.querySelector('#out div').viewer.root.querySelector('.words').innerText.includes('tick 6: waits')")
    assert faults == []
