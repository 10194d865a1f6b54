"""Ferroptosis inside one tumour cell: ten coupled states, stepped for every cell by one compiled sweep.

    Z' = (h(ifng) - Z) / tau_z                                   h = ifng / (ec50_ifn + ifng)
    C' = import (1 - f_x Z) + j_ts - gcl C - k_cx C
         import = v_x xct n^.7 (1 - p53/2) cys/(k_cys + cys) / (1 + e_xct)
    G' = gcl C - k_g_loss G - 2 loss_gssg gpx L G/(1 uM + G)
         gcl = v_gcl n^.5 / ((1 + e_bso)(k_gcl + C)(1 + G/ki_gsh))
    A' = k_a gpx4 n^.3 s(C) - (k_a + e_gpx4) A                   s = C/(k_c + C) (k_c + c_ref)/c_ref
    Q' = k_red fsp (q_total - Q) - k_auto Q - v_rad kap_q Q/kap  fsp = fsp1 n^.7 / (1 + e_fsp1)
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

Drugs are data: a cell receives effects (`e_...`) summed over whatever it holds, never a drug's name.

Integrator: exponential midpoint, order 2. Each variable moves by its own linear rate, y' = prod - loss y,
so y stays >= 0 for any step; L takes its net growth into the exponent.
Sources: parameters below; the scheme after Cox and Matthews 2002, doi 10.1006/jcph.2002.6995.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tme.kernels import team
from tme.kernels.elementary import exp, expm1_fast, law, log
from tme.kernels.jit import rule, serial
from tme.kernels.turn import fetch_64, move_64
from tme.mechanisms.ferroptosis_parameters import PARAMETERS

__all__ = ["PARAMETERS", "advance", "emission", "rupture", "select"]

# One block of cells, column after column, small enough for the first-level cache. Every block is computed
# whole (short ones are padded), so a cell's bits cannot depend on its neighbours in the block.
_BLOCK = 64
(_Z, _C, _G, _A, _Q, _F, _B, _U, _L, _D, _XCT, _GPX4, _FSP1, _ACSL4, _TFR1, _NRF2, _MUFA,
 _IFNG, _CYSTINE, _OXYGEN, _PEROXIDE, _AA_IN, _E_XCT, _E_GPX4, _E_FSP1, _E_BSO, _E_TRAP, _E_CHEL, _J_FE,
 _ALIVE, _H, _KEEP_Z, _KEEP_B, _KEEP_D, _KEEP_A) = (k * _BLOCK for k in range(35))  # fmt: skip
# the places of traits and inputs, once read, take what `conditions` makes of them
(_TAKE_UP, _BSO, _A_IN, _TAU_A, _FSP, _F_IN, _F_LOSS, _STO, _U_IN, _CHAIN, _TRAP, _Z_IN) = (
    _XCT, _E_BSO, _GPX4, _E_GPX4, _FSP1, _TFR1, _E_CHEL, _NRF2, _ACSL4, _OXYGEN, _E_TRAP, _IFNG)  # fmt: skip
_MID_Z, _MID_C, _MID_G, _MID_A, _MID_Q, _MID_F, _MID_B, _MID_U, _MID_L = (k * _BLOCK for k in range(35, 44))
_SCRATCH = 44 * _BLOCK
_MAX_GROWTH = 20.0
_LOWEST = -700.0
_TINY = 1e-30  # 1/min, added where a rate may be 0


@law
def decay(y, prod, loss, h):
    """y after h min of y' = prod - loss y: y + (e^x - 1)(y - prod/loss), x = -loss h. Never negative."""
    loss = loss + _TINY
    x = -loss * h
    return y + expm1_fast(_LOWEST if x < _LOWEST else x) * (y - prod / loss)


