"""The layout of figures: matplotlib's constrained layout, with each panel measured once.

Constrained layout measures every panel twice, since tick labels may change when a panel shrinks. Our panels ask for a number of
ticks, whatever their size, so that what stands around them keeps its width; measuring them is the dearest part of a figure.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.transforms import Bbox


class OnceMeasured(ConstrainedLayoutEngine):
    """Constrained layout that adds to a panel moved or resized the margins found for it first."""

    def execute(self, fig: Any) -> Any:
        panels = list(fig.axes) if isinstance(fig, Figure) else []
        for axes in panels:
            axes.get_tightbbox = _measured_once(axes)  # type: ignore[method-assign]
        try:
            return super().execute(fig)
        finally:
            for axes in panels:
                del axes.get_tightbbox  # the class's own again


def _measured_once(axes: Axes) -> Callable[..., Bbox | None]:
    """A `get_tightbbox` for these axes that measures on its first call."""
    measure, margins = axes.get_tightbbox, None

    def get_tightbbox(*args: Any, **options: Any) -> Bbox | None:
        nonlocal margins
        if margins is None:
            box, inner = measure(*args, **options), axes.bbox
            if box is None:
                return None
            margins = inner.x0 - box.x0, inner.y0 - box.y0, box.x1 - inner.x1, box.y1 - inner.y1
            return box
        inner, (left, below, right, above) = axes.bbox, margins
        return Bbox.from_extents(inner.x0 - left, inner.y0 - below, inner.x1 + right, inner.y1 + above)

    return get_tightbbox
