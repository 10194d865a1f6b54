"""The case `pathways`: one step of every pathway of the library, in cells that have settled and are then disturbed."""

from __future__ import annotations

from typing import Any

import numpy as np

from tme.bench.kernels import median_ns, row

N_CELLS = 50_000


def pathways(case: str, n: int = N_CELLS) -> list[dict[str, Any]]:
    """Processor time per cell of a step of one tick of each pathway, its inputs at their defaults; the first step compiles and is not counted."""
    from tme.pathways import PATHWAYS
    from tme.pathways.stepping import advance, settle

    rows = []
    for name, pathway in PATHWAYS.items():
        p = pathway.parameters.build()
        columns = [np.full(n, s.start) for s in pathway.states] + [np.full(n, g.default) for g in (*pathway.traits, *pathway.inputs)]
        state, clock, cells, tick = np.zeros(n, np.int8), np.zeros(n, np.int32), np.arange(n, dtype=np.int64), 0
        settle(pathway, n, p, state, *columns)
        rng = np.random.default_rng(1)
        for column in columns[: len(pathway.states)]:
            column *= rng.uniform(0.8, 1.2, n)
        before = [column.copy() for column in columns[: len(pathway.states)]]

        def work(pathway: Any = pathway, p: Any = p, state: Any = state, clock: Any = clock, cells: Any = cells, columns: Any = columns) -> None:
            nonlocal tick
            tick += 1
            advance(pathway, cells, n, tick, 1.0, p, state, clock, *columns)

        work()
        value = median_ns(work) / n
        if all(np.array_equal(a, b) for a, b in zip(before, columns)):
            raise AssertionError(f"{name} did not change")
        rows.append(row(case, f"one step, {name}", value, "ns/cell", n))
    return rows
