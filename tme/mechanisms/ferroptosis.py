"""Ferroptosis inside one tumour cell: ten coupled states, stepped for every cell by one compiled sweep.

    Z' = (h(ifng) - Z) / tau_z                                   h = ifng / (ec50_ifn + ifng)
    C' = import n^.7 (1 - f_x Z) + j_ts - gcl C - k_cx C         import = v_x xct (1 - p53/2) cys/(k_cys + cys) / (1 + e_xct)
    G' = gcl C - k_g_loss G - 2 loss_gssg gpx L                  gcl = v_gcl n^.5 / ((1 + e_bso)(k_gcl + C)(1 + G/ki_gsh))
    A' = k_a gpx4 n^.3 s(C) - (k_a + e_gpx4) A                   s = C/(k_c + C) (k_c + c_ref)/c_ref
    Q' = k_red fsp (q_total - Q) - k_auto Q - v_rad kap_q Q/kap  fsp = fsp1 n^.7 / (1 + e_fsp1)
    F' = j_tf tfr1 + j_fe + k_ncoa4 ncoa4 B - (k_ex fpn n^.3 + sto + e_chel) F
    B' = sto F - k_ncoa4 ncoa4 B                                 sto = k_sto n^.5 (1 - B/b_max)
    U' = supply - k_u U - nu v_rad                               supply = k_u u0 acsl4 (1 + f_acsl Z)(1 + f_aa aa/(k_aa + aa))/(1 + mufa)
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

from collections.abc import Mapping

import numpy as np
from numba import prange

from tme.core.parameters import ParameterSet, par
from tme.kernels.elementary import exp_pair, law, power
from tme.kernels.jit import rule, serial, sweep

_DELAYS = "calibrated: death delays after RSL3, erastin and cystine starvation (Dixon et al. 2012, doi 10.1016/j.cell.2012.03.042; Yang et al. 2014, doi 10.1016/j.cell.2013.12.010)"
_GSH = "calibrated: GSH of HT-1080 5 h after 0.06-0.46 uM erastin (SysBioCollab-UArk/Ferroptosis data)"
_WAVE = "calibrated: ferroptotic wave of 5.5 um/min (Co et al. 2024, doi 10.1038/s41586-024-07623-6)"
_GATE = "calibrated: erastin deaths spread in coupled tissue and RSL3 deaths do not (Riegman et al. 2020, doi 10.1038/s41556-020-0565-1)"
_IFN = "calibrated: SLC7A11 carries >= 40 % of the IFN-gamma shift in EC50; direction after Wang et al. 2019, doi 10.1038/s41586-019-1170-y"
_AA = "calibrated: IFN-gamma with arachidonic acid kills where neither does (Liao et al. 2022, doi 10.1016/j.ccell.2022.02.003)"
_TYPE = "assumed: 1 is the reference cell, HT-1080-like"

PARAMETERS = ParameterSet(
    "ferroptosis",
    par("tau_z", 360.0, "min", 30.0, 2880.0, "assumed: transcription and protein turnover within 6 h", "time constant of the IFN-gamma response"),
    par("ec50_ifn", 0.3, "ng/mL", 0.01, 10.0, _IFN),
    par("f_x", 0.7, "1", 0.0, 1.0, _IFN, "share of system xc- lost at full response"),
    par("f_acsl", 0.3, "1", 0.0, 5.0, _IFN, "ACSL4 gained at full response"),
    par("v_x", 24.0, "uM/min", 0.0, 500.0, _GSH, "cystine uptake as cysteine, at saturation"),
    par("k_cys", 50.0, "uM", 5.0, 500.0, "K_m 30-120 uM of system xc- for cystine (Bannai 1986, PMID 2868011)"),
    par("j_ts", 0.15, "uM/min", 0.0, 10.0, _DELAYS, "cysteine by transsulphuration"),
    par("k_cx", 0.03, "1/min", 0.0, 1.0, _GSH, "other use and export of cysteine"),
    par("v_gcl", 26.0, "uM/min", 0.0, 500.0, _GSH, "GSH synthesis at saturation"),
    par("k_gcl", 60.0, "uM", 1.0, 1000.0, _GSH),
    par("ki_gsh", 6000.0, "uM", 500.0, 50000.0, _GSH, "feedback of GSH on its own synthesis"),
    par("k_g_loss", 0.0052, "1/min", 0.0, 0.1, _GSH, "GSH turnover, half-life 2.2 h"),
    par("loss_gssg", 0.2, "1", 0.0, 1.0, "assumed: share of oxidised GSH that is exported, not recycled"),
    par("k_a", 4.8e-4, "1/min", 1e-6, 0.1, "assumed: GPX4 half-life 24 h (12-48)"),
    par("v_gpx", 5.7, "uM/min", 0.0, 500.0, _DELAYS),
    par("k_l", 10.0, "uM", 0.1, 1000.0, _DELAYS, "PLOOH at which GPX4 saturates by half"),
    par("k_g", 1000.0, "uM", 1.0, 10000.0, "assumed: GPX4 is ping-pong, first order in GSH below 1 mM"),
    par("k_c", 2.0, "uM", 0.0, 100.0, "assumed: form; GPX4 synthesis follows cyst(e)ine (Zhang et al. 2021, doi 10.1038/s41467-021-21841-w)"),
    par("c_ref", 188.3, "uM", 1.0, 1000.0, "calibrated: this model's untreated cysteine at 200 uM cystine"),
    par("q_total", 5.0, "uM", 0.0, 100.0, "assumed: membrane CoQ10 open to FSP1"),
    par("k_red", 0.011, "1/min", 0.0, 1.0, _DELAYS, "CoQ10 reduction by FSP1 and DHODH"),
    par("k_auto", 0.1, "1/min", 0.0, 1.0, _DELAYS, "autoxidation of CoQ10H2"),
    par("kap0", 1.0, "1", 0.01, 100.0, "assumed: sets the unit of radical trapping", "trapping by vitamin E and termination"),
    par("kap_q", 2.0, "1/uM", 0.0, 100.0, _DELAYS, "trapping by CoQ10H2"),
    par("kap_b", 0.0, "1", 0.0, 100.0, "assumed: off in the reference cell", "trapping by BH4, times gch1"),
    par("gch1", 1.0, "1", 0.0, 100.0, _TYPE, "GCH1 activity"),
    par("j_tf", 0.05, "uM/min", 0.0, 5.0, "calibrated: labile iron pool of 1 uM", "transferrin iron uptake"),
    par("k_ex", 0.05, "1/min", 0.001, 1.0, "calibrated: labile iron pool of 1 uM, recovery in 17-88 min (K562, calcein)", "export and use of labile iron"),
    par("k_sto", 0.1, "1/min", 0.0, 5.0, "assumed: storage is faster than export"),
    par("b_max", 500.0, "uM", 10.0, 10000.0, "assumed: ferritin capacity, iron"),
    par("k_ncoa4", 2.5e-4, "1/min", 1e-7, 0.1, "assumed: ferritin turnover within two days", "ferritinophagy"),
    par("fpn", 1.0, "1", 0.01, 100.0, _TYPE, "ferroportin activity"),
    par("ncoa4", 1.0, "1", 0.01, 100.0, _TYPE, "NCOA4 activity"),
    par("p53", 0.0, "1", 0.0, 2.0, _TYPE, "p53 activity; represses SLC7A11 by half at 1"),
    par("u0", 2000.0, "uM", 10.0, 20000.0, "assumed: oxidisable PUFA-phospholipid of the reference cell"),
    par("k_u", 0.004, "1/min", 1e-5, 0.1, "assumed: lipid turnover within 4 h"),
    par("f_aa", 3.0, "1", 0.0, 20.0, _AA, "lipid gained at saturating arachidonic acid"),
    par("k_aa", 20.0, "uM", 0.1, 500.0, _AA),
    par("k_p", 0.005, "1/uM", 0.0, 0.5, _DELAYS, "propagations per radical and uM lipid, without trapping"),
    par("k_i0", 5e-4, "uM/min", 0.0, 0.1, _DELAYS, "initiation by lipoxygenases and POR"),
    par("k_if", 0.0015, "1/(uM min)", 0.0, 0.1, _DELAYS, "Fenton initiation per uM iron and uM H2O2"),
    par("h0", 1.0, "uM", 0.0, 100.0, "assumed: effective H2O2 of the cell's own"),
    par("k_is", 0.7, "1/(uM min)", 0.0, 20.0, _WAVE, "initiation by the peroxide signal, per uM iron"),
    par("k_br", 0.012, "1/(uM min)", 0.0, 0.5, _DELAYS, "branching: PLOOH and iron start new chains"),
    par("k_dl", 0.015, "1/min", 0.0, 1.0, _DELAYS, "clearing of PLOOH other than by GPX4"),
    par("k_o2", 2.0, "mmHg", 0.01, 50.0, "assumed: propagation is limited by oxygen in the anoxic range only"),
    par("d_leth", 60.0, "uM", 1.0, 5000.0, _DELAYS, "lethal load of truncated lipid"),
    par("k_rep", 0.004, "1/min", 1e-5, 0.5, "assumed: ESCRT-type membrane repair within hours"),
    par("k_gs", 300.0, "uM", 1.0, 10000.0, _GATE, "GSH below which the peroxide signal enters"),
    par("k_qs", 1.0, "uM", 0.01, 100.0, _GATE, "CoQ10H2 below which the peroxide signal enters"),
    par("d_s", 6000.0, "um2/min", 0.0, 1e5, _WAVE, "diffusivity of the peroxide signal"),
    par("k_s", 3.0, "1/min", 0.01, 100.0, _WAVE, "decay of the peroxide signal"),
    par("p_s", 0.026, "1/min", 0.0, 10.0, _WAVE, "emission of the signal per uM PLOOH"),
    par("active_plooh", 0.5, "uM", 0.0, 100.0, "assumed: keeps death times within 2 min of the exact ones", "PLOOH above which a cell is stepped at every tick"),
    par("active_peroxide", 0.005, "uM", 0.0, 100.0, "assumed: as active_plooh", "signal above which a cell is stepped at every tick"),
    par("active_iron", 0.05, "uM/min", 0.0, 100.0, "assumed: as active_plooh", "iron load above which a cell is stepped at every tick"),
)  # fmt: skip

# One block of cells, column after column, small enough for the first-level cache. Every block is computed
# whole (short ones are padded), so a cell's bits cannot depend on its neighbours in the block.
_BLOCK = 256
(_Z, _C, _G, _A, _Q, _F, _B, _U, _L, _D, _XCT, _GPX4, _FSP1, _ACSL4, _TFR1, _NRF2, _MUFA, _IFNG, _CYSTINE, _OXYGEN, _PEROXIDE, _AA_IN,
 _E_XCT, _E_GPX4, _E_FSP1, _E_BSO, _E_TRAP, _E_CHEL, _J_FE, _ALIVE, _H) = (k * _BLOCK for k in range(31))  # fmt: skip
_SCRATCH = 31 * _BLOCK
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
def midpoint(p, h, y, r, take_up, bso, a_in, a_loss, fsp, f_in, f_loss, sto, u_in, chain, trap, z_in, s):
    """Advance the state tuple `y` by h min with the rates at state `r`: ten new values."""
    z, c, g, a, q, f, b, u, l, d = y
    rz, rc, rg, ra, rq, rf, rb, ru, rl, _rd = r
    c_in, c_loss, g_in, g_loss, a_prod, gpx = redox_rates(p, rz, rc, rg, ra, rl, take_up, bso, a_in)
    v_i, v_rad, nu, per_kap = radical_rates(p, rg, rq, rf, ru, rl, s, chain, trap)
    room = 1.0 - rb * (1.0 / p.b_max)
    room = 0.0 if room < 0.0 else room
    store = sto * room
    ferritinophagy = p.k_ncoa4 * p.ncoa4
    u_prod = u_in * (1.0 + p.f_acsl * rz)
    q_new = decay(q, fsp * p.q_total, fsp + p.k_auto + v_rad * p.kap_q * per_kap, h)
    l_new = grow(l, nu * v_i, (nu - 1.0) * p.k_br * rf - gpx - p.k_dl, h)
    room_l = l + u + u_prod * h
    return (
        decay(z, z_in, 1.0 / p.tau_z, h),
        decay(c, c_in, c_loss, h),
        decay(g, g_in, g_loss, h),
        decay(a, a_prod, a_loss, h),
        p.q_total if q_new > p.q_total else q_new,
        decay(f, f_in + ferritinophagy * rb, f_loss + store, h),
        decay(b, store * rf, ferritinophagy, h),
        decay(u, u_prod, p.k_u + chain * per_kap * v_rad, h),
        room_l if l_new > room_l else l_new,
        decay(d, v_rad * (1.0 / p.d_leth), p.k_rep, h),
    )


@law
def step_cell(
    p, h, z, c, g, a, q, f, b, u, l, d, xct, gpx4_trait, fsp1, acsl4, tfr1, nrf2, mufa,
    ifng, cystine, oxygen, peroxide, aa, e_xct, e_gpx4, e_fsp1, e_bso, e_trap, e_chel, j_fe, alive,
):  # fmt: skip
    """One cell, h min: the ten states after an exponential midpoint step. Scalars in, a tuple out."""
    n3 = power(nrf2, 0.3)
    n7 = nrf2 / n3
    n5 = np.sqrt(nrf2)
    take_up = p.v_x * (1.0 - 0.5 * p.p53) * xct * n7 * cystine / ((p.k_cys + cystine) * (1.0 + e_xct))
    bso = n5 / (1.0 + e_bso)
    a_in = p.k_a * (1.0 + p.k_c / p.c_ref) * gpx4_trait * n3
    a_loss = p.k_a + e_gpx4
    fsp = p.k_red * fsp1 * n7 / (1.0 + e_fsp1)
    f_in = p.j_tf * tfr1 + j_fe
    f_loss = p.k_ex * p.fpn * n3 + e_chel
    sto = p.k_sto * n5
    u_in = lipid_supply(p, acsl4, mufa, aa, alive)
    chain = p.k_p * oxygen / (p.k_o2 + oxygen)
    trap = p.kap0 + p.kap_b * p.gch1 + e_trap
    z_in = ifng / ((p.ec50_ifn + ifng) * p.tau_z)
    y = (z, c, g, a, q, f, b, u, l, d)
    r = midpoint(p, 0.5 * h, y, y, take_up, bso, a_in, a_loss, fsp, f_in, f_loss, sto, u_in, chain, trap, z_in, peroxide)
    return midpoint(p, h, y, r, take_up, bso, a_in, a_loss, fsp, f_in, f_loss, sto, u_in, chain, trap, z_in, peroxide)


@serial
def step_block(p, w):
    """Step the `_BLOCK` cells of scratch `w` in place; a loop of fixed length that vectorises."""
    for j in range(_BLOCK):
        z, c, g, a, q, f, b, u, l, d = step_cell(
            p, w[_H + j], w[_Z + j], w[_C + j], w[_G + j], w[_A + j], w[_Q + j], w[_F + j], w[_B + j], w[_U + j], w[_L + j], w[_D + j],
            w[_XCT + j], w[_GPX4 + j], w[_FSP1 + j], w[_ACSL4 + j], w[_TFR1 + j], w[_NRF2 + j], w[_MUFA + j],
            w[_IFNG + j], w[_CYSTINE + j], w[_OXYGEN + j], w[_PEROXIDE + j], w[_AA_IN + j], w[_E_XCT + j], w[_E_GPX4 + j],
            w[_E_FSP1 + j], w[_E_BSO + j], w[_E_TRAP + j], w[_E_CHEL + j], w[_J_FE + j], w[_ALIVE + j],
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
def gather(w, at, column, rows, m, run):
    """Copy `column[rows]` (m,) to scratch at offset `at`, padded with its first value; `run` = rows are consecutive."""
    if run:
        first = rows[0]
        for j in range(m):
            w[at + j] = column[first + j]
    else:
        for j in range(m):
            w[at + j] = column[rows[j]]
    for j in range(m, _BLOCK):
        w[at + j] = w[at]


@serial
def scatter(w, at, column, rows, m, run):
    """Undo `gather`."""
    if run:
        first = rows[0]
        for j in range(m):
            column[first + j] = w[at + j]
    else:
        for j in range(m):
            column[rows[j]] = w[at + j]


@serial
def gather_clock(w, rows, m, tick, dt_min, state, chem_tick):
    """Step lengths and lipid supply of the block's cells; their clocks move to `tick`."""
    for j in range(m):
        row = rows[j]
        w[_H + j] = dt_min * (tick - chem_tick[row])
        w[_ALIVE + j] = 1.0 if state[row] == 0 else 0.0
        chem_tick[row] = tick
    for j in range(m, _BLOCK):
        w[_H + j] = w[_H]
        w[_ALIVE + j] = w[_ALIVE]


