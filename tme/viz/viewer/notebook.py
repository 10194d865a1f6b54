"""The viewer in a notebook: `tme.view(run)`, through anywidget (`pip install "tme[notebook]"`)."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files as resources
from pathlib import Path
from typing import Any

from tme.viz.viewer import frames
from tme.viz.viewer.source import Source, Unreadable

EXTRA = 'the viewer in a notebook needs anywidget: pip install "tme[notebook]"; `tme view` shows the same without it'


class MissingExtra(ImportError):
    """A part that is not installed; the message says what to install."""

    exit_code = 2


@cache
def _widget_class() -> type:
    try:
        import anywidget
        import traitlets
    except ImportError as missing:
        raise MissingExtra(EXTRA) from missing

    class Viewer(anywidget.AnyWidget):
        """A run in a notebook; the kernel answers what the page asks for, so that nothing is copied into the notebook."""

        _esm = resources("tme.viz.viewer").joinpath("viewer.js").read_text(encoding="utf-8")
        arms = traitlets.List(traitlets.Unicode()).tag(sync=True)

        def __init__(self, folder: str | Path, arms: list[str] | None = None) -> None:
            super().__init__(arms=list(arms or []))
            self.source = Source(folder, frames.Detail(levels=254))
            self.on_msg(self._asked)

        def _asked(self, _: Any, asked: dict[str, Any], _buffers: list) -> None:
            try:
                self.send({"id": asked.get("id")}, [self._answer(asked)])
            except (Unreadable, OSError, ValueError, KeyError, TypeError) as fault:
                self.send({"id": asked.get("id"), "error": str(fault)})

        def _answer(self, asked: dict[str, Any]) -> bytes:
            return answer(self.source, asked)

    return Viewer


@cache
def _live_class() -> type:
    viewer = _widget_class()

    class LiveViewer(viewer):  # type: ignore[misc, valid-type]
        """A model that runs under its sliders, in a notebook; commands go to its session."""

        _esm = live_module()

        def __init__(self, session: Any) -> None:
            super().__init__(session.live.folder)
            self.session = session

        def _answer(self, asked: dict[str, Any]) -> bytes:
            if asked.get("ask") == "control":
                what = asked.get("what")
                try:
                    told = self.session.ask(what if isinstance(what, dict) else {})
                except ValueError as fault:
                    told = {"error": str(fault)}
                return json.dumps(told).encode()
            if asked.get("ask") == "index":
                return json.dumps({**self.source.index(), **self.session.index()}, allow_nan=False).encode()
            return answer(self.source, asked)

    return LiveViewer


def live_module() -> str:
    """The viewer and the panel of a live model as one module, with an entry that shows both."""
    place = resources("tme.viz.viewer")
    viewer, panel = (place.joinpath(name).read_text(encoding="utf-8") for name in ("viewer.js", "live.js"))
    joined = viewer.replace("export default { render };", "") + panel.replace("import { h, say } from './viewer.js';", "")
    return joined + """
function renderLive({ model, el }) {
  const host = h('div');
  el.append(host);
  const viewer = mount(host, fromNotebook(model), { live: (v) => new LivePanel(v) });
  return () => viewer.close();
}
export default { render: renderLive };
"""


def live_widget(session: Any) -> Any:
    """The page of a live session as a widget."""
    return _live_class()(session)


def answer(source: Source, asked: dict[str, Any]) -> bytes:
    """What a message of the page asks for: the index as JSON, a frame, or a table of mothers."""
    if asked.get("ask") == "index":
        return json.dumps(source.index(), allow_nan=False).encode()
    if asked.get("ask") == "frame":
        return source.frame(str(asked["arm"]), int(asked["replicate"]), float(asked["hour"]))
    if asked.get("ask") == "descent":
        return source.descent(str(asked["arm"]), int(asked["replicate"]))
    raise ValueError(f"the page asked for {asked.get('ask')!r}")


def view(run: Any, arms: list[str] | None = None) -> Any:
    """The viewer of a run (of `tme.load`, or the path of a run directory) as a widget; at most four `arms` at a time."""
    return _widget_class()(getattr(run, "path", run), arms)
