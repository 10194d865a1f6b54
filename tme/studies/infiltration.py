"""The infiltration class (`tme.spatial.infiltration`) as a feature of virtual patients."""

from __future__ import annotations

from tme.spatial.infiltration import CLASSES, DESERT, EXCLUDED, READOUTS, classes

__all__ = ["CLASSES", "DESERT", "EXCLUDED", "NAME", "READOUTS", "classes", "parts"]

NAME = "infiltration"


def parts(feature: str) -> tuple[str, ...]:
    """Readouts that a feature is made of."""
    return READOUTS if feature == NAME else (feature,)
