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

from math import sqrt
from typing import Any

import numba
import numpy as np
from numba import prange

from tme.kernels.elementary import exp, exp_pair, law, power
from tme.kernels.jit import rule, serial, sweep
from tme.mechanisms.ferroptosis_parameters import PARAMETERS

__all__ = ["PARAMETERS", "advance", "emission", "rupture", "select", "settle"]

# One block of cells, column after column, small enough for the first-level cache. Every block is computed
# whole (short ones are padded), so a cell's bits cannot depend on its neighbours in the block.
_BLOCK = 64
(_Z, _C, _G, _A, _Q, _F, _B, _U, _L, _D, _XCT, _GPX4, _FSP1, _ACSL4, _TFR1, _NRF2, _MUFA,
 _IFNG, _CYSTINE, _OXYGEN, _PEROXIDE, _AA_IN, _E_XCT, _E_GPX4, _E_FSP1, _E_BSO, _E_TRAP, _E_CHEL, _J_FE,
 _ALIVE, _H, _KEEP_Z, _KEEP_B, _KEEP_D) = (k * _BLOCK for k in range(34))  # fmt: skip
_SCRATCH = 34 * _BLOCK
SHARED_ROWS = 4096  # fewer rows than this are not worth waking other threads for
_MAX_GROWTH = 20.0
_TINY = 1e-300


@law
def decay(y, prod, loss, h):
    """y after h min of y' = prod - loss y: y e^x + prod (1 - e^x)/loss, x = -loss h. Never negative."""
    x = -loss * h
    x = -700.0 if x < -700.0 else x
    e, em = exp_pair(x)
    return y * e + prod * ((em - _TINY) / (-loss - _TINY))


@law
def grow(y, prod, rate, h):
    """As `decay` for a net rate of either sign; the exponent is held to <= 20."""
    x = rate * h
    x = _MAX_GROWTH if x > _MAX_GROWTH else x
    x = -700.0 if x < -700.0 else x
    e, em = exp_pair(x)
    return y * e + prod * h * ((em + _TINY) / (x + _TINY))


@law
def gate(x):
    """1 + x^6: the switch that lets the peroxide signal in."""
    x2 = x * x
    return 1.0 + x2 * x2 * x2


@law
def redox_rates(p, z, c, g, a, l, take_up, bso, a_in):
    """Cysteine, GSH and GPX4: (C prod, C loss, G prod, G loss, A prod, gpx), gpx per uM PLOOH."""
    gcl = p.v_gcl * bso / ((p.k_gcl + c) * (1.0 + g / p.ki_gsh))
    gpx = p.v_gpx * a * g / ((p.k_g + g) * (p.k_l + l))
    c_in = take_up * (1.0 - p.f_x * z) + p.j_ts
    g_loss = p.k_g_loss + 2.0 * p.loss_gssg * gpx * l / (g + 1.0)
    return c_in, gcl + p.k_cx, gcl * c, g_loss, a_in * c / (p.k_c + c), gpx


@law
def radical_rates(p, g, q, f, u, l, s, chain, trap):
    """Initiation, all radicals, their chain length and 1/kap: (v_i, v_rad, nu, 1/kap)."""
    s_in = s / (gate(g * (1.0 / p.k_gs)) * gate(q * (1.0 / p.k_qs)))
    v_i = u * (1.0 / p.u0) * (p.k_i0 + f * (p.k_if * p.h0 + p.k_is * s_in))
    per_kap = 1.0 / (trap + p.kap_q * q)
    return v_i, v_i + p.k_br * f * l, chain * u * per_kap, per_kap


@law
def lipid_supply(p, acsl4, mufa, aa, alive):
    """New PUFA-phospholipid without IFN-gamma, uM/min; none in a corpse."""
    return alive * p.k_u * p.u0 * acsl4 * (p.k_aa + aa + p.f_aa * aa) / ((p.k_aa + aa) * (1.0 + mufa))


