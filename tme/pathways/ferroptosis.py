"""Ferroptosis inside one cell: ten coupled states.

    Z' = (h(ifng) - Z) / tau_z                                   h = ifng / (ec50_ifn + ifng)
    C' = j_x (1 - f_x Z) + j_ts - gcl C - k_cx C
         j_x = v_x xct n^.7 (1 - p53/2) cys/(k_cys + cys) / (1 + e_xct)
    G' = gcl C - k_g_loss G - 2 loss_gssg gpx L G/(1 uM + G)
         gcl = v_gcl n^.5 / ((1 + e_bso)(k_gcl + C)(1 + G/ki_gsh))
    A' = k_a gpx4 n^.3 s(C) - (k_a + e_gpx4) A                   s = C/(k_c + C) (k_c + c_ref)/c_ref
    Q' = k_red fsp (q_total - Q) - k_auto Q - v_rad kap_q Q/kap  fsp = fsp1 n^.7 / (1 + e_fsp1) + dhodh
    F' = j_tf tfr1 + j_fe + k_ncoa4 ncoa4 B - (k_ex fpn n^.3 + sto + e_chel) F
    B' = sto F - k_ncoa4 ncoa4 B                                 sto = k_sto n^.5 (1 - B/b_max)
    U' = supply - k_u U - nu v_rad
         supply = k_u u0 acsl4 (1 + f_acsl Z)(1 + f_aa aa/(k_aa + aa))/(1 + mufa)
    L' = nu v_i + (nu - 1) k_br F L - (gpx + k_dl) L             gpx = v_gpx A G/(k_g + G) / (k_l + L)
    D' = v_rad / d_leth - k_rep D                                the membrane ruptures at D >= 1

    kap = kap0 + kap_q Q + kap_b gch1 + e_trap                   nu = k_p U O2/(k_o2 + O2) / kap
    v_i = (U/u0)(k_i0 + F (k_if h0 + k_is S_in))                 v_rad = v_i + k_br F L
    S_in = S / ((1 + (G/k_gs)^6)(1 + (Q/k_qs)^6))                field: S' = d_s lap S - k_s S + p_s L

Z IFN-gamma response, C cysteine, G GSH, A active GPX4, Q CoQ10H2, F labile iron, B ferritin iron,
U PUFA-phospholipid, L its hydroperoxide, D damage, S peroxide signal, n NRF2 activity (1 = reference).
At low L GPX4 clears peroxide faster than iron multiplies it; at high L it saturates and CoQ10H2 is spent,
so peroxidation runs away until the lipid is gone. A ferroptotic corpse keeps its row and its equations,
with the supply of new lipid off, and goes on emitting S from its L.

Drugs are data: a cell receives effects (`e_...`) summed over whatever it holds, never a drug's name. Terms that
rules may modulate (`ferroptosis_terms`) stand beside the number they act on: a factor is 1, an amount 0, without a rule.

Sources: `ferroptosis_parameters`.
"""

from __future__ import annotations

import numpy as np

from tme.kernels.chemistry import exp_fast, positive_part
from tme.kernels.elementary import law, log, power
from tme.pathways.contract import Given, Pathway, State
from tme.pathways.ferroptosis_parameters import PARAMETERS
from tme.pathways.ferroptosis_terms import TERMS

__all__ = ["PARAMETERS", "PATHWAY", "emission"]
LEAST_LOSS = 1e-12  # 1/min: without any loss there is no level at rest


# ---- what a step holds fixed -------------------------------------------------------------------------------
@law
def cystine_import(p, xct, n7, cystine, e_xct, xct_factor, p53_added):
    """j_x, uM/min of cysteine through system xc- in a cell without IFN-gamma."""
    repressed = positive_part(1.0 - 0.5 * (p.p53 + p53_added))
    return p.v_x * repressed * xct * xct_factor * n7 * cystine / ((p.k_cys + cystine) * (1.0 + e_xct))


@law
def lipid_supply(p, acsl4, mufa, aa, alive):
    """New PUFA-phospholipid without IFN-gamma, uM/min; none in a corpse."""
    return alive * p.k_u * p.u0 * acsl4 * (p.k_aa + aa + p.f_aa * aa) / ((p.k_aa + aa) * (1.0 + mufa))


