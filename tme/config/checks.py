"""What types cannot say: names that must exist, cells that must fit, parameters within their bounds.

Every check reads the plain data defensively, so that one fault does not hide the others: a value of the
wrong type is the schema's to report and is passed over here.
"""

from __future__ import annotations

import math
from typing import Any

from tme.config.access import Access, divides, is_number
from tme.config.checks_arms import check_arms, check_clocks, check_times
from tme.config.checks_initial import check_initial, shape
from tme.config.checks_primary import check_primary
from tme.config.checks_tumour import check_tumour
from tme.config.errors import listed, nearest
from tme.config.receptors import check_receptors
from tme.config.schema import CELL_UM3

RENAMED = {  # parameters of the first version -> what stands for them now
    "division.push_um": "division.crowd_half", "killing.s_max": "receptors.pd1.effects.killing.to", "killing.k_p": "receptors.pd1.effects.killing.half",
    "killing.pdl2_share": "receptors.pd1.ligands.pdl2", "exhaustion.k_p": "receptors.pd1.effects.exhaustion.half", "exhaustion.pd1_weight": "receptors.pd1.effects.exhaustion.without",
    "priming.ctla4_gain": "receptors.ctla4.effects.priming.without",
}  # fmt: skip


def check_all(look: Access) -> None:
    """Run every check."""
    for check in (
        check_domain,
        check_initial,
        check_tumour,
        check_populations,
        check_fields,
        check_mechanisms,
        check_receptors,
        check_arms,
        check_times,
        check_clocks,
        check_primary,
        check_rest,
    ):
        check(look)


def check_domain(look: Access) -> None:
    """A voxel holds a cell; the lattice is neither tiny nor beyond memory."""
    dx = look.number("domain", "dx_um", default=15.0)
    thickness = look.number("domain", "thickness_um", default=15.0)
    n = shape(look)
    if n is None or dx is None or thickness is None or dx <= 0 or thickness <= 0:
        return
    flat = len(n) == 2
    volume = dx * dx * (thickness if flat else dx)
    if volume < CELL_UM3:
        least = f"thickness_um >= {CELL_UM3 / dx**2:.3g} at this dx_um, or " if flat else ""
        low = math.sqrt(CELL_UM3 / thickness) if flat else CELL_UM3 ** (1 / 3)
        look.fault(
            ("domain", "dx_um"),
            f"a voxel of {volume:.4g} um^3 is smaller than a cell of {CELL_UM3:.0f} um^3",
            f"{least}dx_um >= {math.ceil(10 * low) / 10:g}",
        )
    if min(n) < 3 or math.prod(n) > 400_000_000:
        words = " x ".join(map(str, n))
        look.fault(
            ("domain", "size_um"),
            f"is a lattice of {words} voxels",
            "at least 3 voxels an axis and at most 4e8 in all",
        )


def check_populations(look: Access) -> None:
    """Types exist; each has exactly one density, or none where its entry says how many there are; clocks divide."""
    cells = look.context.library.cells
    for kind, density in look.mapping("populations").items():
        path = ("populations", kind)
        if kind not in cells:
            look.unknown(path, "cell type", kind, [n for n in cells if n != "tumour"])
            continue
        if kind == "tumour":
            look.fault(path, "tumour cells are those of `initial`", "initial.n_cells")
            continue
        if not isinstance(density, dict):
            continue
        given = [k for k in ("per_mm2", "share") if density.get(k) is not None]
        if len(given) == 2 or not (given or cells[kind].start):
            look.fault(path, "has both densities" if given else "has no density", "either per_mm2 or share")
        check_cell_type(look, path, cells[kind])
    for place in (("initial", "types"), ("initial", "base", "types")):
        for name, kind in look.mapping(*place).items():
            if isinstance(kind, str) and kind not in cells and kind != "ignore":
                look.unknown((*place, name), "cell type", kind, [*cells, "ignore"])


