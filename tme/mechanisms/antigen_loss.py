"""Daughters lose antigen or MHC-I for good, so that T cells select those that they do not see.

At a division a daughter loses antigen with probability p_antigen (her antigenicity falls to `antigen_left` of it) and MHC-I with
probability p_mhc (none, whatever IFN-gamma says). Both are inherited. Off unless the config says `mechanisms.antigen_loss.on: true`.
"""

from __future__ import annotations

import numpy as np

from tme.core.mechanism import Mechanism, Phase
from tme.core.parameters import ParameterSet, par
from tme.core.population import Column
from tme.kernels.rng import Stream, uniforms

PARAMETERS = ParameterSet(
    "antigen_loss",
    par("p_antigen", 1e-3, "1", 0.0, 1.0, "assumed: one in a thousand divisions, mutation and silencing together (1e-5 to 1e-2)"),
    par("antigen_left", 0.1, "1", 0.0, 1.0, "assumed: other epitopes remain"),
    par("p_mhc", 3e-4, "1", 0.0, 1.0, "assumed: rarer than the loss of one antigen (1e-6 to 1e-2)"),
)
_ANTIGEN, _MHC = 20, 21  # what a draw is for, beyond those of traits


class AntigenLoss(Mechanism):
    """Which daughters lose antigen or MHC-I."""

    name = "antigen_loss"
    phase = Phase.RESOLVE
    ids = ("M120",)
    about = "daughters lose antigen or MHC-I for good"
    parameters = PARAMETERS
    clock_min = 10.0  # that of division
    cell_columns = {"tumour": (Column("mhc_lost", "i1", "bool", 0, "copy", "whether MHC-I is lost for good"),)}
    reads = ("tumour.uid", "tumour.born_tick")
    adds = ("tumour.antigenicity", "tumour.mhc_lost", "counters.antigen_lost", "counters.mhc_lost")

    @classmethod
    def enabled(cls, model) -> bool:
        """Where the config asks for it."""
        return cls.asked_for(model.config)

    def step(self, model) -> None:
        """The daughters of this tick."""
        t, n = model.tumour.col, model.tumour.n
        new = np.flatnonzero(t.born_tick[:n] == model.tick)
        if len(new):
            less, none = (new[self.drawn(model, t.uid[new], sub) < p] for sub, p in ((_ANTIGEN, self.p.p_antigen), (_MHC, self.p.p_mhc)))
            t.antigenicity[less] *= self.p.antigen_left
            model.counters["antigen_lost"] += len(less)
            model.counters["mhc_lost"] += int((t.mhc_lost[none] == 0).sum())
            t.mhc_lost[none] = 1

    @staticmethod
    def drawn(model, uid: np.ndarray, sub: int) -> np.ndarray:
        """One uniform number for each cell."""
        u = np.empty(len(uid))
        uniforms(model.seed64, int(Stream.MUTATE), model.tick, uid, sub, u)
        return u


class MhcLost(Mechanism):
    """Cells that have lost MHC-I show none."""

    name = "mhc_lost"
    phase = Phase.INTERACT
    ids = ("M120",)
    about = "cells that have lost MHC-I show none, whatever IFN-gamma says"
    reads = ("tumour.mhc_lost",)
    writes = ("tumour.mhc1",)

    @classmethod
    def enabled(cls, model) -> bool:
        """Where cells may lose it."""
        return AntigenLoss.asked_for(model.config)

    def step(self, model) -> None:
        """One tick."""
        t = model.tumour
        t.mhc1[t.mhc_lost == 1] = 0.0