@law
def gpx4_loss(p, e_gpx4, gpx4_loss_added):
    """Loss of active GPX4, 1/min: turnover, covalent inhibitors."""
    return p.k_a + e_gpx4 + gpx4_loss_added


@law
def conditions(
    p, alive, xct, gpx4_trait, fsp1, acsl4, tfr1, nrf2, mufa,
    ifng, cystine, oxygen, aa, e_xct, e_gpx4, e_fsp1, e_bso, e_trap, e_chel, j_fe,
    xct_factor, p53_added, gcl_factor, gpx4_synthesis_factor, gpx4_loss_added, fsp1_factor, coq_reduction_factor, dhodh_added,
    vitamin_e_factor, gch1_factor, trap_added, tfr1_factor, iron_influx_added, fpn_factor, iron_chelation_added,
    ferritin_storage_factor, acsl4_factor, lipid_supply_factor, mufa_added, nrf2_factor, ifng_sensitivity_factor,
):  # fmt: skip
    """What a step holds fixed, as `FROZEN` says."""
    n1 = exp_fast(0.1 * log(nrf2 * nrf2_factor))
    n2 = n1 * n1
    n3 = n2 * n1
    n5 = n3 * n2
    n7 = n5 * n2
    ifng_felt = ifng * ifng_sensitivity_factor
    return (
        cystine_import(p, xct, n7, cystine, e_xct, xct_factor, p53_added),
        n5 * gcl_factor / (1.0 + e_bso),
        p.k_a * (1.0 + p.k_c / p.c_ref) * gpx4_trait * gpx4_synthesis_factor * n3,
        1.0 / gpx4_loss(p, e_gpx4, gpx4_loss_added),
        p.k_red * coq_reduction_factor * fsp1 * fsp1_factor * n7 / (1.0 + e_fsp1) + dhodh_added,
        p.j_tf * tfr1 * tfr1_factor + j_fe + iron_influx_added,
        p.k_ex * p.fpn * fpn_factor * n3 + e_chel + iron_chelation_added,
        p.k_sto * ferritin_storage_factor * n5,
        lipid_supply(p, acsl4 * acsl4_factor * lipid_supply_factor, mufa + mufa_added, aa, alive),
        p.k_p * oxygen / (p.k_o2 + oxygen),
        p.kap0 * vitamin_e_factor + p.kap_b * p.gch1 * gch1_factor + e_trap + trap_added,
        ifng_felt / (p.ec50_ifn + ifng_felt),
    )


FROZEN = ("j_x", "f_gcl", "j_a", "tau_a", "fsp", "j_f", "k_f", "sto_empty", "j_u", "nu_kap", "kap_rest", "h_ifng")


# ---- production and loss of every state ------------------------------------------------------------------------
@law
def sixth(x):
    """x^6: the switch that shuts the peroxide signal out."""
    x2 = x * x
    return x2 * x2 * x2


@law
def redox_rates(p, z, c, g, a, l, j_x, f_gcl, j_a, cysteine_supply_factor, gsh_loss_added, gsh_use_added,
                gssg_recycling_factor, gpx4_activity_factor):  # fmt: skip
    """Cysteine, GSH and GPX4: (C prod, C loss, G prod, G loss, A prod, gpx), gpx per uM PLOOH."""
    gcl = p.v_gcl * f_gcl / ((p.k_gcl + c) * (1.0 + g * (1.0 / p.ki_gsh)))
    gpx = p.v_gpx * gpx4_activity_factor * a * g / ((p.k_g + g) * (p.k_l + l))
    c_in = j_x * (1.0 - p.f_x * z) + p.j_ts * cysteine_supply_factor
    spent = 2.0 * (p.loss_gssg / gssg_recycling_factor) * gpx * l + gsh_use_added
    g_loss = p.k_g_loss + spent / (g + 1.0) + gsh_loss_added
    return c_in, gcl + p.k_cx, gcl * c, g_loss, j_a * c / (p.k_c + c), gpx


