"""One experiment that uses most of the model, at any size: what `tme bench` measures and what a cold cache compiles first."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np

import tme

# The four-arm experiment's combination at another size: same cells per area, fields, clocks and agents.
CELLS_OF_FOUR_ARMS, SIDE_OF_FOUR_ARMS_UM = 5000, 4800.0
WHOLE = """
name: bench
start_day: 0
horizon_day: 30
domain: {{size_um: {size}, at_edge: continue}}
initial: {{kind: {kind}, n_cells: {n}}}
tumour: {{preset: b16_like}}
populations: {{cd8: {{{cd8}}}, macrophage: {{share: 0.1}}, dendritic: {{share: 0.01}}, treg: {{{treg}}}}}
arms:
  combination:
    antibodies: [{{name: anti_pdl1, dose_mg_kg: 10, day: [0, 3]}}]
    nanoparticles: [{{name: peg_pdpa_rsl3, dose_mg_kg: 9, day: [0, 3]}}]
clocks: {{dt_min: 1, chemistry_resting_min: 6, field_tol: 1e-3}}
"""


def config_of(n: int, ndim: int = 2) -> Any:
    """The combination arm around `n` tumour cells at the start of treatment.

    In 3D: a ball in a cube three times its radius wide (6.4 voxels a cell), CD8 at a tenth of the tumour cells.
    """
    if ndim == 2:
        sides = [15 * round(SIDE_OF_FOUR_ARMS_UM * np.sqrt(n / CELLS_OF_FOUR_ARMS) / 15 / 8) * 8] * 2  # by eights: coarse fields need it
        kind, cd8, treg = "nodule", "per_mm2: 125", "per_mm2: 30"
    else:
        sides = [15 * round(3.0 * np.cbrt(3.0 * n / (4.0 * np.pi)) / 4) * 4] * 3
        kind, cd8, treg = "spheroid", "share: 0.1", "share: 0.02"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bench.yaml"
        path.write_text(WHOLE.format(n=n, size=sides, kind=kind, cd8=cd8, treg=treg))
        return tme.load_config(path)
