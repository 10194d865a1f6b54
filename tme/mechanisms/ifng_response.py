"""What IFN-gamma makes of a tumour cell's surface: PD-L1 and MHC-I up, CXCL9/10 out.

The fall of SLC7A11/SLC3A2 and the rise of ACSL4 are in the chemistry (`ferroptosis`), through the same
response Z. Here

    dP/dt = ((p_base + (1 - p_base) a h(ifn)) (1 - si) - P) / tau    h = ifn / (ec50 + ifn)
    dM/dt = (m_base + (1 - m_base) h(ifn) - M) / tau

integrated exactly over the clock; a is 1 in cells whose PD-L1 answers and 0 in others, and some carry it without IFN-gamma, a h = 1, all as
their daughters do; and CXCL9/10 is secreted in proportion to Z plus a basal trickle.
"""

from __future__ import annotations

from tme.core.mechanism import Mechanism, Phase
from tme.core.parameters import ParameterSet, par
from tme.core.terms import Term
from tme.kernels.elementary import exp
from tme.kernels.jit import rule, serial
from tme.kernels.terms import factor

PARAMETERS = ParameterSet(
    "ifng_response",
    par("pdl1_base", 0.08, "1", 0.0, 1.0, "assumed: few PD-L1+ cells without T cells (1.4 % in B16 CODEX, Hickey et al.)"),
    par("pdl1_ec50", 0.1, "ng/mL", 0.02, 5.0, "tuned: PD-L1+ cells around T cells (T39; docs/calibration.md); 0.1-0.3 ng/mL as SPQSP_IO has it (Gong et al. 2017, doi 10.1098/rsif.2017.0320)", range=(0.1, 0.3)),
    par("pdl1_answering", 0.8, "1", 0.0, 1.0, "tuned: PD-L1+ cells around T cells (T39; docs/calibration.md); some cells of a tumour do not raise PD-L1", "share of tumour cells whose PD-L1 answers IFN-gamma", range=(0.4, 1.0)),
    par("pdl1_constitutive", 0.014, "1", 0.0, 1.0, "tuned: 1.4 % PD-L1+ cells of B16 without T cells (T39; docs/calibration.md)", "share of tumour cells that carry full PD-L1 without IFN-gamma", range=(0.0, 0.05)),
    par("pdl1_tau", 720.0, "min", 60.0, 4320.0, "assumed: surface PD-L1 changes within half a day"),
    par("mhc1_base", 0.4, "1", 0.0, 1.0, "assumed: constitutive MHC-I of poorly immunogenic mouse tumours"),
    par("mhc1_ec50", 0.1, "ng/mL", 0.02, 5.0, "assumed: as PD-L1, same pathway", range=(0.1, 0.3)),
    par("cxcl_rate", 1.0, "a.u./min", 0.0, 10.0, "assumed: sets the unit of the chemokine field", "CXCL9/10 secretion of a cell at full IFN-gamma response"),
    par("cxcl_basal", 0.03, "1", 0.0, 1.0, "assumed: basal share; without it remnants are abandoned"),
)
TERMS = (
    Term("surface.pdl1", "1", "multiplies", ("tumour",), 0.0, 10.0, "the PD-L1 that IFN-gamma induces"),
    Term("surface.mhc1", "1", "multiplies", ("tumour",), 0.0, 4.0, "the MHC-I that IFN-gamma induces"),
)


CONSTITUTIVE = 2.0  # `pdl1_answer` of cells that carry PD-L1 without IFN-gamma


@rule
def relax(value, target, keep):
    """First-order approach to `target`; keep = exp(-dt/tau)."""
    return target + (value - target) * keep


@serial
def surface(n, state, ifng, answer, pdl1_term, mhc1_term, pdl1, mhc1, p, dt):
    """Advance PD-L1 and MHC-I of living cells by dt min (inf: to their steady level); columns changed in place."""
    keep = exp(-dt / p.pdl1_tau)
    for i in range(n):
        if state[i] == 0:
            h = 1.0 if answer[i] == CONSTITUTIVE else ifng[i] / (p.pdl1_ec50 + ifng[i]) * answer[i]
            hm = ifng[i] / (p.mhc1_ec50 + ifng[i])
            pdl1[i] = relax(pdl1[i], (p.pdl1_base + (1.0 - p.pdl1_base) * h) * factor(pdl1_term, i), keep)
            mhc1[i] = relax(mhc1[i], min((p.mhc1_base + (1.0 - p.mhc1_base) * hm) * factor(mhc1_term, i), 1.0), keep)


@serial
def chemokine(n, state, voxel, z, p, source):
    """CXCL9/10 source (voxels,) a.u./min; one tumour cell a voxel."""
    for i in range(n):
        if state[i] == 0:
            source[voxel[i]] += p.cxcl_rate * (z[i] + p.cxcl_basal)


class IfngResponse(Mechanism):
    """PD-L1 and MHC-I follow IFN-gamma."""

    name = "ifng_response"
    phase = Phase.INTRACELLULAR
    ids = ("M69",)
    about = "IFN-gamma raises PD-L1 and MHC-I"
    parameters = PARAMETERS
    clock_min = 6.0
    reads = ("tumour.state", "tumour.ifng", "tumour.pdl1_answer")
    writes = ("tumour.pdl1", "tumour.mhc1")

    def step(self, model) -> None:
        """Advance surface proteins by one clock interval."""
        self.advance(model, self.dt)

    def begin(self, model) -> None:
        """At the level that the IFN-gamma of the start induces."""
        self.advance(model, float("inf"))

    def advance(self, model, minutes: float) -> None:
        """All tumour cells."""
        t, term = model.tumour.col, model.tumour.term
        surface(model.tumour.n, t.state, t.ifng, t.pdl1_answer, term("surface.pdl1"), term("surface.mhc1"), t.pdl1, t.mhc1, self.p, minutes)


def at_rest(model) -> None:
    """Surface proteins of all tumour cells at the level without IFN-gamma; those that run without the law keep it."""
    t, p = model.tumour, PARAMETERS.build(model.config_for("ifng_response"))
    t.col.pdl1[: t.n] = t.col.pdl1_free[: t.n] = p.pdl1_base
    t.col.mhc1[: t.n] = p.mhc1_base


class ChemokineSecretion(Mechanism):
    """CXCL9/10 from responding tumour cells."""

    name = "chemokine_secretion"
    phase = Phase.SECRETE
    ids = ("M69",)
    about = "responding tumour cells secrete CXCL9/10"
    reads = ("tumour.state", "tumour.voxel", "tumour.ifng_response")
    adds = ("field.cxcl.source",)

    def __init__(self, model) -> None:
        super().__init__(model)
        p = PARAMETERS.build(model.config_for("ifng_response"))
        self.p = p._replace(cxcl_rate=p.cxcl_rate * model.per_cell)

    def step(self, model) -> None:
        """Write the chemokine source when its field is due."""
        if model.due("cxcl"):
            self.add(model, "cxcl")

    def add(self, model, name: str) -> None:
        """Add to the chemokine's source."""
        t = model.tumour.col
        with model.fields[name].term_writer("source", model.scratch, overwrite=False) as source:
            chemokine(model.tumour.n, t.state, t.voxel, t.ifng_response, self.p, source)
