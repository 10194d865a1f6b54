"""Does the model give the figures of the implementation its chemistry was written from?

    python benchmarks/reference.py [--seeds 5] [--write docs/reference.md]

Prints the reference implementation's figures beside the model's, and writes them below the mark of a document:
parameters, death times, rescue, wave speed, coupled sheets. The reference is NumPy (sheets, waves) and SciPy's LSODA
(single cells, rtol 1e-9); its figures are constants below, from one run of it. The model runs with its default parameters
and tick. Sheets are run twice: on the reference's draws of cell traits and as like it as a config allows (cells emit the signal
at any PLOOH, corpses stay, IFN-gamma and drugs are sensed every minute), and as shipped on draws of its own. Five minutes.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from tme.kernels.chemistry import dying
from tme.library import load_library
from tme.model.registry import parameter_registry
from tme.pathways.ferroptosis import PATHWAY
from tme.pathways.stepping import advance, seen_by, select, settle
from tme.targets.fronts import front_speed, propagation_index
from tme.targets.setups import Arrivals, dish, minutes
from tme.targets.single_cells import VARIED, Cells, effects
from tme.targets.wave import LOW_OXYGEN, wave


class Case(NamedTuple):
    """A cell in constant surroundings; `exact_min` is LSODA's death, None lives. A rescuer may come late."""

    name: str
    inputs: Mapping[str, float]
    exact_min: float | None = None
    traits: Mapping[str, float] = {}
    hours: float = 72.0
    settled: float = 200.0
    late_h: float = 0.0


# fmt: off
# ---- figures of the reference implementation (NumPy and SciPy) -----------------------------------------------
PARAMETERS = {
    "tau_z": 360, "ec50_ifn": 0.3, "f_x": 0.7, "f_acsl": 0.3, "v_x": 24, "k_cys": 50, "j_ts": 0.15, "k_cx": 0.03, "v_gcl": 26, "k_gcl": 60,
    "ki_gsh": 6000, "k_g_loss": 0.0052, "loss_gssg": 0.2, "k_a": 4.8e-4, "v_gpx": 5.7, "k_l": 10, "k_g": 1000, "k_c": 2, "c_ref": 188.3,
    "q_total": 5, "k_red": 0.011, "k_auto": 0.1, "kap0": 1, "kap_q": 2, "kap_b": 0, "gch1": 1, "j_tf": 0.05, "k_ex": 0.05, "k_sto": 0.1, "b_max":
    500, "k_ncoa4": 2.5e-4, "fpn": 1, "ncoa4": 1, "p53": 0, "u0": 2000, "k_u": 0.004, "f_aa": 3, "k_aa": 20, "k_p": 0.005, "k_i0": 5e-4, "k_if":
    0.0015, "h0": 1, "k_is": 0.7, "k_br": 0.012, "k_dl": 0.015, "k_o2": 2, "d_leth": 60, "k_rep": 0.004, "k_gs": 300, "k_qs": 1, "p_s": 0.026,
}
PEROXIDE, ONLY_HERE = {"diffusion": 6000, "decay": 3}, {"active_plooh", "active_peroxide", "active_iron"}
DRUGS = {"erastin": (1 / 0.16, 1.5), "rsl3": (0.08, 1), "bso": (1 / 5, 1), "ifsp1": (1, 1), "ferrostatin_1": (20, 1), "deferoxamine": (0.002, 1)}

