"""A pathway as a user would write one: glucose taken up, NADPH made from it and spent on cystine that comes in."""

from __future__ import annotations

from tme.core.parameters import ParameterSet, par
from tme.core.terms import Term
from tme.kernels.elementary import law
from tme.pathways.contract import Given, Pathway, State

PARAMETERS = ParameterSet(
    "sugar",
    par("v_glut", 20.0, "uM/min", 0.0, 100.0, "assumed: a test"),
    par("k_m", 500.0, "uM", 1.0, 5000.0, "assumed: a test"),
    par("k_use", 0.05, "1/min", 0.0, 1.0, "assumed: a test"),
    par("k_ppp", 0.1, "1/min", 0.0, 1.0, "assumed: a test"),
    par("k_spend", 0.02, "1/min", 0.0, 1.0, "assumed: a test"),
    par("k_mend", 0.01, "1/min", 1e-6, 1.0, "assumed: a test"),
)
TERMS = (Term("sugar.glut", "1", "multiplies", ("tumour",), 0.0, 10.0, "glucose uptake"),)


@law
def conditions(p, glucose_outside, glut_factor):
    """Uptake of glucose."""
    return (p.v_glut * glut_factor * glucose_outside / (p.k_m + glucose_outside),)


@law
def rates(p, g, n, uptake, xct):
    """Glucose, NADPH, bonds."""
    made = p.k_ppp * g
    spent = p.k_spend * (1.0 + xct)
    return (uptake, p.k_use + p.k_ppp), (made, spent), xct / (1.0 + n)


@law
def mending(p):
    """Bonds mended, 1/min."""
    return p.k_mend


@law
def awake(p, b):
    """Bonds stand."""
    return b > 0.1


PATHWAY = Pathway(
    "sugar", PARAMETERS,
    states=(
        State("glucose", "uM", "G", 100.0, about="glucose inside"),
        State("nadph", "uM", "N", 50.0, about="NADPH"),
        State("bonds", "1", "B", 0.0, loss=mending, about="disulfide bonds; death at 1"),
    ),
    traits=(Given("xct", "1", 1.0, "SLC7A11"),),
    inputs=(Given("glucose_outside", "uM", 1000.0, "glucose outside"),),
    frozen=("uptake",), terms=TERMS, conditions=conditions, rates=rates, awake=awake, damage="bonds", cause=4,
)  # fmt: skip
