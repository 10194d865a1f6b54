"""Read a PhysiCell settings file: a tree of elements that know their lines, within limits, without entities.

The file may come from anywhere: a document type, an entity, more than `MOST_BYTES`, `MOST_ELEMENTS` or `MOST_DEPTH` is
refused before anything is made of it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from xml.parsers import expat

from tme.config.errors import Fault, listed, nearest
from tme.importing.notes import bare, shown
from tme.importing.physicell_layout import VOLUME, WHY, layout_of

MOST_BYTES, MOST_ELEMENTS, MOST_DEPTH = 16 << 20, 200_000, 64
SEVERAL = ("variable", "boundary_value", "cell_definition", "rate", "duration", "model", "substrate", "chemotactic_sensitivity", "ruleset")
TRUE, FALSE = ("true", "1", "yes", "t", "y"), ("false", "0", "no", "f", "n", "")


@dataclass
class Element:
    """One element: name, attributes, text, children, and the line on which it begins."""

    tag: str
    line: int
    attributes: dict[str, str] = field(default_factory=dict)
    text: str = ""
    children: list[Element] = field(default_factory=list)

    def all(self, tag: str) -> list[Element]:
        """Children of a name."""
        return [c for c in self.children if c.tag == tag]

    def find(self, path: str) -> Element | None:
        """The first element at a path of names, `a/b/c`."""
        here: Element | None = self
        for tag in path.split("/"):
            here = next((c for c in here.children if c.tag == tag), None) if here is not None else None
        return here

    def walk(self) -> Iterator[Element]:
        """The element and all below it."""
        yield self
        for child in self.children:
            yield from child.walk()


class Refused(Exception):
    """What a parser found that it does not read; the text says what."""


def parse(data: bytes) -> Element:
    """The tree of an XML document. Refused where it is broken, too large, or has a document type or entities."""
    root = Element("", 0)
    stack, count = [root], 0
    parser = expat.ParserCreate()
    parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)

    def begin(tag: str, attributes: dict[str, str]) -> None:
        nonlocal count
        count += 1
        if count > MOST_ELEMENTS:
            raise Refused(f"more than {MOST_ELEMENTS} elements")
        if len(stack) > MOST_DEPTH:
            raise Refused(f"elements within elements, more than {MOST_DEPTH} deep")
        element = Element(tag, parser.CurrentLineNumber, dict(attributes))
        stack[-1].children.append(element)
        stack.append(element)

    def end(tag: str) -> None:
        stack.pop()

    def characters(text: str) -> None:
        stack[-1].text += text

    def refuse(what: str) -> Callable[..., None]:
        def handler(*_: object) -> None:
            raise Refused(f"has {what}, which PhysiCell's files have not and which is not read")
        return handler

    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = begin, end, characters
    parser.StartDoctypeDeclHandler = refuse("a document type")
    parser.EntityDeclHandler = refuse("an entity")
    parser.ExternalEntityRefHandler = refuse("an external entity")  # type: ignore[assignment]
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        raise Refused(f"is broken XML: {expat.errors.messages[error.code]}", error.lineno) from None
    except Refused as error:
        raise Refused(str(error), parser.CurrentLineNumber) from None
    return root.children[0]


class Reader:
    """Values of elements of one file; what is wrong becomes a fault with the line, and a value that goes on."""

    def __init__(self, file: str, faults: list[Fault]) -> None:
        self.file, self.faults = file, faults

    def fault(self, element: Element | int, key: str, problem: str, expected: str = "", meant: str = "") -> None:
        """Tell what is wrong at an element, or a line."""
        line = element if isinstance(element, int) else element.line
        self.faults.append(Fault(self.file, line, key, problem, expected, meant))

    def number(self, parent: Element | None, path: str, units: tuple[str, ...] = (), default: float | None = None,
               low: float = -math.inf, high: float = math.inf) -> float | None:  # fmt: skip
        """The number at a path, in one of the `units` that mean the same (none: any); the default where there is none."""
        element = parent.find(path) if parent is not None else None
        return default if element is None else self.value(element, units, default, low, high)

    def value(self, element: Element, units: tuple[str, ...] = (), default: float | None = None, low: float = -math.inf, high: float = math.inf) -> float | None:
        """The number that an element holds."""
        text = element.text.strip()
        try:
            number = float(text)
        except ValueError:
            number = math.nan
        if not math.isfinite(number) or "_" in text:
            self.fault(element, element.tag, f"is {shown(text)}; PhysiCell reads what is no number as 0 or as its beginning", "a number")
            return default
        if not low <= number <= high:
            bounds = f"{low:g} or more" if math.isinf(high) else f"{low:g} to {high:g}"
            self.fault(element, element.tag, f"is {number:g}, which PhysiCell takes without a word", bounds)
            return default
        self.check_unit(element, units)
        return number

    def check_unit(self, element: Element, units: tuple[str, ...]) -> None:
        """PhysiCell prints units and never converts: another one than it computes in is another number than meant."""
        said = element.attributes.get("units", "")
        plain = said.replace(" ", "").replace("\u00b5", "u").replace("\u03bc", "u").replace("um", "micron").replace("minutes", "min").replace("^-1", "-1").lower()
        if units and said and plain not in units:
            self.fault(element, element.tag, f"is given in {shown(said)}; PhysiCell does not convert units and takes the number as {units[0]}", f"the number in {units[0]}, and units=\"{units[0]}\"")

    def switch(self, element: Element | None, default: bool = False) -> bool:
        """Whether an element, or its attribute `enabled`, says true."""
        if element is None:
            return default
        said = element.attributes.get("enabled", element.text).strip().lower()
        if said not in TRUE and said not in FALSE:
            self.fault(element, element.tag, f"is {shown(said)}, which PhysiCell takes as false", "true or false")
        return said in TRUE


def open_settings(path: Path, name: str, faults: list[Fault]) -> Element | None:
    """The root of a settings file; None, with the fault, where it cannot be read."""
    try:
        size = path.stat().st_size
        if size > MOST_BYTES:
            raise Refused(f"has {size / 1e6:.0f} MB; expected at most {MOST_BYTES >> 20} MB")
        root = parse(path.read_bytes())
    except OSError as error:
        faults.append(Fault(name, 0, "", f"cannot be read: {error.strerror}"))
        return None
    except Refused as error:
        faults.append(Fault(name, error.args[1] if len(error.args) > 1 else 0, "", str(error.args[0])))
        return None
    if root.tag != "PhysiCell_settings":
        faults.append(Fault(name, root.line, "", f"begins with <{bare(root.tag)}>", "<PhysiCell_settings>", nearest(root.tag, ["PhysiCell_settings"])))
        return None
    return root


def misplaced(root: Element, file: str, faults: list[Fault]) -> Iterator[tuple[int, str, str]]:
    """(line, element, why it is left out) of what changes nothing here and of what nobody knows; a fault for known names misspelt or said twice.

    A misspelt element is none to PhysiCell: what it should have set keeps its default without a word. Elements of one name
    are told once, with how many there are.
    """
    dull: dict[str, list[int]] = {}
    todo = [(root, "")]
    while todo:
        element, above = todo.pop()
        layout = layout_of(element.tag, above)
        if layout is None:
            continue
        seen: dict[str, int] = {}
        for child in element.children:
            if child.tag in seen and child.tag not in SEVERAL:
                said = f"stands here a second time; PhysiCell reads the first, of line {seen[child.tag]}, and passes over this one"
                faults.append(Fault(file, child.line, f"{element.tag}.{bare(child.tag)}", said, "one of them"))
            seen.setdefault(child.tag, child.line)
            if child.tag in layout[1]:
                dull.setdefault(f"{element.tag}/{child.tag}", []).append(child.line)
            elif child.tag in layout[0]:
                todo.append((child, element.tag))
            elif meant := nearest(child.tag, (*layout[0], *layout[1]), 0.8):
                said = "unknown element, which PhysiCell passes over without a word"
                faults.append(Fault(file, child.line, f"{element.tag}.{bare(child.tag)}", said, listed((*layout[0], *layout[1]), 20), meant))
            else:
                yield child.line, f"{element.tag}/{bare(child.tag)}", "no element that PhysiCell reads is known by this name"
    for name, lines in dull.items():
        tag = name.rpartition("/")[2]
        often = f", {len(lines)} times" if len(lines) > 1 else ""
        yield min(lines), f"{name}{often}", WHY.get(tag, VOLUME)
