"""Cohorts: how virtual patients differ from the tumour that a config describes.

    mouse_like:
      about: ...
      varies:
        nrf2: {of: tumour.traits.nrf2, factor: {value: 1, unit: 1, range: [0.5, 3], source: "assumed: ..."}}
        cd8: {of: populations.cd8, factor: {value: 1, unit: 1, range: [0.2, 3], source: "assumed: ..."}}
      correlations:
        keap1_cold: {between: [nrf2, cd8], r: {value: -0.3, unit: 1, range: [-0.6, 0], source: "assumed: ..."}}

What varies is a factor on the config's own number (for `tumour.traits.mufa` an amount that is added): half of the patients lie
below `value`, half above, none outside `range`. Correlations are those of the normal numbers behind the factors.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from typing import Any

import numpy as np
from pydantic import Field, model_validator

from tme.library.alterations import ADDED, CELL_TRAITS
from tme.library.part import KeyFault
from tme.library.schema import Name, Number, Part, quantity

TUMOUR_KEYS = ("antigenicity_mean", "cv")
PLACES = ("tumour.antigenicity_mean", "tumour.cv", "tumour.traits.NAME", "populations.NAME", "mechanisms.GROUP.NAME")


def nearest(name: str, known: list[str]) -> str:
    """What was meant, or all that it could be."""
    return next(iter(get_close_matches(name, known, 1)), ", ".join(known[:20]))


class Varied(Part):
    """One number of a config, and the factor on it that patients draw."""

    of: str
    factor: float = quantity("1")

    @property
    def number(self) -> Number:
        """The factor with its range."""
        return self.numbers["factor"]


class Correlation(Part):
    """Two of what varies, and the correlation of the normal numbers behind them."""

    between: tuple[str, str]
    r: float = quantity("1", gt=-1, lt=1)


class CohortEntry(Part):
    """A population of patients: what varies among them, how far, and what goes together."""

    about: str
    varies: dict[Name, Varied] = Field(min_length=1)
    correlations: dict[Name, Correlation] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _sound(self) -> CohortEntry:
        for name, varied in self.varies.items():
            bounds = varied.number.range
            if bounds is None:
                raise KeyFault(f"varies.{name}.factor", f"{name} needs a range, from which patients draw")
            if bounds[0] <= 0.0 and not varied.of.endswith(f".{ADDED}"):
                raise KeyFault(f"varies.{name}.factor", f"the range of {name} begins at {bounds[0]:g}, and factors lie above 0")
        for k, pair in self.correlations.items():
            for name in pair.between:
                if name not in self.varies:
                    raise KeyFault(f"correlations.{k}.between", f"{name} does not vary in this cohort")
        if np.linalg.eigvalsh(self.matrix()).min() <= 1e-9:
            raise KeyFault("correlations", "the correlations contradict each other: their matrix is not positive definite")
        return self

    def matrix(self) -> np.ndarray:
        """Correlations of the normal numbers, (n, n) float64 in the order of `varies`."""
        place = {key: k for k, key in enumerate(self.varies)}
        out = np.eye(len(place))
        for pair in self.correlations.values():
            a, b = (place[name] for name in pair.between)
            out[a, b] = out[b, a] = pair.r
        return out

    def misfits(self, registry: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, str, str, Iterable[str]]]:
        """Keys that no config has."""
        traits = CELL_TRAITS[:-1]
        for name, varied in self.varies.items():
            kind, _, rest = varied.of.partition(".")
            group, _, last = rest.partition(".")
            key = f"varies.{name}.of"
            if kind == "mechanisms" and last not in registry.get(group, {}):
                yield key, f"unknown parameter '{rest}'", nearest(rest, [f"{g}.{n}" for g, s in registry.items() for n in s]), ()
            elif kind == "tumour" and not (rest in TUMOUR_KEYS or (group == "traits" and last in traits)):
                yield key, f"unknown key '{rest}'", nearest(rest, [*TUMOUR_KEYS, *(f"traits.{t}" for t in traits)]), ()
            elif kind not in ("mechanisms", "tumour", "populations"):
                yield key, f"unknown key '{varied.of}'", " or ".join(PLACES), ()

    def row(self) -> dict[str, Any]:
        """What `tme list cohorts` shows."""
        varies = {v.of: f"{v.factor:g} ({v.number.range[0]:g} to {v.number.range[1]:g})" for v in self.varies.values() if v.number.range}
        return {"about": self.about, "varies": varies, "correlations": {" ~ ".join(c.between): c.r for c in self.correlations.values()}}
