"""Response classes after volume limits: complete, partial, stable, progressive.

RECIST 1.1 goes by diameters: partial is a fall by 30 %, progressive a rise by 20 % above the least so far. Of a ball that is
0.7^3 = 0.343 of the first volume, and 1.2^3 = 1.728 of the least. Source: Eisenhauer et al. 2009, Eur J Cancer 45:228,
doi 10.1016/j.ejca.2008.10.026.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

PARTIAL = 0.343  # 0.7^3: of the volume at treatment start, or less
PROGRESSIVE = 1.728  # 1.2^3: of the least volume since then, or more
CLASSES = ("complete", "partial", "stable", "progressive")


def response_class(volumes: Any, partial: float = PARTIAL, progressive: float = PROGRESSIVE, gone: float = 0.0) -> str:
    """Class at the last of the volumes (n_time,), the first being that at treatment start; "" where one of the two is missing.

    complete: not above `gone`; else progressive: at least `progressive` times the least volume so far; else partial: at
    most `partial` times the first; else stable. As in RECIST progress outweighs an earlier response.
    """
    v = np.asarray(volumes, float)
    if v.size < 2 or not (np.isfinite(v[0]) and np.isfinite(v[-1])) or v[0] <= 0:
        return ""
    if v[-1] <= gone:
        return "complete"
    if v[-1] >= progressive * np.nanmin(v[:-1]) and v[-1] > np.nanmin(v[:-1]):
        return "progressive"
    return "partial" if v[-1] <= partial * v[0] else "stable"


def response_counts(classes: Iterable[str]) -> dict[str, int]:
    """How many are of each class, in the order of `CLASSES`."""
    given = list(classes)
    return {c: given.count(c) for c in CLASSES}
