"""Units as SBML defines them: products of powers of its base units."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

# unit -> (SBML's kind, exponent, scale as a power of ten, multiplier) of each factor
_KNOWN: dict[str, tuple[tuple[str, int, int, float], ...]] = {
    "1": (("dimensionless", 1, 0, 1.0),),
    "min": (("second", 1, 0, 60.0),),
    "h": (("second", 1, 0, 3600.0),),
    "umol": (("mole", 1, -6, 1.0),),
    "nM": (("mole", 1, -9, 1.0), ("litre", -1, 0, 1.0)),
    "uM": (("mole", 1, -6, 1.0), ("litre", -1, 0, 1.0)),
    "mM": (("mole", 1, -3, 1.0), ("litre", -1, 0, 1.0)),
    "ng": (("gram", 1, -9, 1.0),),
    "mL": (("litre", 1, -3, 1.0),),
    "mmHg": (("pascal", 1, 0, 133.322387415),),
    "um": (("metre", 1, -6, 1.0),),
}
_FACTOR = re.compile(r"([A-Za-z]+|1)(?:\^(-?\d+))?")


class Units:
    """The unit definitions that a document needs, by the units' texts."""

    def __init__(self) -> None:
        self._made: dict[str, tuple[str, list[tuple[str, int, int, float]]]] = {}

    def name_of(self, text: str) -> str:
        """The id of a unit such as `1/(uM min)`; '' where it has none, as a nominal `a.u.`."""
        if text == "1":
            return "dimensionless"
        if text not in self._made:
            factors = parsed(text)
            if factors is None:
                return ""
            word = re.sub(r"[^A-Za-z0-9]+", "_", text.replace("/", " per ")).strip("_")
            self._made[text] = (f"unit_{word}", factors)
        return self._made[text][0]

    def write(self, parent: ET.Element) -> None:
        """Into <listOfUnitDefinitions>."""
        for name, factors in self._made.values():
            listed = ET.SubElement(ET.SubElement(parent, "unitDefinition", {"id": name}), "listOfUnits")
            for kind, exponent, scale, multiplier in factors:
                ET.SubElement(listed, "unit", {"kind": kind, "exponent": str(exponent), "scale": str(scale), "multiplier": repr(multiplier)})


def parsed(text: str) -> list[tuple[str, int, int, float]] | None:
    """Factors of `above/below`, where blanks multiply and `below` may stand in brackets; None where a word is unknown."""
    above, slash, below = text.partition("/")
    out: list[tuple[str, int, int, float]] = []
    for part, sign in ((above, 1), (below.strip("() "), -1)):
        if not part and (sign == 1 or slash):
            return None
        for word in part.split():
            found = _FACTOR.fullmatch(word)
            if found is None or found[1] not in _KNOWN:
                return None
            times = sign * int(found[2] or 1)
            out += [(kind, exponent * times, scale, multiplier) for kind, exponent, scale, multiplier in _KNOWN[found[1]] if kind != "dimensionless"]
    return out or [("dimensionless", 1, 0, 1.0)]
