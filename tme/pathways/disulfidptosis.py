"""Glucose, NADPH and disulfidptosis inside one cell: cystine that NADPH no longer reduces makes disulfide bonds that kill.

    N' = k_ppp pentose g/(k_glc + g) (1 - N) - (k_use + k_cys j) N          g glucose outside
    X' = k_bond (x_max j (1 - N)^2 - X)                                     the cell dies at X >= 1
    j  = xct n^.7 (1 - f_x Z) (1 + k_m/cys_ref) cys/(k_m + cys) / (1 + e_xct)

N share of the NADP pool that is NADPH, X disulfide bonds of the actin skeleton relative to a lethal load, j cystine uptake
relative to the reference cell at `cys_ref`, Z the IFN-gamma response, n NRF2 activity. Low glucose, or much cystine taken
up, empties the pool. So the same SLC7A11 that protects from ferroptosis kills without glucose, and inhibitors of system
xc- protect. NADPH meets ferroptosis through that pathway's terms: rules M105.gsr (recycling of GSSG) and M105.fsp1.

Source: mechanism M105 (Yin et al. 2025, doi 10.32604/or.2025.069049, section 4.2).
"""

from __future__ import annotations

from tme.core.parameters import ParameterSet, par
from tme.core.terms import Term
from tme.kernels.elementary import law, power
from tme.pathways.contract import Given, Pathway, State
from tme.pathways.entries import PathwayDeath, PathwayEntry

_ORDER = "tuned: at 0.1 mM glucose SLC7A11-high cells (3) die after 8 h and the reference cell lives; at 5 mM nothing happens"

PARAMETERS = ParameterSet(
    "disulfidptosis",
    par("k_ppp", 0.3, "1/min", 0.0, 10.0, _ORDER, "NADP reduced by the pentose phosphate pathway at plenty of glucose"),
    par("k_glc", 1.0, "mM", 0.01, 20.0, "assumed: about the K_m of GLUT1", "glucose of half that rate"),
    par("k_use", 0.01, "1/min", 0.0, 10.0, _ORDER, "NADPH used for all else"),
    par("k_cys", 0.02, "1/min", 0.0, 10.0, _ORDER, "NADPH spent on the cystine that the reference cell takes up"),
    par("k_m", 50.0, "uM", 5.0, 500.0, "as ferroptosis.k_cys: K_m of system xc- for cystine (Bannai 1986, J Biol Chem 261:2256)"),
    par("cys_ref", 40.0, "uM", 1.0, 500.0, "definition: cystine of plasma, at which the reference cell's uptake is 1"),
    par("f_x", 0.7, "1", 0.0, 1.0, "assumed: as ferroptosis.f_x", "share of system xc- lost at full IFN-gamma response"),
    par("x_max", 1.3, "1", 0.0, 100.0, _ORDER, "disulfide bonds of the reference cell without NADPH"),
    par("k_bond", 1.5e-3, "1/min", 1e-6, 1.0, _ORDER, "rate at which bonds follow"),
    par("active_bonds", 0.3, "1", 0.0, 10.0, "assumed: well below 1", "bonds above which a cell is stepped at every tick"),
)
TERMS = (
    Term("disulfidptosis.pentose_pathway", "1", "multiplies", ("tumour",), 0.0, 100.0, "reduction of NADP by the pentose phosphate pathway"),
    Term("disulfidptosis.cystine_uptake", "1", "multiplies", ("tumour",), 0.0, 100.0, "the cystine that NADPH has to reduce"),
)


@law
def conditions(p, glucose_outside, cystine, xct, nrf2, ifng_response, e_xct, pentose_pathway_factor, cystine_uptake_factor):
    """NADP reduced, 1/min, and cystine taken up."""
    transport = xct * power(nrf2, 0.7) * (1.0 - p.f_x * ifng_response) * cystine_uptake_factor / (1.0 + e_xct)
    return (
        p.k_ppp * pentose_pathway_factor * glucose_outside / (p.k_glc + glucose_outside),
        transport * (p.k_m + p.cys_ref) * cystine / (p.cys_ref * (p.k_m + cystine)),
    )


@law
def rates(p, n, reduced, uptake):
    """(production, loss) of NADPH, and the level that the bonds head for."""
    return (reduced, reduced + p.k_use + p.k_cys * uptake), p.x_max * uptake * (1.0 - n) * (1.0 - n)


@law
def bonding(p):
    """Rate at which bonds follow, 1/min."""
    return p.k_bond


@law
def full(p):
    """There is no more NADPH than NADP."""
    return 1.0


@law
def awake(p, x):
    """Whether bonds stand: the cell is then stepped at every tick."""
    return x > p.active_bonds


PATHWAY = Pathway(
    "disulfidptosis", PARAMETERS,
    about="glucose, NADPH and disulfide bonds",
    states=(
        State("nadph", "1", "N", 0.89, cap=full, about="share of the NADP pool that is NADPH"),
        State("disulfides", "1", "X", 0.0, loss=bonding, about="disulfide bonds of the actin skeleton; death at 1"),
    ),
    traits=(),
    inputs=(
        Given("glucose_outside", "mM", 5.0, "glucose outside; plasma's where the config has no field glucose", field="glucose"),
        Given("cystine", "uM", 40.0, "cystine outside", field="cystine"),
        Given("xct", "1", 1.0, "SLC7A11, from ferroptosis"),
        Given("nrf2", "1", 1.0, "NRF2 activity, from ferroptosis"),
        Given("ifng_response", "1", 0.0, "IFN-gamma response, from ferroptosis"),
        Given("e_xct", "1", 0.0, "sum of (c/Ki)^n over xc- inhibitors, from ferroptosis"),
    ),
    frozen=("reduced", "uptake"), terms=TERMS, conditions=conditions, rates=rates, awake=awake,
    damage="disulfides", cause=6,
)  # fmt: skip


class Disulfidptosis(PathwayEntry):
    """Glucose, NADPH and disulfide bonds of living tumour cells."""

    name = "disulfidptosis"
    pathway = PATHWAY
    ids = ("M105",)
    about = PATHWAY.about
    parameters = PARAMETERS
    starts_on = False


class DisulfidptoticDeath(PathwayDeath):
    """Cells die when disulfide bonds have taken their skeleton apart."""

    name = "disulfidptotic_death"
    ids = ("M105",)
    about = "disulfide bonds of 1 kill the cell"
    of = Disulfidptosis
