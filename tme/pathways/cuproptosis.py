"""Cuproptosis inside one cell: copper in and out, lipoylated protein that aggregates, iron-sulphur clusters lost.

    Cu' = k_in ctr1 Cu_out + j_cu - (k_atp7 atp7b / (1 + Cu/k_m_atp7) + chelation) Cu
    T'  = k_lip fdx1 lipoylation h(x) - k_mend T           x = Cu / (1 + G/k_gcu + mt)   h(x) = x^2/(k_m_lip^2 + x^2)
    N'  = k_fes fdx1 h(x) (1 - N) - k_build N              the cell dies at T >= 1

Cu labile copper, T aggregate of lipoylated mitochondrial protein, N share of iron-sulphur clusters lost, x copper that
neither GSH (G) nor metallothionein holds, j_cu what ionophores bring. FDX1 reduces copper to the form that binds
lipoylated protein. It meets ferroptosis both ways, through terms of that pathway and a column of it: copper spends GSH
(rule M62.gsh), lost clusters leak electrons and start peroxidation (rule M64.initiation), and G is the GSH that
ferroptosis leaves. Copper outside is not used up: plasma holds it.

Source: mechanisms M59-M65 (Yin et al. 2025, doi 10.32604/or.2025.069049); numbers as `cuproptosis_parameters` says.
"""

from __future__ import annotations

from tme.core.terms import Term
from tme.kernels.elementary import law
from tme.pathways.contract import Given, Pathway, State
from tme.pathways.cuproptosis_parameters import PARAMETERS
from tme.pathways.entries import PathwayDeath, PathwayEntry


def _factor(name: str, about: str, low: float = 0.0) -> Term:
    return Term(f"cuproptosis.{name}", "1", "multiplies", ("tumour",), low, 100.0, about)


TERMS = (
    _factor("ctr1", "copper uptake by CTR1, DMT1 and STEAP"),
    Term("cuproptosis.copper_influx", "uM/min", "adds", ("tumour",), 0.0, 50.0, "the inflow of copper beyond its transporters",
         pool="ionophores", pool_column="j_cu"),
    _factor("atp7b", "copper export by ATP7A and ATP7B"),
    Term("cuproptosis.copper_chelation", "1/min", "adds", ("tumour",), 0.0, 10.0, "the binding of labile copper"),
    Term("cuproptosis.metallothionein", "1", "adds", ("tumour",), 0.0, 1000.0, "the copper that metallothionein holds"),
    _factor("fdx1", "reduction of copper by FDX1"),
    _factor("lipoylation", "lipoylation of protein (LIAS, LIPT1, DLAT)"),
    _factor("proteostasis", "removal of aggregates", low=1e-6),
    _factor("cluster_assembly", "building of iron-sulphur clusters"),
)  # fmt: skip


@law
def conditions(p, copper_outside, j_cu, gsh, ctr1_factor, copper_influx_added, atp7b_factor, metallothionein_added,
               fdx1_factor, lipoylation_factor):  # fmt: skip
    """What a step holds fixed, as `FROZEN` says."""
    fdx1 = p.fdx1 * fdx1_factor
    return (
        p.k_in * p.ctr1 * ctr1_factor * copper_outside + j_cu + copper_influx_added,
        p.k_atp7 * p.atp7b * atp7b_factor,
        1.0 + gsh / p.k_gcu + p.mt + metallothionein_added,
        p.k_lip * fdx1 * p.lipoylation * lipoylation_factor,
        p.k_fes * fdx1,
    )


FROZEN = ("j_in", "k_out", "bound", "j_t", "k_n")


@law
def rates(p, cu, j_in, k_out, bound, j_t, k_n, copper_chelation_added, proteostasis_factor, cluster_assembly_factor):
    """(production, loss) of Cu and N; of T, whose loss is constant, the level it heads for."""
    x = cu / bound
    h = x * x / (p.k_m_lip * p.k_m_lip + x * x)
    return (
        (j_in, k_out / (1.0 + cu / p.k_m_atp7) + copper_chelation_added),
        j_t * h / mending(p, proteostasis_factor),
        (k_n * h, k_n * h + p.k_build * cluster_assembly_factor),
    )


@law
def mending(p, proteostasis_factor):
    """Share of the aggregate removed, 1/min."""
    return p.k_mend * proteostasis_factor


@law
def awake(p, cu, t, j_cu):
    """Whether copper comes in or has come in, or aggregates stand: the cell is then stepped at every tick."""
    return (j_cu > 0.0) | (cu > p.active_copper) | (t > p.active_damage)


PATHWAY = Pathway(
    "cuproptosis", PARAMETERS,
    about="copper, lipoylated protein and iron-sulphur clusters",
    states=(
        State("copper", "uM", "Cu", 0.05, about="labile copper"),
        State("aggregate", "1", "T", 0.0, loss=mending, about="aggregated lipoylated protein; death at 1"),
        State("clusters_lost", "1", "N", 0.0, about="share of iron-sulphur clusters lost"),
    ),
    traits=(),
    inputs=(
        Given("copper_outside", "uM", 0.3, "exchangeable copper outside; plasma's where the config has no field copper", field="copper"),
        Given("j_cu", "uM/min", 0.0, "copper that ionophores bring"),
        Given("gsh", "uM", 2600.0, "reduced glutathione, from ferroptosis"),
    ),
    frozen=FROZEN, terms=TERMS, conditions=conditions, rates=rates, awake=awake,
    damage="aggregate", cause=5,
)  # fmt: skip


class Cuproptosis(PathwayEntry):
    """Copper chemistry of living tumour cells."""

    name = "cuproptosis"
    pathway = PATHWAY
    ids = ("M59", "M60", "M61", "M62", "M63", "M64", "M65", "M114", "M116", "M117")
    about = PATHWAY.about
    parameters = PARAMETERS
    starts_on = False


class CuproptoticDeath(PathwayDeath):
    """Cells die when their lipoylated protein has aggregated."""

    name = "cuproptotic_death"
    ids = ("M63",)
    about = "aggregates of 1 kill the cell"
    of = Cuproptosis