@sweep
def advance(
    rows, n_rows, tick, dt_min, p, state, chem_tick,
    ifng_response, cysteine, gsh, gpx4, coq10h2, lip, ferritin, pufa, plooh, damage,
    xct, gpx4_trait, fsp1, acsl4, tfr1, nrf2, mufa,
    ifng, cystine, oxygen, peroxide, aa, e_xct, e_gpx4, e_fsp1, e_bso, e_trap, e_chel, j_fe,
):  # fmt: skip
    """Step each listed row from its own `chem_tick` to `tick`; states and clocks change in place.

    `rows` (capacity,) int64, the first `n_rows` distinct; `state` int8, 0 alive, 1 ferroptotic corpse;
    `chem_tick` int32; all others (capacity,) float64. States: uM, but the response, GPX4 and damage (1).
    Traits: 1 = reference cell. Inputs: ifng ng/mL, cystine uM, oxygen mmHg, peroxide and aa uM; effects of
    drugs: e_xct = sum (c/Ki)^n and e_fsp1, e_bso = sum c/Ki (the target is divided by 1 + e), e_gpx4
    1/min loss of active GPX4, e_trap added to kap, e_chel 1/min loss of labile iron; j_fe uM/min.
    """
    for i in prange((n_rows + _BLOCK - 1) // _BLOCK):
        first = np.int64(i) * _BLOCK
        m = min(_BLOCK, n_rows - first)
        r = rows[first : first + m]
        run = True
        for j in range(1, m):
            run = run and r[j] == r[0] + j
        w = np.empty(_SCRATCH)
        gather_clock(w, r, m, tick, dt_min, state, chem_tick)
        gather(w, _Z, ifng_response, r, m, run)
        gather(w, _C, cysteine, r, m, run)
        gather(w, _G, gsh, r, m, run)
        gather(w, _A, gpx4, r, m, run)
        gather(w, _Q, coq10h2, r, m, run)
        gather(w, _F, lip, r, m, run)
        gather(w, _B, ferritin, r, m, run)
        gather(w, _U, pufa, r, m, run)
        gather(w, _L, plooh, r, m, run)
        gather(w, _D, damage, r, m, run)
        gather(w, _XCT, xct, r, m, run)
        gather(w, _GPX4, gpx4_trait, r, m, run)
        gather(w, _FSP1, fsp1, r, m, run)
        gather(w, _ACSL4, acsl4, r, m, run)
        gather(w, _TFR1, tfr1, r, m, run)
        gather(w, _NRF2, nrf2, r, m, run)
        gather(w, _MUFA, mufa, r, m, run)
        gather(w, _IFNG, ifng, r, m, run)
        gather(w, _CYSTINE, cystine, r, m, run)
        gather(w, _OXYGEN, oxygen, r, m, run)
        gather(w, _PEROXIDE, peroxide, r, m, run)
        gather(w, _AA_IN, aa, r, m, run)
        gather(w, _E_XCT, e_xct, r, m, run)
        gather(w, _E_GPX4, e_gpx4, r, m, run)
        gather(w, _E_FSP1, e_fsp1, r, m, run)
        gather(w, _E_BSO, e_bso, r, m, run)
        gather(w, _E_TRAP, e_trap, r, m, run)
        gather(w, _E_CHEL, e_chel, r, m, run)
        gather(w, _J_FE, j_fe, r, m, run)
        step_block(p, w)
        scatter(w, _Z, ifng_response, r, m, run)
        scatter(w, _C, cysteine, r, m, run)
        scatter(w, _G, gsh, r, m, run)
        scatter(w, _A, gpx4, r, m, run)
        scatter(w, _Q, coq10h2, r, m, run)
        scatter(w, _F, lip, r, m, run)
        scatter(w, _B, ferritin, r, m, run)
        scatter(w, _U, pufa, r, m, run)
        scatter(w, _L, plooh, r, m, run)
        scatter(w, _D, damage, r, m, run)


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


def peroxide_field(p) -> tuple[float, float]:
    """Diffusivity (um2/min) and decay (1/min) of the peroxide signal's field."""
    return p.d_s, p.k_s
