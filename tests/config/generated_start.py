"""Generated domains and starts: tiny lattices, nodules, dishes, spheroids, tables of cells, regions on any of them."""

from __future__ import annotations

import math
from random import Random
from typing import Any

from chance import maybe, number, some

from tme.config.schema import CELL_TRAITS, RELAXING, STATES

CSV = "cells.csv"


def domain(rng: Random, ndim: int) -> tuple[dict[str, Any], list[int]]:
    """A tiny lattice and its voxels per axis (x, y[, z])."""
    dx = rng.choice([20, 20, 15, 14, 30, 60, 22.5])
    shape = [rng.randint(3, 12 if ndim == 2 else 6) for _ in range(ndim)]
    out: dict[str, Any] = {"size_um": [n * dx for n in shape], "dx_um": dx}
    if dx < 20 or rng.random() < 0.2:
        out["thickness_um"] = rng.choice([20, 25, 100]) if dx >= 14 else 25
    words = ("no_flux", "periodic", "fixed")
    maybe(
        rng, out, 0.4,
        boundary=lambda: rng.choice([*words, {a: rng.choice(words) for a in "xyz"}, {"x": rng.choice(words)}]),
        at_edge=lambda: rng.choice(["stop", "continue"]),
        immune_per_voxel=lambda: rng.randint(1, 8),
    )  # fmt: skip
    return out, shape


def initial(rng: Random, library: Any, ndim: int, shape: list[int], dx: float) -> dict[str, Any]:
    """One of the starts, sometimes with regions."""
    out = base(rng, library, ndim, shape, dx)
    return patches(rng, library, out, shape, dx) if rng.random() < 0.25 else out


def base(rng: Random, library: Any, ndim: int, shape: list[int], dx: float) -> dict[str, Any]:
    """One of the starts without regions."""
    most = math.prod(shape)
    kind = rng.choice(["nodule", "monolayer", "cells", "spheroid" if ndim == 3 else "nodule"])
    if kind == "monolayer":
        return {"kind": kind, "occupancy": max(0.01, number(rng, 0.01, 1.0))}
    if kind == "cells":
        return table_start(rng, library, ndim, min(shape) * dx, most > 60)
    out = {"kind": kind, "n_cells": rng.choice([1, most, rng.randint(1, most)])}
    maybe(rng, out, 0.4, centre_um=lambda: [number(rng, 0, n * dx) for n in shape])
    return out


def table_start(rng: Random, library: Any, ndim: int, width: float, roomy: bool) -> dict[str, Any]:
    """A table of cells whose extent of 120 units fits; `roomy`: there is room for more tissue cells than those of the tumour."""
    um = round(width / 130.0, 3)
    out: dict[str, Any] = {"kind": "cells", "file": CSV, "columns": {"x": "x", "y": "y", "type": "type"},
                           "types": {"T": "tumour", "C": "cd8", "M": rng.choice([*(n for n, e in library.cells.items() if roomy or e.place == "guest"), "ignore"])}}  # fmt: skip
    out |= rng.choice([{"unit_um": um}, {"unit": "px", "um_per_px": um}])
    if ndim == 3:
        out["columns"]["z"] = "z"
    maybe(rng, out, 0.2, only=lambda: {"type": rng.choice([["T", "C", "M", "X"], ["T", "C"], ["T"], "T"])}, missing=lambda: rng.choice(["refuse", "leave_out"]),
          duplicates=lambda: rng.choice(["refuse", "leave_out", "keep"]), outside=lambda: "leave_out",
          roi=lambda: interest(rng, um))  # fmt: skip
    if "roi" not in out and rng.random() < 0.2:
        out |= {"tile": {"size_um": [200 * um, 200 * um], "index": [0, 0]}, "outside": "leave_out"}
    if roomy and not {"roi", "tile"} & set(out) and rng.random() < 0.2:
        out |= {"repeat": [rng.randint(1, 2), rng.randint(1, 2)], "outside": "leave_out", "duplicates": "leave_out"}
    maybe(rng, out, 0.4, traits=lambda: {"marker": measured(rng)})
    return out