R, E, IRON, BOTH = {"rsl3": 1}, {"erastin": 10}, {"j_fe": 1}, {"ifng": 10, "aa": 35}
TRAP, DFO, WEAK = {"ferrostatin_1": 1}, {"deferoxamine": 100}, {"rsl3": 0.02}
INDUCED = ("RSL3 1", R), ("erastin 10", E), ("RSL3 1 + iFSP1 10", R | {"ifsp1": 10}), ("iron 1", IRON)
LIPID = ("IFN-gamma 10", {"ifng": 10}), ("AA 35 uM", {"aa": 35}), ("IFN-gamma 10 + AA 35", BOTH)
DEATHS = [
    Case("untreated", {}), Case("RSL3 1 uM", R, 180.30), Case("RSL3 0.1", {"rsl3": 0.1}, 591.51), Case("RSL3 0.02", WEAK),
    Case("erastin 10 uM", E, 921.42), Case("erastin 2", {"erastin": 2}, 1380.32), Case("erastin 1", {"erastin": 1}),
    Case("erastin 1, for 240 h", {"erastin": 1}, hours=240), Case("no cystine", {"cystine": 0}, 899.01), Case("BSO 100 uM", {"bso": 100}),
    Case("iron 0.2 uM/min", {"j_fe": 0.2}), Case("iron 0.3", {"j_fe": 0.3}, 1511.78),
    Case("iron 1", IRON, 28.60), Case("iFSP1 10 uM", {"ifsp1": 10}), Case("iFSP1 10 + RSL3 0.02", WEAK | {"ifsp1": 10}, 2357.13),
    Case("BSO 100 + RSL3 0.02", WEAK | {"bso": 100}, 1051.76), Case("RSL3 1, settled at cystine 40", R | {"cystine": 40}, 177.75, settled=40),
    Case("erastin 10, settled at cystine 40", E | {"cystine": 40}, 828.93, settled=40),
    *(Case(f"IFN-gamma {i}, cystine {c}", {"ifng": i, "cystine": c}, t, hours=96)
      for c, times in ((200, (None,) * 4), (20, (None,) * 4), (5, (None, 3362.82, 1740.09, 1493.60)), (2, (None, 1103.31, 1012.28, 980.55)))
      for i, t in zip((0, 1, 3, 10), times)),
    *(Case(f"{cell}: {agent}", inputs, t, traits)
      for cell, traits, agents, times in (
          ("reference", {}, LIPID, (None, None, 1113.17)), ("ACSL4 x1.5", {"acsl4": 1.5}, LIPID, (None, 1034.57, 437.20)),
          ("ACSL4 x0.3", {"acsl4": 0.3}, LIPID, (None,) * 3), ("reference", {}, INDUCED[2:3], (118.01,)),
          ("FSP1 x8", {"fsp1": 8}, INDUCED, (None, None, 162.52, None)), ("ACSL4 x0.3", {"acsl4": 0.3}, INDUCED, (None,) * 4),
          ("NRF2 x3", {"nrf2": 3}, INDUCED, (656.66, None, 183.10, 546.32)), ("MUFA 1.5", {"mufa": 1.5}, INDUCED, (None, None, 479.89, 905.64)),
          ("GPX4 x2", {"gpx4_trait": 2}, INDUCED, (193.85, 1167.29, 126.76, 69.22)))
      for (agent, inputs), t in zip(agents, times)),
]
RESCUES = [
    Case("RSL3 1 + ferrostatin-1 1", R | TRAP), Case("RSL3 1 + deferoxamine 100", R | DFO), Case("erastin 10 + ferrostatin-1 1", E | TRAP),
    Case("erastin 10 + deferoxamine 100", E | DFO), Case("no cystine + ferrostatin-1 1", {"cystine": 0} | TRAP),
    Case("iron 1 + ferrostatin-1 1", IRON | TRAP), Case("iron 1 + deferoxamine 100", IRON | DFO), Case("RSL3 1 at 1 mmHg oxygen", R | {"oxygen": 1}),
    *(Case(f"ACSL4 x{a}: IFN-gamma 10 + AA 35 + ferrostatin-1 1", BOTH | TRAP, traits={"acsl4": a}) for a in (1, 1.5, 0.3)),
    *(Case(f"RSL3 1, ferrostatin-1 1 after {h} h", R | TRAP, t, late_h=h, hours=h + 48) for h, t in ((1, None), (2, None), (2.5, None), (2.8, 196.29))),
]
# length and width (um), hours; speed over 0.2-0.9 of the length, um/min, after 24 h in erastin 1 uM
STRIP, CONVERGED = (2000.0, 320.0, 11.0), 5.43  # converged: row, 5 um, 0.125 min
WAVES: tuple[Any, ...] = (
    ("row, 10 um, 0.5 min", (4000.0, 30.0, 14.0), {"dx_um": 10.0, "dt_min": 0.5}, 5.36), ("row, 20 um, 1 min", (4000.0, 60.0, 14.0), {}, 5.28), ("strip of 320 um, 20 um, 1 min", STRIP, {}, 5.24),
    ("the same, 80 % occupied", STRIP, {"occupancy": 0.8}, 4.48), ("the same, 60 % occupied", STRIP, {"occupancy": 0.6}, 3.72),
)
# cells dead at 48 h per draw: 40 x 40 coupled and uncoupled, 24 x 24 with a pulse; ten draws
COUPLED = {  # (IFN-gamma ng/mL, cystine uM, RSL3 uM)
    (0, 200, 0): (0, 0, 0, 0, 0, 0, 1, 0, 0, 0), (1, 200, 0): (3, 4, 2, 6, 1, 3, 7, 2, 2, 2), (3, 200, 0): (8, 7, 11, 9, 10, 11, 11, 4, 5, 11),
    (10, 200, 0): (13, 14, 15, 15, 17, 16, 13, 12, 10, 14), (0, 40, 0): (0, 0, 0, 0, 1, 1, 2, 0, 0, 1), (1, 40, 0): (15, 23, 22, 23, 25, 23, 17, 23, 17, 23),
    (3, 40, 0): (70, 87, 69, 72, 85, 67, 74, 73, 66, 108), (10, 40, 0): (220, 251, 131, 218, 234, 220, 172, 174, 156, 231),
    (0, 40, 0.015): (119, 138, 134, 136, 142, 112, 133, 132, 133, 154), (1, 40, 0.015): (726, 759, 703, 727, 701, 719, 750, 715, 726, 762),
    (0, 40, 0.02): (236, 283, 253, 258, 280, 230, 254, 249, 261, 288), (1, 40, 0.02): (977, 995, 928, 975, 930, 952, 961, 938, 962, 999),
    (0, 40, 0.025): (365, 405, 383, 388, 408, 374, 391, 384, 395, 421), (1, 40, 0.025): (1138, 1166, 1108, 1166, 1074, 1120, 1127, 1096, 1124, 1145),
    (0, 40, 0.03): (501, 548, 532, 530, 541, 504, 544, 524, 508, 566), (1, 40, 0.03): (1254, 1284, 1248, 1276, 1198, 1233, 1243, 1220, 1245, 1246),
    (0, 40, 0.035): (654, 684, 653, 649, 668, 644, 678, 648, 630, 689), (1, 40, 0.035): (1328, 1373, 1341, 1355, 1287, 1315, 1313, 1311, 1334, 1315),
}
UNCOUPLED = {
    (10, 200, 0): (13, 14, 15, 15, 16, 16, 13, 12, 10, 14), (10, 40, 0): (73, 82, 72, 68, 78, 64, 70, 74, 68, 84),
    (0, 40, 0.03): (501, 548, 531, 530, 541, 504, 544, 524, 508, 566), (1, 40, 0.03): (1245, 1275, 1243, 1265, 1189, 1224, 1230, 1206, 1233, 1242),
}
PULSED = {  # area uM min: without and with IFN-gamma 1, cystine 40
    6: ((0, 0, 1, 1, 1, 0, 3, 0, 2, 0), (18, 16, 18, 19, 19, 19, 15, 15, 20, 21)), 10: ((3, 3, 2, 2, 5, 1, 6, 3, 5, 2), (28, 27, 32, 30, 34, 26, 26, 28, 33, 31)),
    15: ((10, 8, 9, 14, 15, 10, 12, 13, 15, 16), (57, 55, 62, 57, 60, 60, 60, 66, 66, 67)), 25: ((64, 59, 66, 60, 67, 65, 62, 71, 74, 65), (168, 160, 141, 140, 159, 162, 169, 172, 162, 158)),
    40: ((230, 230, 188, 197, 226, 219, 225, 222, 215, 208), (353, 334, 298, 323, 345, 327, 334, 326, 338, 313)), 80: ((480, 480, 462, 455, 455, 471, 461, 458, 466, 456), (524, 521, 516, 508, 502, 516, 514, 505, 509, 516)),
    160: ((540, 536, 541, 529, 529, 538, 540, 527, 533, 536), (550, 553, 560, 553, 544, 554, 558, 552, 555, 557)),
}
# draws 1-3 of two sheets, % dead, where the reference's cells settle for 30 days before and not for 5
SETTLED = {(10, 40, 0): "13.3 18.0 8.2", (1, 40, 0.035): "82.1 84.8 82.4"}
# propagation index, share dead, median and first death (h) of draws 1-3
SPREAD = {
    ("erastin", 10.0, True): ((0.492, 1.0, 8.57, 6.6), (0.536, 1.0, 8.57, 6.47), (0.545, 1.0, 8.57, 6.47)),
    ("rsl3", 1.0, True): ((-0.015, 0.9974, 3.17, 1.17), (-0.019, 0.9978, 3.17, 1.0), (-0.016, 0.9987, 3.13, 0.97)),
    ("erastin", 10.0, False): ((-0.017, 0.911, 15.23, 6.63), (-0.015, 0.9123, 15.27, 6.47), (-0.02, 0.9145, 15.27, 6.47)),
    ("rsl3", 1.0, False): ((-0.015, 0.9974, 3.17, 1.17), (-0.019, 0.9978, 3.17, 1.0), (-0.016, 0.9987, 3.13, 0.97)),
}


