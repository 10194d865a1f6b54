"""A made-up run directory, laid out as the real one, so that figures can be drawn and tested without a model.

The courses of the four arms follow a prototype's table (tumour cells, CD8 ... at days 0, 1, 4, 8, 11);
space is drawn from simple shapes: a ragged disc of tumour, vessels thinned in its core, CD8 around its rim.
Nothing here is biology: it only has the right columns, units and orders of magnitude.
"""

from __future__ import annotations

import json
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
from ruamel.yaml import YAML
from scipy import ndimage

ARMS = ("control", "anti_pdl1", "rsl3_particles", "combination")
ANTIBODY = {"name": "anti_pd_l1", "dose_mg_kg": 10.0, "day": [0, 3, 6]}
PARTICLE = {"name": "peg_pdpa_rsl3", "dose_mg_kg": 3.0, "day": [0, 2, 4, 6], "route": "iv"}
THERAPY = {
    "control": {},
    "anti_pdl1": {"antibodies": [ANTIBODY]},
    "rsl3_particles": {"nanoparticles": [PARTICLE]},
    "combination": {"use": ["anti_pdl1", "rsl3_particles"]},
}
DAYS = (-1.0, 0.0, 1.0, 4.0, 8.0, 11.0)
CELLS = {
    "control": (3600, 4320, 5170, 8790, 15400, 21300),
    "anti_pdl1": (3600, 4320, 4890, 7490, 12600, 17000),
    "rsl3_particles": (3600, 4320, 2210, 6040, 12200, 17500),
    "combination": (3600, 4320, 1900, 2630, 6690, 11300),
}
CD8 = {
    "control": (205, 214, 233, 279, 423, 696),
    "anti_pdl1": (205, 214, 248, 339, 548, 900),
    "rsl3_particles": (205, 214, 222, 193, 378, 711),
    "combination": (205, 214, 240, 191, 336, 632),
}
UNITS = {
    "oxygen": "mmHg", "ifng": "ng/mL", "cxcl": "ng/mL", "atp": "uM", "hmgb1": "ng/mL", "suppressive": "ng/mL",
    "peroxide": "uM", "rsl3": "uM", "anti_pd_l1": "ug/mL", "peg_pdpa_rsl3": "uM",
}  # fmt: skip
CODES = {
    "cell_type": ("tumour", "cd8", "macrophage", "dendritic", "treg"),
    "fate": ("alive", "ferroptosis", "immune", "necrosis", "apoptosis"),
}


def has(arm: str, what: str) -> bool:
    """Whether an arm carries the antibody ('antibody') or the particles ('particles')."""
    return arm == "combination" or ((arm == "anti_pdl1") == (what == "antibody") and arm != "control")