def check_cell_type(look: Access, path: tuple[str, str], entry: Any) -> None:
    """A type in use: its parameters exist, its clock is whole ticks, a tissue cell fits into a voxel."""
    kind, registry = path[1], look.context.registry
    for key, name in entry.parameters.items():
        group, _, parameter = name.partition(".")
        if group in registry and parameter not in registry[group]:
            near = nearest(parameter, registry[group])
            look.fault(path, f"its {key} is the parameter '{name}', which does not exist", "group.name of `mechanisms:`", near)
    dt, dx = look.number("clocks", "dt_min", default=1.0), look.number("domain", "dx_um", default=15.0)
    if entry.motion is not None and entry.motion.clock_min and dt and not divides(entry.motion.clock_min, dt):
        look.fault(("clocks", "dt_min"), f"does not divide the clock of {kind}, {entry.motion.clock_min:g} min", "a divisor of it")
    depth = look.number("domain", "thickness_um", default=15.0) if len(look.items("domain", "size_um")) == 2 else dx
    if entry.place == "tissue" and dx and depth and entry.volume_um3 > dx * dx * depth:
        look.fault(path, f"a cell of {entry.volume_um3:g} um^3 does not fit into a voxel of {dx * dx * depth:g} um^3", "a larger domain.dx_um")


def check_fields(look: Access) -> None:
    """Names exist among fields and agents; an agent takes only the changes that make sense for it."""
    known = look.context.library.spreading()
    for name, change in look.mapping("fields").items():
        if name not in known:
            look.unknown(("fields", name), "field", name, known)
        elif isinstance(change, dict):
            for key in change:
                if key in ("initial", "vessel_value", "held") and name not in look.context.library.fields:
                    look.fault(
                        ("fields", name, key),
                        f"{name} is a therapy: its arm sets what is outside",
                        "another key",
                    )
                if key == "coarsen" and name in look.context.library.nanoparticles:
                    look.fault(("fields", name, key), f"{name} is a particle, which cells take up voxel by voxel", "another key")
            check_sink(look, name, known[name])
    check_walls(look)


def check_walls(look: Access) -> None:
    """No field is held at the walls of an axis that has none."""
    boundary = look.get("domain", "boundary", default="no_flux")
    for name, entry in look.context.library.fields.items():
        for axis in dict.fromkeys(wall[0] for wall in entry.walls):
            key, word = (("domain", "boundary", axis), boundary.get(axis)) if isinstance(boundary, dict) else (("domain", "boundary"), boundary)
            if word == "periodic":
                look.fault(key, f"is periodic, and {name} is held at a wall of {axis}", "no_flux or fixed, or no such wall")


def check_sink(look: Access, name: str, entry: Any) -> None:
    """A steady field must lose its substance: by decay, through vessels, at a wall or into cells."""

    def value(key: str) -> float | None:
        return look.number("fields", name, key, default=getattr(entry, key))

    held = look.get("fields", name, "held", default=getattr(entry, "held", False))
    taken_up = getattr(entry, "uptake", "none") != "none"  # a sink whatever the config says
    consumed = taken_up and not entry.made  # in its own voxel no cell makes up for it
    if consumed and held is not True and value("diffusion") == 0.0:
        look.fault(("fields", name, "diffusion"), f"is 0: cells would empty their own voxel of {name}", "more than 0")
        return
    if look.get("fields", name, "mode", default=entry.mode) != "quasi_steady" or held is True or value("decay") != 0.0:
        return
    changed = look.mapping("fields", name)
    if value("diffusion") == 0.0:
        key = "diffusion" if "diffusion" in changed else "mode"
        look.fault(("fields", name, key), f"{name} would not spread and so have no steady state", "diffusion above 0, or mode: backward_euler")
        return
    walls = look.get("domain", "boundary", default="no_flux")
    walls = list(walls.values()) if isinstance(walls, dict) else [walls]
    library = look.context.library
    elsewhere = taken_up or name in library.drugs or name in library.nanoparticles or "fixed" in walls or bool(getattr(entry, "walls", {}))
    if value("vessel_exchange") == 0.0 and not elsewhere:
        look.fault(
            ("fields", name, next((k for k in ("decay", "vessel_exchange") if k in changed), "mode")),
            f"{name} would have no sink and so no steady state",
            "decay or vessel_exchange above 0, or mode: backward_euler",
        )


