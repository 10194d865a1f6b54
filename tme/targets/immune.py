"""Immune cells: walking, killing, the reach of IFN-gamma, and what early corpses do to dendritic cells."""

from __future__ import annotations

from collections import Counter
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from tme.model import TumourModel
from tme.model.initial import place_immune
from tme.statistics import fit_line
from tme.targets.base import Outcome, Target, within
from tme.targets.mutants import Mutant
from tme.targets.setups import dish, minutes, nodule
from tme.targets.tissue import decay_length

DAMP_HOURS = 30
LAGS_MIN = (5, 10, 15, 20, 30, 45, 60)


class Watch:
    """What a run of a nodule shows of its CD8: tracks in the first hours, contacts and kills throughout."""

    def __init__(self, track_from: int, track_to: int) -> None:
        self.span = (track_from, track_to)
        self.rows: list[pd.DataFrame] = []
        self.most: Counter[int] = Counter()
        self.specific_ticks = self.alive_ticks = 0
        self.killed: set[int] = set()

    def __call__(self, model: TumourModel) -> None:
        """Note one tick."""
        c, t = model.cd8, model.tumour
        self.specific_ticks += int(c.specific.sum())
        self.alive_ticks += int((t.state == 0).sum())
        if self.span[0] <= model.tick <= self.span[1]:
            x, y, _z = model.lattice.position_um(c.voxel)
            seen = {"tick": model.tick, "uid": c.uid.copy(), "x": x, "y": y, "engaged": c.engaged.copy()}
            self.rows.append(pd.DataFrame(seen))
        uids, counts = np.unique(c.target_uid[c.engaged == 1], return_counts=True)
        for uid, count in zip(uids.tolist(), counts.tolist()):
            self.most[uid] = max(self.most[uid], count)
        if model.tick % 5 == 0:
            self.killed.update(t.uid[t.state == 2].tolist())


@cache
def infiltrated() -> tuple[Watch, dict[str, float]]:
    """A nodule of 1,500 B16-like cells over 36 h; tracks from hour 12 to hour 24."""
    model = nodule("b16_like", 1500, 1800.0, 2.0)
    watch = Watch(720, 1440)
    minutes(model, 720.0, watch)
    before = (model.counters["kills"], watch.specific_ticks, watch.alive_ticks)
    minutes(model, 1440.0, watch)
    kills = model.counters["kills"] - before[0]
    ctl, alive = ((n - old) * model.dt_min / 1440.0 for n, old in zip((watch.specific_ticks, watch.alive_ticks), before[1:]))
    return watch, {"kills": kills, "ctl_days": ctl, "kills_per_ctl_day": kills / ctl, "lost_to_cd8_per_day": kills / alive}


def displacements(tracks: pd.DataFrame, lag: int, searching: bool) -> np.ndarray:
    """Distances (um) covered in `lag` min, started every 5 min; `searching`: free in every tick between."""
    wide = {k: tracks.pivot(index="tick", columns="uid", values=k) for k in ("x", "y", "engaged")}
    x, y = wide["x"].to_numpy(), wide["y"].to_numpy()
    busy = wide["engaged"].fillna(1).to_numpy() > 0
    out = []
    for i in range(0, len(x) - lag, 5):
        d = np.hypot(x[i + lag] - x[i], y[i + lag] - y[i])
        keep = np.isfinite(d)
        if searching:
            keep &= ~busy[i : i + lag + 1].any(axis=0)
        out.append(d[keep])
    return np.concatenate(out)