@law
def radical_rates(p, g, q, f, u, l, peroxide, nu_kap, kap_rest, coq_trapping_factor, initiation_factor, h2o2_factor):
    """Initiation v_i, branching per L, and what CoQ10H2, lipid and the chain length get: kap_q/kap, nu/U."""
    s_in = peroxide / ((1.0 + sixth(g * (1.0 / p.k_gs))) * (1.0 + sixth(q * (1.0 / p.k_qs))))
    v_i = u * (1.0 / p.u0) * (p.k_i0 * initiation_factor + f * (p.k_if * p.h0 * h2o2_factor + p.k_is * s_in))
    kap_q = p.kap_q * coq_trapping_factor
    per_kap = 1.0 / (kap_rest + kap_q * q)
    return v_i, p.k_br * f, kap_q * per_kap, nu_kap * per_kap


@law
def rates(
    p, z, c, g, a, q, f, b, u, l, peroxide,
    j_x, f_gcl, j_a, tau_a, fsp, j_f, k_f, sto_empty, j_u, nu_kap, kap_rest, h_ifng,
    cysteine_supply_factor, gsh_loss_added, gsh_use_added, gssg_recycling_factor, gpx4_activity_factor,
    coq_trapping_factor, initiation_factor, h2o2_factor, plooh_clearance_factor, ncoa4_factor, repair_factor,
):  # fmt: skip
    """(production, loss) of every state; for those of constant loss the level they head for."""
    c_in, c_loss, g_in, g_loss, a_in, gpx = redox_rates(
        p, z, c, g, a, l, j_x, f_gcl, j_a, cysteine_supply_factor, gsh_loss_added, gsh_use_added,
        gssg_recycling_factor, gpx4_activity_factor)  # fmt: skip
    v_i, branch, kap_q_kap, nu_u = radical_rates(
        p, g, q, f, u, l, peroxide, nu_kap, kap_rest, coq_trapping_factor, initiation_factor, h2o2_factor)  # fmt: skip
    v_rad, nu = v_i + branch * l, nu_u * u
    sto = sto_empty * positive_part(1.0 - b * (1.0 / p.b_max))
    freed = ferritinophagy(p, ncoa4_factor)
    return (
        h_ifng,
        (c_in, c_loss),
        (g_in, g_loss),
        a_in * tau_a,
        (fsp * p.q_total, fsp + p.k_auto + v_rad * kap_q_kap),
        (j_f + freed * b, k_f + sto),
        sto * f * (1.0 / freed),
        (j_u * (1.0 + p.f_acsl * z), p.k_u + nu_u * v_rad),
        (nu * v_i, (nu - 1.0) * branch - gpx - p.k_dl * plooh_clearance_factor),
        v_rad * (1.0 / (p.d_leth * repair(p, repair_factor))),
    )


# ---- constant losses and upper ends ----------------------------------------------------------------------------
@law
def response_loss(p):
    """1/tau_z, 1/min."""
    return 1.0 / p.tau_z


@law
def ferritinophagy(p, ncoa4_factor):
    """Share of ferritin iron set free, 1/min."""
    return p.k_ncoa4 * p.ncoa4 * ncoa4_factor


@law
def repair(p, repair_factor):
    """Share of the damage mended, 1/min."""
    return p.k_rep * repair_factor


@law
def all_coq(p):
    """There is no more CoQ10H2 than CoQ10."""
    return p.q_total


@law
def all_lipid(h, l, u, u_in):
    """No more lipid is peroxidised than there is and is made in the step."""
    return l + u + u_in * h


# ---- rest and waking ---------------------------------------------------------------------------------------------
@law
def awake(p, l, peroxide, j_fe):
    """Whether a cell peroxidises, senses the signal or takes in iron: it is then stepped at every tick."""
    return (l > p.active_plooh) | (peroxide > p.active_peroxide) | (j_fe > p.active_iron)


@law
def resting(p, xct, gpx4_trait, fsp1, acsl4, tfr1, nrf2, mufa, ifng, cystine, aa):
    """Untreated steady state without peroxidation, in closed form but for an iteration of C and G."""
    n3, n5, n7 = power(nrf2, 0.3), np.sqrt(nrf2), power(nrf2, 0.7)
    z = ifng / (p.ec50_ifn + ifng)
    c_in = cystine_import(p, xct, n7, cystine, 0.0, 1.0, 0.0) * (1.0 - p.f_x * z) + p.j_ts
    c, g = 100.0, 2000.0
    for _ in range(40):
        gcl = p.v_gcl * n5 / ((p.k_gcl + c) * (1.0 + g / p.ki_gsh))
        c = c_in / max(gcl + p.k_cx, LEAST_LOSS)
        g = 0.5 * (g + gcl * c / p.k_g_loss)
    fsp = p.k_red * fsp1 * n7
    f = p.j_tf * tfr1 / (p.k_ex * p.fpn * n3)
    sto = p.k_sto * n5 * f
    return (
        z,
        c,
        g,
        gpx4_trait * n3 * (1.0 + p.k_c / p.c_ref) * c / (p.k_c + c),
        fsp * p.q_total / max(fsp + p.k_auto, LEAST_LOSS),
        f,
        sto / (p.k_ncoa4 * p.ncoa4 + sto / p.b_max),
        lipid_supply(p, acsl4, mufa, aa, 1.0) * (1.0 + p.f_acsl * z) / p.k_u,
        0.0,
        0.0,
    )