@law
def grow(y, prod, rate, h):
    """As `decay` for a net rate of either sign; the exponent is held to <= 20."""
    rate = rate + _TINY
    x = rate * h
    x = _MAX_GROWTH if x > _MAX_GROWTH else x
    return y + expm1_fast(_LOWEST if x < _LOWEST else x) * (y + prod / rate)


@law
def quick_exp(x):
    """e^x for x <= 709, to 1e-11 of the larger of it and 1; never negative."""
    return 1.0 + expm1_fast(_LOWEST if x < _LOWEST else x)


@law
def gate(x):
    """1 + x^6: the switch that lets the peroxide signal in."""
    x2 = x * x
    return 1.0 + x2 * x2 * x2


@law
def redox_rates(p, z, c, g, a, l, take_up, bso, a_in):
    """Cysteine, GSH and GPX4: (C prod, C loss, G prod, G loss, A prod, gpx), gpx per uM PLOOH."""
    gcl = p.v_gcl * bso / ((p.k_gcl + c) * (1.0 + g * (1.0 / p.ki_gsh)))
    gpx = p.v_gpx * a * g / ((p.k_g + g) * (p.k_l + l))
    c_in = take_up * (1.0 - p.f_x * z) + p.j_ts
    g_loss = p.k_g_loss + 2.0 * p.loss_gssg * gpx * l / (g + 1.0)
    return c_in, gcl + p.k_cx, gcl * c, g_loss, a_in * c / (p.k_c + c), gpx


@law
def radical_rates(p, g, q, f, u, l, s, chain, trap):
    """Initiation, branching per L, and what CoQ10H2, lipid and the chain length get: per_q, per_u = nu/U."""
    s_in = s / (gate(g * (1.0 / p.k_gs)) * gate(q * (1.0 / p.k_qs)))
    v_i = u * (1.0 / p.u0) * (p.k_i0 + f * (p.k_if * p.h0 + p.k_is * s_in))
    per_kap = 1.0 / (trap + p.kap_q * q)
    return v_i, p.k_br * f, p.kap_q * per_kap, chain * per_kap


@law
def lipid_supply(p, acsl4, mufa, aa, alive):
    """New PUFA-phospholipid without IFN-gamma, uM/min; none in a corpse."""
    return alive * p.k_u * p.u0 * acsl4 * (p.k_aa + aa + p.f_aa * aa) / ((p.k_aa + aa) * (1.0 + mufa))


@law
def midpoint(p, h, y, r, keep, held, s):
    """Advance the state tuple `y` by h min with the rates at state `r`: ten new values.

    `keep`: what e^{-loss h} leaves of Z, A, B and D, whose loss rates do not depend on the state: they move
    to end + (y - end) keep. `held`: see `conditions`.
    """
    z, c, g, a, q, f, b, u, l, d = y
    rz, rc, rg, ra, rq, rf, rb, ru, rl = r
    keep_z, keep_a, keep_b, keep_d = keep
    take_up, bso, a_in, tau_a, fsp, f_in, f_loss, sto, u_in, chain, trap, z_in = held
    c_in, c_loss, g_in, g_loss, a_prod, gpx = redox_rates(p, rz, rc, rg, ra, rl, take_up, bso, a_in)
    v_i, branch, per_q, per_u = radical_rates(p, rg, rq, rf, ru, rl, s, chain, trap)
    v_rad, nu = v_i + branch * rl, per_u * ru
    room = 1.0 - rb * (1.0 / p.b_max)
    store = sto * (0.0 if room < 0.0 else room)
    ferritinophagy = p.k_ncoa4 * p.ncoa4
    u_prod = u_in * (1.0 + p.f_acsl * rz)
    q_new = decay(q, fsp * p.q_total, fsp + p.k_auto + v_rad * per_q, h)
    l_new = grow(l, nu * v_i, (nu - 1.0) * branch - gpx - p.k_dl, h)
    most = l + u + u_prod * h
    a_end = a_prod * tau_a
    b_end, d_end = store * rf * (1.0 / ferritinophagy), v_rad * (1.0 / (p.d_leth * p.k_rep))
    return (
        z_in + (z - z_in) * keep_z,
        decay(c, c_in, c_loss, h),
        decay(g, g_in, g_loss, h),
        a_end + (a - a_end) * keep_a,
        p.q_total if q_new > p.q_total else q_new,
        decay(f, f_in + ferritinophagy * rb, f_loss + store, h),
        b_end + (b - b_end) * keep_b,
        decay(u, u_prod, p.k_u + per_u * v_rad, h),
        most if l_new > most else l_new,
        d_end + (d - d_end) * keep_d,
    )


