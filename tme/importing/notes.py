"""What an import says of its source: taken as it is, approximated, left out, assumed, or worth a warning, each with file and line."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Word = Literal["left out", "approximated", "warning", "added", "taken"]
ORDER: tuple[Word, ...] = ("left out", "approximated", "warning", "added", "taken")
HEADINGS: dict[Word, str] = {
    "left out": "Left out: the config does not have these",
    "approximated": "Approximated: the config has something like it",
    "warning": "Warnings: the source says one thing and does, or may mean, another",
    "added": "Added: what the model here needs and the source does not say",
    "taken": "Taken as it is",
}


@dataclass(frozen=True)
class Note:
    """One thing said of a place in the source; line 0: of no line in particular."""

    word: Word
    file: str
    line: int
    what: str
    why: str = ""

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else self.file
        return f"{where}: {self.what}" + (f": {self.why}" if self.why else "")


def in_order(notes: Iterable[Note]) -> list[Note]:
    """Each once, by word, then file and line."""
    return sorted(dict.fromkeys(notes), key=lambda n: (ORDER.index(n.word), n.file, n.line))


def as_markdown(title: str, notes: Iterable[Note]) -> str:
    """The report that is written beside a config. Text of the source stands in it as code, so that it can mean nothing else."""
    notes = in_order(notes)
    lines = [f"# {markdown(title)}", ""]
    for word in ORDER:
        some = [n for n in notes if n.word == word]
        lines += [f"## {HEADINGS[word]} ({len(some)})", ""]
        lines += [f"- {code(f'{n.file}:{n.line}' if n.line else n.file)} {markdown(n.what)}" + (f": {markdown(n.why)}" if n.why else "") for n in some]
        lines += ["nothing"] * (not some) + [""]
    return "\n".join(lines)


def code(text: str) -> str:
    """Text as code of Markdown, whatever it holds."""
    plain = printable(text).replace("`", "'")
    return f"`{plain}`"


def markdown(text: str) -> str:
    """Text for Markdown: what would be markup or HTML stands as itself."""
    out = printable(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    for mark in "\\`*_[]|#!":
        out = out.replace(mark, "\\" + mark)
    return out


def printable(text: str) -> str:
    """Text without line breaks, control characters and marks that turn the direction of writing."""
    return "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in text)


def shown(text: str, most: int = 60) -> str:
    """Text of a stranger's file for a message: in quotes, printable, not long."""
    return f"'{bare(text, most)}'"


def bare(text: str, most: int = 60) -> str:
    """The same without quotes."""
    return printable(text if len(text) <= most else text[:most] + "...")