def motility() -> Outcome:
    """CD8 in a B16-like nodule of 1,500 cells, followed every minute from hour 12 to hour 24.

    Speed is displacement over 5 min by 5 min, of cells free of targets throughout; the exponent is the slope
    of log mean squared displacement over 5-60 min of cells that search all the while (such stretches favour
    cells that meet few targets). Modes: shares of 5-min speeds below 2 and above 8 um/min.
    """
    watch, _rates = infiltrated()
    tracks = pd.concat(watch.rows)
    speed = displacements(tracks, 5, True) / 5.0
    every = displacements(tracks, 5, False) / 5.0
    sets = [displacements(tracks, lag, True) for lag in LAGS_MIN]
    squares = [float((d**2).mean()) for d in sets]
    exponent = fit_line(np.log(LAGS_MIN), np.log(squares)).slope
    slow, fast = float((speed < 2.0).mean()), float((speed > 8.0).mean())
    values = {
        "mean_speed_um_min": speed.mean(),
        "mean_speed_with_engaged_um_min": every.mean(),
        "slow_share": slow,
        "fast_share": fast,
        "msd_exponent": exponent,
        "windows_5_min": len(speed),
        "windows_60_min": len(sets[-1]),
    }
    claims = {
        "mean speed 2-8": within(float(speed.mean()), 2.0, 8.0),
        "slow and fast modes": slow > 0.05 and fast > 0.05,
        "MSD exponent 1.1-1.4": within(exponent, 1.1, 1.4),
    }
    return Outcome(values, claims)


def killing() -> Outcome:
    """Kills per CTL (CD8 specific for the tumour) and day from hour 12 to hour 36 of the nodule of T29; deaths by CD8 holding at once.

    Probability of being killed for tumour cells that were held by 1-2 CD8 at most against 3 or more.
    """
    watch, rates = infiltrated()
    share = {}
    for name, low, high in (("1", 1, 1), ("2", 2, 2), ("1-2", 1, 2), ("3+", 3, 99)):
        cells = [uid for uid, most in watch.most.items() if low <= most <= high]
        share[name] = sum(uid in watch.killed for uid in cells) / len(cells) if cells else float("nan")
    values = {**rates, **{f"killed_if_held_by_{k}": v for k, v in share.items()}}
    claims: dict[str, bool | None] = {
        "1.2-16 kills per CTL and day": within(rates["kills_per_ctl_day"], 1.2, 16.0),
        "less than 3 % a day lost to CD8": rates["lost_to_cd8_per_day"] < 0.03,
    }
    known = np.isfinite(share["3+"]) and np.isfinite(share["1-2"])
    claims["more than 2 contacts kill more"] = bool(share["3+"] > share["1-2"]) if known else None
    return Outcome(values, claims)


def ifng_reach() -> Outcome:
    """IFN-gamma from a line of weak sources in confluent living tumour cells, one in 3,375 um3: steady profile of the field."""
    model = dish((1200.0, 405.0), 1.0, dx_um=15.0, thickness_um=15.0)
    field = model.fields["ifng"]
    field.use("source")[np.arange(model.grid.n_voxels) % model.grid.nx == 0] = 0.01  # uptake is far from saturated
    field.advance(1.0, model.workspace)
    profile = field.concentration.reshape(model.grid.shape)[0].mean(axis=0)
    length = decay_length(profile[1:11], model.grid.dx_um)
    return Outcome({"length_um": length}, {"30-40 um": within(length, 30.0, 40.0)})


def co_culture(wait_h: float, killed: bool, n_dc: int = 300) -> tuple[float, float]:
    """(share of dendritic cells matured within 24 h, share of tumour cells dead when they are added)."""
    model = dish((600.0, 600.0), 3.0, cv=0.2, drugs=[("rsl3", 1.0, 0.0)] if killed else [])
    minutes(model, wait_h * 60.0)
    dead = 1.0 - float((model.tumour.state == 0).sum()) / model.grid.n_voxels
    # corpses are washed before they meet dendritic cells
    for name in ("atp", "hmgb1"):
        model.fields[name].fill(0.0)
    place_immune(model, model.dendritic, n_dc, np.ones(model.grid.n_voxels, bool))
    minutes(model, 24 * 60.0)
    return model.counters["dc_matured"] / n_dc, dead