class Sheet(NamedTuple):
    """n x n cells and how many had died at 48 h per draw in the reference; dx 20 um, CV 0.25."""

    name: str
    ifng: float
    cystine: float
    rsl3: float
    dead: tuple[int, ...]
    coupled: bool = True
    auc: float = 0.0  # of a pulse of free RSL3, uM min
    n: int = 40


def all_sheets() -> list[Sheet]:
    """The tables above as cases."""
    out = []
    for cases, note in ((COUPLED, ""), (UNCOUPLED, ", uncoupled")):
        for (ifng, cystine, rsl3), dead in cases.items():
            name = f"IFN-gamma {ifng}, cystine {cystine}{f', RSL3 {rsl3}' if rsl3 else ''}{note}"
            out.append(Sheet(name, ifng, cystine, rsl3, dead, not note))
    for auc, both in PULSED.items():
        for i in (0, 1):
            out.append(Sheet(f"IFN-gamma {i}, cystine 40, pulse {auc}", i, 40, 0, both[i], auc=auc, n=24))
    return out


# ---- the model ------------------------------------------------------------------------------------------
def compared() -> str:
    """What differs between the package's defaults (parameters, field, drugs) and the reference's."""
    library, registered = load_library(), parameter_registry()["ferroptosis"]
    pairs = {k: (v, getattr(registered.build(), k)) for k, v in PARAMETERS.items()}
    pairs |= {f"peroxide {k}": (v, getattr(library.fields["peroxide"], k)) for k, v in PEROXIDE.items()}
    for name, (strength, exponent) in DRUGS.items():
        hit = library.drug(name).hits[0]
        pairs |= {f"{name} strength": (strength, hit.strength), f"{name} exponent": (exponent, hit.exponent)}
    wrong = [f"{k}: {a:g} there, {b:g} here" for k, (a, b) in pairs.items() if abs(a - b) > 1e-12 * abs(a)]
    wrong += [f"{k}: only here" for k in {p.name for p in registered} - {*PARAMETERS, *ONLY_HERE}]
    return f"{len(pairs)} values compared, {'; '.join(wrong) or 'none differs: one table does for both sets'}"


