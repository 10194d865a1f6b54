"""What a rule entry is: one signal that raises, lowers or adds to one term in some cell types.

    M11:
      in: tumour
      signal: field.lactate
      raises: ferroptosis.gpx4_synthesis
      to:   {value: 1.8, unit: 1, range: [1.2, 3], source: "assumed: ..."}
      half: {value: 8, unit: mM, range: [4, 16], source: "assumed: ..."}
      hill: {value: 2, unit: 1, source: "assumed: ..."}
      evidence: supported
      source: "..."

`needs: {field: glucose, half: {...}}` says that what is heard acts only as far as a substance is there: s g/(half + g) takes
the place of s (an enzyme and its substrate).

Response u = x/(1 + x), x = (s/half)^hill of the signal s >= 0; where it is `falling` u = 1/(1 + x): a lack acts.
`raises` and `lowers` multiply the term by 1 + (to - 1) u, `adds_to` adds to u, or slope s where the response is linear.
With `combine: cbhg` (PhysiCell's grammar) `base` and `to` are absolute values; a term that is a factor becomes value over
`reference`, the value at which the law acts as it does without rules, or over `base` where no reference is given.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field, model_validator

from tme.library.part import KeyFault
from tme.library.schema import Name, Part, quantity

SIGNAL = r"^(field|drug|own|near|contact|event|alteration)\.[a-z][a-z0-9_]*$|^time$"


def _names(value: Any) -> Any:
    return (value,) if isinstance(value, str) else tuple(value) if isinstance(value, list) else value


def _switch(value: Any) -> Any:
    return {"on": True, "off": False}.get(value, value) if isinstance(value, str) else value


class Need(Part):
    """A substance without which an agent does nothing: the agent counts times g/(half + g), g its level at the cell."""

    refers: ClassVar[dict[str, str]] = {"field": "fields"}
    field: Name
    half: float = quantity("*", gt=0)

    @property
    def raw(self) -> dict[str, Any]:
        """As it is written in a file."""
        return {"field": self.field, "half": self.numbers["half"].model_dump(exclude_none=True)}


class Needy(Part):
    """What may need a substance; without a need its content is that of the time before there were any."""

    needs: Need | None = None

    def content(self) -> dict[str, Any]:
        """What can change a result."""
        return {k: v for k, v in super().content().items() if k != "needs" or v is not None}


class RuleEntry(Needy):
    """One rule; which terms, signals and cell types exist is checked where they are known (`tme.rules`)."""

    cells: Annotated[tuple[str, ...], BeforeValidator(_names), Field(min_length=1)]
    signal: Annotated[str, Field(pattern=SIGNAL)]
    raises: str | None = None
    lowers: str | None = None
    adds_to: str | None = None
    response: Literal["hill", "falling", "linear"] = "hill"
    combine: Literal["product", "cbhg"] = "product"
    to: float | None = quantity("*", default=None)
    half: float | None = quantity("*", gt=0, default=None)
    hill: float = quantity("1", gt=0, le=20, default=1.0)
    slope: float | None = quantity("*", default=None)
    base: float | None = quantity("*", default=None)
    reference: float | None = quantity("*", gt=0, default=None)
    lag_h: float | None = quantity("h", ge=0, default=None)
    clock_min: float | None = quantity("min", gt=0, default=None)
    group: str | None = None
    dead: bool = False
    evidence: Literal["supported", "conflicting", "hypothetical"]
    source: Annotated[str, Field(min_length=4)]
    about: str = ""
    default: Annotated[bool, BeforeValidator(_switch)] = False
    comes_with: str = ""  # a mechanism that is off by default: the rule is on where the config switches that on

    @model_validator(mode="before")
    @classmethod
    def _in(cls, data: Any) -> Any:
        """`in` is a word of Python; here it is `cells`."""
        if isinstance(data, dict) and "in" in data:
            data = dict(data)
            data["cells"] = data.pop("in")
        return data

    @model_validator(mode="after")
    def _whole(self) -> RuleEntry:
        given = [k for k in ("raises", "lowers", "adds_to") if getattr(self, k) is not None]
        if len(given) != 1:
            raise ValueError(f"a rule has one of raises, lowers, adds_to; this has {' and '.join(given) or 'none'}")
        if self.response == "linear":
            self._needs(("slope",), ("to", "half", "base"), "a linear response")
            if self.adds_to is None:
                raise ValueError("a linear response is for adds_to only")
        else:
            self._needs(("to", "half"), ("slope",), "a Hill response")
        if self.combine == "cbhg":
            self._needs(("base",), ("lag_h", "group"), "combine: cbhg")
            if self.adds_to is not None or self.response != "hill":
                raise ValueError("combine: cbhg takes raises or lowers and a Hill response")
            wrong = self.to < self.base if self.raises else self.to > self.base  # type: ignore[operator]
        else:
            self._needs((), ("base", "reference"), "combine: product")
            wrong = (self.raises is not None and self.to <= 1.0) or (self.lowers is not None and not 0.0 <= self.to < 1.0)  # type: ignore[operator]
        if self.needs is not None and self.signal.partition(".")[0] not in ("field", "drug"):
            raise KeyFault("needs", f"{self.signal} is no substance: what is needed goes with a signal field.NAME or drug.NAME")
        if wrong:
            aim = f"the base {self.base:g}" if self.base is not None else "1 (and not below 0)"
            raise KeyFault("to", f"{self.verb} {self.term} to {self.to:g}, which is on the wrong side of {aim}")
        return self

    def _needs(self, given: tuple[str, ...], absent: tuple[str, ...], what: str) -> None:
        for key in given:
            if getattr(self, key) is None:
                raise ValueError(f"{what} needs {key}")
        for key in absent:
            if getattr(self, key) is not None:
                raise ValueError(f"{what} takes no {key}")

    def content(self) -> dict[str, Any]:
        """As for any part; a rule without a reference is what it was before there was one."""
        return {k: v for k, v in super().content().items() if k != "reference" or v is not None}

    @property
    def term(self) -> str:
        """The term it acts on."""
        return self.raises or self.lowers or self.adds_to or ""

    @property
    def scale(self) -> float:
        """What the signal is multiplied by: 1/half, or the slope."""
        return self.slope if self.slope is not None else 1.0 / (self.half or 1.0)

    @property
    def power(self) -> float:
        """What the scaled signal is raised to; below 0 where the response falls."""
        return {"linear": 1.0, "falling": -self.hill}.get(self.response, self.hill)

    @property
    def aim(self) -> float:
        """`to`, where there is one."""
        return 0.0 if self.to is None else self.to

    @property
    def verb(self) -> str:
        """What it does to the term."""
        return "raises" if self.raises else "lowers" if self.lowers else "adds_to"
