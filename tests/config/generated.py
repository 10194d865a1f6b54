"""Generated experiments: `valid(rng)` gives one the loader must take and the model must run.

Plain seeded generators, so that a number names a case for ever: `valid(Random(17))` is case 17. Values sit on
their bounds as often as within them. Lattices are tiny; what runs is a random arm.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from functools import cache
from random import Random
from typing import Any

from tme import mechanisms, therapy
from tme.config.schema import CELL_TRAITS, STATES, TRAITS
from tme.library import load_library
from tme.model import parameter_registry

CSV = "cells.csv"
CLONES = ("fsp1_high", "nrf2_high", "acsl4_low", "mine")
PLANS = (*mechanisms.MECHANISMS, *therapy.THERAPIES)
LEVELS = {"diffusion": (0.0, 1e5), "decay": (0.0, 5.0), "initial": (0.0, 300.0), "vessel_value": (0.0, 300.0),
          "vessel_exchange": (0.0, 1e4)}  # fmt: skip


@cache
def switches() -> list[str]:
    """Mechanisms that may be switched off."""
    return sorted({c.name for c in PLANS if c.switchable})


def number(rng: Random, low: float, high: float) -> float:
    """A number within bounds, one time in three on one of them."""
    turn = rng.randrange(6)
    if turn < 2:
        return float((low, high)[turn])
    return min(max(round(rng.uniform(low, high), rng.randrange(1, 9)), low), high)


def some(rng: Random, items: Any, most: int) -> list[Any]:
    """Up to `most` different items."""
    items = list(items)
    return rng.sample(items, rng.randint(0, min(most, len(items))))


def maybe(rng: Random, out: dict[str, Any], chance: float, **values: Any) -> None:
    """Add each value (a function of nothing) with some chance."""
    for key, make in values.items():
        if rng.random() < chance:
            out[key] = make()


# ---- valid --------------------------------------------------------------------------------------------
def valid(rng: Random) -> dict[str, Any]:
    """An experiment that must load and run."""
    dt = rng.choice([1, 1, 1, 0.5, 0.25, 1 / 64])
    ndim = rng.choice([2, 2, 3])
    dom, shape = domain(rng, ndim)
    horizon = rng.choice([1, 2, 0.25, 14])
    start = rng.choice([0, 0, -1, -0.5, -2.25])
    branch = rng.choice([None, None, max(0, start) if start < 0 else horizon / 2])
    out: dict[str, Any] = {"horizon_day": horizon, "domain": dom, "initial": initial(rng, ndim, shape, dom["dx_um"])}
    if rng.random() < 0.2:
        out["initial"] = patches(rng, out["initial"], shape, dom["dx_um"])
    if start:
        out["start_day"] = start
    if branch is not None:
        out["branch_at_day"] = branch
    maybe(
        rng, out, 0.6,
        name=lambda: rng.choice(["a", "x-1", "9.lives", "A_b+c"]),
        seed=lambda: rng.choice([0, 1, 2**63 - 1, 4e3, rng.randrange(2**40)]),
        tumour=lambda: tumour(rng, out["initial"]),
        populations=lambda: {k: density(rng) for k in some(rng, ("cd8", "macrophage", "dendritic", "treg"), 4)},
        mechanisms=lambda: changes(rng),
        fields=lambda: fields(rng, dt),
        replicates=lambda: rng.randint(1, 5),
        output=lambda: output(rng, start, horizon),
        stop_when=lambda: {"tumour_alive_below": rng.choice([0, 1, 5])},
    )  # fmt: skip
    if rng.random() < 0.85:
        middle = [n * dom["dx_um"] / 2 for n in shape]
        out["arms"] = arms(rng, branch if branch is not None else start, horizon, middle, branch)
    if any(f"'{name}'" in str(out.get("arms")) for name in of_copper()):  # what they bring has a place only in the chemistry of copper
        out.setdefault("mechanisms", {}).setdefault("cuproptosis", {})["on"] = True
    axes = receptors(rng, out.get("arms", {}))
    if axes or rng.random() < 0.2:
        out["receptors"] = axes
    clocks: dict[str, Any] = {"dt_min": dt} if dt != 1 or rng.random() < 0.2 else {}
    maybe(rng, clocks, 0.3, chemistry_resting_min=lambda: dt * rng.randint(1, 8),
          field_tol=lambda: rng.choice([1e-2, 1e-3, 1e-6, 1e-10]))  # fmt: skip
    if clocks:
        out["clocks"] = clocks
    return out


IDLE = ("gambogenic_acid",)  # acts on GCH1 alone: refused while kap_b is 0


def of_copper():
    """Drugs that act on the chemistry of copper, and particles that carry one."""
    library = load_library()
    drugs = {n for n, d in library.drugs.items() if any(h.target == "cu_influx" or "cuproptosis." in f"{h.raises}{h.lowers}{h.adds_to}" for h in d.hits)}
    return drugs | {n for n, e in library.nanoparticles.items() if drugs & {p.drug for p in e.payloads}}


def domain(rng: Random, ndim: int) -> tuple[dict[str, Any], list[int]]:
    """A tiny lattice and its voxels per axis (x, y[, z])."""
    dx = rng.choice([20, 20, 15, 14, 30, 60, 22.5])
    shape = [rng.randint(3, 12 if ndim == 2 else 6) for _ in range(ndim)]
    out: dict[str, Any] = {"size_um": [n * dx for n in shape], "dx_um": dx}
    if dx < 20 or rng.random() < 0.2:
        out["thickness_um"] = rng.choice([20, 25, 100]) if dx >= 14 else 25
    words = ("no_flux", "periodic", "fixed")
    maybe(
        rng, out, 0.4,
        boundary=lambda: rng.choice([*words, {a: rng.choice(words) for a in "xyz"}, {"x": rng.choice(words)}]),
        at_edge=lambda: rng.choice(["stop", "continue"]),
        immune_per_voxel=lambda: rng.randint(1, 8),
    )  # fmt: skip
    return out, shape


def initial(rng: Random, ndim: int, shape: list[int], dx: float) -> dict[str, Any]:
    """One of the starts."""
    most = math.prod(shape)
    kind = rng.choice(["nodule", "monolayer", "cells", "spheroid" if ndim == 3 else "nodule"])
    if kind == "monolayer":
        return {"kind": kind, "occupancy": max(0.01, number(rng, 0.01, 1.0))}
    if kind == "cells":
        out = {"kind": kind, "file": CSV, "unit_um": round(min(shape) * dx / 130.0, 3), "columns": {"x": "x", "y": "y", "type": "type"},
               "types": {"T": "tumour", "C": "cd8", "M": rng.choice(["macrophage", "ignore", "dendritic", "treg"])}}  # fmt: skip
        if ndim == 3:
            out["columns"]["z"] = "z"
        maybe(rng, out, 0.4, traits=lambda: {"marker": {**rng.choice([{"trait": rng.choice(CELL_TRAITS)}, {"state": rng.choice(STATES)}]), "power": number(rng, -2, 2), "max_fold": number(rng, 1, 5)}})
        return out
    out = {"kind": kind, "n_cells": rng.choice([1, most, rng.randint(1, most)])}
    maybe(rng, out, 0.4, centre_um=lambda: [number(rng, 0, n * dx) for n in shape])
    return out


def patches(rng: Random, base: dict[str, Any], shape: list[int], dx: float) -> dict[str, Any]:
    """Regions on another start; a trait's memory is said in none of them."""

    def point() -> list[float]:
        return [number(rng, 0, n * dx) for n in shape]

    def region() -> dict[str, Any]:
        kind = rng.choice(["disc", "band", "box"])
        out: dict[str, Any] = {"shape": kind}
        if kind == "band":
            low = number(rng, 0, 100)
            out |= {"axis": rng.choice("xyz"[: len(shape)]), "from_um": low, "to_um": low + 20}
        else:
            out["centre_um"] = point()
            out |= {"radius_um": number(rng, 1, 200)} if kind == "disc" else {"size_um": [number(rng, 1, 200) for _ in shape]}
        if rng.random() < 0.3:
            out["cells"] = rng.choice(["tumour", "cd8", "macrophage", "none"])
        else:
            out["states"] = {t: number(rng, 0.5, 2) for t in some(rng, STATES, 2)}
            out["traits"] = {t: number(rng, 0.01, 4) for t in some(rng, CELL_TRAITS, 2)} or {"xct": 2}
        maybe(rng, out, 0.5, share=lambda: number(rng, 0, 1))
        return out

    return {"kind": "regions", "base": base, "regions": [region() for _ in range(rng.randint(1, 3))]}


