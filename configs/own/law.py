"""A law and a readout: cells dead of ferroptosis release prostaglandin E2 into their voxel for a day."""

import numpy as np

from tme.core.mechanism import Mechanism, Phase
from tme.core.parameters import ParameterSet, par

PARAMETERS = ParameterSet(
    "pge2_release",
    par("rate", 0.05, "uM/min", 0.0, 10.0, "assumed: an example", "release of a fresh corpse into its voxel"),
    par("fades_h", 24.0, "h", 1.0, 240.0, "assumed: an example", "time after which a corpse has released it all"),
)
FERROPTOSIS = 1  # state of a tumour cell dead of it


class Pge2Release(Mechanism):
    """Source of the field pge2, uM/min."""

    name = "pge2_release"
    phase = Phase.SECRETE
    about = "cells dead of ferroptosis release prostaglandin E2"
    parameters = PARAMETERS
    reads = ("tumour.state", "tumour.voxel", "tumour.death_tick")
    adds = ("field.pge2.source",)

    def step(self, model):
        """Sources are due in the tick before their field is solved."""
        if model.due("pge2"):
            t, age_h = model.tumour, (model.tick - model.tumour.death_tick) * model.dt_min / 60.0
            fresh = (t.state == FERROPTOSIS) & (age_h < self.p.fades_h)
            with model.fields["pge2"].term_writer("source", model.scratch, overwrite=False) as source:
                np.add.at(source, t.voxel[fresh], self.p.rate)


def pge2(model):
    """A column of series.csv: the mean level in the domain."""
    return {"pge2_mean": float(model.fields["pge2"].concentration.mean())}


PLUGINS = (Pge2Release, pge2)