def deaths(cases: list[Case]) -> np.ndarray:
    """Minutes to rupture (cases,), NaN alive: one dish, at the default tick and resting clock, as in the plan."""
    n, cells = len(cases), Cells(len(cases))
    c, state = cells.col, cells.state
    columns = [c[k] for k in PATHWAY.column_names]
    for i, case in enumerate(cases):
        for name, value in {**case.traits, "cystine": case.settled}.items():
            c[name][i] = value
    settle(PATHWAY, n, cells.p, state, *columns)
    for i, case in enumerate(cases):
        for name, dose in case.inputs.items():
            for column, value in ({name: dose} if name in PATHWAY.input_names else effects(name, dose)).items():
                c[column][i] = value
    late, end = np.array([(60 * case.late_h, 60 * case.hours) for case in cases]).T
    trap, died = c["e_trap"].copy(), np.full(n, np.nan)
    clock, fate, rows = np.zeros(n, np.int32), np.zeros(n, np.int8), np.empty(n, np.int64)
    for tick in range(1, round(end.max()) + 1):
        c["e_trap"][:] = np.where(tick > late, trap, 0.0)
        m = select(PATHWAY, rows, n, tick, 6, cells.p, state, clock, [c[k] for k in seen_by(PATHWAY)])
        advance(PATHWAY, rows, m, tick, 1.0, cells.p, state, clock, *columns)
        dying(0, n, state, c["damage"], fate, 11)
        new = (fate == 11) & (state == 0)
        died[new], state[new] = tick, 1
    return np.where(died > end, np.nan, died)