@law
def emission(plooh, p):
    """Peroxide signal a cell or ferroptotic corpse emits, uM/min of its voxel (one cell fills one voxel)."""
    return p.p_s * plooh


PATHWAY = Pathway(
    "ferroptosis", PARAMETERS,
    about="cystine, GSH, GPX4, FSP1-CoQ10, iron, PUFA, PLOOH and membrane damage",
    states=(
        State("ifng_response", "1", "Z", 0.0, loss=response_loss, about="transcriptional response to IFN-gamma, 0-1"),
        State("cysteine", "uM", "C", 50.0, about="cytosolic cyst(e)ine"),
        State("gsh", "uM", "G", 2000.0, about="reduced glutathione"),
        State("gpx4", "1", "A", 1.0, loss=gpx4_loss, about="active GPX4 relative to a normal cell"),
        State("coq10h2", "uM", "Q", 0.5, cap=all_coq, about="reduced CoQ10"),
        State("lip", "uM", "F", 1.0, about="labile iron pool"),
        State("ferritin", "uM", "B", 220.0, loss=ferritinophagy, about="ferritin-bound iron"),
        State("pufa", "uM", "U", 2000.0, about="oxidisable PUFA phospholipid"),
        State("plooh", "uM", "L", 0.02, kind="grow", cap=all_lipid, about="phospholipid hydroperoxide"),
        State("damage", "1", "D", 0.0, loss=repair, about="membrane damage; rupture at 1"),
    ),
    traits=(
        Given("xct", "1", 1.0, "SLC7A11 expression relative to the reference cell", high=10.0),
        Given("gpx4_trait", "1", 1.0, "GPX4 synthesis relative to the reference cell", high=10.0),
        Given("fsp1", "1", 1.0, "FSP1 activity", high=20.0),
        Given("acsl4", "1", 1.0, "ACSL4 activity", high=5.0),
        Given("tfr1", "1", 1.0, "transferrin receptor", high=10.0),
        Given("nrf2", "1", 1.0, "NRF2 activity", low=0.01, high=10.0),
        Given("mufa", "1", 0.0, "MUFA load relative to PUFA", high=10.0),
    ),
    inputs=(
        Given("ifng", "ng/mL", 0.0, "IFN-gamma outside", field="ifng"),
        Given("cystine", "uM", 40.0, "cystine outside", field="cystine"),
        Given("oxygen", "mmHg", 38.0, "oxygen", field="oxygen"),
        Given("peroxide", "uM", 0.0, "S, diffusible lipid-peroxide signal", field="peroxide"),
        Given("aa", "uM", 0.0, "arachidonic acid outside the cell", field="arachidonic"),
        Given("e_xct", "1", 0.0, "sum of (c/Ki)^n over xc- inhibitors"),
        Given("e_gpx4", "1/min", 0.0, "loss rate of active GPX4 by covalent inhibitors"),
        Given("e_fsp1", "1", 0.0, "sum of c/Ki over FSP1 inhibitors"),
        Given("e_bso", "1", 0.0, "sum of c/Ki over GCL inhibitors"),
        Given("e_trap", "1", 0.0, "radical trapping by drugs, in units of kap0"),
        Given("e_chel", "1/min", 0.0, "chelation rate of labile iron"),
        Given("j_fe", "uM/min", 0.0, "labile iron entering, all sources beyond transferrin"),
    ),
    frozen=FROZEN, terms=TERMS, conditions=conditions, rates=rates, awake=awake, resting=resting,
    damage="damage", cause=1, in_corpses=True, clock="chem_tick", emits="peroxide",
)  # fmt: skip
