"""Formulas as MathML, in the part of it that SBML takes."""

from __future__ import annotations

import xml.etree.ElementTree as ET

from tme.exporting.trace import Formula, of

MATHML = "http://www.w3.org/1998/Math/MathML"
_ELEMENTS = {"+": "plus", "-": "minus", "*": "times", "/": "divide", "^": "power", "ln": "ln", "exp": "exp", "sqrt": "root"}


def number(value: float) -> str:
    """A float with all its digits, as SBML writes it."""
    return {"inf": "INF", "-inf": "-INF", "nan": "NaN"}.get(repr(float(value)), repr(float(value)))


def math_of(formula: Formula | float) -> ET.Element:
    """<math> of a formula."""
    root = ET.Element("math", {"xmlns": MATHML})
    _add(root, of(formula))
    return root


def _add(parent: ET.Element, formula: Formula) -> None:
    if formula.op == "num":
        _add_number(parent, formula.parts[0])
    elif formula.op == "name":
        ET.SubElement(parent, "ci").text = formula.parts[0]
    elif formula.op == "positive":
        piece = ET.SubElement(ET.SubElement(parent, "piecewise"), "piece")
        _add(piece, formula.parts[0])
        condition = ET.SubElement(piece, "apply")
        ET.SubElement(condition, "gt")
        _add(condition, formula.parts[0])
        _add_number(condition, 0.0)
        _add_number(ET.SubElement(parent[-1], "otherwise"), 0.0)
    else:
        apply = ET.SubElement(parent, "apply")
        ET.SubElement(apply, _ELEMENTS[formula.op])
        for part in formula.parts:
            _add(apply, part)


def _add_number(parent: ET.Element, value: float) -> None:
    mantissa, _, exponent = repr(float(value)).partition("e")
    element = ET.SubElement(parent, "cn")
    element.text = mantissa
    if exponent:
        element.set("type", "e-notation")
        ET.SubElement(element, "sep").tail = str(int(exponent))


def compared(how: str, name: str, value: float) -> ET.Element:
    """<math> of name compared with a number; `how` is geq, gt, leq or lt."""
    root = ET.Element("math", {"xmlns": MATHML})
    apply = ET.SubElement(root, "apply")
    ET.SubElement(apply, how)
    ET.SubElement(apply, "ci").text = name
    _add_number(apply, value)
    return root


def symbol(what: str) -> ET.Element:
    """<math> of SBML's own quantity, `time`."""
    root = ET.Element("math", {"xmlns": MATHML})
    ET.SubElement(root, "csymbol", {"encoding": "text", "definitionURL": f"http://www.sbml.org/sbml/symbols/{what}"}).text = what
    return root