@law
def keep_half(p, h):
    """What half a step of h min leaves of the IFN-gamma response, of ferritin iron and of damage."""
    return exp(-0.5 * h / p.tau_z), exp(-0.5 * h * p.k_ncoa4 * p.ncoa4), exp(-0.5 * h * p.k_rep)


@law
def conditions(
    p, h, xct, gpx4_trait, fsp1, acsl4, tfr1, nrf2, mufa,
    ifng, cystine, oxygen, aa, e_xct, e_gpx4, e_fsp1, e_bso, e_trap, e_chel, j_fe, alive,
):  # fmt: skip
    """What a step of h min holds fixed: `held`, from take_up and bso to trap and z_in; and keep_a."""
    n1 = quick_exp(0.1 * log(nrf2))
    n2 = n1 * n1
    n3 = n2 * n1
    n5 = n3 * n2
    n7 = n5 * n2
    a_loss = p.k_a + e_gpx4
    return (
        p.v_x * (1.0 - 0.5 * p.p53) * xct * n7 * cystine / ((p.k_cys + cystine) * (1.0 + e_xct)),
        n5 / (1.0 + e_bso),
        p.k_a * (1.0 + p.k_c / p.c_ref) * gpx4_trait * n3,  # a_in
        1.0 / a_loss,  # tau_a
        p.k_red * fsp1 * n7 / (1.0 + e_fsp1),
        p.j_tf * tfr1 + j_fe,  # f_in
        p.k_ex * p.fpn * n3 + e_chel,  # f_loss
        p.k_sto * n5,
        lipid_supply(p, acsl4, mufa, aa, alive),  # u_in
        p.k_p * oxygen / (p.k_o2 + oxygen),  # chain
        p.kap0 + p.kap_b * p.gch1 + e_trap,
        ifng / (p.ec50_ifn + ifng),  # z_in
    ), quick_exp(-0.5 * h * a_loss)


@law
def step_cell(
    p, h, keep_z, keep_b, keep_d, z, c, g, a, q, f, b, u, l, d,
    xct, gpx4_trait, fsp1, acsl4, tfr1, nrf2, mufa,
    ifng, cystine, oxygen, peroxide, aa, e_xct, e_gpx4, e_fsp1, e_bso, e_trap, e_chel, j_fe, alive,
):  # fmt: skip
    """One cell, h min: the ten states after an exponential midpoint step. Scalars in, a tuple out."""
    held, keep_a = conditions(
        p, h, xct, gpx4_trait, fsp1, acsl4, tfr1, nrf2, mufa,
        ifng, cystine, oxygen, aa, e_xct, e_gpx4, e_fsp1, e_bso, e_trap, e_chel, j_fe, alive,
    )  # fmt: skip
    y = (z, c, g, a, q, f, b, u, l, d)
    middle = midpoint(p, 0.5 * h, y, y[:9], (keep_z, keep_a, keep_b, keep_d), held, peroxide)
    keep = (keep_z * keep_z, keep_a * keep_a, keep_b * keep_b, keep_d * keep_d)
    return midpoint(p, h, y, middle[:9], keep, held, peroxide)


@law
def states_of(w, j):
    """The ten states of cell j of the block."""
    return (w[_Z + j], w[_C + j], w[_G + j], w[_A + j], w[_Q + j],
            w[_F + j], w[_B + j], w[_U + j], w[_L + j], w[_D + j])  # fmt: skip