def tumour(rng: Random, start: dict[str, Any]) -> dict[str, Any]:
    """A tumour type with changes; cells of blood are in no nodule."""
    out: dict[str, Any] = {}
    held_together = start.get("base", start)["kind"] in ("nodule", "spheroid")
    presets = [n for n, e in sorted(load_library().tumours.items()) if not (e.suspended and held_together)]
    mine = some(rng, [n for n, e in load_library().alterations.items() if not e.rules], 3)
    maybe(
        rng, out, 0.4,
        preset=lambda: rng.choice(presets),
        alterations=lambda: [n for n in some(rng, load_library().alterations, 3) if n not in mine],
        cv=lambda: number(rng, 0, 1.5),
        drift_per_division=lambda: number(rng, 0, 1),
        antigenicity_mean=lambda: number(rng, 0, 3),
        antigenicity_cv=lambda: number(rng, 0, 2),
        mass_g=lambda: number(rng, 0.01, 3),
        mouse_g=lambda: number(rng, 5, 70000),
        traits=lambda: levels(rng, 4),
        clones=lambda: {c: {"share": number(rng, 0, 0.25), **levels(rng, 2), "antigenicity": number(rng, 0, 2), "alterations": mine[:k]} for k, c in enumerate(some(rng, CLONES, 4))},
    )  # fmt: skip
    return out


