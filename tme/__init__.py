"""tme: ferroptosis immunotherapy in silico.

    >>> import tme
    >>> config = tme.load_config("configs/four_arms.yaml")   # doctest: +SKIP
    >>> run = tme.run(config)                                # doctest: +SKIP
    >>> run.series()                                         # doctest: +SKIP
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from typing import Any

__version__ = "0.1.0"


def _prepare_numba() -> None:
    """Settings numba reads once, at its own import; where it was imported before, the settings that can still change are set.

    Compiled code is kept in the user's cache folder, under a digest of the sources it comes from (`kernels.jit`).
    SVML is off so that exp and log give the same bits on machines with and without it.
    """
    os.environ.setdefault("NUMBA_DISABLE_INTEL_SVML", "1")
    if "NUMBA_CACHE_DIR" in os.environ:
        return
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tme" / "kernels"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        folder = Path(tempfile.gettempdir()) / f"tme-kernels-{os.getuid()}"
    os.environ["NUMBA_CACHE_DIR"] = str(folder)
    if "numba" in sys.modules:
        sys.modules["numba"].config.CACHE_DIR = str(folder)


_prepare_numba()

_LATE = {
    "TumourModel": ("tme.model", "TumourModel"),
    "load_config": ("tme.model", "load_config"),
    "patients": ("tme.model.patients", "patients"),
}


def __getattr__(name: str):
    """Import the heavy parts on first use, so that `import tme` and `tme --help` stay quick."""
    if name == "spatial":
        from importlib import import_module

        return import_module("tme.spatial")
    if name in _LATE:
        from importlib import import_module

        module, attribute = _LATE[name]
        return getattr(import_module(module), attribute)
    raise AttributeError(f"module 'tme' has no attribute {name!r}")


def load(folder: str | Path) -> Any:
    """Open a run directory, finished or not (`tme.experiments.Run`)."""
    from tme import experiments

    _shown()
    return experiments.load(folder)


def view(run: Any, arms: list[str] | None = None) -> Any:
    """The viewer of a run, or of a run directory, as a widget for a notebook; needs the extra `notebook`."""
    from tme.viz.viewer.notebook import view

    return view(run, arms)


def live(config: Any, arm: str | None = None, replicate: int = 0, out: str | Path | None = None, **how: Any) -> Any:
    """One simulation that waits for commands (`tme.experiments.live.Session`): step, run, pause, give, set, end.

    In a notebook it shows itself with its sliders; needs the extra `notebook`. `config` a Config or a path, `arm` where it
    starts from, `out` a new run directory; `how`: seed, quick, allow_plugins, as in `run`. It ends with the interpreter at the latest.
    """
    import atexit

    from tme.experiments.live import Session, start
    from tme.viz.viewer.kept import encode
    from tme.viz.viewer.notebook import live_widget

    Session.shown = live_widget
    session = Session(start(config, arm, replicate, out, encode, **how))
    atexit.register(session.end)
    return session


def _shown() -> None:
    """Teach runs to show themselves in a notebook; what draws is imported when it is asked for."""
    from tme.experiments import Run

    def plots(folder: Path) -> Any:
        from tme.viz.plots import Plots

        return Plots(folder)

    def html(folder: Path) -> str:
        from tme.viz.plots import html

        return html(folder)

    Run.shown = (plots, html)


def run(config: Any, out: Any = None, *, report: bool = True, **how: Any) -> Any:
    """Run an experiment, or complete a part-done run, and draw its report; `how` as in `tme.experiments.run`."""
    from tme import experiments

    _shown()
    return experiments.run(config, out, report=_draw if report else None, **how)


def _draw(folder: Path) -> Any:
    from tme.viz.report import write

    return write(folder)


__all__ = ["TumourModel", "__version__", "live", "load", "load_config", "patients", "run", "view"]
