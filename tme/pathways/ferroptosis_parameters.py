"""The parameters of the ferroptosis chemistry, with units, bounds and sources.

Most were tuned by hand to the data their source names and cannot be told apart by those data alone:
treat them as a prior. Laws and symbols are in `ferroptosis`.
"""


from __future__ import annotations

from tme.core.parameters import ParameterSet, par

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
    par("k_cys", 50.0, "uM", 5.0, 500.0, "K_m of system xc- for cystine, 30-120 uM (Bannai 1986, J Biol Chem 261:2256, doi 10.1016/S0021-9258(17)35926-4; 64 uM in MBEC4 cells, 81 uM of mouse xCT in oocytes)"),
    par("j_ts", 0.15, "uM/min", 0.0, 10.0, _DELAYS, "cysteine by transsulphuration"),
    par("k_cx", 0.03, "1/min", 0.0, 1.0, _GSH, "other use and export of cysteine"),
    par("v_gcl", 26.0, "uM/min", 0.0, 500.0, _GSH, "GSH synthesis at saturation"),
    par("k_gcl", 60.0, "uM", 1.0, 1000.0, _GSH),
    par("ki_gsh", 6000.0, "uM", 500.0, 50000.0, _GSH, "feedback of GSH on its own synthesis"),
    par("k_g_loss", 0.0052, "1/min", 1e-5, 0.1, _GSH, "GSH turnover, half-life 2.2 h"),
    par("loss_gssg", 0.2, "1", 0.0, 1.0, "assumed: share of oxidised GSH that is exported, not recycled"),
    par("k_a", 4.8e-4, "1/min", 1e-6, 0.1, "assumed: GPX4 half-life 24 h (12-48)"),
    par("v_gpx", 5.7, "uM/min", 0.0, 500.0, _DELAYS),
    par("k_l", 10.0, "uM", 0.1, 1000.0, _DELAYS, "PLOOH at which GPX4 saturates by half"),
    par("k_g", 1000.0, "uM", 1.0, 10000.0, "assumed: GPX4 is ping-pong, first order in GSH below 1 mM"),
    par("k_c", 2.0, "uM", 0.01, 100.0, "assumed: form; GPX4 synthesis follows cyst(e)ine (Zhang et al. 2021, doi 10.1038/s41467-021-21841-w)"),
    par("c_ref", 188.3, "uM", 1.0, 1000.0, "calibrated: this model's untreated cysteine at 200 uM cystine"),
    par("q_total", 5.0, "uM", 0.0, 100.0, "assumed: membrane CoQ10 open to FSP1"),
    par("k_red", 0.011, "1/min", 0.0, 1.0, _DELAYS, "CoQ10 reduction by FSP1 and DHODH"),
    par("k_auto", 0.1, "1/min", 0.0, 1.0, _DELAYS, "autoxidation of CoQ10H2"),
    par("kap0", 1.0, "1", 0.01, 100.0, "assumed: sets the unit of radical trapping", "trapping by vitamin E and termination"),
    par("kap_q", 2.0, "1/uM", 0.0, 100.0, _DELAYS, "trapping by CoQ10H2"),
    par("kap_b", 0.0, "1", 0.0, 100.0, "assumed: off in the reference cell", "trapping by BH4, times gch1"),
    par("gch1", 1.0, "1", 0.0, 100.0, _TYPE, "GCH1 activity"),
    par("j_tf", 0.05, "uM/min", 0.0, 5.0, "calibrated: labile iron pool of 1 uM", "transferrin iron uptake"),
    par("k_ex", 0.05, "1/min", 0.001, 1.0, "calibrated: labile iron pool of 1 uM, recovery in 17-88 min (350 nM in K562 cells by calcein; Dynamics of the cytosolic chelatable iron pool of K562 cells, FEBS Lett 1996)", "export and use of labile iron"),
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
    par("p_s", 0.026, "1/min", 0.0, 10.0, _WAVE, "emission of the signal per uM PLOOH"),
    par("active_plooh", 0.5, "uM", 0.0, 100.0, "assumed: keeps death times within 2 min of the exact ones", "PLOOH above which a cell is stepped at every tick"),
    par("active_peroxide", 0.005, "uM", 0.0, 100.0, "assumed: as active_plooh", "signal above which a cell is stepped at every tick"),
    par("active_iron", 0.05, "uM/min", 0.0, 100.0, "assumed: as active_plooh", "iron load above which a cell is stepped at every tick"),
)  # fmt: skip
