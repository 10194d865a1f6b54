"""What is wrong with a configuration, said so that its author can mend it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Fault:
    """One fault: where (file and line, or "--set"), which dotted key, what is wrong, what was expected.

    `line` 0 means no line applies (a missing file, a value from the command line).
    """

    file: str
    line: int
    key: str
    problem: str
    expected: str = ""
    meant: str = ""

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else self.file
        key = f" {self.key}:" if self.key else ""
        text = f"{where}:{key} {self.problem}"
        if self.expected:
            text += f"; expected {self.expected}"
        if self.meant:
            text += f"; did you mean '{self.meant}'?"
        return text


class ConfigError(ValueError):
    """All faults of a configuration at once; `str()` gives one line each."""

    exit_code = 2

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = list(dict.fromkeys(faults))
        super().__init__("\n".join(str(f) for f in self.faults))

    def __reduce__(self):
        return type(self), (self.faults,)


def tidy(faults: Iterable[Fault]) -> list[Fault]:
    """Faults in the order of their lines, each once, without those that only follow from another.

    A key that is missing because it stands there misspelt, or because the extended file was not found, and
    the wrong type of something whose name is unknown anyway, are not told.
    """
    faults = list(dict.fromkeys(faults))
    meant = {(f.file, f"{f.key.rpartition('.')[0]}.{f.meant}".lstrip(".")) for f in faults if f.meant}
    unknown = {f.key for f in faults if f.problem.startswith("unknown")}
    no_base = any(f.key == "extends" for f in faults)

    def follows(f: Fault) -> bool:
        if f.problem == "missing":
            return (f.file, f.key) in meant or (no_base and "." not in f.key)
        return f.key in unknown and not f.problem.startswith("unknown")

    files = list(dict.fromkeys(f.file for f in faults))
    return sorted((f for f in faults if not follows(f)), key=lambda f: (files.index(f.file), f.line))


def nearest(name: str, known: Iterable[str], cutoff: float = 0.6) -> str:
    """The known name closest to `name`, or '' if none is close.

    A name that only lacks or mistakes its unit suffix (dose_mg for dose_mg_kg, horizon_h for horizon_day)
    finds the right one before plain similarity is asked.
    """
    choices = list(known)
    low = str(name).lower().replace("-", "_").replace(" ", "_")
    for choice in choices:
        if choice.lower() == low:
            return choice
    close = difflib.get_close_matches(low, choices, n=1, cutoff=cutoff)
    stem = low.rsplit("_", 1)[0]
    same_stem = [
        c
        for c in choices
        if c.startswith(low + "_") or (len(stem) > 2 and (c == stem or c.startswith(stem + "_")))
    ]
    if same_stem and (not close or close[0] not in same_stem):
        return min(same_stem, key=len)
    return close[0] if close else ""


def listed(names: Iterable[str], most: int = 12) -> str:
    """Names for a message: all of a few, else the first dozen and how many more."""
    names = sorted(names)
    if not names:
        return "nothing (none exist)"
    if len(names) <= most:
        return "one of " + ", ".join(names)
    return "one of " + ", ".join(names[:most]) + f", ... ({len(names)} in all)"
