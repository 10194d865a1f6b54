"""Draws that generated experiments are made of, and numbers as entries write them."""

from __future__ import annotations

import math
from collections.abc import Callable
from random import Random
from typing import Any

SOURCE = "assumed: generated"


def number(rng: Random, low: float, high: float) -> float:
    """A number within bounds, one time in three on one of them."""
    turn = rng.randrange(6)
    if turn < 2:
        return float((low, high)[turn])
    return min(max(round(rng.uniform(low, high), rng.randrange(1, 9)), low), high)


def scale(rng: Random, low: float, high: float) -> float:
    """A number between two that are above 0, even on a log scale, one time in six on one of them."""
    turn = rng.randrange(12)
    return float((low, high)[turn]) if turn < 2 else float(f"{math.exp(rng.uniform(math.log(low), math.log(high))):.4g}")


def some(rng: Random, items: Any, most: int) -> list[Any]:
    """Up to `most` different items."""
    items = list(items)
    return rng.sample(items, rng.randint(0, min(most, len(items))))


def maybe(rng: Random, out: dict[str, Any], chance: float, **values: Callable[[], Any]) -> None:
    """Add each value (a function of nothing) with some chance."""
    for key, make in values.items():
        if rng.random() < chance:
            out[key] = make()


def quantity(rng: Random, value: float, unit: str) -> dict[str, Any]:
    """A number as an entry writes it, sometimes with range and status."""
    out = {"value": value, "unit": unit, "source": SOURCE}
    maybe(rng, out, 0.2, range=lambda: [min(0.5 * value, 2 * value), max(0.5 * value, 2 * value)], status=lambda: rng.choice(["assumed", "tuned", "chosen"]))
    return out


def given(rng: Random, **numbers: tuple[float, float, str]) -> dict[str, Any]:
    """Numbers within bounds: (low, high, unit) of each; even on a log scale where low is above 0."""
    return {k: quantity(rng, scale(rng, low, high) if low > 0.0 else number(rng, low, high), unit) for k, (low, high, unit) in numbers.items()}


def per_min(unit: str) -> str:
    """The unit of a rate of something that has a unit."""
    top, _, under = unit.partition("/")
    return f"{top}/({under} min)" if under else f"{unit}/min"