@law
def held_of(w, j):
    """What `conditions` left for cell j of the block."""
    return (w[_TAKE_UP + j], w[_BSO + j], w[_A_IN + j], w[_TAU_A + j], w[_FSP + j], w[_F_IN + j],
            w[_F_LOSS + j], w[_STO + j], w[_U_IN + j], w[_CHAIN + j], w[_TRAP + j], w[_Z_IN + j])  # fmt: skip


@serial
def step_block(p, w):
    """Step the `_BLOCK` cells of scratch `w` in place, as `step_cell` does.

    Three loops of fixed length that vectorise; short bodies let the processor work on several cells' chains.
    """
    for j in range(_BLOCK):
        (w[_TAKE_UP + j], w[_BSO + j], w[_A_IN + j], w[_TAU_A + j], w[_FSP + j], w[_F_IN + j], w[_F_LOSS + j],
         w[_STO + j], w[_U_IN + j], w[_CHAIN + j], w[_TRAP + j], w[_Z_IN + j]), w[_KEEP_A + j] = conditions(
            p, w[_H + j], w[_XCT + j], w[_GPX4 + j], w[_FSP1 + j], w[_ACSL4 + j], w[_TFR1 + j], w[_NRF2 + j],
            w[_MUFA + j], w[_IFNG + j], w[_CYSTINE + j], w[_OXYGEN + j], w[_AA_IN + j], w[_E_XCT + j],
            w[_E_GPX4 + j], w[_E_FSP1 + j], w[_E_BSO + j], w[_E_TRAP + j], w[_E_CHEL + j], w[_J_FE + j],
            w[_ALIVE + j])  # fmt: skip
    for j in range(_BLOCK):
        y = states_of(w, j)
        keep = (w[_KEEP_Z + j], w[_KEEP_A + j], w[_KEEP_B + j], w[_KEEP_D + j])
        (w[_MID_Z + j], w[_MID_C + j], w[_MID_G + j], w[_MID_A + j], w[_MID_Q + j],
         w[_MID_F + j], w[_MID_B + j], w[_MID_U + j], w[_MID_L + j], _) = midpoint(
            p, 0.5 * w[_H + j], y, y[:9], keep, held_of(w, j), w[_PEROXIDE + j])  # fmt: skip
    for j in range(_BLOCK):
        middle = (w[_MID_Z + j], w[_MID_C + j], w[_MID_G + j], w[_MID_A + j], w[_MID_Q + j],
                  w[_MID_F + j], w[_MID_B + j], w[_MID_U + j], w[_MID_L + j])  # fmt: skip
        keep_z, keep_a, keep_b, keep_d = w[_KEEP_Z + j], w[_KEEP_A + j], w[_KEEP_B + j], w[_KEEP_D + j]
        keep = (keep_z * keep_z, keep_a * keep_a, keep_b * keep_b, keep_d * keep_d)
        (w[_Z + j], w[_C + j], w[_G + j], w[_A + j], w[_Q + j], w[_F + j], w[_B + j], w[_U + j], w[_L + j],
         w[_D + j]) = midpoint(
            p, w[_H + j], states_of(w, j), middle, keep, held_of(w, j), w[_PEROXIDE + j])  # fmt: skip


