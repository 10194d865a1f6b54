"""Genomic and expression alterations of tumour cells: what sets the cells that carry one apart from the reference cell.

    keap1_loss:
      about: loss of KEAP1, so that NRF2 is not degraded
      ids: [M48]
      traits: {nrf2: {value: 3, unit: 1, range: [1.5, 6], source: "assumed: ..."}}
      effects:
        - {raises: ferroptosis.fpn, to: {value: 1.5, unit: 1, range: [1.25, 4], source: "assumed: ..."}}
      rules: [M53.hif2]
      source: "..."

Traits are factors on those of the tumour or of the clone (`mufa`: a level that is added). Effects act on terms of laws in
the cells that carry it, as rules do, at full strength and for good. Rules are entries of the library that it switches on.
`feels` says which share of a drug's concentration acts in them, by drug or by group of drugs that compete for a target:
efflux, inactivation, a variant of the target that the drug does not fit.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, ClassVar, Literal

from pydantic import Field, model_validator

from tme.library.part import KeyFault
from tme.library.rule import RuleEntry
from tme.library.schema import Name, Number, Part, quantity

TRAITS = ("xct", "gpx4_trait", "fsp1", "acsl4", "tfr1", "nrf2", "mufa")
CELL_TRAITS = (*TRAITS, "antigenicity")  # of a cell: the mean antigenicity of a tumour has a key of its own
ADDED = "mufa"  # the trait that is a level; all others are factors
LEAST_NRF2 = 0.01  # ferroportin follows NRF2; at 0 labile iron has no steady level
VERBS = ("raises", "lowers", "adds_to")


class Effect(Part):
    """What an alteration does to one term of a law: the factor, or the amount, in cells that carry it."""

    raises: str | None = None
    lowers: str | None = None
    adds_to: str | None = None
    to: float = quantity("*")

    @model_validator(mode="after")
    def _one_verb(self) -> Effect:
        given = [k for k in VERBS if getattr(self, k) is not None]
        if len(given) != 1:
            raise ValueError(f"an effect has one of raises, lowers, adds_to; this has {' and '.join(given) or 'none'}")
        wrong = (self.raises is not None and self.to <= 1.0) or (self.lowers is not None and not 0.0 <= self.to < 1.0)
        if wrong:
            raise KeyFault("to", f"{given[0]} {self.term} to {self.to:g}, which is on the wrong side of 1 (and not below 0)")
        return self

    @property
    def term(self) -> str:
        """The term it acts on."""
        return self.raises or self.lowers or self.adds_to or ""

    @property
    def verb(self) -> str:
        """What it does to the term."""
        return next(k for k in VERBS if getattr(self, k) is not None)


class AlterationEntry(Part):
    """One alteration; `evidence` is conflicting where sources give it both signs."""

    refers: ClassVar[dict[str, str]] = {"rules": "rules"}
    words: ClassVar[frozenset[str]] = Part.words | {"ids"}
    about: str
    ids: tuple[str, ...] = ()
    traits: dict[Name, Number] = Field(default_factory=dict)
    effects: tuple[Effect, ...] = ()
    feels: dict[Name, Number] = Field(default_factory=dict)
    rules: tuple[str, ...] = ()
    evidence: Literal["supported", "conflicting", "hypothetical"] = "supported"
    source: str = Field(min_length=4)

    @model_validator(mode="after")
    def _does_something(self) -> AlterationEntry:
        if not (self.traits or self.effects or self.feels or self.rules):
            raise ValueError("an alteration has traits, effects, feels or rules; this has none of them")
        return self

    def misfits(self, registry: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, str, str, Iterable[str]]]:
        """Traits that cells do not have, in another unit, or below what they can be."""
        for name, number in self.traits.items():
            if name not in CELL_TRAITS:
                yield f"traits.{name}", f"unknown trait '{name}'", "", CELL_TRAITS
            elif number.unit != "1":
                yield f"traits.{name}", f"is given in '{number.unit}'", "'1', a factor on the reference cell", ()
            elif number.value < (LEAST_NRF2 if name == "nrf2" else 0.0):
                yield f"traits.{name}", f"is {number.value:g}", f"at least {LEAST_NRF2 if name == 'nrf2' else 0:g}", ()
        for name, number in self.feels.items():
            if number.unit != "1" or not 0.0 <= number.value <= 10.0:
                yield f"feels.{name}", f"is {number.value:g} {number.unit}", "a share of the concentration, 0 to 10, unit: 1", ()

    def row(self) -> dict[str, Any]:
        """What `tme list alterations` shows."""
        effects = {f"{e.verb.replace('_', ' ')} {e.term}": e.to for e in self.effects}
        return {"about": self.about, "ids": " ".join(self.ids), "traits": {n: v.value for n, v in self.traits.items()}, "effects": effects,
                "feels": {n: v.value for n, v in self.feels.items()}, "rules": list(self.rules), "evidence": self.evidence, "source": self.source}  # fmt: skip


def signal_of(name: str) -> str:
    """The signal that is 1 in cells that carry an alteration and 0 in others."""
    return f"alteration.{name}"


CARRIED = {"value": 1e-9, "unit": "1", "source": "definition: carried or not"}
STEEP = {"value": 4.0, "unit": "1", "source": "definition: carried or not"}


def rules_of(name: str, entry: AlterationEntry) -> dict[str, RuleEntry]:
    """The effects of an alteration as rules by id, `prominin2_high.fpn`; two on one term are numbered."""
    out: dict[str, RuleEntry] = {}
    for effect in entry.effects:
        number = effect.numbers["to"].model_dump(exclude_none=True)
        raw = {"in": ("tumour",), "signal": signal_of(name), effect.verb: effect.term, "to": number, "half": CARRIED, "hill": STEEP,
               "evidence": entry.evidence, "source": entry.source}  # fmt: skip
        key = f"{name}.{effect.term.rpartition('.')[2]}"
        n = sum(k == key or k.startswith(f"{key}_") for k in out)
        out[key if n == 0 else f"{key}_{n + 1}"] = RuleEntry.model_validate(raw)
    return out


def altered(traits: Mapping[str, float], names: Iterable[str], entries: Mapping[str, AlterationEntry], added_to: float = 0.0) -> dict[str, float]:
    """Traits (factors; mufa: a level) with alterations on top; `added_to` is the MUFA of cells whose traits do not state it."""
    out = dict(traits)
    for name in names:
        for trait, number in entries[name].traits.items():
            before = out.get(trait, added_to if trait == ADDED else 1.0)
            out[trait] = before + number.value if trait == ADDED else before * number.value
    return out
