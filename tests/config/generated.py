"""Generated experiments: `valid(rng)` gives one the loader must take and the model must run.

Plain seeded generators, so that a number names a case for ever: `valid(Random(17))` is case 17. Values sit on
their bounds as often as within them. Lattices are tiny; what runs is a random arm. What a user's own file of entries holds
stands under `library` as it is written there; `write` puts it into its file.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

from chance import maybe, number, some
from generated_arms import Arms, hit_by, of_copper
from generated_own import Own
from generated_start import CSV, domain, initial, table

from tme import mechanisms, therapy
from tme.config.schema import TRAITS
from tme.library.alterations import rules_of
from tme.model import parameter_registry

OWN = "own.yaml"
CLONES = ("fsp1_high", "nrf2_high", "acsl4_low", "mine")
PLANS = (*mechanisms.MECHANISMS, *therapy.THERAPIES)
LEVELS = {"diffusion": (0.0, 1e5), "decay": (0.0, 5.0), "initial": (0.0, 300.0), "vessel_value": (0.0, 300.0),
          "vessel_exchange": (0.0, 1e4)}  # fmt: skip


@cache
def switches() -> list[str]:
    """Mechanisms that may be switched off."""
    return sorted({c.name for c in PLANS if c.switchable})


# ---- valid --------------------------------------------------------------------------------------------
def valid(rng: Random) -> dict[str, Any]:
    """An experiment that must load and run."""
    dt = rng.choice([1, 1, 1, 0.5, 0.25, 1 / 64])
    ndim = rng.choice([2, 2, 3])
    dom, shape = domain(rng, ndim)
    horizon = rng.choice([1, 2, 0.25, 14])
    start = rng.choice([0, 0, -1, -0.5, -2.25])
    branch = rng.choice([None, None, max(0, start) if start < 0 else horizon / 2])
    boundary = dom.get("boundary", "no_flux")
    own = Own(rng, dt, "".join(a for a in "xyz" if (boundary.get(a) if isinstance(boundary, dict) else boundary) != "periodic"))
    on = set(some(rng, ["cuproptosis", "disulfidptosis", *(f"{p}_{c}" for c, e in own.library.cells.items() for p in e.pathways)], 3)) if rng.random() < 0.4 else set()
    rules = own.add(on)
    library = rules.library = own.library
    out: dict[str, Any] = {"horizon_day": horizon, "domain": dom, "initial": initial(rng, library, ndim, shape, dom["dx_um"])}
    if own.written:
        out["library"] = own.written
    if start:
        out["start_day"] = start
    if branch is not None:
        out["branch_at_day"] = branch
    maybe(
        rng, out, 0.6,
        name=lambda: rng.choice(["a", "x-1", "9.lives", "A_b+c"]),
        seed=lambda: rng.choice([0, 1, 2**63 - 1, 4e3, rng.randrange(2**40)]),
        tumour=lambda: tumour(rng, library, out["initial"]),
        populations=lambda: populations(rng, library),
        mechanisms=lambda: changes(rng),
        fields=lambda: fields(rng, library, dt),
        replicates=lambda: rng.randint(1, 5),
        output=lambda: output(rng, start, horizon),
        stop_when=lambda: {"tumour_alive_below": rng.choice([0, 1, 5])},
    )  # fmt: skip
    if rng.random() < 0.85:
        middle = [n * dom["dx_um"] / 2 for n in shape]
        out["arms"] = Arms(rng, library, branch if branch is not None else start, horizon, middle, branch is None, dt).all()
    arms = {n: a for n, a in out.get("arms", {}).items() if n != "factorial"}
    if any(f"'{name}'" in str(arms) for name in of_copper(library)):  # what they bring has a place only in the chemistry of copper
        on.add("cuproptosis")
    for name in pathway_switches(library):
        if name in on or rng.random() < 0.1:
            out.setdefault("mechanisms", {}).setdefault(name, {})["on"] = name in on
    axes = receptors(rng, library, arms)
    if axes or rng.random() < 0.2:
        out["receptors"] = axes
    if rng.random() < 0.5:
        rules.taken |= hit_by(library, arms) | altered(library, out.get("tumour", {}))
        rules.add()
        out["rules"] = rules.out
    clocks: dict[str, Any] = {"dt_min": dt} if dt != 1 or rng.random() < 0.2 else {}
    maybe(rng, clocks, 0.3, chemistry_resting_min=lambda: dt * rng.randint(1, 8),
          field_tol=lambda: rng.choice([1e-2, 1e-3, 1e-6, 1e-10]))  # fmt: skip
    if clocks:
        out["clocks"] = clocks
    question(rng, out, list(arms), horizon)
    return out


def pathway_switches(library: Any) -> list[str]:
    """Switches of pathways beyond the tumour's ferroptosis."""
    return ["cuproptosis", "disulfidptosis", *(f"{p}_{c}" for c, e in library.cells.items() for p in e.pathways)]