def levels(rng: Random, most: int) -> dict[str, float]:
    """Traits anywhere from absent to fivefold."""
    return {t: number(rng, 0.01 if t == "nrf2" else 0.0, 5) for t in some(rng, TRAITS, most)}


def density(rng: Random) -> dict[str, float] | None:
    """How many of a kind."""
    return rng.choice([None, {"per_mm2": number(rng, 0, 3000)}, {"share": number(rng, 0, 1)}])


def changes(rng: Random) -> dict[str, Any]:
    """Parameters anywhere within their bounds, and mechanisms switched off."""
    out: dict[str, Any] = {}
    for group in some(rng, parameter_registry(), 6):
        chosen = some(rng, parameter_registry()[group], 4)
        out[group] = {p.name: number(rng, p.low, p.high) for p in chosen}
    for name in some(rng, switches(), 2) if rng.random() < 0.4 else ():
        out.setdefault(name, {})["on"] = rng.random() < 0.3
    return out


def fields(rng: Random, dt: float) -> dict[str, Any]:
    """Changes to fields and agents."""
    library = load_library()
    out: dict[str, Any] = {}
    for name in some(rng, library.spreading(), 4):
        change: dict[str, Any] = {}
        own = name in library.fields
        for key, bounds in LEVELS.items():
            if (own or key not in ("initial", "vessel_value")) and rng.random() < 0.3:
                change[key] = number(rng, *bounds)
        carried = {p.drug for e in library.nanoparticles.values() for p in e.payloads}  # at the clock of release
        if name not in (*library.nanoparticles, *carried) and rng.random() < 0.3:
            change["clock_min"] = dt * rng.choice([1, 2, 3, 5, 64])
        if own and rng.random() < 0.2:
            change["held"] = rng.random() < 0.5
        if rng.random() < 0.2:
            change["mode"] = rng.choice(["quasi_steady", "backward_euler"])
        entry = library.spreading()[name]
        decay, spread = change.get("decay", entry.decay), change.get("diffusion", entry.diffusion)
        if name in ("oxygen", "cystine") and not spread:
            spread = change["diffusion"] = 1e4
        if not decay and not (spread and change.get("vessel_exchange", entry.vessel_exchange)):
            change["mode"] = "backward_euler"  # nothing would rein in a steady state
        out[name] = change or None
    return out


