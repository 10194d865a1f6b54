"""How often something holds: a proportion with Wilson's interval.

Source: Wilson 1927, doi 10.1080/01621459.1927.10502953. Its interval keeps near 0 and 1 what it promises, where p ± z s does not.
"""

from __future__ import annotations

import math

from scipy import special

from tme.statistics.estimate import LEVEL, Estimate, unknown


def proportion(held: int, n: int, level: float = LEVEL) -> Estimate:
    """held/n with its interval; unknown for n = 0."""
    if n == 0:
        return unknown()
    z = float(special.ndtri(0.5 + level / 2))
    p = held / n
    middle = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return Estimate(p, max(0.0, middle - half) if held else 0.0, min(1.0, middle + half) if held < n else 1.0, n)
