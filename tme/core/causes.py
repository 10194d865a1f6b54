"""What tissue cells die of: the code that a corpse has as its `state`, and under which deaths are counted."""

from __future__ import annotations

ALIVE, FERROPTOSIS, IMMUNE, NECROSIS, APOPTOSIS, CUPROPTOSIS, DISULFIDPTOSIS = range(7)
CAUSES = ("alive", "ferroptosis", "immune", "necrosis", "apoptosis", "cuproptosis", "disulfidptosis")
