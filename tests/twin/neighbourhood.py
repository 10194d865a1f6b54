"""How many living cells of a type are around a cell: `near` within three voxels, `contact` in its own and the adjacent ones."""

from collections import Counter

NEAR_VOXELS = 3


class Neighbourhood:
    """Counts of a model, each made once until `forget`."""

    def __init__(self, model):
        self.model, self.places = model, {}
        span = range(-NEAR_VOXELS, NEAR_VOXELS + 1)
        cube = [(z, y, x) for z in ((0,) if model.lattice.flat else span) for y in span for x in span]
        self.offsets = {
            "near": [o for o in cube if sum(d * d for d in o) <= NEAR_VOXELS**2],
            "contact": [o for o in cube if max(abs(d) for d in o) <= 1],
        }

    def forget(self):
        """Cells have moved, come or gone."""
        self.places = {}

    def count(self, word, kind, cell):
        """Those around a cell, which does not count itself."""
        if kind not in self.places:
            self.places[kind] = Counter(c.voxel for c in self.model.of(kind) if kind != "tumour" or c.alive)
        around = (self.model.lattice.shifted(cell.voxel, offset) for offset in self.offsets[word])
        itself = cell.kind == kind and (kind != "tumour" or cell.alive)
        return sum(self.places[kind][v] for v in around if v is not None) - itself
