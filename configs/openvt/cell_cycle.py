"""The cells of OpenVT's reference model 02: all grow at one rate and divide at twice their first area, unless touched all round.

    A' = A0/T where less than `gamma` of a cell's sides touch other cells, else 0      division at A = 2 A0

A side is a face of its voxel, 4 in the plane. `gamma` above 1 is growth without contact inhibition. Both daughters have A0.

Source: the working group's summary of 12 October 2024 (https://github.com/OpenVT/reference_models,
monolayer/summary-Oct-12-2024.md): one rate of growth, division at exactly twice A0, contact inhibition of type 2.
"""

import numpy as np

from tme.core.mechanism import Mechanism, Phase
from tme.core.parameters import ParameterSet, par
from tme.core.population import Column

PARAMETERS = ParameterSet(
    "cell_cycle",
    par("cycle_h", 24.0, "h", 1.0, 1000.0, "chosen: the model's unit of time is a cycle without inhibition, here a day", "time from A0 to 2 A0"),
    par("gamma", 1.1, "1", 0.0, 2.0, "chosen: above 1, no contact inhibition", "share of touched sides from which a cell does not grow"),
)


class CellCycle(Mechanism):
    """Growth by a fixed cycle, in the place of the division hazard."""

    name = "cell_cycle"
    phase = Phase.FATE
    about = "cells grow at one rate where they are not touched all round, and divide at twice their first area"
    parameters = PARAMETERS
    clock_min = 10.0
    cell_columns = {"tumour": (
        Column("area", "f8", "1", 1.0, "half", "A/A0"),
        Column("touched", "f8", "1", 0.0, "copy", "share of its sides that touch other cells"),
    )}  # fmt: skip
    reads = ("tumour.state", "tumour.voxel", "lattice.tissue_row")
    writes = ("tumour.area", "tumour.touched")
    adds = ("tumour.fate",)

    def step(self, model):
        """One clock interval."""
        t, n = model.tumour.col, model.tumour.n
        alive = t.state[:n] == 0
        t.touched[:n] = self.touching(model)[t.voxel[:n]]
        grows = alive & (t.touched[:n] < self.p.gamma)
        t.area[:n] = np.minimum(t.area[:n] + np.where(grows, self.dt / (60.0 * self.p.cycle_h), 0.0), 2.0)
        divides = alive & (t.area[:n] >= 2.0 - 1e-9) & (t.fate[:n] == 0)
        t.fate[:n][divides] = 1

    def touching(self, model):
        """Share of every voxel's faces beyond which there is a cell, walls being no cells."""
        held = np.pad((model.lattice.tissue_row >= 0).reshape(model.grid.shape), 1)
        axes = [a for a in range(3) if model.grid.shape[a] > 1]
        sides = [np.roll(held, by, axis) for axis in axes for by in (-1, 1)]
        return (np.sum(sides, axis=0) / len(sides))[1:-1, 1:-1, 1:-1].ravel()


PLUGINS = (CellCycle,)
