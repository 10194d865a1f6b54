"""Ferroptosis that travels: the trigger wave, what stops it, and which inducers spread."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from tme.model import TumourModel
from tme.targets.base import Outcome, Target, within
from tme.targets.fronts import arrival_by_column, front_speed, propagation_index, segments
from tme.targets.mutants import Mutant
from tme.targets.setups import Arrivals, build, dish, ignite, minutes

CO = "Co et al. 2024, Nature 631:654, doi 10.1038/s41586-024-07623-6"
RIEGMAN = "Riegman et al. 2020, Nat Cell Biol 22:1042, doi 10.1038/s41556-020-0565-1"
PRIMED = [("erastin", 1.0, 0.0)]
# the chemistry was calibrated at tissue oxygen; T1 also reports air
LOW_OXYGEN = {"oxygen": {"initial": 38, "held": True}}
DAY = 1440.0
SLOW_FROM, SLOW_TO = 300.0, 900.0
NO_SIGNAL = {"mechanisms": {"ferroptosis": {"p_s": 0}}}


def wave(
    length_um: float, width_um: float, hours: float, until_um: float, **how: Any
) -> tuple[np.ndarray, float]:
    """A wave lit at the left edge after 24 h of priming with erastin 1 uM.

    Returns arrival times (columns,) in min since then, and the share of cells that had died before.
    """
    how.setdefault("fields", LOW_OXYGEN)
    model = dish((length_um, width_um), 1.0 + hours / 24.0, drugs=PRIMED, **how)
    cells = model.tumour.n
    minutes(model, DAY)
    early = model.counters["dead_ferroptosis"] / cells
    arrivals = Arrivals(model)
    ignite(model, 100.0 if model.grid.dx_um < 20 else 160.0)
    column = int(until_um / model.grid.dx_um)

    def there(m: TumourModel) -> bool:
        arrivals(m)
        return bool(np.isfinite(arrivals.fired.reshape(arrivals.shape)[:, column]).all())

    minutes(model, hours * 60.0, there)
    return arrival_by_column(arrivals.fired.reshape(arrivals.shape)), early


def trigger_wave() -> Outcome:
    """Monolayer of equal cells in 38 mmHg and erastin 1 uM for 24 h, then the left 100 um lit.

    Voxels of 10 um, ticks of 0.5 min. Front time (PLOOH above 60 uM) against distance from 0.6 to 5.6 mm in a
    row 30 um wide and in a strip of 160 um. Also reported, at 20 um and 1 min over 3 mm: equal cells, air
    instead of 38 mmHg, cell-to-cell CV 0.1 and 0.25, 60 % of voxels occupied (speed 0: no front).
    """
    row, _early = wave(6000.0, 30.0, 24.0, 5700.0, dx_um=10.0, dt_min=0.5)
    strip, _early = wave(6000.0, 160.0, 24.0, 5700.0, dx_um=10.0, dt_min=0.5)
    v1, r1 = front_speed(row, 10.0, 600.0, 5600.0)
    v2, r2 = front_speed(strip, 10.0, 600.0, 5600.0)
    parts = segments(row, 10.0, np.arange(600.0, 5601.0, 1000.0))
    coarse: dict[str, dict[str, Any]] = {
        "equal cells": {},
        "in air": {"fields": {}},
        "cv 0.1": {"cv": 0.1},
        "cv 0.25": {"cv": 0.25},
        "60 % occupied": {"occupancy": 0.6},
    }
    values: dict[str, Any] = {
        "speed_1d_um_min": v1,
        "r2_1d": r1,
        "speed_2d_um_min": v2,
        "r2_2d": r2,
        "segments_1d_um_min": [parts.min(), parts.max()],
    }
    for name, how in coarse.items():
        arrival, early = wave(3000.0, 320.0, 12.0, 2900.0, **how)
        speed = front_speed(arrival, 20.0, 600.0, 2700.0)[0]
        values[f"20 um, 1 min, {name}"] = {"speed_um_min": speed, "dead_before_it_is_lit": early}
    claims = {
        "speed within 1.3 x": within(v1, 5.5 / 1.3, 5.5 * 1.3),
        "constant over 5 mm (1D)": r1 > 0.99,
        "constant over 5 mm (2D)": r2 > 0.99,
        "2D within 10 % of 1D": v1 > 0 and abs(v2 / v1 - 1.0) < 0.1,
    }
    return Outcome(values, claims)


@cache
def primed_row() -> tuple[Any, dict[str, np.ndarray]]:
    """Config with one arm per modulator, and the state of a 1.5 mm row after 24 h of erastin 1 uM."""
    first = dish((1500.0, 30.0), 1.6, dx_um=10.0, dt_min=0.5, drugs=PRIMED, fields=LOW_OXYGEN)
    sections = first.config.to_dict()
    base = sections["arms"]["control"]["drugs"]
    for drug, doses in (("deferoxamine", (10, 30, 100)), ("ferrostatin_1", (0.02, 0.05, 1))):
        for dose in doses:
            bath = {"name": drug, "bath_uM": dose, "day": [1.0], "route": "bath"}
            sections["arms"][f"{drug}_{dose:g}"] = {"drugs": [*base, bath]}
    minutes(first, DAY)
    return sections, first.state_dict()


def modulated_speed(arm: str, source: float = 1.0) -> float:
    """Speed between 0.3 and 0.9 mm in a row lit after priming; 0 if the wave stops before."""
    sections, state = primed_row()
    changed = {**sections, "mechanisms": {**sections["mechanisms"]}}
    changed["mechanisms"]["ferroptosis"] = {"p_s": 0.026 * source} if source != 1.0 else {}
    config = build(changed, empty=True).config
    model = TumourModel.from_state(config, state, arm=arm, seed=1)
    arrivals = Arrivals(model)
    ignite(model, 100.0)

    def there(m: TumourModel) -> bool:
        arrivals(m)
        return bool(np.isfinite(arrivals.fired.reshape(arrivals.shape)[:, 95]).all())

    minutes(model, 14.0 * 60.0, there)
    return front_speed(arrival_by_column(arrivals.fired.reshape(arrivals.shape)), 10.0, SLOW_FROM, SLOW_TO)[0]


def untreated_reach() -> float:
    """Farthest cell that fires beyond a 100 um spot lit in an untreated sheet, um from the spot's rim."""
    model = dish((500.0, 500.0), 0.6, dx_um=10.0, dt_min=0.5, fields=LOW_OXYGEN)
    x, y, _z = model.lattice.position_um(np.arange(model.grid.n_voxels))
    distance = np.hypot(x - 250.0, y - 250.0) - 50.0
    t = model.tumour
    t.col.plooh[np.flatnonzero(distance[t.voxel] <= 0.0)] = 400.0
    arrivals = Arrivals(model)
    minutes(model, 12.0 * 60.0, arrivals)
    fired = np.isfinite(arrivals.fired) & (distance > 0.0)
    return float(distance[fired].max()) if fired.any() else 0.0