@cache
def damp_course() -> np.ndarray:
    """Mean ATP plus HMGB1 source (hours,) in a dish after RSL3 1 uM, each relative to its own largest."""
    model = dish((600.0, 600.0), 2.0, cv=0.2, drugs=[("rsl3", 1.0, 0.0)])
    out = []
    for _ in range(2 * DAMP_HOURS):
        minutes(model, 30.0)
        out.append([float(model.fields[n].on_solver_grid.source.mean()) for n in ("atp", "hmgb1")])
    course = np.array(out)
    return (course / np.maximum(course.max(axis=0), 1e-300)).mean(axis=1)


def early_corpses() -> Outcome:
    """A dish killed by RSL3 1 uM; 300 dendritic cells join it after 3 h or 24 h, or a living dish, for 24 h.

    Fields are washed when they are added. DAMP output is what corpses release into ATP and HMGB1, every
    half hour after RSL3. "About 3 h" is taken as 2-4.5 h (a factor 1.5); "gone" as below 5 % of the peak;
    "late = control" as shares within 0.1.
    """
    early, dead_early = co_culture(3.0, True)
    late, dead_late = co_culture(24.0, True)
    control, _dead = co_culture(3.0, False)
    course = damp_course()
    peak_h = 0.5 * (int(np.argmax(course)) + 1)
    left = float(course[47] / course.max())
    values: dict[str, Any] = {
        "mature_share_early_late_control": [early, late, control],
        "dead_when_added_early_late": [dead_early, dead_late],
        "damp_peak_h": peak_h,
        "damp_left_at_24_h": left,
    }
    claims = {
        "early > late": early > 1.5 * late and early > late + 0.1,
        "late = control": abs(late - control) < 0.1,
        "output peaks about 3 h": within(peak_h, 2.0, 4.5),
        "output gone by 24 h": left < 0.05,
    }
    return Outcome(values, claims)


TARGETS = (
    Target(
        "T14",
        "Early ferroptotic cells mature DCs, late ones do not",
        "mature share early > late = control; DAMP output peaks about 3 h (2-4.5) after RSL3, gone by 24 h",
        "Efimova et al. 2020, JITC 8:e001369, doi 10.1136/jitc-2020-001369",
        "check",
        early_corpses,
        Mutant("corpses release no ATP and no HMGB1", {"mechanisms": {"damp": {"atp_rate": 0, "hmgb1_rate": 0}}}),
    ),
    Target(
        "T29",
        "CD8 motility",
        "mean speed 2-8 um/min over 5 min, slow and fast modes, MSD exponent 1.1-1.4 over 5-60 min",
        "Torres et al. 2023, eLife 12:e84916, doi 10.7554/eLife.84916 (lymph node, villi, lung); tumour CTL 8-10 um/min: Boissonnas et al. 2007",
        "check",
        motility,
        Mutant("CD8 have no fast mode", {"mechanisms": {"motility": {"cd8_fast_um_min": 1.5}}}),
    ),
    Target(
        "T30",
        "Killing per CTL",
        "1.2-16 kills per CTL and day; less than 3 % a day of an untreated B16-like tumour lost to CD8; killed more often if held by more than 2",
        "Halle et al. 2016, Immunity 44:233, doi 10.1016/j.immuni.2016.01.010",
        "calibration",
        killing,
        Mutant("CD8 do not hit", {"mechanisms": {"killing": {"k_hit": 0}}}),
    ),
    Target(
        "T31",
        "IFN-gamma reach among consumers",
        "a lone secretor among consumers, uptake unsaturated: decay length 30-40 um",
        "Centofanti et al. 2023, PNAS, doi 10.1073/pnas.2304190120",
        "calibration",
        ifng_reach,
        Mutant("cells take up little IFN-gamma", {"mechanisms": {"uptake": {"ifng_uptake": 0.1}}}),
    ),
)
