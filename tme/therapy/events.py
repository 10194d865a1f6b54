"""Events: what an arm does at a time and a place besides giving agents. Laws first; then when they act.

    radiation    D' = D (m p + K)/(p + K)/m          dose after the oxygen effect (Alper and Howard-Flanders)
                 survival e^{-alpha D' - beta D'^2}  linear-quadratic; cells that do not survive are marked
    kill_share   each living tumour cell dies with the stated probability
    light, sound see `light`
    heat         see `heat`
    resection    see `resection`
    implant, cell_transfer see `transfer`
    vaccination  see `vaccination`

A tissue cell marked by radiation stops dividing and dies by apoptosis (mitotic death) after an exponential delay; guests
that do not survive leave at once (interphase death). An event of minute t acts in the tick that begins then, so that arms which branch off at t
have it. Draws are by uid, so that arms with the same fraction lose the same cells.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from tme.core import causes
from tme.core.mechanism import Mechanism, Phase
from tme.core.population import Column
from tme.kernels.rng import Stream, uniforms
from tme.therapy.places import inside

CAUSES = {cause: 10 + code for code, cause in enumerate(causes.CAUSES) if code}  # fates of tissue cells, which leave corpses
LEAVES = 30  # fate of guests
SURVIVES, DELAY, SHARE, LIGHT, HEAT, CUT = range(6)  # what a draw is for: `sub` of the stream
MARKED = Column("doom_tick", "i4", "tick", 0, about="tick at which a cell marked by radiation dies; 0: not marked")


# ---- laws -------------------------------------------------------------------------------------------------------
def oxygen_effect(oxygen: Any, oer_max: float, k: float) -> Any:
    """Effective share of a dose at an oxygen pressure: 1/oer_max without oxygen, 1 in plenty."""
    return (oer_max * oxygen + k) / (oxygen + k) / oer_max


def survival(dose: Any, alpha: float, beta: float) -> Any:
    """Share of cells that survive a dose, linear-quadratic."""
    return np.exp(-alpha * dose - beta * dose * dose)


# ---- events of an arm -------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Occasion:
    """One event at one time: its entry's name, the entry, what the config says, first tick and number of ticks.

    `turn` counts occasions of one entry that begin in the same tick: each draws its own numbers.
    """

    name: str
    entry: Any
    item: Any
    tick: int
    ticks: int
    turn: int

    def sub(self, purpose: int) -> int:
        """Number of the draw for a purpose."""
        return self.turn * 8 + purpose


def occasions(items: Any, library: Any, start_day: float, dt_min: float) -> tuple[Occasion, ...]:
    """All events of an arm by time, then name."""
    out: list[Occasion] = []
    for item in items:
        for day in item.day:
            first = math.floor((day - start_day) * 1440.0 / dt_min + 1e-6) + 1
            ticks = max(1, round((item.minutes or 0.0) / dt_min))
            turn = sum(o.name == item.name and o.tick == first for o in out)
            out.append(Occasion(item.name, library.event(item.name), item, first, ticks, turn))
    return tuple(sorted(out, key=lambda o: (o.tick, o.name, o.turn)))


def of_kind(model: Any, kind: str) -> tuple[Occasion, ...]:
    """The arm's events of one kind."""
    return tuple(o for o in model.therapy.events if o.entry.kind == kind)


def consumed(events: tuple[Occasion, ...]) -> set[str]:
    """Fields that the events of an arm use up: light on a sensitiser, oxygen."""
    return {"oxygen" for o in events if o.entry.kind in ("light", "sound")}


def event_columns(model: Any, kind: str) -> tuple[Column, ...]:
    """Columns of a cell type that the arm's events need."""
    marked = any(kind in o.entry.cells for o in of_kind(model, "radiation"))
    return (MARKED,) if marked and model.config.library.cells[kind].place == "tissue" else ()


def drawn(model: Any, population: Any, rows: np.ndarray, sub: int) -> np.ndarray:
    """One uniform number for each row, by uid."""
    u = np.empty(len(rows))
    uniforms(model.seed64, int(Stream.EVENT), model.tick, population.col.uid[rows], sub, u)
    return u


def living(population: Any, mask: np.ndarray) -> np.ndarray:
    """Rows of cells in a place that are alive and not about to vanish."""
    c, n = population.col, population.n
    alive = mask[c.voxel[:n]] & (c.fate[:n] < 10)
    return np.flatnonzero(alive & (c.state[:n] == 0) if is_tissue(population) else alive)


def is_tissue(population: Any) -> bool:
    """Whether cells of this type leave corpses where they die."""
    return "state" in population.declared


def kill(population: Any, rows: np.ndarray, cause: str) -> None:
    """Flag cells: tissue cells die of the cause, guests leave."""
    population.col.fate[rows] = CAUSES[cause] if is_tissue(population) else LEAVES


def read_to_kill(populations: Any) -> list[str]:
    """Columns that decide who is killed."""
    return [f"{p.kind}.{c}" for p in populations for c in ("uid", "voxel", "state", "doom_tick") if c in p.declared]


def signals_of(events: Iterable[Occasion]) -> tuple[str, ...]:
    """What events leave for rules, as plans name it."""
    names = {n for o in events for n in o.entry.signals(o.name)}
    return tuple(f"events.{part}/{n}" for n in sorted(names) for part in ("kept", "since"))


