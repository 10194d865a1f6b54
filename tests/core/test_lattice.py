"""What the lattice says of places."""

from __future__ import annotations

import numpy as np
import pytest

from tme.core.grid import Grid
from tme.core.lattice import Lattice


@pytest.mark.parametrize(("shape", "periodic"), [((1, 33, 40), (False, False, False)), ((5, 33, 40), (False, True, False)), ((9, 8, 7), (True, True, True))])
def test_what_is_beside_a_cell_is_in_its_block_or_one_next_to_it(shape, periodic):
    lattice = Lattice(Grid(shape, 15.0, periodic=periodic), 3)
    everywhere = np.arange(lattice.grid.n_voxels, dtype=np.int32)
    these = everywhere[[0, 7 * shape[2] + 3]]
    block = np.array(np.unravel_index(everywhere, shape)) // 4  # of 60 um
    wanted = np.zeros(len(everywhere), bool)
    for t in these:
        apart = np.abs(block - block[:, t : t + 1])
        for axis, wraps in enumerate(periodic):
            if wraps:
                apart[axis] = np.minimum(apart[axis], block[axis].max() + 1 - apart[axis])
        wanted |= (apart <= 1).all(axis=0)
    np.testing.assert_array_equal(lattice.beside(these, everywhere, 60.0), wanted)
    assert not lattice.beside(these[:0], everywhere, 60.0).any()


@pytest.mark.parametrize(("shape", "periodic"), [((1, 33, 40), (False, True, True)), ((1, 30, 41), (False, False, True)), ((9, 12, 11), (True, False, True))])
def test_depth_goes_round_a_periodic_axis(shape, periodic):
    """A tumour cut in two by a periodic face has the depths of the same tumour in one piece."""
    z, y, x = np.indices(shape)
    ball = (z - shape[0] // 2) ** 2 + 1.7 * (y - shape[1] // 2) ** 2 + (x - shape[2] // 2) ** 2 <= (3.2 if shape[0] > 1 else 9.3) ** 2
    steps = tuple(n // 2 + 1 if wraps else 0 for n, wraps in zip(shape, periodic))

    def depths(tissue):
        lattice = Lattice(Grid(shape, 15.0, periodic=periodic), 3)
        lattice.tissue_row[:] = np.where(tissue.ravel(), 0, -1)
        return [of.reshape(shape) for of in (lattice.depth_um(), lattice.inside_um())]

    for cut, whole in zip(depths(np.roll(ball, steps, (0, 1, 2))), depths(ball)):
        np.testing.assert_array_equal(cut, np.roll(whole, steps, (0, 1, 2)))
    slab = np.zeros(shape, bool)
    slab[:, 3:9, :] = True  # all of the periodic axis x
    deep = depths(slab)[1]
    assert (deep == deep[:, :, :1]).all() and deep.max() == 3 * 15.0
