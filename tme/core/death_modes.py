"""The ways in which a tumour cell dies, and what each leaves.

Some have chemistry or a law of their own here and a state of their own (`populations.tumour`). The others are known by name: a hazard that
a drug, a rule or a config brings, and a corpse of one of two kinds. A lytic death opens the membrane at once and releases what necrosis does
(`damp.necrosis_factor`); in an apoptotic one the membrane holds for hours (`damp.apoptosis_factor`).
"""

from __future__ import annotations

from typing import Literal, NamedTuple

Corpse = Literal["lytic", "apoptotic"]
FATES: dict[Corpse, int] = {"lytic": 13, "apoptotic": 14}  # fates of tissue cells: necrosis, apoptosis


class DeathMode(NamedTuple):
    """A death without a law of its own: what its corpse is like, and what it is."""

    corpse: Corpse
    about: str


LABELS: dict[str, DeathMode] = {
    "pyroptosis": DeathMode("lytic", "gasdermin pores"),
    "necroptosis": DeathMode("lytic", "RIPK3 and MLKL pores"),
    "panoptosis": DeathMode("lytic", "inflammasome, caspases and MLKL together"),
    "parthanatos": DeathMode("lytic", "PARP-1 after much DNA damage"),
    "netosis": DeathMode("lytic", "chromatin thrown out"),
    "entosis": DeathMode("apoptotic", "a cell taken up and digested by its neighbour"),
    "dna_damage": DeathMode("apoptotic", "damage of DNA that was not repaired"),
}
