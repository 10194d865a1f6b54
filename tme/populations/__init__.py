"""Cell types: which columns they have, in which unit, and what a daughter gets."""

from tme.populations.cd8 import Cd8
from tme.populations.dendritic import Dendritic
from tme.populations.macrophage import Macrophage
from tme.populations.treg import Treg
from tme.populations.tumour import Tumour

POPULATIONS = (Tumour, Cd8, Macrophage, Dendritic, Treg)
IMMUNE = (Cd8, Dendritic, Treg, Macrophage)

__all__ = ["IMMUNE", "POPULATIONS", "Cd8", "Dendritic", "Macrophage", "Treg", "Tumour"]