@law
def midpoint(p, h, y, r, keep, take_up, bso, a_in, tau_a, fsp, f_in, f_loss, sto, u_in, chain, trap, z_in, s):
    """Advance the state tuple `y` by h min with the rates at state `r`: ten new values.

    `keep`: what e^{-loss h} leaves of Z, A, B and D, whose loss rates do not depend on the state.
    """
    z, c, g, a, q, f, b, u, l, d = y
    rz, rc, rg, ra, rq, rf, rb, ru, rl, _rd = r
    keep_z, keep_a, keep_b, keep_d = keep
    c_in, c_loss, g_in, g_loss, a_prod, gpx = redox_rates(p, rz, rc, rg, ra, rl, take_up, bso, a_in)
    v_i, v_rad, nu, per_kap = radical_rates(p, rg, rq, rf, ru, rl, s, chain, trap)
    room = 1.0 - rb * (1.0 / p.b_max)
    store = sto * (0.0 if room < 0.0 else room)
    ferritinophagy = p.k_ncoa4 * p.ncoa4
    u_prod = u_in * (1.0 + p.f_acsl * rz)
    q_new = decay(q, fsp * p.q_total, fsp + p.k_auto + v_rad * p.kap_q * per_kap, h)
    l_new = grow(l, nu * v_i, (nu - 1.0) * p.k_br * rf - gpx - p.k_dl, h)
    most = l + u + u_prod * h
    return (
        z * keep_z + z_in * (1.0 - keep_z),
        decay(c, c_in, c_loss, h),
        decay(g, g_in, g_loss, h),
        a * keep_a + a_prod * tau_a * (1.0 - keep_a),
        p.q_total if q_new > p.q_total else q_new,
        decay(f, f_in + ferritinophagy * rb, f_loss + store, h),
        b * keep_b + store * rf * (1.0 - keep_b) * (1.0 / ferritinophagy),
        decay(u, u_prod, p.k_u + chain * per_kap * v_rad, h),
        most if l_new > most else l_new,
        d * keep_d + v_rad * (1.0 - keep_d) * (1.0 / (p.d_leth * p.k_rep)),
    )


@law
def keep_half(p, h):
    """What half a step of h min leaves of the IFN-gamma response, of ferritin iron and of damage."""
    return exp(-0.5 * h / p.tau_z), exp(-0.5 * h * p.k_ncoa4 * p.ncoa4), exp(-0.5 * h * p.k_rep)


@law
def step_cell(
    p, h, keep_z, keep_b, keep_d, z, c, g, a, q, f, b, u, l, d,
    xct, gpx4_trait, fsp1, acsl4, tfr1, nrf2, mufa,
    ifng, cystine, oxygen, peroxide, aa, e_xct, e_gpx4, e_fsp1, e_bso, e_trap, e_chel, j_fe, alive,
):  # fmt: skip
    """One cell, h min: the ten states after an exponential midpoint step. Scalars in, a tuple out."""
    n3 = power(nrf2, 0.3)
    n7 = nrf2 / (n3 + _TINY)
    n5 = sqrt(nrf2)  # not np.sqrt, which numba-cuda lacks for scalars
    take_up = p.v_x * (1.0 - 0.5 * p.p53) * xct * n7 * cystine / ((p.k_cys + cystine) * (1.0 + e_xct))
    bso = n5 / (1.0 + e_bso)
    a_in = p.k_a * (1.0 + p.k_c / p.c_ref) * gpx4_trait * n3
    a_loss = p.k_a + e_gpx4
    tau_a = 1.0 / a_loss
    fsp = p.k_red * fsp1 * n7 / (1.0 + e_fsp1)
    f_in = p.j_tf * tfr1 + j_fe
    f_loss = p.k_ex * p.fpn * n3 + e_chel
    sto = p.k_sto * n5
    u_in = lipid_supply(p, acsl4, mufa, aa, alive)
    chain = p.k_p * oxygen / (p.k_o2 + oxygen)
    trap = p.kap0 + p.kap_b * p.gch1 + e_trap
    z_in = ifng / (p.ec50_ifn + ifng)
    keep_a = exp(-0.5 * h * a_loss)
    y = (z, c, g, a, q, f, b, u, l, d)
    keep = (keep_z, keep_a, keep_b, keep_d)
    r = midpoint(
        p, 0.5 * h, y, y, keep,
        take_up, bso, a_in, tau_a, fsp, f_in, f_loss, sto, u_in, chain, trap, z_in, peroxide,
    )  # fmt: skip
    keep = (keep_z * keep_z, keep_a * keep_a, keep_b * keep_b, keep_d * keep_d)
    return midpoint(
        p, h, y, r, keep,
        take_up, bso, a_in, tau_a, fsp, f_in, f_loss, sto, u_in, chain, trap, z_in, peroxide,
    )  # fmt: skip


