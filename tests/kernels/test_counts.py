"""Cells near every voxel: both ways of counting against distances, at walls and round periodic axes."""

import numpy as np
import pytest

from tme.kernels.counts import by_cells, by_rows
from tme.kernels.neighbours import search_order
from tme.rules.readings import row_widths

LATTICES = [(1, 20, 33, 0, 0, 0), (1, 20, 33, 0, 1, 1), (1, 4, 40, 0, 0, 1), (9, 11, 14, 0, 0, 0), (9, 11, 14, 1, 0, 1), (1, 2, 3, 0, 1, 1)]


def around(word, flat):
    offsets = search_order(3, 2 if flat else 3)
    offsets = offsets if word == "near" else offsets[np.abs(offsets[:, :3]).max(axis=1) <= 1]
    return offsets, row_widths(offsets)


def expected(voxel, offsets, geometry):
    """Each cell, one offset after another."""
    shape, periodic = geometry[:3], geometry[3:]
    counts = np.zeros(shape, np.int64)
    for place in zip(*np.unravel_index(voxel, shape)):
        for offset in [(0, 0, 0), *(tuple(o[:3]) for o in offsets)]:
            to = [p + o for p, o in zip(place, offset)]
            if all(0 <= q < n or wraps for q, n, wraps in zip(to, shape, periodic)):
                counts[tuple(q % n for q, n in zip(to, shape))] += 1
    return counts.ravel()


@pytest.mark.parametrize("geometry", LATTICES)
@pytest.mark.parametrize("word", ["near", "contact"])
@pytest.mark.parametrize("share", [0.01, 0.3, 1.5])
def test_both_ways_count_the_living_cells_of_a_neighbourhood(geometry, word, share):
    rng, n_voxels = np.random.default_rng(1), geometry[0] * geometry[1] * geometry[2]
    n = max(1, int(share * n_voxels))
    voxel, state = rng.integers(0, n_voxels, n).astype(np.int32), (rng.random(n) < 0.2).astype(np.int8)
    offsets, rows = around(word, geometry[0] == 1)
    for stated, living in ((state, voxel[state == 0]), (np.zeros(0, np.int8), voxel)):
        want = expected(living, offsets, geometry)
        one, other, cells = (np.zeros(n_voxels, np.int16) for _ in range(3))
        by_cells(n, voxel, stated, offsets, 3 if word == "near" else 1, geometry, one)
        by_rows(n, voxel, stated, rows, geometry, cells, other)
        assert np.array_equal(one, want) and np.array_equal(other, want)
        assert not cells.any()


def test_cells_at_one_side_are_counted_there_alone():
    geometry, counts, cells = (1, 30, 60, 0, 0, 0), np.zeros(1800, np.int16), np.zeros(1800, np.int16)
    _offsets, rows = around("near", True)
    by_rows(2, np.array([10 * 60 + 58, 11 * 60 + 57], np.int32), np.zeros(2, np.int8), rows, geometry, cells, counts)
    lattice = counts.reshape(30, 60)
    assert lattice[:, :54].sum() == 0 and lattice[:7].sum() == 0 and lattice[15:].sum() == 0
    assert lattice[10, 58] == 2 and lattice[7, 58] == 1
    by_rows(0, np.zeros(0, np.int32), np.zeros(0, np.int8), rows, geometry, cells, counts)
    assert counts.sum() == lattice.sum()
