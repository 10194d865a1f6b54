"""8-OHG, the oxidised nucleic acid that ferroptotic cells set free: what STING of other cells answers to.

    source = k_release r(age)      of a ferroptotic corpse in the tissue of one cell (`kernels.exchange.per_cell`), r its release (`damp`)

What it does is in dispute and said by rules: macrophages make IL-6 and the like, which feed the tumour (M75); dendritic cells
mature (M76). The field exists where one of these rules is on.
"""

from __future__ import annotations

from tme.core.mechanism import Mechanism, Phase
from tme.core.parameters import ParameterSet, par
from tme.kernels.jit import serial
from tme.mechanisms.damp import PARAMETERS as DAMP_PARAMETERS
from tme.mechanisms.damp import release

PARAMETERS = ParameterSet(
    "corpse_signals",
    par("k_release", 0.05, "a.u./min", 0.0, 100.0, "assumed: sets the unit of the field", "8-OHG from a fresh ferroptotic corpse"),
)


@serial
def secrete_oxidised(lo, hi, state, voxel, death_tick, tick, dt_min, d, rate, source):
    """Source (voxels,) of ferroptotic corpses, one a voxel."""
    for i in range(lo, hi):
        if state[i] == 1:
            source[voxel[i]] = rate * release((tick - death_tick[i]) * dt_min, d)


class CorpseSignals(Mechanism):
    """8-OHG from ferroptotic corpses."""

    name = "corpse_signals"
    phase = Phase.SECRETE
    ids = ("M75", "M76")
    about = "ferroptotic corpses release oxidised nucleic acid (8-OHG)"
    parameters = PARAMETERS
    adds = ("field.ohg8.source",)

    @classmethod
    def enabled(cls, model) -> bool:
        """Where a rule hears it."""
        return "ohg8" in model.fields

    def __init__(self, model) -> None:
        super().__init__(model)
        self.damp = DAMP_PARAMETERS.build(model.config_for("damp"))
        self.reads = tuple(f"{t.kind}.{column}" for t in model.tissue for column in ("state", "voxel", "death_tick"))

    def step(self, model) -> None:
        """Write the source of a field that is due."""
        if model.due("ohg8"):
            with model.fields["ohg8"].term_writer("source", model.scratch, overwrite=False) as source:
                for tissue in model.tissue:
                    t = tissue.col
                    secrete_oxidised(0, tissue.n, t.state, t.voxel, t.death_tick, model.tick, model.dt_min, self.damp, self.p.k_release * model.per_cell, source)