@serial
def step_block(p, w):
    """Step the `_BLOCK` cells of scratch `w` in place; a loop of fixed length that vectorises."""
    for j in range(_BLOCK):
        z, c, g, a, q, f, b, u, l, d = step_cell(
            p, w[_H + j], w[_KEEP_Z + j], w[_KEEP_B + j], w[_KEEP_D + j],
            w[_Z + j], w[_C + j], w[_G + j], w[_A + j], w[_Q + j],
            w[_F + j], w[_B + j], w[_U + j], w[_L + j], w[_D + j],
            w[_XCT + j], w[_GPX4 + j], w[_FSP1 + j], w[_ACSL4 + j], w[_TFR1 + j], w[_NRF2 + j], w[_MUFA + j],
            w[_IFNG + j], w[_CYSTINE + j], w[_OXYGEN + j], w[_PEROXIDE + j], w[_AA_IN + j],
            w[_E_XCT + j], w[_E_GPX4 + j], w[_E_FSP1 + j], w[_E_BSO + j], w[_E_TRAP + j], w[_E_CHEL + j],
            w[_J_FE + j], w[_ALIVE + j],
        )  # fmt: skip
        w[_Z + j] = z
        w[_C + j] = c
        w[_G + j] = g
        w[_A + j] = a
        w[_Q + j] = q
        w[_F + j] = f
        w[_B + j] = b
        w[_U + j] = u
        w[_L + j] = l
        w[_D + j] = d


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


