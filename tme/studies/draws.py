"""Random numbers of a calibration: a pure function of (seed, purpose, round, index), so that neither the executor nor the order
of evaluation nor a kill changes them.

The generator is that of the model (`kernels.rng`); purposes are numbered apart from its streams.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np

from tme.kernels import rng


class Purpose(IntEnum):
    """What a draw of a calibration is for. Values are part of the file format: append, never renumber."""

    DESIGN = 1001
    SHUFFLE = 1002
    CANDIDATE = 1003
    PROPOSE = 1004
    SEED = 1005
    NOISE = 1006
    RESAMPLE = 1007
    TRUTH = 1008


def uniforms(seed: int, purpose: Purpose, round_: int, indices: np.ndarray, columns: int) -> np.ndarray:
    """(n, columns) float64 in (0, 1): one row for each of `indices` (n,) whole numbers."""
    uids = np.ascontiguousarray(indices, dtype=np.uint64)
    out = np.empty((columns, uids.size))
    for column in range(columns):
        rng.uniforms(np.uint64(seed), int(purpose), round_, uids, column, out[column])
    return out.T


def normals(seed: int, purpose: Purpose, round_: int, indices: np.ndarray, columns: int) -> np.ndarray:
    """(n, columns) standard normals: one row for each of `indices` (n,) whole numbers."""
    uids = np.ascontiguousarray(indices, dtype=np.uint64)
    out = np.empty((columns, uids.size))
    for column in range(columns):
        rng.normals(np.uint64(seed), int(purpose), round_, uids, column, out[column])
    return out.T


def permutation(seed: int, purpose: Purpose, round_: int, n: int, column: int = 0) -> np.ndarray:
    """The numbers 0 … n-1 in random order."""
    u = uniforms(seed, purpose, round_, np.arange(n), column + 1)[:, column]
    return np.argsort(u, kind="stable")


def latin_hypercube(seed: int, round_: int, n: int, columns: int) -> np.ndarray:
    """(n, columns) points in the unit cube: each column has one point in each of n equal strips."""
    jitter = uniforms(seed, Purpose.DESIGN, round_, np.arange(n), columns)
    order = np.column_stack([permutation(seed, Purpose.SHUFFLE, round_, n, c) for c in range(columns)])
    return (order + jitter) / n


def common_seeds(seed: int, round_: int, n: int, pool: int) -> np.ndarray:
    """(n,) numbers of seeds below `pool`: every seed serves equally often, in random order; pool 0: each point its own seed."""
    if pool == 0:
        return np.arange(n) + (round_ + 1) * 1_000_000
    turns = -(-n // pool)
    return np.concatenate([permutation(seed, Purpose.SEED, round_ * 65_536 + t, pool) for t in range(turns)])[:n]
