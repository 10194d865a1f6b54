"""What `tme spatial` says: a summary in words and short tables, and rows for a data table of `tme calibrate`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from tme.spatial import names
from tme.spatial.analysis import Analysis, Found, Sample
from tme.spatial.gather import Gathered
from tme.statistics import mean_of_amounts

MOST_PAIRS, MOST_NAME, FEWEST = 12, 60, 5
OF_ONE = ("cluster_p", "front_low_um_min", "front_high_um_min")  # whose mean over simulations says nothing


def plain(text: Any) -> str:
    """A name as it may be printed: on one line, without control characters, not endless."""
    shown = "".join(c if c.isprintable() else "?" for c in str(text))
    return shown if len(shown) <= MOST_NAME else shown[: MOST_NAME - 3] + "..."


def number(value: Any) -> str:
    """Three digits; - for what is not known."""
    if isinstance(value, str):
        return plain(value) or "-"
    if value is None or not math.isfinite(value):
        return "-"
    return f"{int(value):,}" if float(value).is_integer() and abs(value) < 1e9 else rounded(float(value))


def lines(rows: Sequence[dict[str, Any]], title: str) -> list[str]:
    """Rows as aligned lines under a title; nothing without rows."""
    if not rows:
        return []
    columns = list(dict.fromkeys(k for row in rows for k in row))
    cells = [[plain(c) for c in columns], *([number(row.get(c)) for c in columns] for row in rows)]
    widths = [max(len(r[i]) for r in cells) for i in range(len(columns))]
    text = [isinstance(rows[0].get(c), str) for c in columns]
    body = ["  ".join(v.ljust(w) if t else v.rjust(w) for v, w, t in zip(r, widths, text)).rstrip() for r in cells]
    return ["", title, *(f"  {line}" for line in body)]


def words(found: Analysis, gathered: Gathered, written: Sequence[Path]) -> str:
    """The summary that the command prints."""
    out = [plain_line(t) for t in gathered.told]
    if not gathered.simulated:
        for f in found.found:
            out += of_sample(f)
    else:
        out += of_run(found)
    if found.niches is not None:
        rows = [{"niche": str(k + 1), "cells": int(n), **{t: float(s) for t, s in zip(found.niches.types, shares)}} for k, (n, shares) in enumerate(zip(found.niches.sizes, found.niches.composition))]
        out += lines(rows, f"niches: share of types within {found.ask.niche_um:g} um of their cells, all samples together")
    if found.notes:
        out += ["", "remarks", *(f"  {plain_line(n)}" for n in found.notes[:MOST_PAIRS])]
        if len(found.notes) > MOST_PAIRS:
            out.append(f"  ... and {len(found.notes) - MOST_PAIRS} more of this kind")
    where = written[0].parent if written else Path()
    return "\n".join([*out, "", f"{len(written)} files in {plain_line(where)}: {', '.join(p.name for p in written)}"])


def plain_line(text: Any) -> str:
    """The same for a line, as long as it is."""
    return "".join(c if c.isprintable() else "?" for c in str(text))


def of_sample(f: Found) -> list[str]:
    """One table's statistics: where it stands, contacts, distances."""
    out = ["", f"== {plain(f.sample.name)}: {f.seen.n:,} cells, window {' x '.join(f'{s:.0f}' for s in f.seen.window.size)} um ({f.seen.window.about}) =="]
    out += lines([{"statistic": k, "value": v} for k, v in f.summary.items() if not k.startswith("cells_")], "summary")
    rich = f.enrichment
    rows: list[dict[str, Any]] = [
        {"from": a, "to": b, "contacts": int(rich.contacts[i, j]), "expected": float(rich.mean[i, j]), "ratio": float(rich.ratio[i, j]), "z": float(rich.z[i, j]), "p shuffled": float(rich.p[i, j])}
        for i, a in enumerate(rich.types) for j, b in enumerate(rich.types)
    ]  # fmt: skip
    rows.sort(key=lambda r: -abs(r["z"]) if math.isfinite(r["z"]) else 0.0)
    more = f", the {MOST_PAIRS} furthest from chance" if len(rows) > MOST_PAIRS else ""
    out += lines(rows[:MOST_PAIRS], f"contacts ({rich.about}; expected of shuffled types){more}")
    near = [{"from": n.source, "to": n.target, "cells": n.n, "median um": n.quartiles_um[1], "within 30 um": n.near_share, "unrelated um": n.random_median_um} for n in f.nearest if n.source != n.target]
    return out + lines(near[:MOST_PAIRS], "distance to the nearest")


