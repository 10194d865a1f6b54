"""Laws of a pathway as formulas: each law is run once on symbols instead of numbers.

A law is arithmetic with the functions of `kernels.elementary` and `kernels.chemistry`; run on a `Formula` it returns a
`Formula`. What decides by a comparison has no formula and is refused by name.
"""

from __future__ import annotations

import math
import types
from collections.abc import Callable
from typing import Any

import numpy as np

from tme.experiments.run_directory import RunError
from tme.kernels import chemistry, elementary
from tme.pathways.contract import Law, arguments, plain


class NoFormula(RunError):
    """A law that symbols cannot go through."""


class Formula:
    """An expression: `op` is num, name, +, -, *, /, ^, ln, exp, sqrt or positive; `parts` its numbers, names or expressions."""

    __slots__ = ("_hash", "op", "parts")

    def __init__(self, op: str, *parts: Any) -> None:
        self.op, self.parts = op, parts
        self._hash = hash((op, parts))

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Formula) and self._hash == other._hash and self.op == other.op and self.parts == other.parts

    def __repr__(self) -> str:
        return text_of(self)

    def __bool__(self) -> bool:
        raise NoFormula("decides by a comparison")

    def _compared(self, _other: Any) -> bool:
        raise NoFormula("decides by a comparison")

    __lt__ = __le__ = __gt__ = __ge__ = _compared

    def __float__(self) -> float:
        raise NoFormula("takes a quantity for a number that is known beforehand")

    def __add__(self, other: Any) -> Formula:
        return made("+", self, other)

    def __radd__(self, other: Any) -> Formula:
        return made("+", other, self)

    def __sub__(self, other: Any) -> Formula:
        return made("-", self, other)

    def __rsub__(self, other: Any) -> Formula:
        return made("-", other, self)

    def __mul__(self, other: Any) -> Formula:
        return made("*", self, other)

    def __rmul__(self, other: Any) -> Formula:
        return made("*", other, self)

    def __truediv__(self, other: Any) -> Formula:
        return made("/", self, other)

    def __rtruediv__(self, other: Any) -> Formula:
        return made("/", other, self)

    def __pow__(self, other: Any) -> Formula:
        return made("^", self, other)

    def __rpow__(self, other: Any) -> Formula:
        return made("^", other, self)

    def __neg__(self) -> Formula:
        return made("-", 0.0, self)

    def __pos__(self) -> Formula:
        return self


def of(value: Any) -> Formula:
    """A number as a formula; a formula as it is."""
    if isinstance(value, Formula):
        return value
    if isinstance(value, (bool, int, float, np.number)):
        return Formula("num", float(value))
    raise NoFormula(f"reckons with {type(value).__name__}")


def name(word: str) -> Formula:
    """A quantity by its name."""
    return Formula("name", word)


_PLAIN: dict[str, Callable[..., float]] = {
    "+": lambda a, b: a + b, "-": lambda a, b: a - b, "*": lambda a, b: a * b, "/": lambda a, b: a / b, "^": lambda a, b: a**b,
    "ln": math.log, "exp": math.exp, "sqrt": math.sqrt, "positive": lambda a: max(a, 0.0),
}  # fmt: skip


def made(op: str, *values: Any) -> Formula:
    """An operation on formulas or numbers; numbers are reckoned at once, x + 0, x - 0, 1 x and x / 1 are x."""
    parts = tuple(of(v) for v in values)
    numbers = [p.parts[0] if p.op == "num" else None for p in parts]
    if None not in numbers and not (op == "/" and numbers[1] == 0.0):
        return of(_PLAIN[op](*numbers))
    if (op == "+" and numbers[0] == 0.0) or (op == "*" and numbers[0] == 1.0):
        return parts[1]
    if (op in "+-" and len(parts) == 2 and numbers[1] == 0.0) or (op in "*/" and numbers[1] == 1.0):
        return parts[0]
    return Formula(op, *parts)


class _Numpy:
    """The few functions of numpy that are formulas."""

    sqrt, exp, log = (staticmethod(lambda x, op=op: made(op, x)) for op in ("sqrt", "exp", "ln"))
    float64 = staticmethod(of)

    def __getattr__(self, word: str) -> Any:
        raise NoFormula(f"uses numpy's {word}")


_MATH: dict[int, Any] = {id(plain(law)): function for law, function in (
    (elementary.exp, lambda x: made("exp", x)),
    (chemistry.exp_fast, lambda x: made("exp", x)),
    (elementary.expm1, lambda x: made("-", made("exp", x), 1.0)),
    (elementary.expm1_fast, lambda x: made("-", made("exp", x), 1.0)),
    (elementary.log, lambda x: made("ln", x)),
    (elementary.power, lambda x, y: made("^", x, y)),
    (chemistry.positive_part, lambda x: made("positive", x)),
)}  # fmt: skip


def symbolic(law: Law) -> Callable[..., Any]:
    """The law as a function of formulas: the same code, in which what it calls is symbolic too."""
    function = plain(law)
    if id(function) in _MATH:
        return _MATH[id(function)]
    words = {**function.__globals__}
    for word in function.__code__.co_names:
        value = words.get(word)
        if value is np:
            words[word] = _Numpy()
        elif callable(value) and isinstance(plain(value), types.FunctionType) and not isinstance(value, type):
            words[word] = symbolic(value)
    return types.FunctionType(function.__code__, words, function.__name__, function.__defaults__, function.__closure__)


def run(law: Law, values: dict[str, Any]) -> Any:
    """What a law returns, its arguments taken from `values` by name; NoFormula names the law where there is no formula."""
    try:
        return symbolic(law)(*(values[word] for word in arguments(law)))
    except NoFormula as error:
        raise NoFormula(f"the law {plain(law).__name__} cannot be written as a formula: it {error}") from None
    except (TypeError, ZeroDivisionError, OverflowError, ValueError) as error:
        raise NoFormula(f"the law {plain(law).__name__} cannot be written as a formula ({error})") from None


def text_of(formula: Formula) -> str:
    """The formula as a Python expression, in which `positive`, `ln`, `exp` and `sqrt` are functions."""
    parts = formula.parts
    if formula.op == "num":
        return repr(parts[0])
    if formula.op == "name":
        return parts[0]
    inner = [text_of(p) for p in parts]
    if formula.op in "+-*/^":
        return f"({inner[0]} {formula.op.replace('^', '**')} {inner[1]})"
    return f"{formula.op}({inner[0]})"


def shared(formulas: dict[str, Formula], prefix: str) -> dict[str, Formula]:
    """The same formulas, with every part that occurs more than once under a name of its own (PREFIX1 ...), parts first."""
    count: dict[Formula, int] = {}

    def tally(formula: Formula) -> None:
        count[formula] = count.get(formula, 0) + 1
        if count[formula] == 1 and formula.op not in ("num", "name"):
            for part in formula.parts:
                tally(part)

    for formula in formulas.values():
        tally(formula)
    named: dict[Formula, str] = {}
    out: dict[str, Formula] = {}

    def rewritten(formula: Formula) -> Formula:
        if formula.op in ("num", "name"):
            return formula
        if formula in named:
            return name(named[formula])
        new = Formula(formula.op, *(rewritten(p) for p in formula.parts))
        if count[formula] < 2:
            return new
        named[formula] = f"{prefix}{len(named) + 1}"
        out[named[formula]] = new
        return name(named[formula])

    tops = {key: rewritten(formula) for key, formula in formulas.items()}
    return {**out, **tops}