MARK = "<!-- figures: python benchmarks/reference.py --write docs/reference.md -->"
ALIKE = {"emit_floor": 0.0, "clear": False, "every_minute": True}
SHIPPED: dict[str, Any] = {"emit_floor": 0.5, "clear": True, "every_minute": False}


def grown(n: int, dx_um: float, cv: float, hours: float, drugs: list, ifng: float, cystine: float, coupled: bool,
          seed: int, draw: bool, how: dict[str, Any], auc: float = 0.0) -> np.ndarray:
    """Hours of ferroptotic death (n, n), NaN alive; traits by the reference's `draw` number `seed` or the model's.

    `auc` (uM min) is a pulse of the drug, released at 0.005 and lost at 0.03 per min, in place of a constant bath.
    """
    every = {"clock_min": 1} if how["every_minute"] else {}
    fields = {**LOW_OXYGEN, "cystine": {"initial": cystine, "held": True}, "ifng": {"held": True, **every}}
    fields |= {name: every for name, *_ in drugs}
    off = {"ferroptosis": {} if coupled else {"p_s": 0.0}, "uptake": {"emit_floor": how["emit_floor"]}}
    model = dish((n * dx_um, n * dx_um), hours / 24 + 1, dx_um=dx_um, cv=cv, drugs=drugs, fields=fields, seed=seed,
                 mechanisms={**off, "clearance": {"on": how["clear"]}})
    if draw:
        rng, sd = np.random.default_rng(seed), np.sqrt(np.log1p(cv**2))
        for name in VARIED:
            getattr(model.tumour, name)[:] = np.exp(sd * rng.standard_normal(n * n) - 0.5 * sd**2)
        model.mechanism("ferroptosis").settle(model)
    model.fields["ifng"].fill(ifng)
    arrivals = Arrivals(model)

    def each(m: Any) -> bool:
        k, q, minute = 0.005, 0.03, m.tick * m.dt_min
        if auc:
            m.fields["rsl3"].fill(auc * k * q / (q - k) * (np.exp(-k * minute) - np.exp(-q * minute)))
        return arrivals(m)

    minutes(model, hours * 60, each)
    return arrivals.dead.reshape(n, n) / 60


