"""Ferroptosis in one cell: ten states, their rates, and the exponential midpoint step.

Each state moves as y' = production - loss y; over h minutes with both held constant

    y(h) = y e^(-loss h) + production (1 - e^(-loss h)) / loss

The step takes the rates at the start for h/2, then the rates found there for the whole of h. Lipid
hydroperoxide takes its net growth into the exponent, held to at most 20.

    Z  ifng_response  1     response to IFN-gamma            F  lip       uM  labile iron
    C  cysteine       uM                                     B  ferritin  uM  iron in ferritin
    G  gsh            uM                                     U  pufa      uM  oxidisable phospholipid
    A  gpx4           1     active GPX4                      L  plooh     uM  its hydroperoxide
    Q  coq10h2        uM                                     D  damage    1   the membrane ruptures at 1

A cell brings its traits (xct, gpx4_trait, fsp1, acsl4, tfr1, nrf2, mufa; reference 1, mufa 0), what it
senses (ifng ng/mL, cystine uM, oxygen mmHg, peroxide uM, aa uM), what drugs do to it (e_..., j_fe) and what rules do (`terms`).
"""

import math
from collections import namedtuple

from twin.rules import added, factor

STATES = ("ifng_response", "cysteine", "gsh", "gpx4", "coq10h2", "lip", "ferritin", "pufa", "plooh", "damage")
State = namedtuple("State", "z c g a q f b u l d")
Rates = namedtuple("Rates", "z c g a q f b u l d")  # pairs (production, loss); for l (production, net growth)


def relax(y, production, loss, h):
    """y after h min of y' = production - loss y."""
    x = loss * h
    if x > 700.0:
        return production / loss
    share = h if x == 0.0 else -math.expm1(-x) / loss
    return y * math.exp(-x) + production * share


def grow(y, production, rate, h):
    """y after h min of y' = production + rate y, the exponent at most 20."""
    x = max(min(rate * h, 20.0), -700.0)
    return y * math.exp(x) + production * h * (1.0 if x == 0.0 else math.expm1(x) / x)


def opening(peroxide, g, q, p):
    """Peroxide signal that gets in: GSH and CoQ10H2 each shut the door with sixth power."""
    return peroxide / ((1.0 + (g / p.k_gs) ** 6) * (1.0 + (q / p.k_qs) ** 6))


def rates(cell, y, p):
    """Production and loss of each state at `y`."""

    def f(name):
        return factor(cell, f"ferroptosis.{name}")

    def a(name):
        return added(cell, f"ferroptosis.{name}")

    n = cell.nrf2 * f("nrf2")
    # cysteine, GSH, GPX4
    uptake = (
        p.v_x
        * max(1.0 - 0.5 * (p.p53 + a("p53")), 0.0)
        * cell.xct
        * f("xct")
        * n**0.7
        * cell.cystine
        / ((p.k_cys + cell.cystine) * (1.0 + cell.e_xct))
    )
    synthesis = p.v_gcl * n**0.5 * f("gcl") / ((1.0 + cell.e_bso) * (p.k_gcl + y.c) * (1.0 + y.g / p.ki_gsh))
    gpx = p.v_gpx * f("gpx4_activity") * y.a * y.g / ((p.k_g + y.g) * (p.k_l + y.l))
    oxidised = (2.0 * p.loss_gssg / f("gssg_recycling") * gpx * y.l + a("gsh_use")) / (y.g + 1.0)
    supply_a = p.k_a * cell.gpx4_trait * f("gpx4_synthesis") * n**0.3 * (p.k_c + p.c_ref) / p.c_ref * y.c / (p.k_c + y.c)
    # radicals
    kap_q = p.kap_q * f("coq_trapping")
    trapping = p.kap0 * f("vitamin_e") + kap_q * y.q + p.kap_b * p.gch1 * f("gch1") + cell.e_trap + a("trap")
    chain = p.k_p * cell.oxygen / (p.k_o2 + cell.oxygen) / trapping
    enzymes, h2o2 = p.k_i0 * f("initiation"), p.h0 * f("h2o2")
    initiation = y.u / p.u0 * (enzymes + y.f * (p.k_if * h2o2 + p.k_is * opening(cell.peroxide, y.g, y.q, p)))
    radicals = initiation + p.k_br * y.f * y.l
    nu = chain * y.u
    # CoQ10, iron, lipid
    reduction = p.k_red * f("coq_reduction") * cell.fsp1 * f("fsp1") * n**0.7 / (1.0 + cell.e_fsp1) + a("dhodh")
    storage = p.k_sto * f("ferritin_storage") * n**0.5 * max(1.0 - y.b / p.b_max, 0.0)
    ferritinophagy = p.k_ncoa4 * p.ncoa4 * f("ncoa4")
    supply_u = (
        p.k_u
        * p.u0
        * cell.acsl4
        * f("acsl4")
        * f("lipid_supply")
        * (1.0 + p.f_acsl * y.z)
        * (1.0 + p.f_aa * cell.aa / (p.k_aa + cell.aa))
        / (1.0 + cell.mufa + a("mufa"))
    )
    ifng = cell.ifng * f("ifng_sensitivity")
    return Rates(
        z=(ifng / (p.ec50_ifn + ifng) / p.tau_z, 1.0 / p.tau_z),
        c=(uptake * (1.0 - p.f_x * y.z) + p.j_ts * f("cysteine_supply"), synthesis + p.k_cx),
        g=(synthesis * y.c, p.k_g_loss + oxidised + a("gsh_loss")),
        a=(supply_a, p.k_a + cell.e_gpx4 + a("gpx4_loss")),
        q=(reduction * p.q_total, reduction + p.k_auto + radicals * kap_q / trapping),
        f=(
            p.j_tf * cell.tfr1 * f("tfr1") + cell.j_fe + a("iron_influx") + ferritinophagy * y.b,
            p.k_ex * p.fpn * f("fpn") * n**0.3 + storage + cell.e_chel + a("iron_chelation"),
        ),
        b=(storage * y.f, ferritinophagy),
        u=(supply_u if cell.state == "alive" else 0.0, p.k_u + chain * radicals),
        l=(nu * initiation, (nu - 1.0) * p.k_br * y.f - gpx - p.k_dl * f("plooh_clearance")),
        d=(radicals / p.d_leth, p.k_rep * f("repair")),
    )


def exponential_step(y, r, h, p):
    """`y` after h min of constant rates `r`; CoQ10H2 and hydroperoxide are held to what there is."""
    new = {name: relax(getattr(y, name), *getattr(r, name), h) for name in "zcgaqfbud"}
    new["q"] = min(new["q"], p.q_total)
    new["l"] = min(grow(y.l, *r.l, h), y.l + y.u + r.u[0] * h)
    return State(**new)


def advance(cell, p, h):
    """Step the ten states of `cell` by h min in place."""
    y = State(*(getattr(cell, name) for name in STATES))
    middle = exponential_step(y, rates(cell, y, p), 0.5 * h, p)
    for name, value in zip(STATES, exponential_step(y, rates(cell, middle, p), h, p), strict=True):
        setattr(cell, name, value)