def wave_needs() -> Outcome:
    """A primed row (T1, 1.5 mm) with deferoxamine, ferrostatin-1, or a weaker source (for a NOX block).

    Each must slow the wave, the more the higher the dose. In a sheet that was not primed (cystine there, GSH whole) a lit
    spot of 100 um must stop within 50 um of its rim, where the primed row carries a wave.
    """
    control = modulated_speed("control")
    speeds = {
        "chelator": [modulated_speed(f"deferoxamine_{d:g}") for d in (10, 30, 100)],
        "radical trap": [modulated_speed(f"ferrostatin_1_{d:g}") for d in (0.02, 0.05, 1)],
        "source": [modulated_speed("control", s) for s in (0.75, 0.5, 0.25)],
    }
    reach = untreated_reach()
    values = {
        "control_um_min": control,
        "deferoxamine_10_30_100_uM_um_min": speeds["chelator"],
        "ferrostatin_0.02_0.05_1_uM_um_min": speeds["radical trap"],
        "source_x0.75_0.5_0.25_um_min": speeds["source"],
        "untreated_reach_um": reach,
    }
    claims: dict[str, bool | None] = {
        f"{k} slows, by dose": bool(control > v[0] and v[0] >= v[1] >= v[2] and v[0] > v[2])
        for k, v in speeds.items()
    }
    claims["primed tissue carries a wave"] = control > 0.0
    claims["an untreated spot stops within 50 um"] = reach <= 50.0
    return Outcome(values, claims)


SHEET_UM, CELL_UM = 720.0, 15.0
DISC_UM = [(180.0, 180.0), (540.0, 180.0), (180.0, 540.0), (540.0, 540.0)]  # centres of the discs, 100 um in radius
DISC_RADIUS_UM, DISC_GPX4 = 100.0, 0.5


