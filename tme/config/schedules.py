"""Days of a schedule: `every_d` and `until_d` written out as a list of days, for whatever an arm gives."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tme.config.access import is_number
from tme.config.arms import KINDS

MOST = 1000  # times that one item is given


def with_schedules(data: dict[str, Any]) -> dict[str, Any]:
    """The plain data with every sound schedule written out; what is not sound stays, and is told by the checks."""
    arms, horizon = data.get("arms"), data.get("horizon_day")
    if not isinstance(arms, dict):
        return data

    def written(spec: Any) -> Any:
        if not isinstance(spec, dict):
            return spec
        lists = {k: [written_out(i, horizon) for i in spec[k]] for k in KINDS if isinstance(spec.get(k), list)}
        return {**spec, **lists}

    return {**data, "arms": {name: written(spec) for name, spec in arms.items()}}


def written_out(item: Any, horizon: Any) -> Any:
    """One item with its days, `every_d` and `until_d` taken away; as it stands if they make no schedule."""
    if not isinstance(item, Mapping) or item.get("every_d") is None:
        return item
    days = repeated(item, horizon)
    if days is None:
        return item
    return {**{k: v for k, v in item.items() if k not in ("every_d", "until_d")}, "day": days}


def repeated(item: Mapping[str, Any], horizon: Any) -> list[float] | None:
    """From the item's day every `every_d` days, to `until_d` and before the horizon; None if that is no schedule.

    >>> repeated({"day": 1, "every_d": 2, "until_d": 5}, 4.5), repeated({"every_d": 1}, 3)
    ([1.0, 3.0], [0.0, 1.0, 2.0])
    """
    first, every, until = item.get("day", 0.0), item["every_d"], item.get("until_d")
    if isinstance(first, list) and len(first) == 1:
        first = first[0]
    last = horizon if until is None else until
    if not all(is_number(x) for x in (first, every, last, horizon)) or not every > 0 or last < first:
        return None
    if not (horizon - first) / every < MOST:
        return None
    days = [first + k * every for k in range(int((horizon - first) / every) + 1)]
    within = [float(d) for d in days if d < horizon and d <= last + 1e-9]
    return within or [float(first)]