def interest(rng: Random, um: float) -> dict[str, Any]:
    """A region of interest around everything."""
    return rng.choice([
        {"shape": "box", "from_um": [-10 * um, -10 * um], "to_um": [130 * um, 130 * um]},
        {"shape": "disc", "centre_um": [60 * um, 60 * um], "radius_um": 100 * um},
        {"shape": "polygon", "points_um": [[-200 * um, -70 * um], [60 * um, 190 * um], [320 * um, -70 * um]]},
    ])  # fmt: skip


def measured(rng: Random) -> dict[str, Any]:
    """What a column of the table sets."""
    out: dict[str, Any] = rng.choice([{"trait": rng.choice(CELL_TRAITS)}, {"state": rng.choice(STATES)}])
    way = rng.choice(["scaled", "scaled", "rank", "gated"])
    if way != "scaled":
        out["by"] = way
    if way == "gated":
        out |= {"gate": rng.choice([1.0, "otsu"]), "high": number(rng, 0.1, 3), "low": number(rng, 0.1, 1)}
    else:
        out["max_fold"] = number(rng, 1, 5)
    if way == "scaled":
        out["power"] = number(rng, -2, 2)
    if out.get("trait") in RELAXING:
        maybe(rng, out, 0.3, daughters_keep=lambda: rng.choice([True, False, 0.5, 1]))
    return out


def patches(rng: Random, library: Any, start: dict[str, Any], shape: list[int], dx: float) -> dict[str, Any]:
    """Regions on another start; what daughters keep of a trait is said at most once, in a region of that trait alone."""
    kept = {rule["trait"] for rule in start.get("traits", {}).values() if "daughters_keep" in rule}

    def point() -> list[float]:
        return [number(rng, 0, n * dx) for n in shape]

    def region() -> dict[str, Any]:
        kind = rng.choice(["disc", "band", "box"])
        out: dict[str, Any] = {"shape": kind}
        if kind == "band":
            low = number(rng, 0, 100)
            out |= {"axis": rng.choice("xyz"[: len(shape)]), "from_um": low, "to_um": low + 20}
        else:
            out["centre_um"] = point()
            out |= {"radius_um": number(rng, 1, 200)} if kind == "disc" else {"size_um": [number(rng, 1, 200) for _ in shape]}
        if rng.random() < 0.3:
            out["cells"] = rng.choice([*library.cells, "none"])
        elif (free := [t for t in RELAXING if t not in kept]) and rng.random() < 0.2:
            trait = rng.choice(free)
            kept.add(trait)
            out |= {"traits": {trait: number(rng, 0.01, 4)}, "daughters_keep": rng.choice([True, False, 0.25])}
        else:
            out["states"] = {t: number(rng, 0.5, 2) for t in some(rng, STATES, 2)}
            out["traits"] = {t: number(rng, 0.01, 4) for t in some(rng, CELL_TRAITS, 2)} or {"xct": 2}
            maybe(rng, out, 0.2, clone=lambda: "reference")
        maybe(rng, out, 0.5, share=lambda: number(rng, 0, 1))
        return out

    return {"kind": "regions", "base": start, "regions": [region() for _ in range(rng.randint(1, 3))]}


def table() -> str:
    """Cells for `initial: {kind: cells}`: 12 within 120 units a side, of mapped and unmapped types."""
    rng = Random(1)
    lines = ["x,y,z,type,marker"]
    for i in range(12):
        kind = "TTTCMX"[i % 6]
        lines.append(f"{rng.uniform(0, 120):.2f},{rng.uniform(0, 120):.2f},{rng.uniform(0, 120):.2f},{kind},{rng.lognormvariate(0, 1):.3f}")
    return "\n".join(lines) + "\n"
