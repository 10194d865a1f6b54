"""What stands behind the numbers that a config uses: counts by status, and the numbers themselves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tme.core.parameters import STATUSES

Rows = list[dict[str, Any]]


def evidence(found: Mapping[str, Any]) -> dict[str, Any]:
    """Counts by status of the numbers in use, by group (of parameters, or kind of entries) and in all; then the numbers.

    `found`: as `describe` gives it. A number is counted where the model uses it: the law is in the plan, the field is solved, the axis is on.
    """
    tables = {k: [r for r in v if r.get("in use", True)] for k, v in found.items() if isinstance(v, list) and v and isinstance(v[0], Mapping) and "status" in v[0]}
    groups: dict[str, Rows] = {}
    for rows in tables.values():
        for row in rows:
            word = str(row.get("parameter") or row["number"]).partition(".")[0]
            groups.setdefault(f"mechanisms.{word}" if "parameter" in row else word, []).append(row)
    counts = [{"numbers": key, **{s: sum(r["status"] == s for r in rows) for s in STATUSES}, "all": len(rows)} for key, rows in groups.items()]
    total = {k: sum(row[k] for row in counts) for k in (*STATUSES, "all")}
    keep = ("parameter", "number", "value", "unit", "range", "status", "source")
    cut = {key: [{k: row[k] for k in keep if k in row} for row in rows] for key, rows in tables.items()}
    return {"evidence": [*counts, {"numbers": "in all", **total}], **cut}