def altered(library: Any, of: dict[str, Any]) -> set[tuple[str, str]]:
    """(cells, term) on which the alterations of a tumour act, its preset's too."""
    preset = library.tumour(of.get("preset", "b16_like"))
    parts = [preset, *preset.clones.values()]
    names = {n for p in parts for n in p.alterations} | {n for p in (of, *of.get("clones", {}).values()) for n in p.get("alterations") or ()}
    rules = [r for n in names for r in (*rules_of(n, library.alterations[n]).values(), *(library.rules[k] for k in library.alterations[n].rules))]
    return {(c, r.term) for r in rules for c in r.cells}


def question(rng: Random, out: dict[str, Any], arms: list[str], horizon: float) -> None:
    """What is asked of the arms, what is swept, which columns are kept."""
    if len(arms) > 1 and rng.random() < 0.2:
        out["primary"] = {"contrasts": [f"{arms[0]} < {arms[1]}"]}
        maybe(rng, out["primary"], 0.5, readout=lambda: rng.choice(["tumour_alive", "cd8"]), day=lambda: horizon)
    if rng.random() < 0.1:
        out["sweep"] = rng.choice([{"tumour.cv": [0.1, 0.3]}, {"mechanisms.division.k_div": {"from": 1e-4, "to": 1e-3, "n": 3, "scale": "log"}},
                                   {"entries.drugs.rsl3.decay": [0.01, 0.02]}])  # fmt: skip
    if rng.random() < 0.1:
        out["metrics"] = rng.choice([["tumour_alive"], ["tumour_alive", "cd8"]])


def tumour(rng: Random, library: Any, start: dict[str, Any]) -> dict[str, Any]:
    """A tumour type with changes; cells of blood are in no nodule."""
    out: dict[str, Any] = {}
    held_together = start.get("base", start)["kind"] in ("nodule", "spheroid")
    presets = [n for n, e in sorted(library.tumours.items()) if not (e.suspended and held_together)]
    presets += 10 * [n for n in presets if n.startswith("own_")]
    mine = some(rng, [n for n, e in library.alterations.items() if not e.rules], 3)
    families = ["efflux", *sorted({d.family for d in library.drugs.values() if d.family})]

    def clone(k: int) -> dict[str, Any]:
        out = {"share": number(rng, 0, 0.25), **levels(rng, 2), "antigenicity": number(rng, 0, 2), "alterations": mine[:k]}
        maybe(rng, out, 0.3, resists=lambda: {f: number(rng, 0, 20) for f in some(rng, families, 2)})
        return out

    maybe(
        rng, out, 0.4,
        preset=lambda: rng.choice(presets),
        alterations=lambda: [n for n in some(rng, [*library.alterations, *(n for n in library.alterations if n.startswith("own_"))], 3) if n not in mine],
        cv=lambda: number(rng, 0, 1.5),
        drift_per_division=lambda: number(rng, 0, 1),
        antigenicity_mean=lambda: number(rng, 0, 3),
        antigenicity_cv=lambda: number(rng, 0, 2),
        mass_g=lambda: number(rng, 0.01, 3),
        mouse_g=lambda: number(rng, 5, 70000),
        traits=lambda: levels(rng, 4),
        clones=lambda: {c: clone(k) for k, c in enumerate(some(rng, CLONES, 4))},
    )  # fmt: skip
    out["alterations"] = list(dict.fromkeys(out.get("alterations", library.tumour(out.get("preset", "b16_like")).alterations)))
    for c in out.get("clones", {}).values():
        c["alterations"] = [n for n in c["alterations"] if n not in out["alterations"]]
    return out


def levels(rng: Random, most: int) -> dict[str, float]:
    """Traits anywhere from absent to fivefold."""
    # NRF2 multiplies with what alterations leave of it, of which a hundredth must be left
    return {t: number(rng, 0.5 if t == "nrf2" else 0.0, 5) for t in some(rng, TRAITS, most)}


def populations(rng: Random, library: Any) -> dict[str, Any]:
    """How many of some types there are; of those whose entry says it nothing need be said."""
    names = [n for n in library.cells if n != "tumour"]
    chosen = dict.fromkeys([*some(rng, names, 4), *(n for n in names if n.startswith("own_") and rng.random() < 0.7)])
    return {n: rng.choice([None, {"per_mm2": number(rng, 0, 3000)}, {"share": number(rng, 0, 1)}, *([{}] if library.cells[n].start else [])]) for n in chosen}