def share_dead(s: Sheet, seed: int, draw: bool, how: dict[str, Any]) -> float:
    """Share of a sheet's cells that died within 48 h."""
    # a pulse: a bath that sets no level of its own before the end
    drugs = [("rsl3", 0.0, 2.0)] if s.auc else [("rsl3", s.rsl3, 0.0)] if s.rsl3 else []
    died = grown(s.n, 20.0, 0.25, 48.0, drugs, s.ifng, s.cystine, s.coupled, seed, draw, how, s.auc)
    return float(np.isfinite(died).mean())


# ---- the document ---------------------------------------------------------------------------------------
def table(head: list[str], rows: list[list[str]]) -> list[str]:
    """Markdown."""
    return [f"| {' | '.join(r)} |" for r in (head, ["---"] * len(head), *rows)] + [""]


def percent(values: Any) -> str:
    return " ".join(f"{100 * v:.1f}" for v in values)


def mean_range(values: Any) -> str:
    return f"{100 * np.mean(values):.1f} ({100 * np.min(values):.1f} to {100 * np.max(values):.1f})"


def single_cells() -> tuple[list[str], list[str], str]:
    """Tables of deaths and of rescues, and what they come to."""
    cases, n = [*DEATHS, *RESCUES], len(DEATHS)
    ours = deaths(cases)
    exact = np.array([np.nan if c.exact_min is None else c.exact_min for c in cases])
    off, same = ours - exact, np.isnan(ours) == np.isnan(exact)
    columns = [[f"{m / 60:.2f}".replace("nan", "lives") for m in times] for times in (exact, ours)]
    columns.append([f"{d:+.1f}".replace("+nan", "") for d in off])
    rows = [[case.name, *row] for case, row in zip(cases, zip(*columns))]
    head = ["condition", "reference (LSODA), h", "model, h", "model - reference, min"]
    sums = (
        f"same verdict in {same[:n].sum()} of {n} conditions and in {same[n:].sum()} of {len(RESCUES)} rescues; the "
        f"{np.isfinite(off[:n]).sum()} death times are {np.nanmin(off):+.1f} to {np.nanmax(off[:n]):+.1f} min off (tolerance "
        f"2 min), that of the cell rescued too late {off[-1]:+.1f} min"
    )
    return table(head, rows[:n]), table(head, rows[n:]), sums


def waves() -> tuple[list[str], str]:
    """Speeds beside the reference's."""
    speeds = []
    for _name, (length, width, span), how, _v in WAVES:
        arrival, _early = wave(length, width, span, 0.93 * length, **how)
        speeds.append(front_speed(arrival, how.get("dx_um", 20.0), 0.2 * length, 0.9 * length)[0])
    rows = [[w[0], f"{w[3]:.2f}", f"{v:.2f}", f"{100 * (v / w[3] - 1):+.1f}"] for w, v in zip(WAVES, speeds)]
    gap = 100 * (speeds[1] / CONVERGED - 1)
    sums = f"at the default 20 um and 1 min {gap:+.1f} % off the reference's converged {CONVERGED} um/min (tolerance 5 %)"
    return table(["equal cells unless said", "reference, um/min", "model, um/min", "model, %"], rows), sums


def sheets(seeds: int) -> tuple[list[str], str]:
    """Shares dead beside the reference's, on its draws and on the model's."""
    rows, worst, outside, cases = [], 0.0, [], all_sheets()
    for s in cases:
        there = np.array(s.dead) / s.n**2
        same = np.array([share_dead(s, k, True, ALIKE) for k in (1, 2, 3)])
        own = np.array([share_dead(s, k + 1, False, SHIPPED) for k in range(seeds)])
        q = (s.n**2 * there.mean() + 2) / (s.n**2 + 4)  # binomial 95 %, Agresti and Coull 1998, doi 10.2307/2685469
        b = 1.96 * np.sqrt(q * (1 - q) / (s.n**2 + 4))
        within = there.min() - b <= own.mean() <= there.max() + b
        outside += [] if within else [s.name]
        worst = max(worst, float(np.abs(same - there[:3]).max()))
        columns = percent(there[:3]), percent(same), mean_range(there), mean_range(own)
        rows.append([s.name, *columns, "yes" if within else "no"])
    head = "% dead at 48 h|reference, draws 1-3|model, the same draws|reference, ten draws|model as shipped, own draws|within"
    sums = (
        f"on the same draws the shares dead differ by at most {100 * worst:.1f} points; as shipped, on draws of its "
        f"own, the model's mean is within the tolerance in {len(cases) - len(outside)} of {len(cases)} sheets"
    )
    return table(head.split("|"), rows), sums + (f" (not in: {'; '.join(outside)})" if outside else "")


