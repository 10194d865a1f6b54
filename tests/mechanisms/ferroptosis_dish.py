"""An independent LSODA reference of the ferroptosis chemistry, and a dish of cells stepped by the kernels.

`derivative` says the ten equations a second time, in plain Python floats. Doses in uM, times in minutes
unless an hour is named.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from scipy.integrate import solve_ivp

from tme.kernels.chemistry import dying
from tme.pathways import stepping
from tme.pathways.ferroptosis import PARAMETERS, PATHWAY

STATES = ("ifng_response", "cysteine", "gsh", "gpx4", "coq10h2", "lip", "ferritin", "pufa", "plooh", "damage")
TRAITS = {"xct": 1.0, "gpx4_trait": 1.0, "fsp1": 1.0, "acsl4": 1.0, "tfr1": 1.0, "nrf2": 1.0, "mufa": 0.0}
INPUTS = {"ifng": 0.0, "cystine": 200.0, "oxygen": 38.0, "peroxide": 0.0, "aa": 0.0}
INPUTS |= dict.fromkeys(("e_xct", "e_gpx4", "e_fsp1", "e_bso", "e_trap", "e_chel", "j_fe"), 0.0)
P = PARAMETERS.build()
RESTING_EVERY = 6


def rsl3(um):
    return {"e_gpx4": 0.08 * um}


def erastin(um):
    return {"e_xct": (um / 0.16) ** 1.5}


def ifsp1(um):
    return {"e_fsp1": um / 1.0}


def bso(um):
    return {"e_bso": um / 5.0}


def fer1(um):
    return {"e_trap": 20.0 * um}


def dfo(um):
    return {"e_chel": 0.002 * um}


# ---- the reference: plain floats and LSODA --------------------------------------------------------------
def derivative(_t, y, cell, env, supply=1.0):
    """dy/dt of the ten states, written out from the equations."""
    z, c, g, a, q, f, b, u, l, d = y
    n = cell["nrf2"]
    cystine, oxygen = env["cystine"], env["oxygen"]
    imported = 24.0 * cell["xct"] * n**0.7 * (1 - 0.7 * z) * cystine / (50.0 + cystine) / (1 + env["e_xct"])
    gcl = 26.0 * n**0.5 / (1 + env["e_bso"]) / (60.0 + c) / (1 + g / 6000.0)
    gpx = 5.7 * a * g / (1000.0 + g) / (10.0 + l)
    kap = 1.0 + 2.0 * q + env["e_trap"]
    nu = 0.005 * u * oxygen / (2.0 + oxygen) / kap
    signal = env["peroxide"] / (1 + (g / 300.0) ** 6) / (1 + q**6)
    v_i = u / 2000.0 * (5e-4 + f * (0.0015 + 0.7 * signal))
    v_rad = v_i + 0.012 * f * l
    fsp = 0.011 * cell["fsp1"] * n**0.7 / (1 + env["e_fsp1"])
    store = 0.1 * n**0.5 * max(1 - b / 500.0, 0.0)
    lipid = (
        2000.0
        * cell["acsl4"]
        * (1 + 0.3 * z)
        * (1 + 3.0 * env["aa"] / (20.0 + env["aa"]))
        / (1 + cell["mufa"])
    )
    return [
        (env["ifng"] / (0.3 + env["ifng"]) - z) / 360.0,
        imported + 0.15 - gcl * c - 0.03 * c,
        gcl * c - 0.0052 * g - 2 * 0.2 * gpx * l * g / (g + 1.0),
        4.8e-4 * (cell["gpx4_trait"] * n**0.3 * c / (2.0 + c) * (1 + 2.0 / 188.3) - a) - env["e_gpx4"] * a,
        fsp * (5.0 - q) - 0.1 * q - v_rad * 2.0 * q / kap,
        0.05 * cell["tfr1"] + env["j_fe"] + 2.5e-4 * b - (0.05 * n**0.3 + store + env["e_chel"]) * f,
        store * f - 2.5e-4 * b,
        0.004 * (supply * lipid - u) - nu * v_rad,
        nu * v_i + (nu - 1) * 0.012 * f * l - gpx * l - 0.015 * l,
        v_rad / 60.0 - 0.004 * d,
    ]


@cache
def untreated(cell, cystine=200.0):
    """LSODA's steady state of a cell type (a tuple of trait items)."""
    args = ({**TRAITS, **dict(cell)}, {**INPUTS, "cystine": cystine})
    start = [0, 60, 3000, 1, 1, 1, 100, 2000, 0.1, 0]
    y = solve_ivp(derivative, (0, 60 * 1440), start, method="LSODA", args=args, rtol=1e-8, atol=1e-10).y[
        :, -1
    ]
    y[9] = 0.0
    return tuple(y)


def exact_death(cell, env, hours=72.0, start=None):
    """Death time in minutes by LSODA; nan for a cell alive at the end."""
    event = lambda _t, y, *_a: y[9] - 1.0  # noqa: E731
    event.terminal = True
    args = ({**TRAITS, **cell}, {**INPUTS, **env})
    y0 = untreated(tuple(sorted(cell.items()))) if start is None else start
    s = solve_ivp(
        derivative, (0, hours * 60), y0, method="LSODA", args=args, rtol=1e-7, atol=1e-10, events=event
    )
    return s.t_events[0][0] if len(s.t_events[0]) else np.nan


# ---- the kernel ------------------------------------------------------------------------------------------
class Dish:
    """n cells in their own surroundings, stepped by the package's kernels as the model does."""

    def __init__(self, cells, envs, settle_at=None, p=P):
        self.p = p
        n = max(len(cells), len(envs))
        cells, envs = list(cells) * (n // len(cells)), list(envs) * (n // len(envs))
        self.n, self.tick = n, 0
        self.state, self.clock, self.fate = np.zeros(n, np.int8), np.zeros(n, np.int32), np.zeros(n, np.int8)
        self.rows = np.empty(n, np.int64)
        self.col = {k: np.zeros(n) for k in STATES}
        self.col |= {k: np.array([{**TRAITS, **c}[k] for c in cells], float) for k in TRAITS}
        self.col |= {k: np.full(n, v) for k, v in INPUTS.items()}
        if settle_at is not None:
            self.col["cystine"][:] = settle_at
        stepping.settle(PATHWAY, n, p, self.state, *self.columns())
        for k in INPUTS:
            self.col[k][:] = [{**INPUTS, **e}[k] for e in envs]
        self.death = np.full(n, np.nan)

    def columns(self):
        return [self.col[k] for k in (*STATES, *TRAITS, *INPUTS)]

    def step(self, dt=1.0, resting_every=RESTING_EVERY):
        self.tick += 1
        c = self.col
        seen = [c[k] for k in stepping.seen_by(PATHWAY)]
        m = stepping.select(
            PATHWAY, self.rows, self.n, self.tick, resting_every, self.p, self.state, self.clock, seen
        )
        stepping.advance(PATHWAY, self.rows, m, self.tick, dt, self.p, self.state, self.clock, *self.columns())
        dying(0, self.n, self.state, c["damage"], self.fate, 11)
        new = (self.fate == 11) & (self.state == 0)
        self.death[new] = self.tick * dt
        self.state[new] = 1

    def run(self, hours, dt=1.0, resting_every=RESTING_EVERY):
        for _ in range(round(hours * 60 / dt)):
            self.step(dt, resting_every)
        return self
