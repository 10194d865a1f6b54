"""The plan of a tick: entries in phase order, each with its clock, timed."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from math import lcm
from time import perf_counter
from typing import Any

from tme.core.guards import inspect, probe
from tme.core.mechanism import Mechanism, Phase, check_plan
from tme.core.solvers import Job
from tme.kernels import threads
from tme.kernels.exchange import put

WORTH_S = 1e-4  # seconds from which an entry is worth a background task
MOST_KEPT = 1440  # ticks in a round of all clocks, up to which the entries due in each are kept


class FieldDiffusion(Mechanism):
    """Solve one field at its clock."""

    phase = Phase.DIFFUSE

    def __init__(self, model: Any, field_name: str) -> None:
        self.name = f"diffuse_{field_name}"
        self.field_name = field_name
        self.about = f"new concentrations of {field_name}"
        if field_name not in model.held_fields:
            self.reads = tuple(f"field.{field_name}.{part}" for part in ("source", "loss", "exchange", "vmax", "vessel_value"))
            self.writes = (f"field.{field_name}.concentration",)
        self.every = model.clock[field_name]
        self.dt = self.every * model.dt_min
        self.cycles = 0

    def step(self, model: Any) -> None:
        """Advance the field in the model's own workspace."""
        self.solve(model, model.workspace)

    def solve(self, model: Any, workspace: Any) -> None:
        """Advance the field, unless a bath holds it."""
        if self.field_name in model.held_fields:
            return
        field = model.fields[self.field_name]
        try:
            self.cycles = field.advance(self.dt, workspace)
        except RuntimeError as error:
            inspect(model, field)  # a broken source or cell does not converge: name it rather than the solver
            raise RuntimeError(f"tick {model.tick}: {error}") from error
        probe(model, field)


class StartSources(Mechanism):
    """Empty the sources of the fields solved next tick, and the losses and uptakes that entries add to and none writes anew."""

    name = "start_sources"
    phase = Phase.SECRETE
    about = "sources, and losses that are added up, are counted anew"

    def __init__(self, model: Any) -> None:
        super().__init__(model)
        written = {name for entry in model._entries if entry.phase == self.phase for name in entry.writes}
        added = dict.fromkeys(name for entry in model._entries if entry.phase == self.phase for name in entry.adds)
        sinks = {f"field.{name}.{term}": (name, term) for name in model.fields for term in ("loss", "vmax")}
        self.sinks = [sinks[name] for name in added if name in sinks and name not in written]
        self.sources = [(model.clock[name], field) for name, field in model.fields.items() if name not in model.particle_fields]
        self.writes = (*(f"field.{field.name}.source" for _, field in self.sources), *(f"field.{name}.{term}" for name, term in self.sinks))

    def step(self, model: Any) -> None:
        """Zero them in fields that are due."""
        for every, field in self.sources:
            if (model.tick + 1) % every == 0:
                source = field.on_solver_grid.source
                if field.source_voxels is not None:
                    source[field.source_voxels] = 0.0
                elif source is not None:
                    threads.over_rows(put, len(source), source, 0.0)
        for name, term in self.sinks:
            if model.due(name):
                sink = model.fields[name].on_solver_grid.use(term)
                threads.over_rows(put, len(sink), sink, 0.0)


class Schedule:
    """Runs the entries of a plan; `seconds` per entry add up, also where two were at work side by side."""

    def __init__(self, entries: list[Mechanism]) -> None:
        self.entries = sorted(entries, key=lambda m: m.phase)
        check_plan(self.entries)
        self.early = early(self.entries)
        self.round = lcm(*(m.every for m in self.entries))  # ticks after which all clocks strike together again
        self._due: dict[int, list[Mechanism]] = {}
        self.seconds = {m.name: 0.0 for m in self.entries}
        self.calls = {m.name: 0 for m in self.entries}

    def run(self, model: Any) -> None:
        """One tick."""
        sent: dict[str, threads.Task] = {}
        try:
            self._run(model, sent)
        finally:
            while sent:  # after an exception: no thread is at work any more when it is raised
                with suppress(Exception):
                    sent.popitem()[1].result()

    def due(self, tick: int) -> list[Mechanism]:
        """Entries whose clocks strike in a tick, in order."""
        place = tick % self.round
        found = self._due.get(place)
        if found is None:
            found = [m for m in self.entries if tick % m.every == 0]
            if self.round <= MOST_KEPT:
                self._due[place] = found
        return found

    def _run(self, model: Any, sent: dict[str, threads.Task]) -> None:
        tick, seconds, calls = model.tick, self.seconds, self.calls
        fields: list[FieldDiffusion] = []
        before = perf_counter()
        for m in self.due(tick):
            if isinstance(m, FieldDiffusion):
                fields.append(m)
                continue
            if fields:
                self._solve(fields, model)
                fields, before = [], perf_counter()
            name = m.name
            for other in self.early.get(name, ()):
                if tick % other.every == 0 and seconds[other.name] > WORTH_S * calls[other.name] and threads.count() > 1:
                    sent[other.name] = threads.Task(self._timed, other.name, other.step, model)
            if name in sent:
                sent[name].result()
                del sent[name]
                before = perf_counter()
                continue
            m.step(model)
            now = perf_counter()  # the next begins at once
            seconds[name] += now - before
            calls[name] += 1
            before = now
        if fields:
            self._solve(fields, model)

    def _solve(self, fields: list[FieldDiffusion], model: Any) -> None:
        """All fields due in this tick."""
        if model.solvers.threads == 1:  # in the plan's order, which no clock changes
            for f in fields:
                self._timed(f.name, f.solve, model, model.workspace)
            return
        model.solvers.run([self._job(f, model) for f in fields])

    def _job(self, entry: FieldDiffusion, model: Any) -> Job:
        """The solve, with the seconds it has taken in the mean."""
        likely = self.seconds[entry.name] / max(self.calls[entry.name], 1)
        splits = model.fields[entry.field_name].splits
        return Job(partial(self._timed, entry.name, entry.solve, model), likely, splits)

    def _timed(self, name: str, work: Callable[..., None], *arguments: Any) -> None:
        start = perf_counter()
        work(*arguments)
        self.seconds[name] += perf_counter() - start
        self.calls[name] += 1


def early(entries: list[Mechanism]) -> dict[str, list[Mechanism]]:
    """Entries that begin with an earlier one, by the name of that; those that would meet another on the way keep their own place."""
    out: dict[str, list[Mechanism]] = {}
    for place, m in enumerate(entries):
        names = [e.name for e in entries[:place]]
        if m.begins_with not in names:
            continue  # that one is switched off
        touched = {*m.reads, *m.writes, *m.adds}
        between = entries[names.index(m.begins_with) : place]
        if not any(touched & {*other.writes, *other.adds} | {*m.writes, *m.adds} & {*other.reads} for other in between):
            out.setdefault(m.begins_with, []).append(m)
    return out