def series(arm: str, replicate: int, hours: np.ndarray) -> pd.DataFrame:
    """One simulation's series.csv: a row per hour, the columns of the run directory's contract."""
    shared = np.random.default_rng(100 + replicate)
    own = np.random.default_rng([7, replicate, ARMS.index(arm) if arm in ARMS else 9])
    day = hours / 24
    wander = np.exp(0.05 * shared.normal() + 0.004 * np.cumsum(own.normal(size=hours.size)))
    alive = np.round(np.interp(day, DAYS, CELLS[arm]) * wander)
    cd8 = np.round(np.interp(day, DAYS, CD8[arm]) * wander * np.exp(0.05 * own.normal()))
    area = alive * 4e-4 / 0.9
    pulse = np.zeros_like(day)
    for dose in (0, 2, 4, 6):
        since = np.clip(day - dose, 0, None)
        pulse += (6 - dose) / 6 * since / 0.4 * np.exp(1 - since / 0.4)
    burst = pulse * has(arm, "particles")
    drift = 0.6 * (1 - np.exp(-np.clip(day, 0, None) / 5))
    antibody = has(arm, "antibody") * (day > 0) * 1.0
    mature = np.cumsum(0.28 + 0.9 * burst) * (hours[1] - hours[0]) / 24
    ifng = 0.04 + 0.09 * (day < 0.5) + antibody * 0.03 * (1 + drift)
    noise = np.exp(0.03 * own.normal(size=hours.size))
    ferro = np.cumsum(3 + 900 * burst) * (hours[1] - hours[0]) / 24
    immune = np.cumsum(cd8 * (2.1 + 2.6 * antibody)) * (hours[1] - hours[0]) / 24
    area_mm2 = np.maximum(area, 1e-6)
    columns = {
        "arm": arm, "replicate": replicate, "hour": hours, "day": day, "tumour_alive": alive,
        "tumour_area_mm2": area, "tumour_volume_mm3": 4 / 3 * np.pi * (area / np.pi) ** 1.5,
        "births": np.cumsum(alive * 0.02),
        "dead_ferroptosis": np.round(ferro * wander), "dead_immune": np.round(immune),
        "dead_necrosis": np.round(np.cumsum(alive * 2e-4)),
        "dead_apoptosis": np.round(np.cumsum(alive * 4e-4)),
        "cd8": cd8, "cd8_per_mm2": cd8 / area_mm2, "cd8_per_tumour_cell": cd8 / np.maximum(alive, 1),
        "cd8_ifng_share": np.clip((0.25 + 0.15 * antibody + 0.1 * burst) * noise, 0, 1),
        "cd8_exhausted_share": np.clip((0.12 + drift * (0.5 - 0.15 * antibody)) * noise, 0, 1),
        "treg": np.round(40 + 5 * day), "treg_per_mm2": (26 - 6 * burst - 4 * antibody) * noise,
        "macrophage": np.round(alive * 0.1), "m1_share": 0.4 + 0.12 * burst,
        "m1_m2_ratio": (0.65 + 0.5 * burst + 0.1 * antibody) * noise,
        "dc_immature": 120.0, "dc_mature": np.round(4 + 9 * burst),
        "dc_mature_share": (0.04 + 0.14 * burst) * noise, "dc_mature_cumulative": mature * 10 * wander,
        "primed_pool": 1 + 0.5 * np.interp(day - 5.5, day, burst, left=0) * np.exp(0.05 * own.normal()),
        "ifng_p10": ifng * 0.2 * noise, "ifng_median": ifng * noise, "ifng_p90": ifng * 12 * noise,
        "oxygen_p10": (7 - 2 * drift + burst) * noise, "oxygen_median": (20 - 3 * drift + burst) * noise,
        "oxygen_p90": (36 - 3 * drift) * noise, "hypoxic_share": 0.05 + 0.1 * drift,
        "drug_p10": 0.05 * burst, "drug_median": 0.06 * burst, "drug_p90": 0.07 * burst,
        "np_median": 2 * burst, "slc7a11_factor": np.clip(0.93 - 0.4 * ifng, 0, 1) * noise,
        "gsh_median": 1500 - 300 * ifng, "gpx4_median": 1 - 0.9 * np.clip(burst, 0, 1),
        "atp_mean": 0.02 + 0.4 * burst, "hmgb1_mean": (0.05 + 2.2 * burst) * noise,
        "cxcl_median": 8 + 6 * antibody, "kills_per_cd8_day": (2.1 + 2.6 * antibody) * noise, "vessels": 300,
    }  # fmt: skip
    return pd.DataFrame(columns)


