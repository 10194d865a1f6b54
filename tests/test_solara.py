"""The Solara page of docs/coming_from.md: it is built, drawn without a browser, stepped and begun anew."""

from __future__ import annotations

import re
import warnings
from pathlib import Path

import pytest

solara = pytest.importorskip("solara", reason='needs the extra mesa-viz: pip install -e ".[mesa-viz]"')
ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def page():
    """What the block leaves, run in the folder of the repository."""
    text = (ROOT / "docs" / "coming_from.md").read_text(encoding="utf-8")
    block = re.search(r"### A Solara page.*?```python\n(.*?)```", text, re.DOTALL)[1]
    names: dict = {}
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of others' code
        patch.chdir(ROOT)
        exec(compile(block, "docs/coming_from.md", "exec"), names)
    return names


def widgets(top) -> list:
    """A widget and all below it."""
    below = [w for c in (*(getattr(top, "children", None) or ()), *(getattr(top, "items", None) or ())) for w in widgets(c)]
    return [top, *below]


def drawn(element) -> list:
    """Widgets of an element, drawn without a browser."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return widgets(solara.render(element, handle_error=False)[0])


def test_the_page_shows_the_cells_and_the_curve(page):
    cells, curve = (w for w in drawn(page["page"]) if type(w).__name__ == "Image")
    assert b"<svg" in bytes(cells.value) and bytes(cells.value).count(b"<use ") >= 150
    assert bytes(curve.value).startswith(b"\x89PNG")


def test_its_buttons_step_the_model_and_begin_it_anew(page):
    from mesa.visualization.solara_viz import ModelController

    model = solara.reactive(page["Watched"](seed=2))
    first = model.value
    ways = {"play_interval": solara.reactive(100), "render_interval": solara.reactive(1), "use_threads": solara.reactive(False)}
    controls = drawn(ModelController(model, model_parameters=solara.reactive({"seed": 3}), **ways))
    press = {str(b.children[-1]).strip().title(): b for b in controls if type(b).__name__ == "Btn"}
    press["Step"].click()
    assert model.value is first and first.sim_hour == pytest.approx(24 * page["config"].start_day + 1.0)
    assert len(first.datacollector.get_model_vars_dataframe()) == 2
    press["Reset"].click()
    assert model.value is not first and model.value.seed_used == 3
