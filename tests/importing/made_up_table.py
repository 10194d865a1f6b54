"""A made-up field of cells in the form of a CODEX table."""

import numpy as np


def packed(n=200, spacing=13.0, seed=4):
    """Places (n, 2) of cells some way apart, um."""
    side = int(np.ceil(np.sqrt(n)))
    i, j = np.meshgrid(np.arange(side), np.arange(side))
    return (np.stack([i.ravel(), j.ravel()], axis=1)[:n] + np.random.default_rng(seed).uniform(-0.3, 0.3, (n, 2))) * spacing


def codex(names=("PDL1n", "PDL1p", "PD1p"), scale=1.0, region="a", **more):
    """Text of a table in CODEX form."""
    lines = ["cell_id,AbsoluteY,AbsoluteX,PD1,PDL1,Region,Cell Type" + "".join(f",{c}" for c in more)]
    for k, (x, y) in enumerate(packed()):
        lines.append(f"{k},{scale * y:.5f},{scale * x:.5f},{100 + k % 7},{500 + 9 * k},{region},{names[(k % 40 == 0) * 2 or k % 3 == 0]}" + "".join(f",{v}" for v in more.values()))
    return "\n".join(lines) + "\n"
