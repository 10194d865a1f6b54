"""Receptors of a model: which checkpoint axes are on, and the free share of each receptor and ligand.

Laws and therapies meet here: a therapy says what it binds (`Binder`), and how much of a molecule is left is kept per
voxel; laws read that. An axis that is off is not here at all; a molecule that nothing binds has an array of no size.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from tme.core.grid import Grid
from tme.core.population import Column

_NONE = np.zeros(0)
_NO_COUNTS, _NO_SUMS = np.zeros(0, np.int32), np.zeros(0, np.int64)


class Binder(NamedTuple):
    """What an agent takes away: its field, its dissociation constant in the field's unit, its course in plasma."""

    name: str
    kd: float
    plasma: Callable[[float], float]


@dataclass
class Molecule:
    """A receptor or ligand, and the share of it that no agent of the arm covers: (voxels,), of no size where none does."""

    name: str
    binders: tuple[Binder, ...] = ()
    free: np.ndarray = field(default_factory=lambda: _NONE)

    def share_at(self, fields: Mapping[str, Any], voxels: np.ndarray) -> np.ndarray:
        """The share left in `voxels` (n,): agents compete, 1/(1 + sum of c/Kd)."""
        return left([(b.kd, fields[b.name].at(voxels)) for b in self.binders], len(voxels))

    def share_in_plasma(self, minute: float) -> float:
        """The share left where agents are as in plasma, in the lymph node."""
        return 1.0 / (1.0 + sum(b.plasma(minute) / b.kd for b in self.binders))


def left(bound: list[tuple[float, Any]], n: int = 0) -> Any:
    """Share left of a molecule by agents of (Kd, concentration) each; one alone leaves Kd/(Kd + c)."""
    if len(bound) == 1:
        kd, c = bound[0]
        return kd / (kd + c)
    total = np.ones(n)
    for kd, c in bound:
        total += c / kd
    return 1.0 / total


@dataclass
class Ligand:
    """A ligand of an axis that is on: its expression on the cells held (`target`), and on host cells where they are reckoned.

    An expression is a library entry (`library.axes.Expression`).
    """

    molecule: Molecule
    background: float
    target_kind: str
    target: Any
    hosts: dict[str, Any]
    host_sum: np.ndarray = field(default_factory=lambda: _NO_SUMS)  # (voxels,) int64, levels of host cells, fixed point
    host_count: np.ndarray = field(default_factory=lambda: _NO_COUNTS)  # (voxels,) int32, host cells
    counted: list[np.ndarray] | None = None  # voxels where these two may not be 0; None: anywhere

    @property
    def name(self) -> str:
        """Its name in the library."""
        return self.molecule.name


@dataclass
class Axis:
    """An axis that is on; `entry` is the library's (`library.axes.AxisEntry`)."""

    name: str
    entry: Any
    receptor: Molecule
    ligands: tuple[Ligand, ...]

    @property
    def signal(self) -> str:
        """Column of the receiving cells that holds the signal S."""
        return f"{self.name}_signal"


def ligand_column(name: str) -> str:
    """Column that holds a ligand's level where a field induces it."""
    return f"ligand_{name}"


