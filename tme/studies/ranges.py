"""From where to where each number of an experiment may lie: what sensitivity and robustness draw from.

A number is called by its dotted config key, `mechanisms.GROUP.NAME` or `entries.KIND.ENTRY.KEY`. By default its range is
the one that `tme describe --evidence` tells: stated with the number, or by rule from what stands behind it
(`core.parameters.range_of`). Numbers of the method (clocks, tolerances) and those whose range is a point are left out.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Any

import numpy as np

from tme.config import ConfigError, Fault
from tme.config.errors import listed, nearest
from tme.model.describe import at_work, entries_in_force, idle, set_at
from tme.model.registry import tumour_overrides
from tme.model.tumour_model import TumourModel

METHOD = ("clock_min", "tolerance", "coarsen")  # last words of numbers that say how, not what, is computed
LOG_FOLD = 4.0  # a range above 0 that spans more is drawn evenly in the logarithm where its value does not tell the scale


@dataclass(frozen=True)
class Range:
    """One number that a study draws: dotted key, ends, value in force, scale ("even" or "log"), group, unit, what stands behind it."""

    key: str
    low: float
    high: float
    value: float
    scale: str = "even"
    group: str = ""
    unit: str = ""
    status: str = "assumed"
    whole: bool = False

    def at(self, u: Any) -> Any:
        """The value at a share u (any shape, 0 to 1) of the range."""
        u = np.asarray(u, float)
        if self.scale == "log":
            out = np.exp(math.log(self.low) + u * (math.log(self.high) - math.log(self.low)))
        else:
            out = self.low + u * (self.high - self.low)
        out = np.clip(out, self.low, self.high)
        return np.rint(out) if self.whole else out

    def share_of(self, value: Any) -> Any:
        """Where in the range a value lies, 0 to 1."""
        value = np.asarray(value, float)
        if self.scale == "log":
            return np.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)


def scale_of(low: float, high: float, value: float = math.nan) -> str:
    """How a range is drawn where nobody says: on the scale on which its value lies nearer to the middle.

    A factor of two either way is symmetric in the logarithm. Where the value is an end or unknown, evenly in the logarithm if the range
    spans several-fold above 0.
    """
    if low <= 0:
        return "even"
    if low < value < high:
        of_log = math.log(value / low) / math.log(high / low)
        return "log" if abs(of_log - 0.5) <= abs((value - low) / (high - low) - 0.5) else "even"
    return "log" if high / low > LOG_FOLD else "even"


def own_ranges(config: Any) -> dict[str, Range]:
    """All numbers that some arm of the experiment uses and that have a range wider than a point, by key."""
    models = [TumourModel(config, arm=arm, empty=True) for arm in config.arms]
    out: dict[str, Range] = {}
    overrides = tumour_overrides(config)
    entry = config.library.tumour(config.tumour.preset)
    for group, parameters in config.registry.items():
        if not any(at_work(m, group) for m in models):
            continue
        for p in parameters.values():
            value = overrides.get(group, {}).get(p.name)
            number = entry.numbers.get(f"parameters.{group}.{p.name}")
            ends = p.range
            if value is not None and number is not None and number.value == value:
                ends = number.prior
            elif value is not None and value != p.value:
                ends = replace(p, value=value, stated=p.stated if p.stated and p.stated[0] <= value <= p.stated[1] else None).range
            add(out, f"mechanisms.{group}.{p.name}", ends, p.value if value is None else value, f"mechanisms.{group}", p.unit, p.status)
    for kind, named in entries_in_force(config).items():
        for name, item in named.items():
            if kind == "tumours" or all(idle(config, m, kind, name) for m in models) or not heard(config, kind, name):
                continue
            for key, number in item.numbers.items():
                ends = number.prior
                if kind == "cells" and key == "volume_um3" and config.library.cells[name].place == "tissue":
                    ends = ends[0], min(ends[1], models[0].grid.voxel_um3)  # one such cell stands in a voxel
                at = set_at(config, kind, name, key) or f"entries.{kind}.{name}.{key}"  # an entry's own number is not heard where the config sets it
                at += ".value" * (kind == "rules" and at.startswith("rules.") and name not in config.library.rules)
                add(out, at, ends, number.value, f"{kind}.{name.split('.')[0]}", number.unit, number.status)
    return out


def heard(config: Any, kind: str, name: str) -> bool:
    """Whether an entry can act in some arm: a rule on events only where an event of that sort is given."""
    if kind != "rules":
        return True
    from tme.rules.resolve import chosen, woken

    events = {item.name for arm in config.arms for item in config.therapy_of(arm).events}
    return name in woken(chosen(config), config.library, events)


def add(out: dict[str, Range], key: str, ends: tuple[float, float], value: float, group: str, unit: str, status: str) -> None:
    """Take a number up unless it says how to compute or its range is a point."""
    low, high = float(ends[0]), float(ends[1])
    if key.removesuffix(".value").rpartition(".")[2] not in METHOD and low < high:
        out[key] = Range(key, low, high, float(value), scale_of(low, high, float(value)), group, unit, status)


def ranges_of(config: Any) -> list[Range]:
    """The ranges that an experiment's study asks for, in a fixed order; ConfigError for keys that do not exist."""
    asked = config.study.ranges if config.study is not None else {"*": None}
    own, faults = own_ranges(config), []
    plain = flat(config.to_dict())
    out: dict[str, Range] = {}
    for key, given in asked.items():
        if "*" in key or "?" in key:
            found = [k for k in own if fnmatchcase(k, key)]
            if not found:
                faults.append(fault(config, key, "no number in use fits this pattern", listed(groups_of(own), 40)))
            out.update({k: changed(own[k], given) for k in found if k not in asked})
            continue
        known = own.get(key) or in_config(key, plain)
        if known is not None:
            out[key] = changed(known, given)
        elif given is not None and given.low is not None and given.high is not None:
            out[key] = changed(Range(key, given.low, given.high, math.nan), given)
        else:
            faults.append(fault(config, key, "is no number in use that has a range", "a key of `tme describe --evidence`", nearest(key, [*own, *plain])))
    faults += [fault(config, key, "has a step", "steps in what `tme optimise` varies only") for key, given in asked.items() if given is not None and given.step]
    faults += [f for r in out.values() for f in unfit(config, r, asked)]
    if faults:
        raise ConfigError(faults)
    return list(out.values())


