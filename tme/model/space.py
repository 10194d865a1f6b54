"""The lattice of a model and the fields on it."""

from __future__ import annotations

from functools import partial
from typing import Any

from tme.core.field import Field
from tme.core.grid import Grid
from tme.kernels.exchange import per_vessel
from tme.library.cells import CellEntry, Uptake
from tme.library.schema import FieldEntry
from tme.model.registry import parameter_of
from tme.therapy import needed, taken_up
from tme.therapy.internalisation import sinks

TOLERANCE = 1e-3  # of a field's solve, where neither the config nor the entry states one


def build_grid(config: Any) -> Grid:
    """The lattice of a config; size is rounded to whole voxels."""
    d = config.domain
    size = tuple(d.size_um)
    n = [max(1, round(s / d.dx_um)) for s in size]
    shape = (1, n[1], n[0]) if len(n) == 2 else (n[2], n[1], n[0])
    axes = d.boundary if isinstance(d.boundary, dict) else dict.fromkeys("xyz", d.boundary)
    periodic = tuple(axes.get(a, "no_flux") == "periodic" for a in "zyx")
    return Grid(shape, d.dx_um, d.thickness_um, (periodic[0] and shape[0] > 1, *periodic[1:]))


def build_fields(model: Any) -> None:
    """Fields of the config and of the arm's agents; their clocks; which vessels feed."""
    config, grid = model.config, model.grid
    model.fields, model.clock, model.vessel_exchange = {}, {}, {}
    particles = model.therapy.nanoparticles
    model.particle_fields = {agent.name for agent in particles}
    model.released = {agent.name: grid.zeros() for agent in particles}
    own = config_fields(model)
    halves, lossy, empty = halves_of(model), lost_to_cells(model, own), {a.name for a in model.therapy.antibodies if not a.gives("depot")}
    entries = {**own, **{agent.name: agent.entry.field_entry(agent.name) for agent in model.therapy.agents}}
    model.held_fields = {name for name, e in entries.items() if e.held} | {a.name for a in model.therapy.agents if a.gives("bath")}
    halves |= {name: agent.entry.kd_nM for name, (agent, _) in sinks(model).items()}
    for name, e in entries.items():
        faces = faces_of(config, e, grid.shape)
        model.fields[name] = field = Field(
            name, e.unit, grid, e.diffusion, e.decay, model.ticks(e.clock_min), e.mode, initial=e.initial, vessel_value=e.vessel_value,
            faces=faces if faces and name in own else None, tol=config.clocks.field_tol or e.tolerance or TOLERANCE, coarsen=1 if faces else e.coarsen,
        )  # fmt: skip
        model.clock[name] = model.ticks(e.clock_min)
        solved = field.on_solver_grid  # a field does without the arrays of terms that it does not have
        if e.made and name not in empty:
            solved.use("source")
        if e.uptake == "linear" or name in lossy:
            solved.use("loss")
        if e.uptake == "saturable" or name in halves:
            solved.use("vmax")
            field.k_m = parameter_of(model, e.half_uptake) if e.half_uptake else halves[name]
        if e.vessel_exchange > 0.0 and name not in model.particle_fields:
            model.vessel_exchange[name] = e.vessel_exchange * per_vessel(grid.voxel_um3)
            solved.use("exchange")


def config_fields(model: Any) -> dict[str, FieldEntry]:
    """Entries of all fields but those of agents; optional ones where a rule, the arm or a cell type hears them or the config names them."""
    config = model.config
    heard = {s.name for p in model.rule_programs for g in p.groups for s, _ in g.parts if s.kind == "field"} | needed(model.therapy)
    heard |= {name for p in model.rule_programs for name in p.needed}
    there = types_of(model)
    heard |= {name for entry in there.values() for name in entry.heard} | {e.signal[1] for kind, _, e in model.receptors.induced() if kind in there}
    return {n: e for n, e in config.field_entries().items() if not e.optional or n in heard or n in config.fields}


def lost_to_cells(model: Any, fields: Any) -> set[str]:
    """Fields that something in this model takes from at a linear rate, beyond what their own entries say."""
    laws = (name.split(".") for law in model.own.laws for name in (*law.writes, *law.adds))
    return {
        *taken_up(model.therapy),
        *model.receptors.neutralised,
        *(item.field for item in uptakes(model) if not item.saturates),
        *(name[1] for name in laws if name[0] == "field" and name[2:] == ["loss"]),
    }


def uptakes(model: Any) -> list[Uptake]:
    """What the cell types of this model take up, as their entries say."""
    return [item.resolved(partial(parameter_of, model)) for e in types_of(model).values() for item in e.takes_up]


def types_of(model: Any) -> dict[str, CellEntry]:
    """Entries of the cell types that this model may have."""
    named = model.config.cell_types()
    return {n: e for n, e in model.config.library.cells.items() if n in named or e.in_every_model}


def halves_of(model: Any) -> dict[str, float]:
    """The level of half the uptake, by field, where entries of cell types state it."""
    return {item.field: item.half for item in uptakes(model) if item.half > 0.0}


def faces_of(config: Any, e: FieldEntry, shape: tuple[int, ...]) -> tuple[Any, ...]:
    """Values held at the two faces of each axis (z, y, x), None where there is no flux; () if no face is held."""
    own = {wall: float(number.value) for wall, number in getattr(e, "walls", {}).items()}
    faces = []
    for axis, n in zip("zyx", shape):
        rest = e.initial if config.domain.boundary.get(axis) == "fixed" else None
        pair = (own.get(f"{axis}_min", rest), own.get(f"{axis}_max", rest))
        faces.append(pair if n > 1 and pair != (None, None) else None)
    return tuple(faces) if any(faces) else ()
