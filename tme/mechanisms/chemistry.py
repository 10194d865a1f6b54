"""The ferroptosis chemistry in the plan: which cells are stepped this tick, and the sweep over them.

The laws are in `ferroptosis`. Cells that peroxidise, sense the signal or take in iron are stepped every
base tick, resting ones at the resting clock; the criterion is a pure function of state.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from tme.core.mechanism import Mechanism, Phase
from tme.kernels import team
from tme.mechanisms.ferroptosis import PARAMETERS, advance, select
from tme.mechanisms.ferroptosis_rest import settle

STATES = ("ifng_response", "cysteine", "gsh", "gpx4", "coq10h2", "lip", "ferritin", "pufa", "plooh", "damage")
TRAITS = ("xct", "gpx4_trait", "fsp1", "acsl4", "tfr1", "nrf2", "mufa")
INPUTS = ("ifng", "cystine", "oxygen", "peroxide", "aa", "e_xct", "e_gpx4", "e_fsp1", "e_bso", "e_trap", "e_chel", "j_fe")


class Ferroptosis(Mechanism):
    """Ten-state ferroptosis chemistry of living cells and ferroptotic corpses."""

    name = "ferroptosis"
    switchable = False
    phase = Phase.INTRACELLULAR
    ids = ("M01", "M03", "M04", "M05", "M06", "M14", "M16", "M17", "M24", "M25", "M26", "M27", "M28", "M29", "M36", "M38",
           "M39", "M40", "M41", "M42", "M48", "M50", "M67", "M68")  # fmt: skip
    about = "cystine, GSH, GPX4, FSP1-CoQ10, iron, PUFA, PLOOH and membrane damage"
    parameters = PARAMETERS
    reads = tuple(f"tumour.{c}" for c in ("state", *TRAITS, *INPUTS))
    writes = tuple(f"tumour.{c}" for c in (*STATES, "chem_tick"))

    def __init__(self, model) -> None:
        super().__init__(model)
        self.resting_every = model.ticks(model.config.clocks.chemistry_resting_min)
        self.rows = np.empty(0, np.int64)
        self.stepped = 0
        self.kernel: Any = advance
        if model.device != "cpu":
            from tme.mechanisms import ferroptosis_cuda as there

            self.kernel = partial(there.advance, there.Buffers())

    def step(self, model) -> None:
        """Step the cells that are due."""
        tumour = model.tumour
        if len(self.rows) < tumour.capacity:
            self.rows = np.empty(tumour.capacity, np.int64)
        t = tumour.col
        m = team.listed(self.rows, select, tumour.n, model.tick, self.resting_every, self.p, t.state, t.plooh, t.peroxide, t.j_fe,
                        t.chem_tick, self.rows)  # fmt: skip
        self.stepped += int(m)
        if m:
            self.advance(t, m, model.tick, model.dt_min)

    def advance(self, t, m: int, tick: int, dt_min: float) -> None:
        """Call the sweep on the first `m` of `self.rows`."""
        columns = (getattr(t, c) for c in (*STATES, *TRAITS, *INPUTS))
        self.kernel(self.rows, m, tick, dt_min, self.p, t.state, t.chem_tick, *columns)

    def settle(self, model) -> None:
        """Bring every living cell to its own steady state at what it senses now; damage starts at 0."""
        tumour = model.tumour
        t = tumour.col
        settle(tumour.n, self.p, t.state, *(getattr(t, c) for c in (*STATES, *TRAITS, *INPUTS)))
        t.chem_tick[: tumour.n] = model.tick

    def state_dict(self) -> dict[str, np.ndarray]:
        """How many cell steps were taken (a readout, not dynamics)."""
        return {"stepped": np.array(self.stepped)}

    def load_state(self, state) -> None:
        """Undo `state_dict`."""
        self.stepped = int(state["stepped"])
