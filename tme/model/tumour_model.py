"""The tumour microenvironment as a Mesa model.

`TumourModel(config, seed=None, arm=..., **dotted_overrides)` builds the lattice, the fields, the cell
populations (Mesa agents) and the plan; `step()` runs the plan once. Nothing here knows biology: laws are
in `mechanisms`, therapies in `therapy`.
"""

from __future__ import annotations

from collections import Counter
from functools import partial
from types import SimpleNamespace
from typing import Any

import mesa
import numpy as np

from tme.config.load import add_plugins
from tme.core.device import workspace
from tme.core.grid import Grid, ScratchPool
from tme.core.lattice import Lattice
from tme.core.lymph_node import LymphNode
from tme.core.plugins import Loaded, joined
from tme.core.receptors import Receptors
from tme.core.schedule import Schedule
from tme.core.solvers import Solvers
from tme.core.vessels import VesselBed
from tme.kernels.exchange import cell_to_voxel, per_cell
from tme.mechanisms.ifng_response import at_rest
from tme.model.arm import build_receptors, build_therapy
from tme.model.initial import clone_log_means, implant
from tme.model.initial_cells import Placement
from tme.model.initial_regions import place
from tme.model.loading import load_config
from tme.model.plan import build_plan, cargo_columns, cell_columns
from tme.model.registry import parameter_of, parameter_registry, rule_programs, tumour_overrides
from tme.model.space import build_fields, build_grid
from tme.model.steady_start import bring_to_steady_state, settle_field, settle_guests
from tme.pathways import PathwayEntry
from tme.populations import Populations, build_populations
from tme.readouts import observe
from tme.readouts.immune import mark
from tme.readouts.regrowth import remember
from tme.therapy.events import event_columns
from tme.therapy.signals import Signals

FIXED_SCALE = 2.0**40


