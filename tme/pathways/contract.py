"""What a pathway is: one table of names and two law functions; everything else is written from it (`write`).

    PATHWAY = Pathway(
        "name", PARAMETERS,
        states=(State("gsh", "uM", "G", start=2000.0, about="reduced glutathione"), ...),
        traits=..., inputs=..., frozen=("x", ...), terms=TERMS,
        conditions=conditions, rates=rates, awake=awake,
    )

A law is a pure function of numbers, marked `@law`. It takes by name what it needs, in any order:

    p                 the parameters                      h         length of the step, min
    g, c, ...         a state, by its symbol in lower case
    xct, oxygen, ...  a trait or an input                 alive     1, in a corpse 0
    x, ...            what `conditions` returned          xct_factor, mufa_added: a term that multiplies, that adds

`conditions` is evaluated once a step and returns what the step holds fixed, in the order of `frozen`. `rates` is
evaluated twice and returns one item for every state, in the order of `states`:

    decay             (production, loss)         y' = production - loss y
    grow              (production, net growth)   y' = production + growth y
    with a `loss` law  the level it heads for    y' = loss (level - y), exact for a loss that is constant over a step

A loss law takes p and terms only (then it is evaluated once a step length unless a rule acts on the term), or
traits and inputs too. A cap law holds a state below a number: it takes p, h, states as they were at the start of the
step, and productions (`u_in` for the state u). `awake(p, ...)` takes states, traits and inputs of the cell: cells
that are awake are stepped at every tick, the others on the resting clock. `resting(p, ...)`, if there is one, returns
the states from which settling begins; without it that is their `start`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from typing import Any, Literal

from tme.core.causes import CAUSES
from tme.core.parameters import ParameterSet
from tme.core.population import Column
from tme.core.terms import Term

Law = Callable[..., Any]


@dataclass(frozen=True)
class State:
    """One quantity that the pathway changes. `symbol` is that of the equations; `at_division` what a daughter gets."""

    name: str
    unit: str
    symbol: str
    start: float = 0.0
    kind: Literal["decay", "grow"] = "decay"
    loss: Law | None = None
    cap: Law | None = None
    at_division: str = "copy"
    about: str = ""

    @property
    def var(self) -> str:
        """Its name in laws."""
        return self.symbol.lower()

    def column(self) -> Column:
        """Where a population keeps it."""
        return Column(self.name, "f8", self.unit, self.start, self.at_division, f"{self.symbol}, {self.about}")


@dataclass(frozen=True, eq=False)  # one object a pathway: told apart by identity, which is quick
class Given:
    """A trait of the cell or something that it senses: the pathway reads it and does not change it.

    `field` names the field that an input is sensed from, where a cell type has no other part that does it; `low` and
    `high` are the bounds of what an entry of a cell type may say of a trait.
    """

    name: str
    unit: str
    default: float
    about: str = ""
    field: str = ""
    low: float = 0.0
    high: float = 1e6

    def column(self) -> Column:
        """Where a population keeps it."""
        return Column(self.name, "f8", self.unit, self.default, "copy", self.about)


def meant(name: str, known: Iterable[str]) -> str:
    """The nearest of the known names, as the end of a message."""
    near = get_close_matches(name, list(known), 1)
    return f"; did you mean '{near[0]}'?" if near else ""


@dataclass(frozen=True, eq=False)
class Pathway:
    """The table of a pathway. `damage` is the state that kills at 1 and `cause` the state code of tumour cells that it
    has killed, whose chemistry goes on where `in_corpses`; `clock` is the column that says up to which tick a cell is
    integrated; `device` whether its laws run on a CUDA device; `emits` the field into which its cells emit, if a law does that.
    """

    name: str
    parameters: ParameterSet
    states: tuple[State, ...]
    traits: tuple[Given, ...]
    inputs: tuple[Given, ...]
    frozen: tuple[str, ...]
    terms: tuple[Term, ...]
    conditions: Law
    rates: Law
    awake: Law
    resting: Law | None = None
    damage: str = ""
    cause: int = 0
    in_corpses: bool = False
    clock: str = ""
    device: bool = True
    emits: str = ""
    about: str = ""

    def __post_init__(self) -> None:
        known = set(self.names)
        for law, extra in self.laws():
            if plain(law).__qualname__ != plain(law).__name__:
                raise ValueError(f"pathway {self.name}: the law {plain(law).__name__} is defined inside a function; kernels import laws from their file")
            for name in arguments(law):
                if name not in known | extra:
                    raise ValueError(f"pathway {self.name}: {plain(law).__name__} asks for {name!r}, which the table has not; it has {', '.join(sorted(known))}{meant(name, known | extra)}")
        if {"h", "w", "j"} & known or len(known) < sum(map(len, (self.states, self.traits, self.inputs, self.frozen, self.terms))) + 2:
            raise ValueError(f"pathway {self.name}: two entries of its table have one name in laws, or one is called h, j or w")
        if self.damage and self.damage not in [s.name for s in self.states]:
            raise ValueError(f"pathway {self.name}: damage is {self.damage!r}, which is no state of it")
        if self.damage and not 0 < self.cause < len(CAUSES):
            said = ", ".join(f"{code} {cause}" for code, cause in enumerate(CAUSES) if code)
            raise ValueError(f"pathway {self.name}: cells die of its damage of cause {self.cause!r}; expected the cause under which deaths are counted: {said}")

    @property
    def names(self) -> tuple[str, ...]:
        """Everything a law may ask for."""
        return ("p", "alive", *(s.var for s in self.states), *(g.name for g in self.given), *self.frozen, *map(argument, self.terms))

    def laws(self) -> list[tuple[Law, set[str]]]:
        """Every law of the table, with what it may take beside `names`."""
        productions = {f"{s.var}_in" for s in self.states if s.loss is None}
        out: list[tuple[Law, set[str]]] = [(self.conditions, set()), (self.rates, set()), (self.awake, set())]
        out += [(s.loss, set()) for s in self.states if s.loss is not None]
        out += [(s.cap, productions | {"h"}) for s in self.states if s.cap is not None]
        return out + ([(self.resting, set())] if self.resting is not None else [])

    @property
    def given(self) -> tuple[Given, ...]:
        """Traits, then inputs."""
        return (*self.traits, *self.inputs)

    @property
    def column_names(self) -> tuple[str, ...]:
        """States, traits, inputs: the order in which kernels take them; terms follow in the modulated kernel."""
        return (*(s.name for s in self.states), *(g.name for g in self.given))

    @property
    def state_names(self) -> tuple[str, ...]:
        """Columns of its states."""
        return tuple(s.name for s in self.states)

    @property
    def trait_names(self) -> tuple[str, ...]:
        """Columns of its traits."""
        return tuple(g.name for g in self.traits)

    @property
    def input_names(self) -> tuple[str, ...]:
        """Columns of its inputs."""
        return tuple(g.name for g in self.inputs)

    @property
    def ticker(self) -> str:
        """Name of the clock column."""
        return self.clock or f"{self.name}_tick"

    def columns(self) -> tuple[Column, ...]:
        """The columns of a population that runs the pathway."""
        clock = Column(self.ticker, "i4", "tick", about=f"tick up to which {self.name} is integrated")
        return (*(s.column() for s in self.states), *(g.column() for g in self.given), clock)


def argument(term: Term) -> str:
    """How a law spells a term: ferroptosis.xct -> xct_factor, ferroptosis.mufa -> mufa_added."""
    return f"{term.name.rpartition('.')[2]}_{'factor' if term.effect == 'multiplies' else 'added'}"


def plain(law: Law) -> Law:
    """The Python function of a compiled law."""
    return getattr(law, "py_func", law)


@cache
def arguments(law: Law) -> tuple[str, ...]:
    """What a law asks for, in its own order."""
    return tuple(inspect.signature(plain(law)).parameters)
