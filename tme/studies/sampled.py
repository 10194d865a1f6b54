"""A posterior as a table: draws of some numbers that belong together, which stand in for their ranges.

A CSV file with a dotted key per column and a draw per row; a column `weight` says how likely a row is (alike without it), a column
`sample` numbers the rows. The directory of a finished `tme calibrate` stands for its table. Draws are whole rows, so that what
was learnt of numbers together stays together.
"""

from __future__ import annotations

import csv
import hashlib
import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from tme.config import ConfigError
from tme.studies import directory
from tme.studies.ranges import Range, fault_at, own_ranges

WEIGHT, NUMBER = "weight", "sample"  # columns that are no keys
KEY = "study.posterior"


@dataclass(frozen=True)
class Sampled:
    """Draws (n, keys) of the numbers `keys`, with the share of draws up to each row (n,)."""

    keys: tuple[str, ...]
    values: np.ndarray
    up_to: np.ndarray

    @property
    def effective(self) -> float:
        """How many draws alike would tell as much: 1/sum of squared weights."""
        weights = np.diff(self.up_to, prepend=0.0) / self.up_to[-1]
        return float(1.0 / (weights**2).sum())

    @property
    def digest(self) -> str:
        """Eight hexadecimal digits over the draws: they are part of what a study is."""
        return hashlib.sha256(self.values.tobytes() + self.up_to.tobytes() + " ".join(self.keys).encode()).hexdigest()[:8]

    def row(self, u: float) -> dict[str, float]:
        """The draw that a share u (0 to 1) falls on."""
        at = min(int(np.searchsorted(self.up_to, u * self.up_to[-1], side="right")), len(self.values) - 1)
        return dict(zip(self.keys, map(float, self.values[at])))

    def over(self, ranges: list[Range]) -> list[Range]:
        """The ranges, those of sampled numbers from the least to the greatest draw; numbers without a range come last."""
        ends = {k: (float(v.min()), float(v.max())) for k, v in zip(self.keys, self.values.T)}
        known = {r.key: r for r in ranges}
        for key, (low, high) in ends.items():
            r = known.get(key, Range(key, low, high, math.nan, group=key))
            known[key] = replace(r, low=low, high=high if high > low else low + 1e-12 * max(1.0, abs(low)), scale="even")
        return list(known.values())


def table_at(config: Any, path: Path) -> Path:
    """The table itself; of a directory that of the calibration in it. ConfigError for a directory of anything else."""
    if not path.is_dir():
        return path
    kind, table = directory.read_study(path).get("kind"), path / directory.TABLE
    if kind != "calibrate":
        what = f"a study of tme {kind}" if kind else "no study directory"
        raise ConfigError([fault_at(config, KEY, f"{path} is {what}", "the directory of a `tme calibrate`, or a CSV file")])
    if not table.exists():
        raise ConfigError([fault_at(config, KEY, f"{path}: the calibration is not finished", "the directory of a finished one; the same command completes it")])
    return table


def sampled_of(config: Any) -> Sampled | None:
    """The table that the study names, read and checked; ConfigError where it is none or holds what the config has not."""
    name = config.study.posterior if config.study is not None else None
    if name is None:
        return None
    path = table_at(config, Path(config.origin.get(KEY, ("", 0))[0]).parent / name)
    try:
        with open(path, encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        table = np.array([[float(x) for x in row.values()] for row in rows], float)
    except (OSError, ValueError, TypeError, csv.Error) as error:
        raise ConfigError([fault_at(config, KEY, f"{path}: {error}", "a CSV file of numbers with a dotted key per column")]) from error
    columns = list(rows[0]) if rows else []
    keys = [k for k in columns if k not in (WEIGHT, NUMBER)]
    weights = table[:, columns.index(WEIGHT)] if WEIGHT in columns else np.ones(len(table))
    if not rows or not keys or not np.isfinite(table).all() or (weights < 0).any() or not weights.sum() > 0:
        raise ConfigError([fault_at(config, KEY, f"{path} holds no draws", "finite numbers in every row, and weights that are not negative")])
    values = table[:, [columns.index(k) for k in keys]]
    first = {k: float(v) for k, v in zip(keys, values[0])}
    try:
        config.with_values(first)
    except ConfigError as error:
        f = error.faults[0]
        raise ConfigError([fault_at(config, KEY, f"{path}: {f.key} {f.problem}", f.expected or "keys of this config", f.meant)]) from error
    unused = [k for k in keys if k.startswith(("mechanisms.", "entries.")) and k not in own_ranges(config)]
    if unused:
        raise ConfigError([fault_at(config, KEY, f"{path}: {unused[0]} is no number that this config uses", "keys of `tme describe --evidence`")])
    return Sampled(tuple(keys), values, np.cumsum(weights))