# ---- when they act ----------------------------------------------------------------------------------------------
class EventSignals(Mechanism):
    """What radiation leaves in the tissue, for rules to read; keeps all signals of events in checkpoints."""

    name = "event_signals"
    given_by = "arms.*.events"
    switchable = False
    phase = Phase.DOSE
    ids = ("M92",)
    about = "radiation leaves oxidants for hours and changed transcription for days"
    @classmethod
    def enabled(cls, model) -> bool:
        """Only in arms with an event."""
        return bool(model.therapy.events)

    def __init__(self, model) -> None:
        super().__init__(model)
        self.events = of_kind(model, "radiation")
        self.signals = model.events
        if self.events:
            self.reads = ("field.oxygen.concentration", "lattice.tissue_row")
        self.writes = signals_of(self.events)

    def step(self, model) -> None:
        """The fractions of this tick."""
        for o in self.events:
            if o.tick == model.tick:
                effect = oxygen_effect(model.fields["oxygen"].concentration, o.entry.oer_max, o.entry.oer_k_mmHg)
                dose = o.item.dose_gy * effect * inside(model, o.item.place)
                for name in o.entry.signals(o.name):
                    self.signals.add(name, dose)

    def state_dict(self) -> dict[str, np.ndarray]:
        """All signals."""
        return self.signals.state_dict()

    def load_state(self, state) -> None:
        """Undo `state_dict`."""
        self.signals.load_state(state)


class EventDeaths(Mechanism):
    """Cells killed by radiation, and when; shares of cells killed outright."""

    name = "event_deaths"
    given_by = "arms.*.events"
    switchable = False
    phase = Phase.FATE
    ids = ("M92",)
    about = "radiation marks cells that cannot go on, which die later; a stated share dies at once"
    @classmethod
    def enabled(cls, model) -> bool:
        """Only in arms with radiation or a kill."""
        return any(o.entry.kind in ("radiation", "kill_share") for o in model.therapy.events)

    def __init__(self, model) -> None:
        super().__init__(model)
        self.fractions, self.kills = of_kind(model, "radiation"), of_kind(model, "kill_share")
        self.marked = [p for p in model.populations if MARKED.name in p.declared]
        hit = [p for p in model.populations if any(p.kind in o.entry.cells for o in self.fractions)]
        hit += [model.tumour] if self.kills and model.tumour not in hit else []
        self.reads = ("field.oxygen.concentration", "lattice.tissue_row", *read_to_kill(hit), *(f"{p.kind}.oxygen" for p in hit if "oxygen" in p.declared))
        self.adds = (*(f"{p.kind}.fate" for p in hit), *(f"{p.kind}.doom_tick" for p in self.marked),
                     *("counters.irradiated" + ("" if p is model.tumour else f"_{p.kind}") for p in hit if self.fractions))  # fmt: skip

    def step(self, model) -> None:
        """The events of this tick, then the marked cells whose time has come."""
        for o in self.kills:
            if o.tick == model.tick:
                rows = living(model.tumour, inside(model, o.item.place))
                dying = rows[drawn(model, model.tumour, rows, o.sub(SHARE)) < o.item.share]
                kill(model.tumour, dying, o.entry.cause)
        for o in self.fractions:
            if o.tick == model.tick:
                self.irradiate(model, o)
        if self.fractions and self.fractions[0].tick <= model.tick:
            self.carry_out(model)

    def irradiate(self, model, o: Occasion) -> None:
        """Draw the survivors of one fraction, type by type."""
        mask = inside(model, o.item.place)
        for population in model.populations:
            sensitivity = o.entry.cells.get(population.kind)
            if sensitivity is None:
                continue
            rows = living(population, mask)
            oxygen = population.col.oxygen[rows] if population is model.tumour else model.fields["oxygen"].at(population.col.voxel[rows])
            dose = o.item.dose_gy * oxygen_effect(oxygen, o.entry.oer_max, o.entry.oer_k_mmHg)
            p = survival(dose, sensitivity.alpha_per_gy, sensitivity.beta_per_gy2)
            lost = rows[drawn(model, population, rows, o.sub(SURVIVES)) >= p]
            of = "" if population is model.tumour else f"_{population.kind}"
            if is_tissue(population):
                model.counters[f"irradiated{of}"] += self.mark(model, population, o, lost)
            else:
                kill(population, lost, "apoptosis")
                model.counters[f"irradiated{of}"] += len(lost)

    def mark(self, model, tissue, o: Occasion, rows: np.ndarray) -> int:
        """Draw when marked cells die, one marked before keeps the earlier time; how many are marked anew."""
        due_at = tissue.col.doom_tick
        mean = o.entry.death_half_life_h * 60.0 / math.log(2.0)
        wait = -np.log(drawn(model, tissue, rows, o.sub(DELAY))) * mean / model.dt_min
        due = model.tick + np.minimum(np.ceil(wait), 2.0**30).astype(np.int32)
        known = due_at[rows]
        due_at[rows] = np.where(known > 0, np.minimum(known, due), due)
        return int((known == 0).sum())

    def carry_out(self, model) -> None:
        """Marked cells do not divide, and die at their tick."""
        for tissue in self.marked:
            c, n = tissue.col, tissue.n
            marked, fate = c.doom_tick[:n] > 0, c.fate[:n]
            fate[marked & (fate == 1)] = 0
            kill(tissue, np.flatnonzero(marked & (c.doom_tick[:n] <= model.tick) & (c.state[:n] == 0) & (fate < 10)), "apoptosis")
