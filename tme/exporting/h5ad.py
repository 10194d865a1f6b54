"""`--to h5ad`: the cells of all chosen snapshots in one AnnData file that scanpy and squidpy open.

obs: arm, sample, cell_type, fate, clone ... as categories, quantities as float32 (NaN where a cell type lacks one);
obsm["spatial"] in um; `sample` is what squidpy takes as `library_key`, so that no neighbours are found across snapshots.
Written with h5py: neither anndata nor scanpy is needed.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from tme.experiments.h5ad import write_h5ad
from tme.experiments.snapshots import about, names_of, sample_of, stacked
from tme.exporting.contract import Choice, Format


class H5ad(Format):
    """AnnData."""

    name, about, ending = "h5ad", "cells as AnnData, for scanpy and squidpy", ".h5ad"

    def write(self, run: Any, choice: Choice, place: Path) -> tuple[str, ...]:
        """One file."""
        chosen = choice.of(run)
        cells = stacked(chosen)
        cells["sample"] = sample_of(chosen, cells)
        uid = cells["uid"]
        cells["uid"] = names_of(cells, len(chosen) > 1)
        if all(str(u).isdecimal() for u in uid.tolist()):
            cells["cell"] = uid.astype(np.uint64)  # which cell it is, from snapshot to snapshot
        flat = "z_um" not in cells
        write_h5ad(place, cells, about(run, chosen), flat)
        return ()