def check_mechanisms(look: Access) -> None:
    """Groups, parameters and bounds, from the registry."""
    registry, switches = look.context.registry, look.context.clocks
    runs = runs_of(look)
    names = {*registry, *switches, *runs}
    for group, values in look.mapping("mechanisms").items():
        if group not in names:
            owners = [g for g, s in registry.items() if group in s]
            hint = f"{owners[0]}.{group}" if owners else nearest(group, names)
            look.fault(("mechanisms", group), f"unknown mechanism '{group}'", listed(names, 40), hint)
            continue
        if not isinstance(values, dict):
            continue
        for name, value in values.items():
            if group in runs and name != "on":
                look.fault(("mechanisms", group, name), f"numbers of {group} are those of its entry", "on: true or false", f"{runs[group]}.{name}")
            else:
                check_parameter(look, group, name, value)


def runs_of(look: Access) -> dict[str, str]:
    """Switch of each pathway that an entry of a cell type runs, and where a config changes its numbers."""
    cells = look.context.library.cells
    return {f"{p}_{c}": f"entries.cells.{c}.pathways.{p}.preset" for c, entry in cells.items() for p in entry.pathways}


def check_parameter(look: Access, group: str, name: str, value: Any) -> None:
    """One entry under a mechanism."""
    path, known = ("mechanisms", group, name), look.context.registry.get(group, {})
    switches = look.context.clocks
    if name == "on":
        if not isinstance(value, bool):
            look.fault(path, f"is {value!r}", "true or false")
        elif switches and group not in switches and group not in runs_of(look):
            look.fault(path, f"{group} only holds parameters and is no switch", listed(switches, 40))
        return
    if name not in known:
        now = RENAMED.get(f"{group}.{name}")
        look.fault(
            path,
            f"'{name}' is a parameter of the first version" if now else f"unknown parameter '{name}'",
            now or listed([*known, *(["on"] if group in switches or not switches else [])], 60),
            "" if now else nearest(name, [*known, "on"]),
        )
        return
    p = known[name]
    if not is_number(value) or not math.isfinite(value):
        look.fault(
            path, f"is {value!r}", f"a number from {p.low:g} to {p.high:g} {unit_text(p.unit)}".rstrip()
        )
    elif not p.low <= value <= p.high:
        look.fault(
            path, f"{value:g} is out of bounds", f"{p.low:g} to {p.high:g} {unit_text(p.unit)}".rstrip()
        )


def unit_text(unit: str) -> str:
    """A unit for a message; pure numbers have none."""
    return "" if unit == "1" else unit


def check_rest(look: Access) -> None:
    """Sweep entries' form."""
    for key, entry in look.mapping("sweep").items():
        if isinstance(entry, dict):
            numbers = {k: v for k, v in entry.items() if k != "scale"}
            good = set(numbers) == {"from", "to", "n"} and all(is_number(v) and math.isfinite(v) for v in numbers.values())
            good = good and entry["n"] == int(entry["n"]) and entry["n"] >= 1 and entry.get("scale", "even") in ("even", "log")
            good = good and (entry.get("scale") != "log" or min(entry["from"], entry["to"]) > 0)
        else:
            good = isinstance(entry, list) and len(entry) > 0
        if not good:
            look.fault(
                ("sweep", key), "is no range of values", "a list of values, or {from: a, to: b, n: values, scale: even or log}, above 0 with log"
            )
