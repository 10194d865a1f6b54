"""A pathway: glucose makes NADPH, imported cystine spends it; without it disulfide bonds collect and kill (disulfidptosis)."""

from tme.core.parameters import ParameterSet, par
from tme.core.terms import Term
from tme.kernels.elementary import law
from tme.pathways.contract import Given, Pathway, State
from tme.pathways.entries import PathwayDeath, PathwayEntry

PARAMETERS = ParameterSet(
    "disulfide",
    par("v_ppp", 10.0, "uM/min", 0.0, 100.0, "assumed: holds some 40 uM of NADPH at 5 mM glucose", "NADPH made at plenty of glucose"),
    par("k_glc", 1.0, "mM", 0.01, 10.0, "assumed: about the K_m of GLUT1", "glucose of half the rate"),
    par("k_use", 0.1, "1/min", 0.0, 10.0, "assumed: turnover within minutes", "NADPH used by the cell"),
    par("k_cys", 0.1, "1/min", 0.0, 10.0, "assumed: as much as all else at reference SLC7A11", "NADPH spent on imported cystine"),
    par("k_nadph", 10.0, "uM", 0.1, 100.0, "assumed: an example", "NADPH that halves the bonds"),
    par("bonds_max", 1.5, "1", 0.0, 10.0, "assumed: lethal without glucose", "bonds without NADPH, 1 kills"),
    par("k_mend", 0.005, "1/min", 1e-6, 1.0, "assumed: death within hours (Liu et al. 2023, doi 10.1038/s41556-023-01091-2)", "rate of approach"),
)
TERMS = (Term("disulfide.glut", "1", "multiplies", ("tumour",), 0.0, 10.0, "glucose uptake"),)


@law
def conditions(p, glucose_outside, glut_factor):
    """NADPH made, uM/min."""
    return (p.v_ppp * glut_factor * glucose_outside / (p.k_glc + glucose_outside),)


@law
def rates(p, n, made, xct):
    """N' = made - (k_use + k_cys xct) N, and the level B heads for."""
    return (made, p.k_use + p.k_cys * xct), p.bonds_max * xct / (1.0 + n / p.k_nadph)


@law
def mending(p):
    return p.k_mend  # B' = k_mend (level - B)


@law
def awake(p, b):
    return b > 0.5  # stepped at every tick


PATHWAY = Pathway(
    "disulfide", PARAMETERS,
    states=(State("nadph", "uM", "N", 40.0, about="NADPH"), State("bonds", "1", "B", 0.0, loss=mending, about="disulfide bonds")),
    traits=(Given("xct", "1", 1.0, "SLC7A11"),), inputs=(Given("glucose_outside", "mM", 5.0, "glucose outside", field="glucose"),),
    frozen=("made",), terms=TERMS, conditions=conditions, rates=rates, awake=awake, damage="bonds", cause=4,
)  # fmt: skip


class Disulfide(PathwayEntry):
    name, pathway, parameters, about = "disulfide", PATHWAY, PARAMETERS, "disulfide bonds without glucose"


class DisulfideDeath(PathwayDeath):
    name, of, about = "disulfide_death", Disulfide, "disulfide bonds kill"


PLUGINS = (Disulfide, DisulfideDeath)
