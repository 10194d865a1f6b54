"""What a kind of machine has measured before: a band for each figure, beyond which `tme bench` and docs/benchmarks.md say so. Nothing fails by it.

Bands lie in `references.yaml` beside this file: kind of machine -> "case: metric" -> [lowest, highest]. `python docs/make_benchmarks.py --references`
writes them from the committed measurements.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

Bands = Mapping[str, tuple[float, float]]


def kind_of(machine: Mapping[str, Any]) -> str:
    """Name of the kind of a machine (`provenance.machine`): processor as it calls itself, width of its vectors, cores."""
    name = re.sub(r"\(.*?\)|@.*|\d+-core|processor|cpu", " ", str(machine.get("cpu", "")), flags=re.IGNORECASE)
    has = str(machine.get("features", "")).split()
    vectors = "avx512" if "avx512f" in has else "avx2" if "avx2" in has else "neon" if "neon" in has else "scalar"
    return "-".join([*re.findall(r"[a-z0-9]+", name.lower()), vectors, f"{machine.get('cores', '?')}cores"])


@cache
def known() -> dict[str, dict[str, tuple[float, float]]]:
    """Bands by kind of machine."""
    from ruamel.yaml import YAML

    read = YAML(typ="safe").load(files("tme.bench").joinpath("references.yaml").read_text(encoding="utf-8")) or {}
    return {kind: {name: (float(low), float(high)) for name, (low, high) in bands.items()} for kind, bands in read.items()}


def named(row: Mapping[str, Any]) -> str:
    """A measurement's name in the table of bands."""
    return f"{row['case']}: {row['metric']}"


def outside(rows: Iterable[Mapping[str, Any]], bands: Bands | None) -> list[str]:
    """A sentence for every measurement that lies outside its band; none where there is no band."""
    out = []
    for r in rows:
        band = (bands or {}).get(named(r))
        if band is not None and not band[0] <= r["value"] <= band[1]:
            side = "below" if r["value"] < band[0] else "above"
            out.append(f"{named(r)}: {r['value']:.4g} {r['unit']} lies {side} {band[0]:.4g} to {band[1]:.4g}, seen before on this kind of machine")
    return out


def band_of(values: Iterable[float]) -> tuple[float, float]:
    """The band that measurements span, wider by 20 % on the low side and 30 % on the high one: a shared machine is a third slower in busy hours."""
    values = list(values)
    return 0.8 * min(values), 1.3 * max(values)