def in_config(key: str, plain: Mapping[str, Any]) -> Range | None:
    """A number of the config itself (cells at the start, a dose): it has no range of its own.

    A count is drawn as a count. A law's number or a dose is none, also where the YAML says 0 or 10.
    """
    value = plain.get(key)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return Range(key, math.nan, math.nan, float(value), group=key.partition(".")[0],
                 whole=isinstance(value, int) and not key.startswith("mechanisms.") and ".dose_" not in key)  # fmt: skip


def changed(known: Range, given: Any) -> Range:
    """A number's own range with what the study says of it."""
    if given is None:
        return known
    out = known
    if given.low is not None:
        out = replace(out, low=float(given.low), high=float(given.high), scale=scale_of(given.low, given.high, known.value))
    scale = given.scale or out.scale
    return replace(out, scale=scale if out.low > 0 else "even", group=given.group or out.group or out.key)


def unfit(config: Any, r: Range, asked: Mapping[str, Any]) -> list[Fault]:
    """What the config says to the ends of a range that the study states."""
    if r.key not in asked:
        return []
    if math.isnan(r.low):
        return [fault(config, r.key, "has no range of its own", "[low, high]")]
    for end in (r.low, r.high):
        try:
            config.with_values({r.key: float(r.at(r.share_of(end))) if not r.whole else int(r.at(r.share_of(end)))})
        except ConfigError as error:
            first = error.faults[0]
            return [fault(config, r.key, first.problem if first.key == r.key else f"makes {first.key} wrong: {first.problem}", first.expected, first.meant)]
    return []


def fault(config: Any, key: str, problem: str, expected: str = "", meant: str = "") -> Fault:
    """A fault of one key under study.ranges, where it is written."""
    return fault_at(config, f"study.ranges.{key}", problem, expected, meant)


def fault_at(config: Any, key: str, problem: str, expected: str = "", meant: str = "") -> Fault:
    """A fault of a key, at the line of the key or of the nearest one above or below it."""
    places = config.origin
    parts = key.split(".")
    for n in range(len(parts), 0, -1):
        part = ".".join(parts[:n])
        at = places.get(part) or next((p for k, p in places.items() if k.startswith(part + ".")), None)
        if at:
            return Fault(at[0], at[1], key, problem, expected, meant)
    return Fault("config", 0, key, problem, expected, meant)


def groups_of(ranges: Mapping[str, Range]) -> list[str]:
    """Names of groups."""
    return list(dict.fromkeys(r.group for r in ranges.values()))


def flat(data: Any, path: str = "") -> dict[str, Any]:
    """Dotted key -> leaf of plain data."""
    if not isinstance(data, dict):
        return {path: data}
    out: dict[str, Any] = {}
    for key, value in data.items():
        out.update(flat(value, f"{path}.{key}" if path else str(key)))
    return out


def values_at(ranges: Sequence[Range], u: Iterable[float]) -> dict[str, float | int]:
    """Dotted key -> value of one draw, u (n,) being its place in each range."""
    return {r.key: int(r.at(x)) if r.whole else float(r.at(x)) for r, x in zip(ranges, u)}
