"""Read PhysiCell's rules, the cell behaviour hypothesis grammar (CBHG), in the formats of its versions.

    version 2 and 3   cell type, signal, increases|decreases, behaviour, saturation, half-max, Hill power, applies to dead
    version 1         the same with the base value before the saturation
    version 0         cell type, behaviour, min, base, max, signal, increases|decreases, half-max, Hill power, applies to dead

One rule a line, by commas or else tabs, without a header; `//` begins a comment. PhysiCell trims nothing and skips a line with another number of fields; it takes any word but `increases` as
`decreases`, and what is no number as 0. All of that is refused here, with the line.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tme.config.errors import Fault, listed, nearest
from tme.importing.notes import bare, shown

MOST_BYTES, MOST_RULES = 4 << 20, 10_000
FIELDS = {0: 10, 1: 9, 2: 8}
ORDERS = {  # of the fields, by format
    0: ("cell", "behaviour", "min", "base", "max", "signal", "direction", "half", "hill", "dead"),
    1: ("cell", "signal", "direction", "behaviour", "base", "to", "half", "hill", "dead"),
    2: ("cell", "signal", "direction", "behaviour", "to", "half", "hill", "dead"),
}
INERT = ("increase", "promotes")  # taken by PhysiCell, and then without any effect


@dataclass(frozen=True)
class Rule:
    """One rule: the behaviour of a cell type that a signal raises or lowers towards `to`."""

    file: str
    line: int
    cell: str
    signal: str
    up: bool
    behaviour: str
    to: float
    half: float
    hill: float
    dead: bool
    base: float | None = None  # as the file says it, in formats 0 and 1

    @property
    def words(self) -> str:
        """As in the file."""
        return f"{shown(self.cell)}: {shown(self.signal)} {'increases' if self.up else 'decreases'} {shown(self.behaviour)}"


def read(path: Path, name: str, version: float, faults: list[Fault]) -> list[Rule]:
    """All rules of a file; faults for lines that are none."""
    form = 0 if version < 1.0 else 1 if version < 2.0 else 2
    try:
        if path.stat().st_size > MOST_BYTES:
            faults.append(Fault(name, 0, "", f"has more than {MOST_BYTES >> 20} MB", "a file of rules"))
            return []
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        faults.append(Fault(name, 0, "", f"cannot be read: {error.strerror}", "the file of rules that the settings name"))
        return []
    except UnicodeDecodeError as error:
        faults.append(Fault(name, 1 + error.object[: error.start].count(b"\n"), "", "is no text in UTF-8"))
        return []
    rules = [r for number, line in enumerate(text.splitlines(), 1) if (r := parsed(line, name, number, form, faults)) is not None]
    if len(rules) > MOST_RULES:
        faults.append(Fault(name, 0, "", f"holds {len(rules)} rules", f"at most {MOST_RULES}"))
        return []
    return rules


def parsed(line: str, name: str, number: int, form: int, faults: list[Fault]) -> Rule | None:
    """The rule of one line; None for a comment, an empty line, or one with a fault."""
    if not line.strip() or line.lstrip().startswith("//"):
        return None
    cells = line.split(",")
    if len(cells) != FIELDS[form] and len(line.split("\t")) == FIELDS[form]:
        cells = line.split("\t")

    def fault(key: str, problem: str, expected: str = "", meant: str = "") -> None:
        faults.append(Fault(name, number, key, problem, expected, meant))

    before = len(faults)
    if len(cells) != FIELDS[form]:
        fault("", f"has {len(cells)} fields; PhysiCell skips such a line with a warning and runs without the rule", f"{FIELDS[form]}: {', '.join(ORDERS[form])}")
        return None
    given = dict(zip(ORDERS[form], cells))
    for key, value in given.items():
        if value != value.strip():
            fault(key, f"is {shown(value)}, with blanks around it; PhysiCell does not trim, and finds no such name", shown(value.strip()))
        elif not value:
            fault(key, "is empty; PhysiCell skips the line", "a value")
    given = {key: value.strip() for key, value in given.items()}
    up = direction(given["direction"], fault)
    numbers = {key: numeric(key, given[key], fault) for key in given if key in ("min", "max", "base", "to", "half", "hill", "dead")}
    if len(faults) > before:
        return None
    for key in ("half", "hill"):
        if numbers[key] <= 0.0:
            fault(key, f"is {numbers[key]:g}; the response is then no number, or always half", "more than 0")
    if numbers["hill"] > 20.0:
        fault("hill", f"is {numbers['hill']:g}, a step", "at most 20")
    if numbers["dead"] not in (0.0, 1.0):
        fault("dead", f"is {shown(given['dead'])}", "0 or 1")
    to = numbers["to"] if "to" in numbers else numbers["max" if up else "min"]
    if to < 0.0:
        fault("to", f"is {to:g}", "0 or more")
    if len(faults) > before:
        return None
    return Rule(name, number, given["cell"], given["signal"], up, given["behaviour"], to, numbers["half"], numbers["hill"], bool(numbers["dead"]), numbers.get("base"))


def direction(word: str, fault: object) -> bool:
    """Whether a rule raises."""
    if word in ("increases", "decreases"):
        return word == "increases"
    what = "PhysiCell takes it, and the rule then does nothing" if word in INERT else "PhysiCell takes any word but increases as decreases, and so turns the rule round"
    fault("direction", f"is {shown(word)}; {what}", "increases or decreases", nearest(word, ["increases", "decreases"]))  # type: ignore[operator]
    return True


def numeric(key: str, text: str, fault: object) -> float:
    """A number; 0 after a fault."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value) or "_" in text:
        fault(key, f"is {shown(text)}; PhysiCell reads what is no number as 0", "a number")  # type: ignore[operator]
        return 0.0
    return value


