"""Small synthetic runs, written once per session and worker, and copied where a test changes them."""

from __future__ import annotations

import shutil
import threading

import pytest
import synthetic
from pages import CHROMIUM, FLAGS, WAIT_MS

SMALLEST: dict[str, float] = {}


@pytest.fixture(scope="session")
def four_arms(tmp_path_factory):
    """4 arms x 4 replicates on a small lattice, with its report written."""
    from tme.viz import report, style

    root = tmp_path_factory.mktemp("four")
    run = synthetic.write_run(root, n=96, scale=0.18, days=(0, 1, 5, 11), every_h=6.0)
    save = style.save

    def watched(figure, path, dpi):
        out = save(figure, path, dpi)
        texts = figure.findobj(match=lambda artist: hasattr(artist, "get_fontsize"))
        SMALLEST[path.stem] = min(text.get_fontsize() for text in texts if text.get_text())
        return out

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(style, "save", watched)
        report.write(run)
    return run


@pytest.fixture(scope="session")
def smallest_letters(four_arms):
    """Figure name -> smallest font size (pt) in it."""
    return SMALLEST


@pytest.fixture
def copy_of(tmp_path):
    """A function that copies a run directory into the test's own folder."""

    def copy(run, name="copy-0123abcd"):
        return shutil.copytree(run, tmp_path / name, ignore=shutil.ignore_patterns("figures", "report.html"))

    return copy


@pytest.fixture(scope="module")
def browser():
    """A headless Chromium."""
    sync = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with sync.sync_playwright() as p:
        browser = p.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture
def opened(browser):
    """A function that opens a page and returns it with a list of all that went wrong; closed after the test."""
    contexts = []

    def open_(url, width=1000, height=700, dark=False, **more):
        context = browser.new_context(viewport={"width": width, "height": height}, color_scheme="dark" if dark else "light", **more)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(WAIT_MS)
        faults = []
        page.on("console", lambda m: faults.append(m.text) if m.type == "error" else None)
        page.on("pageerror", lambda e: faults.append(str(e)))
        page.on("dialog", lambda d: faults.append(f"dialog {d.message}"))
        home = url.split("/")[2]
        page.on("request", lambda r: faults.append(f"asked {r.url}") if not r.url.startswith(("data:", "blob:")) and r.url.split("/")[2] != home else None)
        page.goto(url)
        if page.locator("#tme-viewer").count():
            page.locator("#tme-viewer").scroll_into_view_if_needed()
        page.wait_for_selector("[data-state=whole]", state="attached")
        return page, faults

    yield open_
    for context in contexts:
        context.close()


@pytest.fixture
def served():
    """A function that serves a run directory and returns its address."""
    from tme.viz.viewer import frames
    from tme.viz.viewer.server import ViewServer
    from tme.viz.viewer.source import Source

    servers = []

    def serve(run):
        server = ViewServer(Source(run, frames.Detail(levels=254)))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return server.url

    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()
