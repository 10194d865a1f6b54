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