class Receptors:
    """All axes that are on, by place; the free share of their molecules; how far antibodies deplete whole cell types.

    `depletion` cell type -> share (0 to 1) of the full Fc effect, as of this tick. `neutralised`: fields that agents bind.
    """

    def __init__(self, axes: Mapping[str, Any], binders: Mapping[str, Iterable[Binder]], grid: Grid, neutralised: Iterable[str] = ()) -> None:
        names = dict.fromkeys(n for e in axes.values() for n in e.names())
        self.molecules = {n: Molecule(n, tuple(binders.get(n, ()))) for n in names}
        self.axes = tuple(self._axis(name, e, grid) for name, e in axes.items())
        for axis in self.at("contact"):
            for molecule in (axis.receptor, *(li.molecule for li in axis.ligands if not kept_apart(li))):
                if molecule.binders and molecule.free.size == 0:
                    molecule.free = np.ones(grid.n_voxels)
        self.depletion: dict[str, float] = {}
        self.neutralised = tuple(neutralised)

    def _axis(self, name: str, e: Any, grid: Grid) -> Axis:
        ligands = []
        for key, spec in e.ligands.items():
            hosts = {k: x for k, x in spec.on.items() if k != spec.held} if e.host or e.place == "node" else {}
            reckoned = bool(hosts) and e.place == "contact"  # in the lymph node only arriving cells are met
            new = Ligand(self.molecules[key], 0.0 if reckoned else spec.background, spec.held, spec.on.get(spec.held), hosts)
            if reckoned:
                new.host_sum, new.host_count = np.zeros(grid.n_voxels, np.int64), np.zeros(grid.n_voxels, np.int32)
            ligands.append(new)
        return Axis(name, e, self.molecules[e.receptor.name], tuple(ligands))

    def at(self, place: str) -> tuple[Axis, ...]:
        """Axes that act at a place."""
        return tuple(a for a in self.axes if a.entry.place == place)

    def on(self, kind: str, effect: str = "") -> tuple[Axis, ...]:
        """Axes at contact whose receptor a cell type carries, and which have that effect, if one is named."""
        return tuple(a for a in self.at("contact") if kind in a.entry.receptor.on and (not effect or effect in a.entry.effects))

    def hosts(self) -> tuple[Ligand, ...]:
        """Ligands met on host cells."""
        return tuple(li for a in self.at("contact") for li in a.ligands if li.hosts)

    def induced(self) -> tuple[tuple[str, str, Any], ...]:
        """(cell type, column, expression) of every ligand level that follows a field."""
        out = []
        for axis in self.at("contact"):
            for li in axis.ligands:
                on = {**({li.target_kind: li.target} if li.target is not None else {}), **li.hosts}
                out += [(kind, ligand_column(li.name), e) for kind, e in on.items() if e.signal[0] == "field"]
        return tuple(out)

    def columns(self, kind: str) -> tuple[Column, ...]:
        """Columns that axes need in a cell type."""
        about = "level of a ligand on the cell's surface, 0-1"
        found = [Column(name, "f8", "1", e.level, "copy", about) for k, name, e in self.induced() if k == kind]
        found += [Column(a.signal, "f8", "1", 0.0, "reset", f"ligands met times {a.receptor.name} left free") for a in self.on(kind)]
        return tuple(found)

    def depleted(self, kind: str) -> float:
        """Share of the full Fc effect on a cell type, 0 where no antibody depletes it."""
        return self.depletion.get(kind, 0.0)

    # ---- checkpoints --------------------------------------------------------------------------------
    def state_dict(self) -> dict[str, np.ndarray]:
        """Free share of every molecule, ligands on host cells, depletion."""
        out = {f"free.{n}": m.free.copy() for n, m in self.molecules.items() if m.free.size}
        for li in self.hosts():
            out[f"host_sum.{li.name}"], out[f"host_count.{li.name}"] = li.host_sum.copy(), li.host_count.copy()
        out |= {f"depletion.{kind}": np.array(share) for kind, share in self.depletion.items()}
        return out

    def load_state(self, state: Mapping[str, np.ndarray]) -> None:
        """Undo `state_dict`; what another arm's agents leave is not taken over."""
        for n, m in self.molecules.items():
            if m.free.size and f"free.{n}" in state:
                m.free[:] = state[f"free.{n}"]
        for li in self.hosts():
            if f"host_sum.{li.name}" in state:
                li.host_sum[:], li.host_count[:] = state[f"host_sum.{li.name}"], state[f"host_count.{li.name}"]
                li.counted = None
        self.depletion = {k.partition(".")[2]: float(v) for k, v in state.items() if k.startswith("depletion.")}


def kept_apart(ligand: Ligand) -> bool:
    """Whether what antibodies leave of a ligand is kept cell by cell, in columns, and nowhere else."""
    return ligand.target is not None and bool(ligand.target.free_column) and not ligand.background
