"""The case `spatial-1m`: every statistic of `tme spatial` of a million cells, part by part, in a process of its own."""

from __future__ import annotations

import json
import resource
import time
from typing import Any

import numpy as np

from tme.bench.kernels import row

DENSITY = 1 / 225.0  # cells per um^2: a lattice of 15 um
SHARES = {"tumour": 0.8, "macrophage": 0.08, "cd8": 0.06, "treg": 0.02, "dendritic": 0.04}


def spatial(case: str, n: int = 1_000_000) -> list[dict[str, Any]]:
    """CPU seconds of each part and of all, and the greatest resident memory of the process, libraries included."""
    from tme.bench.whole import _in_process

    text = _in_process(f"from tme.bench.spatial import measured; print(measured({n}))", 1)
    found = json.loads(text.splitlines()[-1])
    rows = [row(case, part, seconds, "s", n) for part, seconds in found["seconds"].items()]
    return [*rows, row(case, "all parts", sum(found["seconds"].values()), "s", n), row(case, "greatest resident memory", found["bytes"] / 1e6, "MB", n)]


def made_up(n: int) -> Any:
    """A tumour of n cells in a square, a tenth of it without T cells; a mark, and deaths in patches."""
    from tme.spatial import box, cells

    rng = np.random.default_rng(1)
    side = float(np.sqrt(n / DENSITY))
    points = rng.random((n, 2)) * side
    names = rng.choice(np.array(list(SHARES), "<U16"), n, p=list(SHARES.values()))
    names[(names == "cd8") & (points[:, 0] < 0.1 * side)] = "tumour"
    names[np.hypot(*(points - side / 2).T) > 0.45 * side] = "stroma"
    hours = np.where((names == "tumour") & (rng.random(n) < 0.3 * (np.sin(points / 300.0).prod(axis=1) > 0)), points[:, 0] / 330.0, np.nan)
    names[np.isfinite(hours)] = "dead_ferroptosis"
    return cells(points, names, box([0, 0], [side, side]), {"pdl1": np.where(names == "tumour", rng.random(n), np.nan)}, hours)


def measured(n: int) -> str:
    """JSON: CPU seconds by part of a second pass over n cells (the first, over few, compiles), and the greatest resident bytes."""
    from tme import spatial as of

    _parts(of, made_up(3000))
    seconds = _parts(of, made_up(n))
    return json.dumps({"seconds": seconds, "bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024})


def _parts(of: Any, cells: Any) -> dict[str, float]:
    """What `tme spatial` computes, with its defaults."""
    kept: dict[str, Any] = {}

    def edge() -> None:
        of.profile(cells, of.region(cells, ["tumour", "dead_ferroptosis"]))

    tumour = cells.where(cells.of("tumour", "dead_ferroptosis"))
    parts = {
        "neighbours": lambda: kept.update(graph=of.neighbours(cells)),
        "enrichment, 99 shuffles": lambda: kept.update(rich=of.enrichment(cells, kept.pop("graph"), 99)),
        "mixing": lambda: of.mixing(kept["rich"]),
        "cross-K and pair correlation to 150 um": lambda: of.correlation(cells),
        "weighted pair correlation": lambda: of.weighted(cells, "pdl1"),
        "nearest distances": lambda: of.nearest(cells),
        "distance from the edge": edge,
        "niches": lambda: of.niches([cells]),
        "ferroptotic clusters, 19 shuffles": lambda: of.clusters(tumour, shuffles=19),
        "propagation index, 99 shuffles": lambda: of.propagation_index(cells, shuffles=99),
        "front": lambda: of.front(tumour),
    }
    seconds = {}
    for name, work in parts.items():
        begun = time.process_time()
        work()
        seconds[name] = time.process_time() - begun
    return seconds
