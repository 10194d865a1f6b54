"""What a PhysiCell project says, as plain data: rates in 1/min, lengths in um, volumes in um^3, lines of its files."""

from __future__ import annotations

from dataclasses import dataclass, field

from tme.importing.notes import Note

# units as PhysiCell computes in them, and other ways to write the same; the first is shown
MIN = ("min",)
PER_MIN = ("1/min", "min-1", "/min", "permin")
UM = ("micron", "microns")
UM3 = ("micron^3", "micron3", "cubicmicrons", "cubicmicron")
UM_MIN = ("micron/min", "microns/min")
UM2_MIN = ("micron^2/min", "micron2/min")
WALLS = {"xmin": "x_min", "xmax": "x_max", "ymin": "y_min", "ymax": "y_max", "zmin": "z_min", "zmax": "z_max"}


@dataclass
class Domain:
    """Extent (min, max) of each axis in um, and whether it is one layer."""

    x: tuple[float, float] = (-500.0, 500.0)
    y: tuple[float, float] = (-500.0, 500.0)
    z: tuple[float, float] = (-10.0, 10.0)
    flat: bool = True
    dz: float = 20.0
    line: int = 0


@dataclass
class Substrate:
    """One diffusing substance; `walls` is side -> value held there."""

    name: str
    line: int
    unit: str
    diffusion: float
    decay: float
    initial: float
    walls: dict[str, float] = field(default_factory=dict)


@dataclass
class Exchange:
    """What a cell type does with a substrate: secretion rate towards a target, uptake, 1/min, and export, amount/min."""

    line: int
    secretion: float = 0.0
    target: float = 0.0
    uptake: float = 0.0
    export: float = 0.0


@dataclass
class CellType:
    """One cell definition; rates 1/min, `lines` says where each stands."""

    name: str
    line: int
    id: int
    cycle: list[float] = field(default_factory=list)  # rate out of each phase
    apoptosis: float = 0.0
    necrosis: float = 0.0
    corpse_min: float | None = None  # how long an apoptotic cell stays
    volume: float = 2494.0
    motile: bool = False
    speed: float = 0.0
    persistence_min: float = 1.0
    bias: float = 0.0
    follows: dict[str, float] = field(default_factory=dict)  # substrate -> sensitivity
    exchange: dict[str, Exchange] = field(default_factory=dict)
    eats: dict[str, float] = field(default_factory=dict)  # apoptotic, necrotic, other -> rate
    attacks: dict[str, float] = field(default_factory=dict)
    attack_damage: float = 1.0
    attack_min: float = 30.0
    not_here: list[tuple[int, str]] = field(default_factory=list)  # (line, what) that is not 0 and has no counterpart
    custom: tuple[str, ...] = ()
    lines: dict[str, int] = field(default_factory=dict)

    @property
    def divides_min(self) -> float | None:
        """Mean minutes between divisions; None where some phase is never left."""
        return sum(1.0 / r for r in self.cycle) if self.cycle and all(r > 0.0 for r in self.cycle) else None


@dataclass
class Listed:
    """A file that the settings name: of rules, or of cells."""

    folder: str
    filename: str
    line: int
    version: float = 3.0


@dataclass
class Project:
    """All that is read of a settings file."""

    file: str
    domain: Domain
    minutes: float
    dt_phenotype: float
    substrates: dict[str, Substrate]
    types: dict[str, CellType]
    rules: list[Listed]
    cells: Listed | None
    seed: int | None
    number_of_cells: tuple[int, int] | None  # (how many of each type, line)
    notes: list[Note] = field(default_factory=list)
