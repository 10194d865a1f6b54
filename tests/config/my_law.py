"""A plugin as a user writes one: living tumour cells lose GSH, and a column of the series that shows it."""

from tme.core.mechanism import Mechanism, Phase
from tme.core.parameters import ParameterSet, par
from tme.core.terms import Term
from tme.kernels import threads
from tme.kernels.jit import rule, serial

LEAK = ParameterSet("gsh_leak", par("k_leak", 0.01, "1/min", 0.0, 0.5, "assumed: an example"))
TERMS = (Term("gsh_leak.rate", "1", "multiplies", ("tumour",), 0.0, 10.0, "factor on the leak"),)


@rule
def left(gsh, p, dt):
    """GSH after dt minutes, uM."""
    return gsh * (1.0 - p.k_leak * dt)


@serial
def leak(lo, hi, gsh, state, p, dt):
    """All living cells."""
    for i in range(lo, hi):
        if state[i] == 0:
            gsh[i] = left(gsh[i], p, dt)


class GshLeak(Mechanism):
    """Living tumour cells leak GSH."""

    name = "gsh_leak"
    phase = Phase.INTERACT
    about = "living tumour cells leak GSH"
    parameters = LEAK
    reads = ("tumour.state",)
    adds = ("tumour.gsh",)

    def step(self, model):
        """One tick."""
        t = model.tumour.col
        threads.over_rows(leak, model.tumour.n, t.gsh, t.state, self.p, self.dt)


def gsh(model):
    """Mean GSH of all tumour cells, uM."""
    return {"gsh_mean": float(model.tumour.gsh.mean())}


PLUGINS = (GshLeak, gsh)
