"""The kinds of library entries. A new kind: its `Part` beside the others, its YAML file, and its line in `KINDS`."""

from __future__ import annotations

from dataclasses import dataclass

from tme.library.agents import Agent, AntibodyEntry, DrugEntry
from tme.library.alterations import AlterationEntry
from tme.library.axes import AxisEntry
from tme.library.cells import CellEntry
from tme.library.cohorts import CohortEntry
from tme.library.events import EventEntry
from tme.library.particles import NanoparticleEntry
from tme.library.rule import RuleEntry
from tme.library.schema import (
    FieldEntry,
    Part,
    TumourEntry,
)


@dataclass(frozen=True)
class Kind:
    """One kind: `name` is its key in files and its file's name, `one` the word for a single entry.

    `chosen_by` says where a config names the entries that it uses: "arms", dotted keys (* for any name) that hold names or whose
    keys are names, a method of the config that gives names, or "" where every entry counts.
    """

    name: str
    one: str
    entry: type[Part]
    chosen_by: str = ""

    @property
    def spreads(self) -> bool:
        """Whether its entries are fields or become fields; such names are unique over all kinds."""
        return issubclass(self.entry, (FieldEntry, Agent))


KINDS = (
    Kind("fields", "field", FieldEntry),
    Kind("drugs", "drug", DrugEntry, "arms"),
    Kind("antibodies", "antibody", AntibodyEntry, "arms"),
    Kind("nanoparticles", "nanoparticle", NanoparticleEntry, "arms"),
    Kind("tumours", "tumour", TumourEntry, "tumour.preset"),
    Kind("alterations", "alteration", AlterationEntry, "tumour.alterations tumour.clones.*.alterations"),
    Kind("cohorts", "cohort", CohortEntry, "study.cohort"),
    Kind("cells", "cell type", CellEntry, "cell_types()"),
    Kind("receptors", "receptor", AxisEntry),
    Kind("events", "event", EventEntry, "arms"),
    Kind("rules", "rule", RuleEntry, "rules"),
)
BY_NAME = {kind.name: kind for kind in KINDS}