@serial
def gather(
    w, rows, first, m, tick, dt_min, p, state, chem_tick,
    ifng_response, cysteine, gsh, gpx4, coq10h2, lip, ferritin, pufa, plooh, damage,
    xct, gpx4_trait, fsp1, acsl4, tfr1, nrf2, mufa,
    ifng, cystine, oxygen, peroxide, aa, e_xct, e_gpx4, e_fsp1, e_bso, e_trap, e_chel, j_fe,
):  # fmt: skip
    """Copy m cells into scratch, clocks moving to `tick`; the rest of the block repeats the last cell."""
    known, keep_z, keep_b, keep_d = -1.0, 1.0, 1.0, 1.0
    for j in range(_BLOCK):
        row = np.uint64(rows[first + min(j, m - 1)])
        h = dt_min * (tick - chem_tick[row])
        if h != known:
            keep_z, keep_b, keep_d = keep_half(p, h)
            known = h
        w[_H + j] = h
        w[_KEEP_Z + j] = keep_z
        w[_KEEP_B + j] = keep_b
        w[_KEEP_D + j] = keep_d
        w[_ALIVE + j] = 1.0 if state[row] == 0 else 0.0
        w[_Z + j] = ifng_response[row]
        w[_C + j] = cysteine[row]
        w[_G + j] = gsh[row]
        w[_A + j] = gpx4[row]
        w[_Q + j] = coq10h2[row]
        w[_F + j] = lip[row]
        w[_B + j] = ferritin[row]
        w[_U + j] = pufa[row]
        w[_L + j] = plooh[row]
        w[_D + j] = damage[row]
        w[_XCT + j] = xct[row]
        w[_GPX4 + j] = gpx4_trait[row]
        w[_FSP1 + j] = fsp1[row]
        w[_ACSL4 + j] = acsl4[row]
        w[_TFR1 + j] = tfr1[row]
        w[_NRF2 + j] = nrf2[row]
        w[_MUFA + j] = mufa[row]
        w[_IFNG + j] = ifng[row]
        w[_CYSTINE + j] = cystine[row]
        w[_OXYGEN + j] = oxygen[row]
        w[_PEROXIDE + j] = peroxide[row]
        w[_AA_IN + j] = aa[row]
        w[_E_XCT + j] = e_xct[row]
        w[_E_GPX4 + j] = e_gpx4[row]
        w[_E_FSP1 + j] = e_fsp1[row]
        w[_E_BSO + j] = e_bso[row]
        w[_E_TRAP + j] = e_trap[row]
        w[_E_CHEL + j] = e_chel[row]
        w[_J_FE + j] = j_fe[row]
        chem_tick[row] = tick  # stored here, it also keeps LLVM from slow vector gathers


@serial
def scatter(
    w, rows, first, m, ifng_response, cysteine, gsh, gpx4, coq10h2, lip, ferritin, pufa, plooh, damage
):
    """Copy the ten states of m cells back to their rows."""
    for j in range(m):
        row = np.uint64(rows[first + j])
        ifng_response[row] = w[_Z + j]
        cysteine[row] = w[_C + j]
        gsh[row] = w[_G + j]
        gpx4[row] = w[_A + j]
        coq10h2[row] = w[_Q + j]
        lip[row] = w[_F + j]
        ferritin[row] = w[_B + j]
        pufa[row] = w[_U + j]
        plooh[row] = w[_L + j]
        damage[row] = w[_D + j]


@serial
def whole_block(rows, first, m, chem_tick):
    """Whether a full block's rows lie one after another and share a clock: its columns then move as vectors."""
    if m < _BLOCK:
        return False
    row = np.uint64(rows[first])
    astray, now = np.int64(0), chem_tick[row]
    for j in range(np.uint64(_BLOCK)):
        astray += np.int64(rows[np.uint64(first) + j] != np.int64(row + j))
    if astray != 0:
        return False
    for j in range(np.uint64(_BLOCK)):
        astray += np.int64(chem_tick[row + j] != now)
    return astray == 0


