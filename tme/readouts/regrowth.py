"""How far a tumour has fallen and come back: its least number of living cells since treatment began, and how many times that there are now."""

from __future__ import annotations

from typing import Any


def remember(model: Any) -> None:
    """Keep the least number of living cells so far, from day 0 on; looked at every hour."""
    if model.sim_hour >= 0.0:
        alive, c = model.n_alive, model.counters
        c["nadir"] = min(c["nadir"], alive) if "nadir" in c else alive


def regrowth(model: Any) -> dict[str, float]:
    """The nadir and the growth from it; before day 0, and once nobody was left, there is no growth from it."""
    alive = model.n_alive
    nadir = min(model.counters["nadir"], alive) if "nadir" in model.counters else alive
    return {"tumour_nadir": nadir, "regrowth": alive / nadir if nadir else float("nan")}