def names_exist(rules: list[Rule], cells: Mapping[str, object], signals: Mapping[str, Mapping[str, str]], behaviours: Mapping[str, str], faults: list[Fault]) -> list[Rule]:
    """Rules whose cell type, signal (by cell type) and behaviour there are; faults for the others."""
    good = []
    for rule in rules:
        wrong = [("cell", rule.cell, cells)] if rule.cell not in cells else []
        wrong += [("signal", rule.signal, signals[rule.cell])] if rule.cell in cells and rule.signal not in signals[rule.cell] else []
        wrong += [("behaviour", rule.behaviour, behaviours)] if rule.behaviour not in behaviours and not rule.behaviour.startswith("custom:") else []
        for key, name, known in wrong:
            faults.append(Fault(rule.file, rule.line, key, f"unknown name {shown(name)}", listed(map(shown, known), 10), bare(nearest(name, known))))
        good += [] if wrong else [rule]
    return good


def clashes(rules: list[Rule], base_of: Mapping[tuple[str, str], float | None]) -> Iterator[Fault]:
    """What PhysiCell settles in silence among the rules of one behaviour: doubles, overridden saturations, wrong sides of the base.

    `base_of` (cell type, behaviour) -> value of the cell definition, None where it is not known.
    """
    groups: dict[tuple[str, str], list[Rule]] = {}
    for rule in rules:
        groups.setdefault((rule.cell, rule.behaviour), []).append(rule)
    for key, some in groups.items():
        base = base_of.get(key)
        seen: dict[str, Rule] = {}
        for rule in some:
            first = seen.setdefault(rule.signal, rule)
            if first is not rule:
                yield Fault(rule.file, rule.line, "signal", f"{shown(rule.signal)} acts on {shown(rule.behaviour)} in {at(first, rule)} already; PhysiCell keeps one of the two in silence", "one rule for a signal and a behaviour")
            if rule.base is not None and base is not None and abs(rule.base - base) > 1e-15:
                yield Fault(rule.file, rule.line, "base", f"is {rule.base:g}, and {base:g} in the cell definition", f"{base:g}")
            if base is not None and (rule.to < base if rule.up else rule.to > base):
                side = "below" if rule.up else "above"
                yield Fault(rule.file, rule.line, "to", f"is {rule.to:g}, {side} the base value {base:g}: the rule would {'lower' if rule.up else 'raise'} what it {'increases' if rule.up else 'decreases'}", f"at {'least' if rule.up else 'most'} {base:g}")
        for up in (True, False):
            same = [r for r in some if r.up is up]
            best = (max if up else min)((r.to for r in same), default=0.0)
            for rule in same:
                if rule.to != best:
                    other = next(r for r in same if r.to == best)
                    yield Fault(rule.file, rule.line, "to", f"is {rule.to:g}, overridden by {best:g} of {at(other, rule)}: a behaviour has one saturation of its {'increasing' if up else 'decreasing'} rules", f"{best:g}")


def at(rule: Rule, seen_from: Rule) -> str:
    """Where a rule stands, for a message about another."""
    return f"line {rule.line}" if rule.file == seen_from.file else f"{rule.file}:{rule.line}"
