"""Room: how crowded a cell is, and holes that close.

Crowding is the number of cells that a daughter would have to push: the distance to the nearest surface of the tissue,
in voxels, less the cell's own. It is measured every hour; division falls with it (`division`), and rules hear it as `own.crowding`.

A voxel whose corpse was cleared is a hole, and so is one without tissue that a ball of diameter `gap_um`, coming from
outside, cannot reach: a pocket, a cleft, a cavity behind a cleft. Tissue relaxes into it,

    p = 1 - exp(-dt/close_h)

and the tissue cells between it and the nearest surface move one place inward each, corpses like living ones. So what was
killed is missing at the surface, and is not refilled for free. A daughter born beside a hole takes it. Cells in a
dish (a start as a monolayer) hold on to it: there nothing closes.
"""

from __future__ import annotations

import numpy as np

from tme.core.mechanism import Mechanism, Phase
from tme.core.parameters import ParameterSet, par
from tme.kernels import threads
from tme.kernels.elementary import exp
from tme.kernels.rng import Stream, priorities
from tme.kernels.room import close, closing_now, to_be_moved

PARAMETERS = ParameterSet(
    "closing",
    par("close_h", 6.0, "h", 0.1, 1000.0, "tuned: growth delay after one kill (docs/calibration.md); no measurement known", "mean time until a cleared voxel has closed"),
    par("gap_um", 500.0, "um", 0.0, 5000.0, "assumed: a cleft that a ball of this diameter does not enter is closed by surface tension and stroma; without it a tumour that is killed in its core becomes a ring, open through a cleft", "width up to which a gap in a compact tumour is a hole", range=(150.0, 1000.0)),
)

COMPACT = ("nodule", "spheroid")  # starts without gaps, in which gaps are holes


class Crowding(Mechanism):
    """Distance to the surface, and how many cells each cell would have to push."""

    name = "crowding"
    switchable = False
    phase = Phase.SENSE
    about = "cells feel how many others lie between them and the surface"
    clock_min = 60.0
    reads = ("tumour.voxel", "lattice.tissue_row")
    writes = ("lattice.surface", "lattice.hole", "tumour.crowding")

    def __init__(self, model) -> None:
        super().__init__(model)
        self.lattice = model.lattice

    def step(self, model) -> None:
        """Measure anew."""
        self.prepare(model)

    def prepare(self, model) -> None:
        """The same, outside the clock."""
        model.lattice.measure_surface()
        threads.over_rows(to_be_moved, model.tumour.n, model.tumour.col.voxel, model.lattice.surface, model.tumour.col.crowding)

    def state_dict(self) -> dict[str, np.ndarray]:
        """The distance as it was measured: the tissue has changed since."""
        return {"surface": self.lattice.surface.copy()}

    def load_state(self, state) -> None:
        """Undo `state_dict`."""
        self.lattice.surface[:] = state["surface"]


class Closing(Mechanism):
    """Tissue relaxes into holes."""

    name = "closing"
    phase = Phase.RESOLVE
    about = "cleared holes close: the cells out to the surface move inward"
    parameters = PARAMETERS
    clock_min = 10.0
    reads = ("lattice.surface",)
    adds = ("lattice.hole", "lattice.tissue_row", "tumour.voxel")

    @classmethod
    def enabled(cls, model) -> bool:
        """Not for cells on a dish."""
        return not model.on_a_dish

    def __init__(self, model) -> None:
        super().__init__(model)
        self.lattice = model.lattice
        if model.config.initial.kind in COMPACT:
            self.lattice.gap = 0.5 * self.p.gap_um / model.grid.dx_um
        self.p_close = 1.0 - exp(-self.dt / (60.0 * self.p.close_h))

    def step(self, model) -> None:
        """One clock interval."""
        lattice = model.lattice
        holes = np.flatnonzero(lattice.hole.view(np.bool_))  # of bytes it takes twenty times as long
        closing = np.empty(len(holes), np.int64)
        m = closing_now(holes, len(holes), lattice.tissue_row, lattice.hole, self.p_close, model.seed64, model.tick, closing)
        if m == 0:
            return
        closing = closing[:m]
        priority = np.empty(m, np.int64)
        priorities(np.arange(m), m, closing.astype(np.uint64), model.seed64, int(Stream.CLOSE), model.tick, 1, priority)
        order = closing[np.lexsort((closing, -priority))]
        close(order, m, model.tumour.col.voxel, lattice.tissue_row, lattice.hole, lattice.surface, model.seed64, model.tick,
              lattice.geometry, lattice.path)  # fmt: skip

    def state_dict(self) -> dict[str, np.ndarray]:
        """Which voxels are holes."""
        return {"hole": np.flatnonzero(self.lattice.hole)}

    def load_state(self, state) -> None:
        """Undo `state_dict`."""
        self.lattice.hole[:] = 0
        self.lattice.hole[state["hole"]] = 1
