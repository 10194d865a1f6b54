"""Where voxels are."""

from __future__ import annotations

import numpy as np
import pytest

from tme.core.grid import Grid


@pytest.mark.parametrize("shape", [(1, 4, 5), (3, 4, 5)])
def test_centres_and_coordinates_count_x_first_along_memory(shape):
    grid = Grid(shape, 15.0)
    where = np.array(np.unravel_index(np.arange(grid.n_voxels), shape))
    assert np.array_equal(np.array(grid.coordinates(np.arange(grid.n_voxels))), where)
    z, y, x = (where + 0.5) * 15.0
    assert np.allclose(np.array(grid.centres_um(np.arange(grid.n_voxels))), np.array([x, y, z]), rtol=1e-15)
    assert grid.coordinates(grid.n_voxels - 1) == tuple(n - 1 for n in shape)
