"""Cell types: which columns they have, in which unit, and what a daughter gets."""

from tme.populations.cells import Populations, build_populations
from tme.populations.tumour import Tumour

__all__ = ["Populations", "Tumour", "build_populations"]