def of_run(found: Analysis) -> list[str]:
    """A run's statistics at its last common hour: mean over replicates with a 95 % interval, an arm a column."""
    hour = last_hour(found.found)
    last = [f for f in found.found if f.sample.keys["hour"] == hour]
    arms = list(dict.fromkeys(f.sample.group for f in last))
    out = ["", f"== hour {hour:g} (day {hour / 24:g}), mean over replicates with 95 % interval =="]
    numbers = [k for k in dict.fromkeys(k for f in last for k in f.summary) if not k.startswith("cells_") and k not in OF_ONE]
    rows = [{"statistic": k, **{a: _over_replicates([f.summary.get(k) for f in last if f.sample.group == a]) for a in arms}} for k in numbers]
    out += lines(rows, "summary")
    types = list(dict.fromkeys(t for f in last for t in f.enrichment.types))
    pairs: list[tuple[float, dict[str, Any]]] = []
    for i, a in enumerate(types):
        for b in types[i:]:
            ratios = {arm: [_ratio(f, a, b) for f in last if f.sample.group == arm] for arm in arms}
            far = max((abs(math.log2(v)) for r in ratios.values() for v in r if v and math.isfinite(v)), default=0.0)
            pairs.append((far, {"from": a, "to": b, **{arm: _over_replicates(r) for arm, r in ratios.items()}}))
    pairs.sort(key=lambda p: -p[0])
    more = f", the {MOST_PAIRS} furthest from 1" if len(pairs) > MOST_PAIRS else ""
    return out + lines([row for _, row in pairs[:MOST_PAIRS]], f"contacts over those of shuffled types ({last[0].enrichment.about}){more}")


def last_hour(found: Sequence[Found]) -> float:
    """The last hour that all simulations have, else the last that any has."""
    hours: dict[tuple, set[float]] = {}
    for f in found:
        hours.setdefault((f.sample.keys["arm"], f.sample.keys["replicate"]), set()).add(f.sample.keys["hour"])
    common = set.intersection(*hours.values())
    return max(common) if common else max(h for some in hours.values() for h in some)


def _ratio(f: Found, a: str, b: str) -> float:
    """The ratio of two types; NaN where one has too few cells for it to say anything."""
    types = f.enrichment.types
    if a not in types or b not in types or min(f.enrichment.counts[types.index(t)] for t in (a, b)) < FEWEST:
        return float("nan")
    return float(f.enrichment.ratio[types.index(a), types.index(b)])


def _over_replicates(values: Sequence[Any]) -> str:
    """Mean and interval, or how often each word occurs."""
    there = [v for v in values if v is not None]
    if there and isinstance(there[0], str):
        return ", ".join(f"{w} {there.count(w)}" for w in dict.fromkeys(there) if w) or "-"
    known = np.array([v for v in there if math.isfinite(v)], float)
    if not len(known):
        return "-"
    e = mean_of_amounts(known)
    return f"{rounded(e.value)} ({rounded(e.low)} to {rounded(e.high)})" if e.has_interval else rounded(float(known.mean()))


def rounded(value: float) -> str:
    """Three digits without an exponent for amounts of cells."""
    return f"{value:,.0f}" if 1000 <= abs(value) < 1e9 else f"{value:.3g}"


def as_data(found: Analysis, gathered: Gathered, written: Sequence[Path]) -> dict[str, Any]:
    """The same for `--json`: every table as records, NaN as null."""
    tables = {name: _records(table) for name, table in found.tables.items() if name not in ("nearest_curves",)}
    return {"read": list(gathered.told), "remarks": list(found.notes), "files": [str(p) for p in written], **tables}


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    return [{k: _plain_value(v) for k, v in row.items()} for row in table.to_dict("records")]


def _plain_value(value: Any) -> Any:
    """A number or text of Python's own; None for what is no finite number."""
    value = value.item() if isinstance(value, np.generic) else value
    return None if isinstance(value, float) and not math.isfinite(value) else value


def data_rows(samples: Sequence[Sample], asked: Sequence[str], day: float | None, arm: str) -> list[dict[str, Any]]:
    """Rows of a data table (docs/calibrate.md): a sample is a replicate. SpatialError where a statistic is unknown or cannot be told."""
    from tme.spatial.cell import SpatialError

    rows = []
    for name in asked:
        names.check([name], {t for s in samples for t in s.cells.types})
        for k, s in enumerate(samples):
            value = names.values(s.cells, [name])[name]
            if not math.isfinite(value):
                raise SpatialError(f"--target {name}: cannot be told of {plain(s.name)}, which may lack such cells; expected a statistic that every table has")
            rows.append({"day": day, "readout": name, "value": value, "arm": arm, "replicate": k + 1})
    return rows
