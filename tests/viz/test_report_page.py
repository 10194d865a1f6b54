"""The report's page: what comes first, what follows, and that it is legible on a wide and a narrow, a light and a dark screen."""

from __future__ import annotations

import re
import shutil

import pytest
import synthetic
from ruamel.yaml import YAML

from tme.viz import page, report

CONTRASTS = ["combination < control", "combination < anti_pdl1"]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Three arms with a question, and a report."""
    out = synthetic.write_run(tmp_path_factory.mktemp("page"), arms=("control", "anti_pdl1", "combination"), replicates=3, n=64, scale=0.1, days=(0, 1, 4), every_h=12)
    yaml = YAML(typ="safe")
    config = yaml.load((out / "config.resolved.yaml").read_text())
    config["primary"] = {"readout": "tumour_alive", "contrasts": CONTRASTS}
    with open(out / "config.resolved.yaml", "w") as file:
        yaml.dump(config, file)
    report.write(out)
    return out


@pytest.fixture(scope="module")
def text(run):
    return (run / "report.html").read_text(encoding="utf-8")


def test_question_answer_growth_and_maps_come_first_then_the_loop_then_the_rest(text):
    order = ['id="primary"', 'class="asked"', "95\u00a0% interval", '<figure id="growth"', '<figure id="maps"', 'id="loop"', '<figure id="chain"', 'id="viewer"', 'id="words"', 'id="figures"', 'id="methods"']
    places = [text.index(mark) for mark in order]
    assert places == sorted(places)


def test_every_answer_has_its_verdict_and_interval_before_the_first_figure(text):
    front = text[text.index('id="primary"') : text.index("<figure")]
    assert len(re.findall(r'<li><span class="verdict (holds|open|contradicted)">', front)) == len(CONTRASTS)
    assert front.count("interval") >= len(CONTRASTS)


def test_figures_are_numbered_in_the_order_in_which_they_stand(text):
    numbers = [int(n) for n in re.findall(r"<h3>Figure (\d+)\.", text)]
    assert numbers == list(range(1, len(numbers) + 1)) and len(numbers) > 5


def test_links_lead_to_sections_that_are_there(text):
    for key in re.findall(r'<a href="#([^"]+)"', text):
        assert f'id="{key}"' in text, key
    assert page.nav(["loop"]).count("<a") == len(page.SECTIONS) - 1


def test_a_run_without_a_loop_has_no_section_of_it(tmp_path):
    out = synthetic.write_run(tmp_path, arms=("control",), replicates=1, n=32, scale=0.05, days=(0, 1), every_h=12, drop=("hmgb1_mean", "atp_mean", "dc_mature_cumulative", "dc_mature", "primed_pool", "ifng_median"))
    text = report.write(out, dpi=60).read_text(encoding="utf-8")
    assert 'id="loop"' not in text and '"#loop"' not in text


@pytest.fixture(scope="module")
def browser():
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("no chromium on this machine")
    with playwright.sync_playwright() as p:
        browser = p.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


LUMINANCE = "c => c.match(/\\d+/g).slice(0, 3).map(Number).reduce((a, b) => a + b) / 765"


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("width", "height"), [(1440, 900), (390, 844)])
def test_the_first_screen_is_the_answer_with_growth_on_any_screen(browser, run, width, height, scheme):
    context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
    try:
        sheet = context.new_page()
        sheet.goto(f"file://{run}/report.html")
        box = {key: sheet.locator(key).first.bounding_box() for key in (".asked", ".answers", "#growth img", "#maps img")}
        assert all(box[key]["y"] + box[key]["height"] <= height for key in (".asked", ".answers"))
        assert box["#growth img"]["y"] < 0.8 * height
        if width > 1000:
            assert all(b["y"] + 0.9 * b["height"] <= height for b in box.values())
        assert sheet.evaluate("document.documentElement.scrollWidth") <= width
        paper, ink = (sheet.evaluate(f"({LUMINANCE})(getComputedStyle(document.body).{what})") for what in ("backgroundColor", "color"))
        assert (paper > 0.9 and ink < 0.2) if scheme == "light" else (paper < 0.2 and ink > 0.8)
    finally:
        context.close()