@sweep
def _advance_together(
    rows, n_rows, tick, dt_min, p, state, chem_tick,
    ifng_response, cysteine, gsh, gpx4, coq10h2, lip, ferritin, pufa, plooh, damage,
    xct, gpx4_trait, fsp1, acsl4, tfr1, nrf2, mufa,
    ifng, cystine, oxygen, peroxide, aa, e_xct, e_gpx4, e_fsp1, e_bso, e_trap, e_chel, j_fe,
):  # fmt: skip
    """The blocks on all threads; the same bits."""
    for i in prange((n_rows + _BLOCK - 1) // _BLOCK):
        first = np.int64(i) * _BLOCK
        m = min(_BLOCK, n_rows - first)
        w = np.empty(_SCRATCH)
        gather(
            w, rows, first, m, tick, dt_min, p, state, chem_tick,
            ifng_response, cysteine, gsh, gpx4, coq10h2, lip, ferritin, pufa, plooh, damage,
            xct, gpx4_trait, fsp1, acsl4, tfr1, nrf2, mufa,
            ifng, cystine, oxygen, peroxide, aa, e_xct, e_gpx4, e_fsp1, e_bso, e_trap, e_chel, j_fe,
        )  # fmt: skip
        step_block(p, w)
        scatter(
            w, rows, first, m,
            ifng_response, cysteine, gsh, gpx4, coq10h2, lip, ferritin, pufa, plooh, damage,
        )  # fmt: skip


@serial
def _advance_alone(rows, n_rows, tick, dt_min, p, state, chem_tick, *columns):
    """The blocks one after another."""
    w = np.empty(_SCRATCH)
    for first in range(0, n_rows, _BLOCK):
        m = min(_BLOCK, n_rows - first)
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

    `rest` is tick, dt_min, p, state, chem_tick and the columns, in the order of `gather`. Few rows, or one
    thread, go without the barrier of a parallel loop.
    """
    alone = n_rows < SHARED_ROWS or numba.get_num_threads() == 1
    (_advance_alone if alone else _advance_together)(rows, n_rows, *rest)


@serial
def select(n, tick, resting_every, p, state, plooh, peroxide, j_fe, chem_tick, out_rows):
    """List the rows to step at `tick` in `out_rows` (capacity,) int64; returns how many.

    A cell is active where its PLOOH, the peroxide signal around it or its iron load passes a threshold,
    a pure function of the state. Active cells and ferroptotic corpses are due at every tick, resting ones
    on multiples of `resting_every`; one that wakes between multiples catches up in a single step. Other
    corpses have no chemistry. A row already at `tick` is left out.
    """
    resting_due = tick % resting_every == 0
    count = 0
    for i in range(n):
        chemistry = (state[i] == 0) | (state[i] == 1)
        active = (plooh[i] > p.active_plooh) | (peroxide[i] > p.active_peroxide) | (j_fe[i] > p.active_iron)
        due = chemistry & (resting_due | active) & (chem_tick[i] < tick)
        out_rows[count] = i
        count += due
    return count


SETTLE_STEPS = 120
SETTLE_STEP_MIN = 60.0


@serial
def resting_state(
    n, p, z, c, g, a, q, f, b, u, l, d, xct, gpx4_trait, fsp1, acsl4, tfr1, nrf2, mufa, ifng, cystine, aa
):
    """Untreated steady state (n,) without peroxidation, in closed form but for an iteration of C and G."""
    for i in range(n):
        n3, n5 = power(nrf2[i], 0.3), np.sqrt(nrf2[i])
        n7 = nrf2[i] / (n3 + _TINY)
        z[i] = ifng[i] / (p.ec50_ifn + ifng[i])
        take_up = p.v_x * (1.0 - 0.5 * p.p53) * xct[i] * n7 * cystine[i] / (p.k_cys + cystine[i])
        c_in = take_up * (1.0 - p.f_x * z[i]) + p.j_ts
        x, y = 100.0, 2000.0
        for _ in range(40):
            gcl = p.v_gcl * n5 / ((p.k_gcl + x) * (1.0 + y / p.ki_gsh))
            x = c_in / (gcl + p.k_cx)
            y = 0.5 * (y + gcl * x / p.k_g_loss)
        c[i], g[i] = x, y
        a[i] = gpx4_trait[i] * n3 * (1.0 + p.k_c / p.c_ref) * x / (p.k_c + x)
        fsp = p.k_red * fsp1[i] * n7
        q[i] = fsp * p.q_total / (fsp + p.k_auto)
        f[i] = p.j_tf * tfr1[i] / (p.k_ex * p.fpn * n3)
        store = p.k_sto * n5 * f[i]
        b[i] = store / (p.k_ncoa4 * p.ncoa4 + store / p.b_max)
        u[i] = lipid_supply(p, acsl4[i], mufa[i], aa[i], 1.0) * (1.0 + p.f_acsl * z[i]) / p.k_u
        l[i] = 0.0
        d[i] = 0.0


def settle(n: int, p, state: np.ndarray, *columns: np.ndarray) -> None:
    """Bring the first `n` cells to their own steady state in what they sense now; damage ends at 0.

    `columns` are the states, traits and inputs in the order of `advance`; the states are overwritten
    and clocks left alone. From the closed form without peroxidation, 120 steps of 60 min through
    the same kernel: within 1e-6 of the exact steady state (LSODA, 60 days).
    """
    states, traits, inputs = columns[:10], columns[10:17], columns[17:]
    resting_state(n, p, *states, *traits, inputs[0], inputs[1], inputs[4])
    rows = np.arange(n, dtype=np.int64)
    clock = np.zeros(n, np.int32)
    for k in range(SETTLE_STEPS):
        advance(rows, n, k + 1, SETTLE_STEP_MIN, p, state, clock, *columns)
    states[9][:n] = 0.0


@serial
def rupture(n, state, damage, fate):
    """Raise fate 11 (die of ferroptosis) in living cells whose damage has reached 1."""
    for i in range(n):
        if state[i] == 0 and damage[i] >= 1.0 and fate[i] < 10:
            fate[i] = 11


@rule
def emission(plooh, p):
    """Peroxide signal a cell or ferroptotic corpse emits, uM/min of its voxel (one cell fills one voxel)."""
    return p.p_s * plooh
