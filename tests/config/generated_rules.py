"""Generated rules: a signal that cells can hear, a term that they have, and how they answer."""

from __future__ import annotations

from random import Random
from typing import Any

from chance import maybe, number, per_min, quantity, scale, some

from tme import pathways

HALF = {"cells": (0.1, 60), "uM": (1e-3, 3e3), "mmHg": (0.5, 100), "mM": (0.01, 30), "d": (0.01, 10), "1": (1e-3, 10), "Gy": (0.1, 20)}


class Rules:
    """Rules of one experiment, of what `known` lists: no two of them contradict each other."""

    def __init__(self, rng: Random, library: Any, known: Any, on: set[str], dt: float, used: set[tuple[str, str]]) -> None:
        self.rng, self.library, self.known, self.dt = rng, library, known, dt
        self.on = on  # pathways as `mechanisms:` switches them
        self.taken = used  # (cells, term) that a drug or an alteration acts on
        self.out: dict[str, Any] = {}

    # ---- what there is ----------------------------------------------------------------------------------------------
    def acts(self, cells: str, term: str) -> bool:
        """Whether the law of a term is in the plan of these cells, and makes use of it at its default numbers."""
        word = term.partition(".")[0]
        if self.known.terms[term].acts_with:
            return False
        return word not in pathways.PATHWAYS or (cells, word) == ("tumour", "ferroptosis") or (word if cells == "tumour" else f"{word}_{cells}") in self.on

    def places(self) -> list[tuple[str, str]]:
        """(cells, term) of every term that a rule may act on."""
        return [(c, n) for n, t in self.known.terms.items() for c in t.cells if self.acts(c, n)]

    # ---- rules ------------------------------------------------------------------------------------------------------
    def add(self) -> None:
        """Switches and changes of the library's rules, then some of the user's own."""
        rng = self.rng
        default = {n for n, e in self.library.rules.items() if e.default or (e.comes_with and e.comes_with in self.on)}
        for name in some(rng, [n for n, e in self.library.rules.items() if all(self.acts(c, e.term) for c in e.cells)], 5):
            entry = self.library.rules[name]
            self.put(name, rng.choice(["on", "off", True, False]) if rng.random() < 0.5 else self.changed(entry))
            default = default - {name} if self.out.get(name) in ("off", False) else default | {name}
        mine: set[tuple[str, str]] = set()
        acted = {(c, e.term) for n in default for e in (self.library.rules[n],) for c in e.cells}
        for k in range(rng.randint(0, 4)):
            cells, term = rng.choice([p for p in self.places() if p not in mine])
            mine.add((cells, term))
            grammar = rng.random() < 0.2 and (cells, term) not in acted | self.taken
            grouped = not grammar and rng.random() < 0.25
            shared = self.shared(cells, term, f"group{k}" if grouped else None, grammar)
            for i in range(rng.randint(1, 3)):
                self.out[f"own{k}_{i}"] = self.whole(cells, term, shared, grammar)

    def put(self, name: str, value: Any) -> None:
        """Under its id, or where the id has a dot sometimes as `M53: {hif1: ...}`."""
        head, dot, tail = name.partition(".")
        if dot and self.rng.random() < 0.3 and head not in self.library.rules and isinstance(self.out.get(head, {}), dict):
            self.out.setdefault(head, {})[tail] = value
        else:
            self.out[name] = value

    def changed(self, entry: Any) -> dict[str, Any]:
        """Some numbers of a rule of the library, bare."""
        rng, out = self.rng, {}
        if entry.response != "linear" and entry.group is None:
            maybe(rng, out, 0.5, to=lambda: self.aim(entry.verb, entry.to))
        if entry.response != "linear":
            maybe(rng, out, 0.5, half=lambda: scale(rng, 0.1 * entry.half, 10 * entry.half), hill=lambda: scale(rng, 0.25, 20))
        maybe(rng, out, 0.2, on=lambda: rng.choice([True, False]), default=lambda: rng.choice(["on", "off"]))
        return out

    def aim(self, verb: str, usual: float = 1.0) -> float:
        """`to` on the side of 1 that goes with a verb."""
        return {"raises": lambda: 1.0 + scale(self.rng, 1e-3, 30), "lowers": lambda: number(self.rng, 0, 0.99), "adds_to": lambda: usual * scale(self.rng, 0.1, 3)}[verb]()

    def shared(self, cells: str, term: str, group: str | None, grammar: bool) -> dict[str, Any]:
        """What all rules of a group, or of a term under PhysiCell's grammar, have in common."""
        rng, t = self.rng, self.known.terms[term]
        if grammar:
            base = scale(rng, 0.1, 3) if t.effect == "multiplies" else scale(rng, 1e-6, 0.01)
            out: dict[str, Any] = {"combine": "cbhg", "base": quantity(rng, base, t.unit)}
            maybe(rng, out, 0.4 if t.effect == "multiplies" else 0.0, reference=lambda: quantity(rng, scale(rng, 0.3, 3), t.unit))
            return out
        verb = rng.choice(["raises", "lowers"]) if t.effect == "multiplies" else "adds_to"
        linear = verb == "adds_to" and rng.random() < 0.4
        out = {"verb": verb, "response": "linear" if linear else rng.choice(["hill", "hill", "falling"])}
        if not linear:
            out["to"] = quantity(rng, self.aim(verb, 0.1 * t.high if t.high < 1 else 0.05), t.unit)
        maybe(rng, out, 0.3 if cells != "vessel" else 0.0, lag_h=lambda: quantity(rng, number(rng, 0, 48), "h"))
        return out | ({"group": group} if group else {})

    def whole(self, cells: str, term: str, shared: dict[str, Any], grammar: bool) -> dict[str, Any]:
        """A rule of the user's own."""
        rng, shared = self.rng, dict(shared)
        signal, unit = self.signal(cells)
        half = quantity(rng, scale(rng, *HALF.get(unit, (1e-3, 10))), unit)
        out: dict[str, Any] = {"in": rng.choice([cells, [cells]]), "signal": signal, "evidence": rng.choice(["supported", "conflicting", "hypothetical"]), "source": "chosen: generated"}
        if grammar:
            base = shared["base"]["value"]
            verb = rng.choice(["raises", "lowers"])
            out |= {verb: term, "to": quantity(rng, base * (scale(rng, 1.01, 5) if verb == "raises" else number(rng, 0, 0.99)), self.known.terms[term].unit), "half": half}
            maybe(rng, out, 0.3, dead=lambda: rng.choice([True, False]))
        elif shared["response"] == "linear":
            out |= {shared.pop("verb"): term, "slope": quantity(rng, scale(rng, 1e-6, 1e-3), per_min("1"))}
        else:
            out |= {shared.pop("verb"): term, "half": half}
        maybe(rng, out, 0.5 if out.get("half") and shared.get("response") != "linear" else 0.0, hill=lambda: quantity(rng, scale(rng, 0.25, 20), "1"))
        maybe(rng, out, 0.15, clock_min=lambda: quantity(rng, self.dt * rng.choice([1, 2, 5, 60]), "min"), about=lambda: "a generated rule")
        if signal.partition(".")[0] in ("field", "drug") and rng.random() < 0.2:
            out["needs"] = self.need()
        return out | shared

    def need(self) -> dict[str, Any]:
        """A substance that an agent needs."""
        field = self.rng.choice(list(self.known.fields))
        return {"field": field, "half": quantity(self.rng, scale(self.rng, 0.01, 100), self.known.fields[field])}

    def signal(self, cells: str) -> tuple[str, str]:
        """A signal that these cells can hear, and its unit; each kind as often."""
        signals = self.known.signals(cells)
        kind = self.rng.choice(sorted({s.partition(".")[0] for s in signals}))
        name = self.rng.choice([s for s in signals if s.partition(".")[0] == kind])
        return name, signals[name]

    def hit(self, cells: str, unit: str | None) -> dict[str, Any]:
        """What a drug (`unit` that of its concentration) or an alteration (None) does to a term of these cells."""
        rng = self.rng
        fit = [n for c, n in self.places() if c == cells and not n.startswith(("cuproptosis.", "disulfidptosis."))]
        term = rng.choice(fit)
        t = self.known.terms[term]
        verb = rng.choice(["raises", "lowers"]) if t.effect == "multiplies" else "adds_to"
        out = {verb: term, "to": quantity(rng, self.aim(verb, 0.1 * t.high if t.high < 1 else 0.05), t.unit)}
        self.taken.add((cells, term))
        if unit is not None:
            out["half"] = quantity(rng, scale(rng, 0.01, 100), unit)
            maybe(rng, out, 0.3, hill=lambda: quantity(rng, scale(rng, 0.5, 8), "1"), lag_h=lambda: quantity(rng, number(rng, 0, 24), "h"),
                  response=lambda: rng.choice(["hill", "falling"]), needs=self.need)  # fmt: skip
            if cells != "tumour":
                out["in"] = rng.choice([cells, [cells]])
        return out