def tissue(arm: str, replicate: int, day: float, n: int, alive: int, cd8: int) -> dict[str, np.ndarray]:
    """Masks and voxel lists of one snapshot on an n x n lattice: tumour region, vessels, corpses, CD8."""
    shape_rng = np.random.default_rng(500 + replicate)
    rng = np.random.default_rng([11, replicate, int(24 * (day + 5)), ARMS.index(arm)])
    y, x = np.mgrid[:n, :n] - (n - 1) / 2
    angle, radius = np.arctan2(y, x), np.hypot(x, y)
    ragged = np.ones_like(angle)
    for k in range(2, 9):
        ragged += 0.12 / k * np.cos(k * angle + shape_rng.uniform(0, 6.28))
    burst = has(arm, "particles") * float(np.exp(-((day - 1.2) ** 2) / 3)) * (day > 0)
    depth = np.sort((radius / ragged).ravel())
    region = radius / ragged <= depth[min(int(alive / (0.93 - 0.35 * burst)), n * n - 1)]
    patches = ndimage.gaussian_filter(shape_rng.normal(size=(n, n)), 3)
    patches /= patches.std()
    inside = ndimage.distance_transform_edt(region)
    signed = np.where(region, -inside, ndimage.distance_transform_edt(~region))
    corpse = np.zeros((n, n), np.int8)
    corpse[region & (patches + 0.5 * rng.normal(size=(n, n)) > 1.9 - 1.2 * burst)] = 1 if burst > 0.1 else 4
    corpse[region & (inside > 0.85 * inside.max()) & (rng.random((n, n)) < 0.3)] = 3
    rim = np.exp(-((signed / (4 + 10 * has(arm, "antibody"))) ** 2)) + 0.03 * (signed < 0)
    spots = rng.choice(n * n, size=cd8, p=(rim / rim.sum()).ravel())
    corpse.ravel()[spots[: cd8 // 4][region.ravel()[spots[: cd8 // 4]]]] = 2
    vessels = (shape_rng.random((n, n)) < 0.03) & (
        (signed > -0.4 * inside.max()) | (rng.random((n, n)) < 0.3)
    )
    hole = region & (rng.random((n, n)) < 0.04 + 0.3 * burst) & (corpse == 0)
    return {"region": region & ~hole, "corpse": corpse, "cd8": spots, "vessels": vessels, "signed": signed}


def fields(arm: str, day: float, t: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Fields (1, n, n) of one snapshot, smooth around their sources."""
    blur = lambda source, sigma: ndimage.gaussian_filter(np.asarray(source, float), sigma)  # noqa: E731
    on_t = np.zeros(t["region"].shape)
    np.add.at(on_t.ravel(), t["cd8"], 1.0)
    dead = (t["corpse"] == 1) * float(has(arm, "particles"))
    vessel, decay = blur(t["vessels"], 2.5), np.exp(-max(day, 0) / 4) * (day > 0)
    out = {
        "oxygen": 40 * vessel / (vessel + 0.01 + 0.02 * blur(t["region"], 1)),
        "ifng": 40 * blur(on_t, 1.6) + 1e-3, "cxcl": 300 * blur(on_t, 6) + 0.3,
        "atp": 0.5 * blur(dead, 1.5) + 0.01, "hmgb1": 3 * blur(dead, 5) + 0.05,
        "suppressive": 0.2 + 0.4 * blur(t["region"], 4), "peroxide": 2 * blur(dead, 1.2),
        "rsl3": 0.12 * has(arm, "particles") * decay * blur(t["region"], 8),
        "anti_pd_l1": 90 * has(arm, "antibody") * (day > 0) * vessel / (vessel + 0.02),
        "peg_pdpa_rsl3": 300 * has(arm, "particles") * decay * blur(vessel, 3),
    }  # fmt: skip
    return {name: value[None].astype(np.float32) for name, value in out.items()}


def cells(t: dict[str, np.ndarray], f: dict[str, np.ndarray], rng, dx: float) -> dict[str, np.ndarray]:
    """Rows of one cells_<hour>.h5ad: tumour cells and corpses on their voxels, immune cells among them."""
    n = t["region"].shape[0]
    tumour = np.flatnonzero(t["region"])
    inside = np.flatnonzero(t["signed"] < 12)
    voxel = [tumour, t["cd8"]] + [rng.choice(inside, k) for k in (tumour.size // 10, 90, 30)]
    kind = np.repeat(np.arange(5, dtype=np.int8), [v.size for v in voxel])
    voxel = np.concatenate(voxel)
    fate = np.where(kind == 0, t["corpse"].ravel()[voxel], 0).astype(np.int8)
    only = lambda type_code, values: np.where(kind == type_code, values, np.nan).astype(np.float32)  # noqa: E731
    size = voxel.size
    return {
        "cell_type": kind, "fate": fate, "uid": np.arange(size), "voxel": voxel,
        "x": (voxel % n + 0.5) * dx, "y": (voxel // n + 0.5) * dx,
        "oxygen": f["oxygen"].ravel()[voxel], "ifng": f["ifng"].ravel()[voxel],
        "gsh": only(0, rng.normal(1400, 200, size)), "plooh": only(0, rng.lognormal(0, 0.4, size)),
        "pdl1": only(0, rng.random(size)), "exhaustion": only(1, rng.random(size)),
        "m1": only(2, rng.random(size)), "mature": only(3, (rng.random(size) < 0.2) * 1.0),
    }  # fmt: skip


def write_h5ad(path: Path, obs: dict[str, np.ndarray], spatial: np.ndarray) -> None:
    """AnnData layout by hand: obs with categoricals as codes and categories, obsm/spatial in um."""
    with h5py.File(path, "w") as file:
        file.attrs.update({"encoding-type": "anndata", "encoding-version": "0.1.0"})
        group = file.create_group("obs")
        group.attrs.update({"encoding-type": "dataframe", "encoding-version": "0.2.0", "_index": "uid"})
        group.attrs["column-order"] = [name for name in obs if name != "uid"]
        for name, values in obs.items():
            if name in CODES:
                column = group.create_group(name)
                column.attrs.update(
                    {"encoding-type": "categorical", "encoding-version": "0.2.0", "ordered": False}
                )
                column["codes"] = values
                column.create_dataset("categories", data=list(CODES[name]), dtype=h5py.string_dtype())
            elif name == "uid":
                group.create_dataset("uid", data=[str(u) for u in values], dtype=h5py.string_dtype())
            else:
                group[name] = values
        file.create_group("obsm")["spatial"] = spatial


def write_fields(path: Path, arrays: dict[str, np.ndarray], hour: float, dx: float) -> None:
    units = json.dumps({name: UNITS.get(name, "") for name in arrays})
    np.savez_compressed(path, **arrays, dx_um=dx, hour=hour, units=units)


def _snapshot(folder: Path, arm: str, replicate: int, row, n: int, depth: int, dx: float) -> None:
    t = tissue(arm, replicate, row.day, n, int(row.tumour_alive), int(row.cd8))
    f = fields(arm, row.day, t)
    obs = cells(t, f, np.random.default_rng(3), dx)
    voxel = obs.pop("voxel")
    spatial = np.column_stack([obs.pop("x"), obs.pop("y")])
    if depth > 1:  # a stack of discs, narrower towards top and bottom
        z = np.tile(np.arange(depth), voxel.size)
        obs = {name: np.repeat(values, depth) for name, values in obs.items()}
        spatial = np.repeat(spatial, depth, axis=0)
        r = np.hypot(*(spatial - n * dx / 2).T)
        keep = r < r.max() * np.sqrt(1 - ((z - depth / 2 + 0.5) / (0.45 * depth)).clip(-1, 1) ** 2)
        obs = {name: values[keep] for name, values in obs.items()} | {"uid": np.arange(keep.sum())}
        spatial = np.column_stack([spatial, (z + 0.5) * dx])[keep]
        f = {name: np.repeat(value, depth, axis=0) for name, value in f.items()}
    write_h5ad(folder / f"cells_{row.hour:g}.h5ad", obs, spatial)
    write_fields(folder / f"fields_{row.hour:g}.npz", f, row.hour, dx)


def write_run(root: Path, *, arms=ARMS, replicates=4, days=(0, 1, 2, 5, 8, 11), n=208, depth=1, scale=1.0,
              every_h=2.0, drop=(), horizon_day=None, stop=None, name="four_arms") -> Path:  # fmt: skip
    """Write a whole run directory and return its path.

    `scale` shrinks the cell numbers for small lattices; `drop` leaves series columns out; `stop` maps
    (arm, replicate) to the day at which that simulation stopped early.
    """
    run = Path(root) / f"{name}-0123abcd"
    run.mkdir(parents=True, exist_ok=True)
    hours = np.arange(-24.0, 24 * max(days) + 1e-9, every_h)
    tables, summary, events = [], [], []
    for arm in arms:
        for replicate in range(replicates):
            folder = run / arm / f"rep-{replicate:03d}"
            folder.mkdir(parents=True, exist_ok=True)
            table = series(arm, replicate, hours)
            for column in ("tumour_alive", "cd8", "tumour_area_mm2", "macrophage", "treg"):
                table[column] = table[column] * scale
            last = (stop or {}).get((arm, replicate), max(days))
            table = table[table.day <= last].drop(columns=list(drop), errors="ignore")
            reason = "" if last == max(days) else "the tumour touched the edge of the domain"
            table.to_csv(folder / "series.csv", index=False)
            tables.append(table)
            for day in days:
                rows = table[np.isclose(table.day, day)] if "cd8" in table else table.iloc[:0]
                if len(rows):
                    _snapshot(folder, arm, replicate, rows.iloc[0], n, depth, 20.0)
            final = table.iloc[-1]
            summary.append({"arm": arm, "replicate": replicate, "seed": 1000 + replicate,
                            "final_day": final.day,
                            "final_tumour_alive": final.tumour_alive, "stop_reason": reason})  # fmt: skip
            events.append(
                {"event": "done", "arm": arm, "replicate": replicate, "stop_reason": reason or None}
            )
            (folder / "DONE").write_text("{}")
    pd.concat(tables).to_csv(run / "series.csv", index=False)
    pd.DataFrame(summary).to_csv(run / "summary.csv", index=False)
    (run / "events.jsonl").write_text("".join(json.dumps(e) + "\n" for e in events))
    therapies = {arm: THERAPY.get(arm, {}) for arm in arms}
    _write_papers(run, name, therapies, replicates, horizon_day or max(days), (depth, n, n))
    return run


def _write_papers(
    run: Path, name: str, arms: dict, replicates: int, horizon: float, shape: tuple, kind="nodule"
) -> None:
    config = {
        "name": name, "seed": 1, "horizon_day": float(horizon), "replicates": replicates, "branch_at_day": 0,
        "tumour": "b16f10", "arms": arms, "initial": {"kind": kind},
        "domain": {"shape": list(shape), "dx_um": 20.0},
    }  # fmt: skip
    with open(run / "config.resolved.yaml", "w") as file:
        YAML(typ="safe").dump(config, file)
    provenance = {
        "versions": {"tme": "0.1.0", "python": "3.11.7", "numpy": np.__version__, "numba": "0.62.1"},
        "machine": {"cpu": "made up", "cores": 2}, "command": f"tme run configs/{name}.yaml", "seed": 1,
        "started": "2026-01-01T00:00:00Z", "wall_seconds": 123.4, "git": "0123abc",
    }  # fmt: skip
    (run / "provenance.json").write_text(json.dumps(provenance))


def write_wave(root: Path, speed_um_min=5.5, replicates=2, length=250, width=40, spread_h=0.3) -> Path:
    """A monolayer through which a front of death runs along x at the given speed, 20 um voxels."""
    run = Path(root) / "wave-0123abcd"
    tables = []
    last_hour = np.ceil(length * 20 / speed_um_min / 60) + 1
    for replicate in range(replicates):
        rng = np.random.default_rng(replicate)
        folder = run / "erastin" / f"rep-{replicate:03d}"
        folder.mkdir(parents=True)
        voxel = np.arange(length * width)
        x, y = (voxel % length + 0.5) * 20, (voxel // length + 0.5) * 20
        death = 0.5 + x / speed_um_min / 60 + spread_h * rng.normal(size=x.size)
        hours = np.arange(0, last_hour + 0.5, 1.0)
        for hour in hours:
            dead = death <= hour
            plooh = 20 / (1 + np.exp(-(hour - death + 0.3) * 4))
            obs = {"cell_type": np.zeros(x.size, np.int8), "fate": dead.astype(np.int8), "uid": voxel,
                   "plooh": plooh, "death_hour": np.where(dead, death, np.nan)}  # fmt: skip
            write_h5ad(folder / f"cells_{hour:g}.h5ad", obs, np.column_stack([x, y]))
        table = pd.DataFrame({"arm": "erastin", "replicate": replicate, "hour": hours, "day": hours / 24})
        table["tumour_alive"] = [(death > h).sum() for h in hours]
        table["dead_ferroptosis"] = x.size - table.tumour_alive
        table.to_csv(folder / "series.csv", index=False)
        tables.append(table)
    pd.concat(tables).to_csv(run / "series.csv", index=False)
    arms = {"erastin": {"drugs": [{"name": "erastin", "dose_uM": 10.0, "day": [0]}]}}
    _write_papers(run, "wave", arms, replicates, last_hour / 24, (1, width, length), "monolayer")
    return run