@cache
def sheet_deaths(drug: str, dose_uM: float, hours: float, coupled: bool, discs: bool = False) -> np.ndarray:
    """Hours of ferroptotic death (48, 48), NaN if alive, in a sheet of 15 um cells of CV 0.2.

    `discs`: cells of four discs start with half of their GPX4.
    """
    changes = {} if coupled else {"ferroptosis": {"p_s": 0.0}}
    how: dict[str, Any] = {"dx_um": CELL_UM, "cv": 0.2, "drugs": [(drug, dose_uM, 0.0)], "fields": LOW_OXYGEN, "mechanisms": changes}
    if discs:
        disc = {"shape": "disc", "radius_um": DISC_RADIUS_UM, "states": {"gpx4": DISC_GPX4}}
        how["initial"] = {"kind": "regions", "base": {"kind": "monolayer", "occupancy": 1.0}, "regions": [{**disc, "centre_um": list(c)} for c in DISC_UM]}
    model = dish((SHEET_UM, SHEET_UM), hours / 24.0, **how)
    arrivals = Arrivals(model)
    minutes(model, hours * 60.0, arrivals)
    return arrivals.dead.reshape(arrivals.shape) / 60.0


def in_discs(shape: tuple[int, ...]) -> np.ndarray:
    """Which cells of the sheet (ny, nx) lie in a disc."""
    y, x = (np.indices(shape) + 0.5) * CELL_UM
    return np.any([np.hypot(x - cx, y - cy) <= DISC_RADIUS_UM for cx, cy in DISC_UM], axis=0)


def spread() -> Outcome:
    """Sheets of 48 x 48 cells (15 um, CV 0.2) in erastin 10 uM or RSL3 1 uM, with and without the signal.

    The spatial propagation index compares neighbours' death times with scrambled ones. In RSL3 the cells of four discs, 200 um
    across, start with half of their GPX4; the index is that of the cells within and of those elsewhere, each scrambled among themselves.
    """
    values: dict[str, Any] = {}
    index: dict[str, float] = {}
    for drug, dose, hours in (("erastin", 10.0, 30.0), ("rsl3", 1.0, 12.0)):
        for coupled in (True, False):
            died = sheet_deaths(drug, dose, hours, coupled, discs=drug == "rsl3")
            key = f"{drug}_{'coupled' if coupled else 'uncoupled'}"
            discs = in_discs(died.shape)
            parts = {"": None} if drug == "erastin" else {"_discs": discs, "_elsewhere": ~discs}
            for name, part in parts.items():
                index[key + name] = values[key + name] = propagation_index(died, within=part)
            values[f"{key}_dead_share"] = float(np.isfinite(died).mean())
            if drug == "rsl3" and coupled:
                values["rsl3_median_h_in_discs"] = float(np.nanmedian(died[discs])) if np.isfinite(died[discs]).any() else float("inf")
    claims: dict[str, bool | None] = {
        "erastin > 0.3": index["erastin_coupled"] > 0.3,
        "RSL3 0.2-0.55 within discs": within(index["rsl3_coupled_discs"], 0.2, 0.55),
        "RSL3 < 0.25 elsewhere": index["rsl3_coupled_elsewhere"] < 0.25,
        "uncoupled about 0": max(abs(v) for k, v in index.items() if "uncoupled" in k) < 0.1,
        "deaths in discs at 3.5-8 h": within(values["rsl3_median_h_in_discs"], 3.5, 8.0),
    }
    return Outcome(values, claims)


TARGETS = (
    Target(
        "T1",
        "Ferroptotic trigger wave in a primed monolayer",
        "5.5 um/min within a factor 1.3 (4.23-7.15); R2 > 0.99 over 5 mm; 2D within 10 % of 1D",
        CO,
        "calibration",
        trigger_wave,
        Mutant("cells emit no signal", NO_SIGNAL),
    ),
    Target(
        "T2",
        "What the wave needs",
        "chelator, radical trap and NOX block each slow it by dose; without cystine block or loss of GSH a local death stops within 50 um",
        CO,
        "check (the untreated spot: calibration)",
        wave_needs,
        Mutant("the signal enters whatever GSH and CoQ10 there is", {"mechanisms": {"ferroptosis": {"k_gs": 10000, "k_qs": 100}}}),
    ),
    Target(
        "T3",
        "Erastin deaths spread, GPX4-inhibitor deaths spread in patches",
        "propagation index > 0.3 erastin; RSL3 0.2-0.55 within discs of 200 um with less GPX4, < 0.25 elsewhere; about 0 "
        "uncoupled; median of the deaths in the discs 3.5-8 h",
        f"{RIEGMAN}; ML162 in MCF10A: Dev Cell, 'Ferroptosis induces heterogeneous death profiles that are controlled by lysosome rupture'",
        "calibration",
        spread,
        Mutant("cells emit no signal", NO_SIGNAL),
    ),
)