def receptors(rng: Random, arms: dict[str, Any]) -> dict[str, Any]:
    """Axes that the arms' antibodies need, and others, with changes."""
    library = load_library()
    names = {item["name"] for arm in arms.values() for item in (arm or {}).get("antibodies") or ()}
    targets = {library.antibody(n).target for n in names}
    out: dict[str, Any] = {n: True for n, e in library.receptors.items() if not e.on and targets & set(e.names())}
    for name in some(rng, library.receptors, 3) if rng.random() < 0.4 else ():
        change = {"on": True, "host": rng.random() < 0.5}
        if library.receptors[name].place == "contact":
            change["effects"] = {"killing": {"to": number(rng, 0, 1), "half": number(rng, 0, 2)}}
        out[name] = change
    return out


def output(rng: Random, start: float, horizon: float) -> dict[str, Any]:
    """Recording and snapshots within the run."""
    out: dict[str, Any] = {}
    maybe(rng, out, 0.5, record_every_h=lambda: rng.choice([1, 6, 0.5, 24]), checkpoint_every_h=lambda: rng.choice([0.1, 24, 1000]),
          snapshot_days=lambda: rng.choice([start, [start, horizon], [], [horizon / 2]]))  # fmt: skip
    return out


def arms(rng: Random, first: float, horizon: float, centre: list[float], branch: float | None) -> dict[str, Any]:
    """One to four arms; a later one may use earlier ones if no agent comes twice (as a bath and by another route)."""
    library, out, used = load_library(), {}, {}
    for name in rng.sample(["control", "a", "b2", "c-3", "d.4"], rng.randint(1, 4)):
        arm: dict[str, Any] = {}
        agents: set[str] = set()

        def days() -> Any:
            many = sorted(round(rng.uniform(first, first + 0.9 * (horizon - first)), 4) for _ in range(rng.randint(1, 3)))
            return rng.choice([first, [first, *many]])

        if rng.random() < 0.3:
            arm["events"] = [event(rng, n, days(), len(centre), centre, branch is None) for n in some(rng, library.events, 2)]
        if rng.random() < 0.7:
            arm["drugs"] = [drug(rng, n, days()) for n in some(rng, [n for n in library.drugs if n not in IDLE], 3)] or None
            arm["antibodies"] = [antibody(rng, n, days()) for n in some(rng, library.antibodies, 2)]
            arm["nanoparticles"] = [particle(rng, n, days()) for n in some(rng, library.nanoparticles, 2)]
            arm = {k: v for k, v in arm.items() if v or rng.random() < 0.3}
            agents = {i["name"] for k, v in arm.items() for i in v or () if k != "events"}
        friends = [f for f in out if not used[f] & agents]
        if friends and rng.random() < 0.4:
            friend = rng.choice(friends)
            arm["use"] = [friend]
            agents |= used[friend]
        out[name], used[name] = arm or rng.choice([{}, None]), agents
    return out


def drug(rng: Random, name: str, day: Any) -> dict[str, Any]:
    """By some route."""
    return given(rng, {"name": name, "day": day}, rng.choice(["iv", "bath", *ROUTES]), "bath_uM")


def antibody(rng: Random, name: str, day: Any) -> dict[str, Any]:
    """An antibody, mostly into blood."""
    return given(rng, {"name": name, "day": day}, rng.choice(["iv", "iv", *ROUTES]), "bath_nM")


def particle(rng: Random, name: str, day: Any) -> dict[str, Any]:
    """A platform by a route it allows."""
    return given(rng, {"name": name, "day": day}, rng.choice(load_library().nanoparticle(name).routes), "bath_uM")


ROUTES = ("iv", "intratumoral", "depot", "bath")