def spreads() -> list[str]:
    """Sheets of 48 x 48 cells, dx 15 um, CV 0.2, 24 h: propagation index and times beside the reference's."""
    rows = []
    for (drug, dose, coupled), there in SPREAD.items():
        columns: list[Any] = [there]
        for draw, how in ((True, ALIKE), (False, SHIPPED)):
            died = [grown(48, 15.0, 0.2, 24.0, [(drug, dose, 0.0)], 0.0, 200.0, coupled, k, draw, how) for k in (1, 2, 3)]
            columns.append([(propagation_index(d, 100), np.isfinite(d).mean(), np.nanmedian(d), np.nanmin(d)) for d in died])
        for i, what in enumerate(("propagation index", "share dead", "median death, h", "first death, h")):
            sheet = f"{drug} {dose:g} uM, {'coupled' if coupled else 'uncoupled'}: {what}"
            rows.append([sheet, *(" ".join(f"{draw[i]:.2f}" for draw in c) for c in columns)])
    return table(["", "reference, draws 1-3", "model, the same draws", "model as shipped, own draws"], rows)


def causes() -> list[str]:
    """Two sheets on draws 1-3: what each difference between the shipped model and the reference does by itself."""
    pair = [s for s in all_sheets() if s.coupled and (s.ifng, s.cystine, s.rsl3) in SETTLED]
    rows = [["reference", *(percent(np.array(s.dead[:3]) / s.n**2) for s in pair)]]
    rows.append(["reference, settled for 30 days", *SETTLED.values()])
    for name, how in (
        ("model, as like the reference as can be", {}), ("no signal below PLOOH 0.5 uM (`uptake.emit_floor`)", {"emit_floor": 0.5}),
        ("corpses cleared after 12 h on average", {"clear": True}), ("IFN-gamma and drugs sensed every 10 min", {"every_minute": False}),
        ("all three, as shipped", SHIPPED),
    ):
        rows.append([name, *(percent([share_dead(s, k, True, ALIKE | how) for k in (1, 2, 3)]) for s in pair)])
    return table(["% dead at 48 h, draws 1-3", *(s.name for s in pair)], rows)


def figures(seeds: int) -> str:
    """All of it as Markdown."""
    (died, rescued, cells), (moved, speeds), (tissue, shares) = single_cells(), waves(), sheets(seeds)
    sums = f"- Parameters: {compared()}.", f"- Single cells: {cells}.", f"- Wave: {speeds}.", f"- Sheets: {shares}."
    out = [MARK, "", *sums, ""]
    out += ["## Death times of single cells", "", *died, "## Rescue", "", *rescued, "## Trigger wave", "", *moved, "## Sheets", "", *tissue]
    return "\n".join([*out, "### What makes the difference", "", *causes(), "### Spread", "", *spreads()])


def main() -> None:
    """Run everything; print it, and put it below the mark of a document."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=5, help="draws of the model's own per sheet")
    parser.add_argument("--write", type=Path, help="also put it there; what stands above the mark is kept")
    a = parser.parse_args()
    text = figures(a.seeds)
    print(text)
    if a.write:
        above = a.write.read_text(encoding="utf-8").split(MARK)[0] if a.write.exists() else ""
        a.write.write_text(above + text, encoding="utf-8")


if __name__ == "__main__":
    main()
