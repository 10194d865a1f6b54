"""Metastasis: living tumour cells at open vessels leave, by blood or by lymph, and those that live through it may found a colony.

    hazard of leaving     k_escape x what rules make of it (`escape.rate`), of living cells within one voxel of an open vessel
    on the way            the cell's own ferroptosis chemistry for `transit_h`: in blood with the oxygen, the cystine and the oxidative
                          stress of blood; in lymph without stress, PUFA of its membranes displaced by oleate
    colony                with probability `seed_share` of those that arrive alive

So what makes a cell hardy against ferroptosis makes it spread, and oxidative stress of blood kills on the way; lymph protects
(signs: Yin et al. 2025, doi 10.32604/or.2025.069049; Zhang et al. 2025, doi 10.3389/fimmu.2025.1611299). Colonies are counted, not
grown. Off unless the config says `mechanisms.metastasis.on: true`.
"""

from __future__ import annotations

import numpy as np
from scipy.ndimage import binary_dilation

from tme.core.mechanism import Mechanism, Phase, rows_of
from tme.core.parameters import ParameterSet, par
from tme.core.terms import Term
from tme.kernels.rng import Stream, uniforms

PARAMETERS = ParameterSet(
    "metastasis",
    par("k_escape", 1e-6, "1/min", 0.0, 1.0, "assumed: one of a thousand cells beside a vessel leaves in a day (1e-8 to 1e-4)"),
    par("lymph_share", 0.3, "1", 0.0, 1.0, "assumed: most leave by blood"),
    par("transit_h", 12.0, "h", 0.5, 96.0, "assumed: until a cell has arrested and settled"),
    par("blood_oxygen", 60.0, "mmHg", 1.0, 160.0, "assumed: between venous and arterial blood"),
    par("blood_cystine", 40.0, "uM", 0.0, 260.0, "assumed: plasma cystine 20-60 uM"),
    par("blood_stress", 2.0, "uM", 0.0, 100.0, "assumed: oxidative stress in blood, as the peroxide signal beside peroxidising cells"),
    par("lymph_oxygen", 20.0, "mmHg", 1.0, 160.0, "assumed: lymph has less oxygen than blood"),
    par("lymph_mufa", 1.5, "1", 0.0, 5.0, "assumed: oleate of lymph takes 60 % of the places of PUFA, as rule M43 at its most"),
    par("seed_share", 0.1, "1", 0.0, 1.0, "assumed: most that arrive stay dormant (1e-4 to 1)"),
)
TERMS = (Term("escape.rate", "1", "multiplies", ("tumour",), 0.0, 100.0, "how readily cells leave by vessels"),)
_LEAVES, _ROUTE, _SEEDS = 8, 9, 10  # what a draw is for, beyond those of transferred cells
STEP_MIN = 5.0


class Metastasis(Mechanism):
    """Cells that leave, and what becomes of them."""

    name = "metastasis"
    phase = Phase.RESOLVE
    ids = ("M109",)
    about = "tumour cells leave by vessels; their chemistry decides who lives through it"
    parameters = PARAMETERS
    clock_min = 30.0

    @classmethod
    def enabled(cls, model) -> bool:
        """Where the config asks for it."""
        return cls.asked_for(model.config)

    def __init__(self, model) -> None:
        super().__init__(model)
        self.pathway = next((m for m in model._entries if m.name == "ferroptosis"), None)
        others = tuple(f"{t.kind}.voxel" for t in model.tissue[1:])  # the lattice is counted anew
        self.reads = ("vessels.voxels", *(f"tumour.{c}" for c in model.tumour.declared), *others)
        counted = ("escaped", "escaped_by_lymph", "escaped_alive", "escaped_alive_by_lymph", "metastases")
        self.adds = (*rows_of(model.tumour), "lattice.tissue_row", *(f"counters.{name}" for name in counted))

    def step(self, model) -> None:
        """One clock interval."""
        t, n = model.tumour.col, model.tumour.n
        rows = np.flatnonzero((t.state[:n] == 0) & (t.fate[:n] == 0) & beside_vessels(model)[t.voxel[:n]])
        term = model.tumour.term("escape.rate")
        rate = self.p.k_escape * (term[rows] if term.size else 1.0)
        rows = rows[drawn(model, rows, _LEAVES) < -np.expm1(-rate * self.dt)]
        if len(rows) == 0:
            return
        lymph = drawn(model, rows, _ROUTE) < self.p.lymph_share
        alive = np.zeros(len(rows), bool)
        for mask, conditions in ((lymph, self.in_lymph), (~lymph, self.in_blood)):
            alive[mask] = self.survive(model, rows[mask], conditions)
        self.count(model, lymph, alive, drawn(model, rows, _SEEDS) < self.p.seed_share)
        model.tumour.remove(rows)
        model.lattice.rebuild_tissue(model.tumour.col.voxel, model.tumour.n)

    @property
    def in_blood(self) -> dict[str, float]:
        """What a cell meets in blood."""
        return {"oxygen": self.p.blood_oxygen, "cystine": self.p.blood_cystine, "peroxide": self.p.blood_stress, "ifng": 0.0}

    @property
    def in_lymph(self) -> dict[str, float]:
        """What a cell meets in lymph."""
        return {"oxygen": self.p.lymph_oxygen, "cystine": self.p.blood_cystine, "peroxide": 0.0, "ifng": 0.0, "mufa": self.p.lymph_mufa}

    def survive(self, model, rows: np.ndarray, conditions: dict[str, float]) -> np.ndarray:
        """Which cells (n,) live through the transit: all, where the model has no ferroptosis."""
        if self.pathway is None or len(rows) == 0:
            return np.ones(len(rows), bool)
        return self.pathway.apart(model, rows, self.p.transit_h * 60.0, STEP_MIN, conditions) < 1.0

    @staticmethod
    def count(model, lymph: np.ndarray, alive: np.ndarray, seeds: np.ndarray) -> None:
        """Those that left, by route, those that lived, and colonies."""
        c = model.counters
        c["escaped"] += len(lymph)
        c["escaped_by_lymph"] += int(lymph.sum())
        c["escaped_alive"] += int(alive.sum())
        c["escaped_alive_by_lymph"] += int((alive & lymph).sum())
        c["metastases"] += int((alive & seeds).sum())


def beside_vessels(model) -> np.ndarray:
    """Mask (n_voxels,) of voxels with an open vessel in them or beside them."""
    mask = np.zeros(model.grid.n_voxels, bool)
    mask[model.vessels.voxels] = True
    return binary_dilation(mask.reshape(model.grid.shape), np.ones((3, 3, 3), bool)).ravel()


def drawn(model, rows: np.ndarray, sub: int) -> np.ndarray:
    """One uniform number for each tumour cell, by uid."""
    u = np.empty(len(rows))
    uniforms(model.seed64, int(Stream.TRANSFER), model.tick, model.tumour.col.uid[rows], sub, u)
    return u