class TumourModel(mesa.Model):
    """One tumour under one therapy arm.

    `config` a resolved Config or a path; `arm` a name under `arms:`, or "growth" for no therapy; `seed` the
    replicate's seed (or `rng`, as Mesa's batch_run calls it); `device` "cpu" or "cuda", where fields and chemistry are computed; `plugins` laws and readouts of
    the user's own (files, modules, classes, functions). Dotted overrides use two underscores: `mechanisms__ferroptosis__f_x=0`.
    """

    # What a model carries, all of it: what laws share lives in one of these, and nothing else is hung on the model
    # (tests/model/test_parts.py). Mesa's own attributes (`steps`, `running`, `rng`, ...) come on top.
    # -- what was asked for
    config: Any  # the resolved config
    own: Loaded  # laws and readouts of the user's own
    arm_name: str
    replicate: int
    device: str  # "cpu" or "cuda": where fields and chemistry are computed
    seed_used: int
    seed64: np.uint64  # the same seed, as kernels take it
    tumour_traits: dict[str, float]  # means of the cells' traits that the config sets
    clone_log_mean: np.ndarray  # (clones, traits) float64, log of each clone's mean
    _overrides: dict[str, dict[str, float]]  # numbers of mechanisms: the tumour preset's, then the config's
    # -- time
    dt_min: float  # min per tick
    tick: int
    end_tick: int
    start_day: float
    stop_reason: str | None  # why the run ended before its horizon
    counters: Counter[str]  # events since the start: births, kills, deaths by cause
    # -- space
    grid: Grid
    lattice: Lattice  # who stands in which voxel
    cell_fraction: float  # share of a voxel that a tumour cell fills
    per_cell: float  # what rates per cell are multiplied by in a voxel
    fixed_scale: float  # steps per unit of sums that are kept as integers
    workspace: Any  # arrays of the field solvers, on the device
    solvers: Solvers
    scratch: ScratchPool  # arrays of the lattice's size that laws borrow
    # -- fields, by name
    fields: dict[str, Any]  # a `Field` each
    clock: dict[str, int]  # ticks between two solves
    vessel_exchange: dict[str, float]  # 1/min at a vessel's voxel; fields that vessels feed only
    held_fields: set[str]  # kept at their value: never solved
    particle_fields: set[str]  # fields of nanoparticles
    released: dict[str, np.ndarray]  # (voxels,) float64: payload that particles set free, by particle
    # -- therapy and the body around the tumour
    therapy: SimpleNamespace  # drugs, antibodies, nanoparticles, agents (all three), events of the arm
    events: Signals  # what rules hear of events
    receptors: Receptors  # checkpoint axes and what antibodies leave of them
    rule_programs: Any  # rules that are active in this arm
    node: LymphNode  # what dendritic cells carried there and which T cells come
    vessels: VesselBed
    # -- cells
    populations: Populations  # by cell type; each is also an attribute of that name: `model.cd8`
    tissue: tuple[Any, ...]  # populations that fill voxels, the tumour first
    immune: tuple[Any, ...]  # populations that move between other cells
    killers: tuple[Any, ...]
    presenters: tuple[Any, ...]
    placement: Placement  # how the first cells were placed; a model that was built empty has none
    _uids: dict[str, np.ndarray]  # sorted uint64, uids of all cells ever, by cell type
    # -- what acts
    plan: Schedule  # entries of a tick in order, and their times
    _entries: list[Any]  # laws among them, in the order in which they were built
    _found: dict[str, Any]  # laws that were asked for by name

    def __init__(self, config: Any, seed: int | None = None, arm: str = "control", *, replicate: int = 0,
                 empty: bool = False, device: str = "cpu", plugins: Any = (), rng: int | None = None, **overrides: Any) -> None:  # fmt: skip
        changes = {k.replace("__", "."): v for k, v in overrides.items()}
        if isinstance(config, str) or hasattr(config, "__fspath__"):
            config = load_config(config, overrides=[f"{k}={v}" for k, v in changes.items()], plugins=plugins)
        else:
            config = config.with_values(changes) if changes else config
            config = add_plugins(config, plugins) if plugins else config
        self.config = config
        self.own = joined(config.plugins)
        seed = rng if seed is None else seed
        self.seed_used = int(config.seed if seed is None else seed)
        super().__init__(rng=self.seed_used % 2**32)
        self.seed64 = np.uint64(self.seed_used)
        self.arm_name, self.replicate, self.device = arm, replicate, device
        self.dt_min = float(config.clocks.dt_min)
        self.tick = 0
        self.start_day = float(config.start_day)
        self.end_tick = round((config.horizon_day - self.start_day) * 1440.0 / self.dt_min)
        self.stop_reason = None
        self.counters = Counter()
        self.fixed_scale = FIXED_SCALE
        self.node = LymphNode()
        self._overrides = tumour_overrides(config)
        self.tumour_traits = config.tumour_traits() if hasattr(config, "tumour_traits") else {}
        self.clone_log_mean = clone_log_means(config, self.tumour_traits)
        self._found = {}
        self._build_space()
        self._build_cells()
        self.plan = Schedule(build_plan(self))
        if not empty:
            self._populate()

    # ---- construction -----------------------------------------------------------------------------
    def _build_space(self) -> None:
        """Grid, occupancy, therapy of this arm, fields, vessels."""
        self.grid = build_grid(self.config)
        self.cell_fraction = cell_to_voxel(self.config.library.cells["tumour"].volume_um3, self.grid.voxel_um3)
        self.per_cell = per_cell(self.grid.voxel_um3)
        self.lattice = Lattice(self.grid, self.config.domain.immune_per_voxel)
        self.workspace = workspace(self.device, self.grid.shape, self.grid.periodic)
        self.solvers = Solvers(self)
        self.therapy = build_therapy(self)
        self.rule_programs = rule_programs(self.config, self.therapy.drugs, self.therapy.events)
        self.events = Signals(self)
        self.receptors = build_receptors(self)
        self.scratch = ScratchPool(self.grid)
        build_fields(self)
        per_mm2 = parameter_registry()["vessels"].build(self.config_for("vessels")).per_mm2
        self.vessels = VesselBed(self.grid, per_mm2, self.seed_used)

    def _build_cells(self) -> None:
        """Empty populations of the cell types that the config names; particle cargo gets its columns from the arm."""
        config = self.config
        used = config.cell_types()
        cargo = cargo_columns(self.therapy)
        self.populations = build_populations(
            self, config.library.cells, used, cargo, self._columns_of, partial(parameter_of, self)
        )
        # each also an attribute, since `__getattr__` takes over a microsecond and a tick asks some fifty times; the model's own names come first
        self.__dict__.update({p.kind: p for p in self.populations if p.kind not in {*dir(type(self)), *type(self).__annotations__, *vars(self)}})
        self.immune = tuple(p for p in self.populations if p.entry.place == "guest")
        self.tissue = tuple(p for p in self.populations if p.entry.place == "tissue")
        self.killers, self.presenters = self.populations.that("kills"), self.populations.that("presents")
        self.lattice.others = self.tissue[1:]
        for p in self.tissue:
            cell_to_voxel(p.entry.volume_um3, self.grid.voxel_um3)
        self._uids = {p.kind: np.zeros(0, np.uint64) for p in self.populations}

    def _columns_of(self, kind: str) -> tuple[Any, ...]:
        """Columns of a cell type that the arm, the checkpoint axes and the rules need."""
        return cell_columns(self, kind, *event_columns(self, kind), *self.receptors.columns(kind))

    def _populate(self) -> None:
        """Place cells, find the steady fields and each cell's own steady chemistry."""
        self.placement = place(self, self.config.initial)
        self._settle_tissue()
        settle_guests(self)
        if self.fields["ifng"].concentration.any():  # it changes what tumour cells take up
            self._settle_tissue()
            self._settle_tissue()
        at_rest(self)
        settle_field(self)
        if self.rule_programs:
            self.mechanism("rules").settle(self)
        for law in self._entries:
            law.begin(self)
        self.tumour.col.pdl1_free[: self.tumour.n] = self.tumour.col.pdl1[: self.tumour.n]
        self.placement.set_states(self)

    def _settle_tissue(self) -> None:
        """The steady fields of what tissue takes up, and the steady chemistry of each cell in them."""
        for law in self._entries:
            law.prepare(self)
        for name, entry in self.config.field_entries().items():
            if entry.steady_at_start and name in self.fields and name not in self.held_fields:
                bring_to_steady_state(self, name)
        if self.mechanism("vessels").passage is not None:
            self.mechanism("vessels").prepare(self)  # what passes out of vessels hears the fields
        self.mechanism("sensing").gather(self, only_solved=False)
        rules = self.mechanism("rules") if self.rule_programs else None
        pathways = [m for m in self._entries if isinstance(m, PathwayEntry)]
        again = rules is not None and rules.hears_cells({m.name for m in pathways})  # what the chemistry makes of them
        for _ in range(3 if again else 1):
            if rules is not None:
                rules.settle(self)
            for pathway in pathways:
                pathway.settle(self)

    def __getattr__(self, name: str) -> Any:
        """What is neither a part nor a population."""
        raise AttributeError(f"{type(self).__name__} has no attribute or cell type {name!r}")

    # ---- what mechanisms ask ----------------------------------------------------------------------
    def config_for(self, group: str) -> dict[str, float]:
        """Parameter overrides of one group: the tumour preset's, then the config's."""
        return self._overrides.get(group, {})

    def ticks(self, minutes: float) -> int:
        """A clock in base ticks; it must divide."""
        n = round(minutes / self.dt_min)
        if n < 1 or abs(n * self.dt_min - minutes) > 1e-9:
            raise ValueError(f"a clock of {minutes} min is no whole multiple of dt_min = {self.dt_min}")
        return n

    def due(self, field: str) -> bool:
        """Whether the field is solved next tick, so that sources must be ready."""
        return (self.tick + 1) % self.clock[field] == 0

    def solved(self, field: str) -> bool:
        """Whether the field is solved in this tick."""
        return self.tick % self.clock[field] == 0

    def mechanism(self, name: str) -> Any:
        """The plan's entry of that name."""
        if name not in self._found:
            self._found |= {m.name: m for m in reversed(self._entries)}
        return self._found[name]

    def recruits(self, kind: str) -> bool:
        """Whether cells of this kind may enter: only kinds the config has in the tissue at all."""
        return self.config.populations.get(kind) is not None

    @property
    def on_a_dish(self) -> bool:
        """Whether cells sit on a surface to which they hold, instead of in tissue."""
        start = self.config.initial
        return getattr(start, "base", start).kind == "monolayer"

    def check_new_uids(self, population: Any, uid: np.ndarray) -> None:
        """Refuse a uid that was given before (the hash has 64 bits: practically never)."""
        seen, new = self._uids[population.kind], np.sort(np.asarray(uid, np.uint64))
        place = np.searchsorted(seen, new)
        known = place < len(seen)
        if (new[1:] == new[:-1]).any() or (seen[place[known]] == new[known]).any():
            raise RuntimeError(f"uid collision among {population.kind} cells in tick {self.tick}")
        self._uids[population.kind] = np.insert(seen, place, new)

    def return_cargo(self, population: Any, rows: np.ndarray) -> None:
        """Particles held by vanishing cells go back to their voxels."""
        for agent in self.therapy.nanoparticles:
            held = getattr(population.col, f"np_{agent.name}", None)
            if held is not None:
                order = rows[np.argsort(population.col.uid[rows])]
                np.add.at(self.fields[agent.name].concentration, population.col.voxel[order], held[order] * self.cell_fraction)

    def implant(self, voxels: np.ndarray, slot: int) -> int:
        """Put tumour cells of the founders' kind into free voxels (n,); `slot` tells these from others of the same voxels. How many came."""
        new = implant(self, voxels, slot)
        return new.stop - new.start

    def reached_edge(self) -> None:
        """A tumour at the edge stops the run, or goes on, by config."""
        if self.config.domain.at_edge == "stop" and self.stop_reason is None:
            self.stop_reason = f"the tumour reached the edge of the domain at day {self.sim_day:.2f}"

    # ---- running ----------------------------------------------------------------------------------
    @property
    def sim_hour(self) -> float:
        """Hours since day 0, the start of treatment."""
        return self.start_day * 24.0 + self.tick * self.dt_min / 60.0

    @property
    def sim_day(self) -> float:
        """Days since day 0."""
        return self.sim_hour / 24.0

    @property
    def n_alive(self) -> int:
        """Living tumour cells now."""
        return int((self.tumour.state == 0).sum())

    @property
    def timing(self) -> dict[str, float]:
        """Seconds per plan entry so far."""
        return dict(self.plan.seconds)

    def step(self) -> None:
        """One tick: every entry of the plan whose clock strikes."""
        self.tick += 1
        self.lattice.forget()
        self.plan.run(self)
        if self.tick % round(720 / self.dt_min) == 0:
            mark(self)
        if self.tick % round(60 / self.dt_min) == 0:
            remember(self)
        below = (self.config.stop_when or {}).get("tumour_alive_below", 0)
        if below and self.tick % round(60 / self.dt_min) == 0 and self.n_alive < below:
            self.stop_reason = f"fewer than {below:g} tumour cells left at day {self.sim_day:.2f}"
        if self.tick >= self.end_tick or self.stop_reason is not None:
            self.running = False

    def observe(self) -> dict[str, float]:
        """One row of the series."""
        return observe(self)

    # ---- checkpoints and tables -------------------------------------------------------------------
    def state_dict(self) -> dict[str, np.ndarray]:
        """Everything a bit-identical continuation needs."""
        from tme.core.checkpoint import collect

        return collect(self)

    @classmethod
    def from_state(cls, config: Any, state: dict[str, np.ndarray], *, arm: str = "control", seed: int | None = None,
                   replicate: int = 0, device: str = "cpu") -> TumourModel:  # fmt: skip
        """Continue from `state_dict`, in the same arm or another (branching); bit for bit on the same device."""
        from tme.core.checkpoint import restore

        model = cls(config, seed, arm, replicate=replicate, empty=True, device=device)
        restore(model, state)
        return model

    def cells_table(self) -> dict[str, np.ndarray]:
        """All cells as columns, for tables and AnnData."""
        from tme.readouts.tables import cells_table

        return cells_table(self)

    def fields_table(self) -> dict[str, np.ndarray]:
        """All fields as (nz, ny, nx) float32."""
        return {n: f.concentration.astype(np.float32).reshape(self.grid.shape) for n, f in self.fields.items()}

    def field_units(self) -> dict[str, str]:
        """Unit of each field."""
        return {n: f.unit for n, f in self.fields.items()}

    def endpoints(self) -> dict[str, float]:
        """The last row plus cumulative counts, for summary.csv."""
        return {**self.observe(), "stopped_early": float(self.stop_reason is not None)}

    def __getstate__(self):
        raise TypeError("a TumourModel is not pickled; use state_dict() and TumourModel.from_state()")

