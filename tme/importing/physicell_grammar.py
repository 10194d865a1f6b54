"""PhysiCell's rules as rules of ours: the same grammar (`combine: cbhg`), on the term of a law that does what the behaviour does.

A law acts at the number of its entry times the term. That number is the `reference`: the behaviour's base value, or its greatest
saturation where the base is 0 or the saturation more than ten times as much, so that no factor leaves the bounds of its term.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from tme.importing.notes import Note, shown
from tme.importing.physicell_data import CellType, Exchange, Project
from tme.importing.physicell_rules import Rule
from tme.importing.physicell_words import CORPSES, Names, base_value, why_no_behaviour, why_no_signal

MOST_FOLD = 10.0  # of a factor: the least of the bounds of the terms that are used
UNITS = {"migration speed": "um/min", "migration bias": "1"}  # of behaviours; all others are rates


@dataclass(frozen=True)
class Setting:
    """What the names of a project are here: field and unit of each substrate, cell type and role (tumour, tissue, guest) of each cell type."""

    project: Project
    fields: dict[str, str]
    units: dict[str, str]
    kinds: dict[str, str]
    roles: dict[str, str]

    @property
    def tumour(self) -> str:
        """The cell type that is the tumour."""
        return next(name for name, role in self.roles.items() if role == "tumour")


@dataclass
class Grammar:
    """Rules in our terms: `entries` by id, `reference` by (cell type, behaviour), `corpse` what corpses secrete, 1/min by (cell type, substrate)."""

    setting: Setting
    names: Names
    entries: dict[str, dict[str, Any]] = field(default_factory=dict)
    reference: dict[tuple[str, str], float] = field(default_factory=dict)
    corpse: dict[tuple[str, str], float] = field(default_factory=dict)
    damage: Rule | None = None  # the rule by which damage kills tumour cells
    pressed: bool = False  # whether pressure slows division
    ruled: set[tuple[str, str]] = field(default_factory=set)  # (cell type, behaviour) that some rule acts on
    notes: list[Note] = field(default_factory=list)

    def value(self, cell: CellType, behaviour: str) -> float:
        """The number at which the law of a behaviour acts without rules on its term."""
        return self.reference.get((cell.name, behaviour), base_value(cell, behaviour) or 0.0)

    def note(self, word: str, rule: Rule, why: str) -> None:
        """Tell what became of a rule."""
        self.notes.append(Note(word, rule.file, rule.line, rule.words, why))  # type: ignore[arg-type]

    def add(self, rules: list[Rule]) -> None:
        """Translate all rules; signals and behaviours have their one name."""
        groups: dict[tuple[str, str], list[Rule]] = {}
        for rule in rules:
            if not self.special(rule):
                groups.setdefault((rule.cell, rule.behaviour), []).append(rule)
        self.ruled = set(groups)
        for (name, behaviour), some in groups.items():
            self.group(self.setting.project.types[name], behaviour, some)

    # ---- rules that are no rule here ------------------------------------------------------------------------------
    def special(self, rule: Rule) -> bool:
        """What corpses release, how damage kills, how pressure slows: said otherwise here."""
        role = self.setting.roles[rule.cell]
        if rule.signal in CORPSES and rule.behaviour.endswith(" secretion") and rule.up and role != "guest":
            return self.of_corpses(rule)
        if rule.signal == "damage" and rule.behaviour == "apoptosis" and rule.up and role == "tumour":
            self.damage = rule
            self.note("approximated", rule, "killers hit, and three hits kill: they take as long as damage takes to its half-max")
            return True
        if rule.signal == "pressure" and rule.behaviour == "cycle entry" and not rule.up and role == "tumour":
            self.pressed = True
            self.note("approximated", rule, "division falls with crowding instead (mechanisms.division.crowd_half), " + why_no_signal("pressure"))
            return True
        return False

    def of_corpses(self, rule: Rule) -> bool:
        """A rule on dead cells that hear that they are dead: a constant rate of corpses."""
        if not rule.dead:
            self.note("left out", rule, "it does not apply to dead cells, so its signal is always 0")
            return True
        substrate = rule.behaviour.removesuffix(" secretion")
        base = base_value(self.setting.project.types[rule.cell], rule.behaviour) or 0.0
        x = (1.0 / rule.half) ** rule.hill
        rate = base + (rule.to - base) * x / (1.0 + x)
        key = rule.cell, substrate
        self.corpse[key] = max(rate, self.corpse.get(key, 0.0))
        said = "corpses secrete at this rate until they are cleared"
        if rule.signal == "dead":
            self.note("taken", rule, said)
        else:
            self.note("approximated", rule, f"{said}, of whatever they died")
        return True

    # ---- all others -----------------------------------------------------------------------------------------------
    def group(self, cell: CellType, behaviour: str, rules: list[Rule]) -> None:
        """The rules of one behaviour of one cell type."""
        term, why = self.term(cell, behaviour)
        heard = []
        for rule in rules:
            if not term:
                self.note("left out", rule, why)
            elif (signal := self.signal(rule)) is None:
                self.note("left out", rule, why_no_signal(rule.signal))
            else:
                heard.append((rule, signal))
        if not heard:
            return
        shape = self.shape(cell, behaviour)
        base = shape(base_value(cell, behaviour) or 0.0)
        greatest = max([base, *(shape(r.to) for r, _ in heard)])
        if greatest == 0.0:
            for rule, _ in heard:
                self.note("left out", rule, "the base value is 0 and no rule raises it, so there is nothing to lower")
            return
        plain = greatest if base == 0.0 or greatest > MOST_FOLD * base else base
        self.reference[cell.name, behaviour] = plain
        for rule, signal in heard:
            self.entry(cell, behaviour, rule, signal, term, shape, base, plain)
        if behaviour.endswith(" secretion"):
            self.and_its_loss(cell, behaviour, heard, base, plain)

    def entry(self, cell: CellType, behaviour: str, rule: Rule, signal: tuple[str, str, float], term: str, shape: Callable[[float], float],
              base: float, reference: float, more: str = "") -> None:  # fmt: skip
        """Add one rule."""
        kind, unit = self.setting.kinds[cell.name], UNITS.get(behaviour, "1/min")
        name, its_unit, half = signal
        source = f"PhysiCell, {rule.file}:{rule.line}"
        key = self.names.free(f"{kind} {name.rpartition('.')[2]} {'raises' if rule.up else 'lowers'} {behaviour} {more}", 90)
        out = {
            "in": kind, "signal": name, "raises" if rule.up else "lowers": term, "combine": "cbhg",
            "base": number(base, unit, source), "reference": number(reference, unit, source), "to": number(shape(rule.to), unit, source),
            "half": number(half, its_unit, source), "hill": number(rule.hill, "1", source), "dead": rule.dead, "evidence": "hypothetical",
            "source": f"{source}: {rule.words}",
        }  # fmt: skip
        clock = self.setting.project.dt_phenotype
        if clock != 6.0:
            out["clock_min"] = number(max(1.0, round(clock)), "min", source)
        self.entries[key] = out
        if more:
            return
        told = {"contact": "it counts living cells in its own and the adjacent places; PhysiCell counts dead ones of the type as well"}.get(name.partition(".")[0])
        if behaviour == "cycle entry" and len(cell.cycle) > 1:
            told = "it acts on one rate of division, that of all phases together, with the same ends"
        if behaviour == "migration speed" and self.setting.roles[cell.name] == "tumour":
            told = "tumour cells walk at the tumour's surface only"
        if behaviour.endswith(" uptake") and self.value(cell, behaviour.removesuffix("uptake") + "secretion") > 0.0:
            told = "it acts on all that the type takes from the field, the loss that comes with its secretion included"
        self.note("approximated" if told else "taken", rule, told or f"on {term}")

    def and_its_loss(self, cell: CellType, behaviour: str, heard: list[tuple[Rule, tuple[str, str, float]]], base: float, reference: float) -> None:
        """Secretion S (target - level) is a source and a loss: the rules act on both, where the loss is all of the uptake."""
        substrate = behaviour.removesuffix(" secretion")
        exchange = cell.exchange.get(substrate, Exchange(0))
        if exchange.uptake == 0.0 and (cell.name, f"{substrate} uptake") not in self.ruled:
            for rule, signal in heard:
                self.entry(cell, behaviour, rule, signal, f"uptake.{self.setting.fields[substrate]}", lambda v: v, base, reference, "loss")
        else:
            self.note("approximated", heard[0][0], "its rules act on what comes out; how far it stops short of the target does not follow them")

    def signal(self, rule: Rule) -> tuple[str, str, float] | None:
        """Signal, its unit, and the half-max in that unit; None where cells here know no such thing."""
        s = self.setting
        if rule.signal in s.fields:
            return f"field.{s.fields[rule.signal]}", s.units[rule.signal], rule.half
        if rule.signal == "time":
            return "time", "d", rule.half / 1440.0
        other = rule.signal.removeprefix("contact with ")
        if rule.signal.startswith("contact with ") and other in s.kinds:
            return f"contact.{s.kinds[other]}", "cells", rule.half
        return None

    def term(self, cell: CellType, behaviour: str) -> tuple[str, str]:
        """The term of a behaviour in a cell type, or '' and why there is none."""
        s, role = self.setting, self.setting.roles[cell.name]
        if behaviour == "cycle entry":
            return ("division.rate", "") if role == "tumour" else ("", "only tumour cells divide by themselves")
        if behaviour == "apoptosis":
            return ("turnover.rate" if role == "guest" else "death.apoptosis"), ""
        if behaviour == "necrosis":
            return ("death.necrosis", "") if role != "guest" else ("", "cells that move among others are lost at one rate, that of apoptosis")
        if behaviour in ("migration speed", "migration bias"):
            return self.of_motion(cell, behaviour, role)
        if behaviour == "phagocytose apoptotic cell":
            return ("phagocytosis.rate", "") if role == "guest" else ("", "only cells that move among others clear corpses")
        if behaviour == f"attack {s.tumour}":
            return ("killing.attach_rate", "") if role == "guest" and self.damage else ("", self.why_no_attack(role))
        for end, term in ((" secretion", "secretion"), (" uptake", "uptake")):
            substrate = behaviour.removesuffix(end)
            if behaviour.endswith(end) and substrate in s.fields:
                exchange = cell.exchange.get(substrate, Exchange(0))
                if end == " secretion" and exchange.target == 0.0:
                    return "", "its secretion target is 0, so that nothing comes out"
                if end == " secretion" and (cell.name, substrate) in self.corpse:
                    return "", "corpses secrete it too, and one term would act on both"
                return f"{term}.{s.fields[substrate]}", ""
        if behaviour.endswith(" export"):
            return "", "rules act on secretion and uptake, not on net export"
        if behaviour.startswith("attack "):
            return "", self.why_no_attack(role, other=True)
        return "", why_no_behaviour(behaviour)

    def of_motion(self, cell: CellType, behaviour: str, role: str) -> tuple[str, str]:
        """The term of speed or bias."""
        if not cell.motile:
            return "", "motility of this type is not enabled, so PhysiCell's rule does nothing"
        if behaviour == "migration bias":
            return ("motility.bias", "") if role == "guest" and best(cell) else ("", "there is no bias without a field that is followed upwards")
        return {"guest": "motility.speed", "tumour": "invasion.speed"}.get(role, ""), "cells of tissue keep their place"

    @staticmethod
    def why_no_attack(role: str, other: bool = False) -> str:
        """Why an attack comes to nothing."""
        if other:
            return "killers attack tumour cells only"
        return "without a rule by which damage raises apoptosis of the tumour an attack kills nobody" if role == "guest" else "only cells that move among others attack"

    def shape(self, cell: CellType, behaviour: str) -> Callable[[float], float]:
        """From a value of PhysiCell's behaviour to that of our law's."""
        if behaviour == "cycle entry":
            rest = sum(1.0 / r for r in cell.cycle[1:] if r > 0.0)
            return lambda v: 0.0 if v == 0.0 or any(r == 0.0 for r in cell.cycle[1:]) else 1.0 / (1.0 / v + rest)
        return (lambda v: drift(v, self.setting.project.domain.flat)) if behaviour == "migration bias" else (lambda v: v)


def number(value: float, unit: str, source: str) -> dict[str, Any]:
    """A number as library files write it."""
    return {"value": float(f"{value:.12g}"), "unit": unit, "status": "chosen", "source": source}


def best(cell: CellType) -> str | None:
    """The substrate that a cell follows most; None where it follows none upwards."""
    up = {name: weight for name, weight in cell.follows.items() if weight > 0.0}
    return max(up, key=lambda n: up[n]) if up else None


def drift(bias: float, flat: bool) -> float:
    """Speed up the gradient as a share of all speed, of a walk along b e + (1 - b) xi, xi any direction, made one long.

        >>> drift(0.0, True), drift(1.0, True), round(drift(0.5, True), 4)
        (0.0, 1.0, 0.6366)
    """
    if bias in (0.0, 1.0):
        return bias
    return sum(weights(bias, flat)) / POINTS


POINTS = 2000


def weights(b: float, flat: bool) -> Iterator[float]:
    """The share along e at directions xi that are spread evenly over the circle, or over the sphere."""
    for k in range(POINTS):
        share = (k + 0.5) / POINTS
        cos = math.cos(math.pi * share) if flat else 2.0 * share - 1.0
        along = b + (1.0 - b) * cos
        yield along / math.sqrt(max(along**2 + (1.0 - b) ** 2 * (1.0 - cos**2), 1e-300))


def about(cell: CellType) -> str:
    """What an entry says of where it comes from."""
    return f"{shown(cell.name)} of a PhysiCell project"