def changes(rng: Random) -> dict[str, Any]:
    """Parameters anywhere within their bounds, and mechanisms switched off."""
    out: dict[str, Any] = {}
    for group in some(rng, parameter_registry(), 6):
        chosen = some(rng, parameter_registry()[group], 4)
        out[group] = {p.name: number(rng, p.low, p.high) for p in chosen}
    for name in some(rng, switches(), 2) if rng.random() < 0.4 else ():
        out.setdefault(name, {})["on"] = rng.random() < 0.3
    return out


def fields(rng: Random, library: Any, dt: float) -> dict[str, Any]:
    """Changes to fields and agents."""
    out: dict[str, Any] = {}
    carried = {p.drug for e in library.nanoparticles.values() for p in e.payloads}  # at the clock of release
    for name in some(rng, library.spreading(), 4):
        change: dict[str, Any] = {}
        own = name in library.fields
        for key, bounds in LEVELS.items():
            if (own or key not in ("initial", "vessel_value")) and rng.random() < 0.3:
                change[key] = number(rng, *bounds)
        if name not in (*library.nanoparticles, *carried) and rng.random() < 0.3:
            change["clock_min"] = dt * rng.choice([1, 2, 3, 5, 64])
        if own and rng.random() < 0.2:
            change["held"] = rng.random() < 0.5
        if rng.random() < 0.2:
            change["mode"] = rng.choice(["quasi_steady", "backward_euler"])
        if name not in library.nanoparticles and rng.random() < 0.2:
            change["coarsen"] = rng.choice([1, 2, 4])
        entry = library.spreading()[name]
        decay, spread = change.get("decay", entry.decay), change.get("diffusion", entry.diffusion)
        if not spread and (name in ("oxygen", "cystine") or getattr(entry, "uptake", "none") != "none"):
            spread = change["diffusion"] = 1e4
        if not decay and not (spread and change.get("vessel_exchange", entry.vessel_exchange)):
            change["mode"] = "backward_euler"  # nothing would rein in a steady state
        out[name] = change or None
    return out


def receptors(rng: Random, library: Any, arms: dict[str, Any]) -> dict[str, Any]:
    """Axes that the arms' agents need, and others, with changes."""
    agents = [getattr(library, k)[i["name"]] for arm in arms.values() for k in ("antibodies", "nanoparticles") for i in (arm or {}).get(k) or ()]
    targets = {target for a in agents for _, target in a.taken_away()}
    out: dict[str, Any] = {n: True for n, e in library.receptors.items() if not e.on and targets & set(e.names())}
    for name in some(rng, library.receptors, 3) if rng.random() < 0.4 else ():
        change = {"on": True, "host": rng.random() < 0.5}
        if library.receptors[name].place == "contact":
            change["effects"] = {"killing": {"to": number(rng, 0, 1), "half": number(rng, 0, 2)}}
        out[name] = change if name in out or rng.random() < 0.8 else {**change, "on": False}
    return out


def output(rng: Random, start: float, horizon: float) -> dict[str, Any]:
    """Recording and snapshots within the run."""
    out: dict[str, Any] = {}
    maybe(rng, out, 0.5, record_every_h=lambda: rng.choice([1, 6, 0.5, 24]), checkpoint_every_h=lambda: rng.choice([0.1, 24, 1000]),
          snapshot_days=lambda: rng.choice([start, [start, horizon], [], [horizon / 2]]))  # fmt: skip
    return out


# ---- files ---------------------------------------------------------------------------------------------------------
def write(folder: Path, data: dict[str, Any]) -> Path:
    """The experiment as files of a folder, its table of cells and its own entries beside it; the experiment's path."""
    (folder / CSV).write_text(table())
    if isinstance(data.get("library"), dict):
        (folder / OWN).write_text(as_yaml(data["library"]))
        data = {**data, "library": [OWN]}
    path = folder / "generated.yaml"
    path.write_text(as_yaml(data))
    return path


def as_yaml(data: dict[str, Any]) -> str:
    """The experiment as YAML text (JSON, with YAML's words for what JSON lacks)."""
    text = json.dumps(data, indent=1, ensure_ascii=False)
    for word, good in (("NaN", ".nan"), ("-Infinity", "-.inf"), ("Infinity", ".inf")):
        for before in (": ", " "):
            text = text.replace(f"{before}{word}", f"{before}{good}")
    return text