@serial
def take_block(w, row, tick, dt_min, p, state, chem_tick, columns):
    """`gather` for a whole block from `row` on; asks for the next one, which comes while this one is stepped."""
    h = dt_min * (tick - chem_tick[row])
    keep_z, keep_b, keep_d = keep_half(p, h)
    for j in range(_BLOCK):
        w[_H + j] = h
        w[_KEEP_Z + j] = keep_z
        w[_KEEP_B + j] = keep_b
        w[_KEEP_D + j] = keep_d
    for j in range(np.uint64(_BLOCK)):
        w[np.uint64(_ALIVE) + j] = 1.0 if state[row + j] == 0 else 0.0
    for j in range(np.uint64(_BLOCK)):
        chem_tick[row + j] = tick
    for k in range(len(columns)):
        move_64(columns[k], row, w, np.uint64(k * _BLOCK))
    for k in range(len(columns)):
        fetch_64(columns[k], row + np.uint64(_BLOCK))


@serial
def _advance(lo, hi, rows, tick, dt_min, p, state, chem_tick, *columns):
    """The listed cells from number `lo` to `hi`, block after block."""
    w = np.empty(_SCRATCH)
    for first in range(lo, hi, _BLOCK):
        m = min(_BLOCK, hi - first)
        if whole_block(rows, first, m, chem_tick):
            row = np.uint64(rows[first])
            take_block(w, row, tick, dt_min, p, state, chem_tick, columns)
            step_block(p, w)
            for k in range(10):
                move_64(w, np.uint64(k * _BLOCK), columns[k], row)
        else:
            gather(w, rows, first, m, tick, dt_min, p, state, chem_tick, *columns)
            step_block(p, w)
            scatter(w, rows, first, m, *columns[:10])


def advance(rows: np.ndarray, n_rows: int, *rest: Any) -> None:
    """Step each listed row from its own `chem_tick` to `tick`; states and clocks change in place.

    `rows` (capacity,) int64, the first `n_rows` distinct; `state` int8, 0 alive, 1 ferroptotic corpse;
    `chem_tick` int32; all others (capacity,) float64. States: uM, but the response, GPX4 and damage (1).
    Traits: 1 = reference cell. Inputs: ifng ng/mL, cystine uM, oxygen mmHg, peroxide and aa uM; effects of
    drugs: e_xct = sum (c/Ki)^n and e_fsp1, e_bso = sum c/Ki (the target is divided by 1 + e), e_gpx4
    1/min loss of active GPX4, e_trap added to kap, e_chel 1/min loss of labile iron; j_fe uM/min.

    `rest` is tick, dt_min, p, state, chem_tick and the columns, in the order of `gather`.
    """
    team.rows(_advance, n_rows, rows, *rest)


@serial
def select(lo, hi, tick, resting_every, p, state, plooh, peroxide, j_fe, chem_tick, out_rows):
    """List the rows from `lo` to `hi` to step at `tick` in `out_rows` (capacity,) int64, from `lo` on; returns the end.

    A cell is active where its PLOOH, the peroxide signal around it or its iron load passes a threshold,
    a pure function of the state. Active cells and ferroptotic corpses are due at every tick, resting ones
    on multiples of `resting_every`; one that wakes between multiples catches up in a single step. Other
    corpses have no chemistry. A row already at `tick` is left out.
    """
    resting_due = tick % resting_every == 0
    count = lo
    for i in range(np.uint64(lo), np.uint64(hi)):
        chemistry = (state[i] == 0) | (state[i] == 1)
        active = (plooh[i] > p.active_plooh) | (peroxide[i] > p.active_peroxide) | (j_fe[i] > p.active_iron)
        due = chemistry & (resting_due | active) & (chem_tick[i] < tick)
        out_rows[count] = i
        count += due
    return count


@serial
def rupture(lo, hi, state, damage, fate):
    """Raise fate 11 (die of ferroptosis) in living cells whose damage has reached 1."""
    for i in range(np.uint64(lo), np.uint64(hi)):
        if state[i] == 0 and damage[i] >= 1.0 and fate[i] < 10:
            fate[i] = 11


@rule
def emission(plooh, p):
    """Peroxide signal a cell or ferroptotic corpse emits, uM/min of its voxel (one cell fills one voxel)."""
    return p.p_s * plooh