def given(rng: Random, out: dict[str, Any], route: str, bath: str) -> dict[str, Any]:
    """A dose or a bath, and what goes with the route; sometimes repeated."""
    out["route"] = route
    out[bath if route == "bath" else rng.choice(["dose_mg_kg", "dose_mg_kg", "dose_mg"])] = max(0.01, number(rng, 0.01, 50))
    if route == "depot":
        out["release_per_h"] = number(rng, 0.01, 5)
    if route in ("intratumoral", "depot"):
        maybe(rng, out, 0.3, radius_um=lambda: number(rng, 1, 300))
    if not isinstance(out["day"], list):
        maybe(rng, out, 0.2, every_d=lambda: rng.choice([0.5, 1, 3.25]))
    return out


def event(rng: Random, name: str, day: Any, ndim: int, centre: list[float], early: bool) -> dict[str, Any]:
    """An event with all it needs and some of what it takes; `early`: it may lie before the run if its kind may."""
    out: dict[str, Any] = {"name": name, "day": day}
    entry = load_library().event(name)
    shapes = {"ball": {"centre_um": centre, "radius_um": number(rng, 1, 200)}, "box": {"from_um": [0] * ndim, "to_um": centre}}
    places = [{"kind": w, **shapes[w]} if w in shapes else w for w in entry.places]
    if entry.kind in EVENTS:
        out |= EVENTS[entry.kind](rng)
    if "sensitiser" in entry.takes and "celsius" not in out:
        maybe(rng, out, 1.0, sensitiser=lambda: rng.choice(sorted(load_library().drugs)))
    if "enters" in entry.takes:
        maybe(rng, out, 0.4, enters=lambda: rng.choice(["x_low", "y_high"]))
    if entry.before_start and not isinstance(day, list) and rng.random() < 0.3 and early:
        out["day"] = day - number(rng, 0, 30)
    if places:
        maybe(rng, out, 0.5, place=lambda: rng.choice(places))
    return out


EVENTS: dict[str, Callable[[Random], dict[str, Any]]] = {
    "radiation": lambda rng: {"dose_gy": number(rng, 0.01, 30)},
    "light": lambda rng: {"fluence_mw_cm2": number(rng, 0.01, 300), "minutes": rng.choice([7, 14, 21])},
    "sound": lambda rng: {"intensity_w_cm2": number(rng, 0.01, 5), "minutes": rng.choice([7, 14, 21])},
    "heat": lambda rng: {**rng.choice([{"celsius": number(rng, 37.5, 60)}, {"fluence_mw_cm2": number(rng, 0.01, 2000)}]), "minutes": rng.choice([7, 14, 21])},
    "kill_share": lambda rng: {"share": number(rng, 0, 1)},
    "resection": lambda rng: {"share": number(rng, 0, 1), "margin_um": number(rng, -100, 100)},
    "implant": lambda rng: {"count": rng.randint(1, 60)},
    "vaccination": lambda rng: {"cause": rng.choice(["ferroptosis", "necrosis", "apoptosis"]), "age_h": number(rng, 0, 48), "share": number(rng, 0, 1)},
    "cell_transfer": lambda rng: {"cells": rng.choice(["cd8", "macrophage", "dendritic", "treg"]), rng.choice(["count", "per_mm2"]): rng.randint(1, 60)},
}


def table() -> str:
    """Cells for `initial: {kind: cells}`: 12 within 120 units a side, of mapped and unmapped types."""
    rng = Random(1)
    lines = ["x,y,z,type,marker"]
    for i in range(12):
        kind = "TTTCMX"[i % 6]
        lines.append(f"{rng.uniform(0, 120):.2f},{rng.uniform(0, 120):.2f},{rng.uniform(0, 120):.2f},{kind},{rng.lognormvariate(0, 1):.3f}")
    return "\n".join(lines) + "\n"


def as_yaml(data: dict[str, Any]) -> str:
    """The experiment as YAML text (JSON, with YAML's words for what JSON lacks)."""
    text = json.dumps(data, indent=1, ensure_ascii=False)
    for word, good in (("NaN", ".nan"), ("-Infinity", "-.inf"), ("Infinity", ".inf")):
        for before in (": ", " "):
            text = text.replace(f"{before}{word}", f"{before}{good}")
    return text
