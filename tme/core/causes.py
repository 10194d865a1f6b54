"""What tissue cells die of: the place in CAUSES is the code that a corpse has as its `state`, and under which deaths are counted."""

from __future__ import annotations

CAUSES = ("alive", "ferroptosis", "immune", "necrosis", "apoptosis", "cuproptosis", "disulfidptosis")
