"""Figures on the report's page: the first ones beside the answer, then the loop, then the rest, numbered in the order in which they stand."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from html import escape
from pathlib import Path

FIRST = ("growth", "maps")  # beside the answer
LOOP = re.compile(r"chain(_\d+)?$")
MOST_FIRST = 2
SCREEN_PX = 80  # least pixels of a screen for an inch of a printed figure


@dataclass(frozen=True)
class Shown:
    """A figure as it is shown: heading, caption and its picture."""

    title: str
    caption: str
    path: Path
    width_in: float = 7.2  # as printed

    @property
    def name(self) -> str:
        return self.path.stem


@dataclass(frozen=True)
class Placed:
    """The page's figures as HTML: those of the first screen, those of the loop, and the rest."""

    first: str
    loop: str
    rest: str


def placed(drawn: list[Shown]) -> Placed:
    """Figures put in their places. A run without growth or maps, such as a sweep, opens with its first two."""
    by_name = {one.name: one for one in drawn}
    first = [by_name[name] for name in FIRST if name in by_name] or drawn[:MOST_FIRST]
    loop = [one for one in drawn if LOOP.fullmatch(one.name) and one not in first]
    rest = [one for one in drawn if one not in first and one not in loop]
    html = {one.name: figure_html(n, one) for n, one in enumerate([*first, *loop, *rest], 1)}
    return Placed(*("\n".join(html[one.name] for one in group) for group in (first, loop, rest)))


def figure_html(number: int, one: Shown) -> str:
    """A figure with its picture inside the page."""
    # letters of 7 pt stay legible on a phone, where wide figures scroll, and are not blown up on a wide screen
    size = f"min-width:{SCREEN_PX * one.width_in:.0f}px;max-width:{2 * SCREEN_PX * one.width_in:.0f}px"
    data = base64.b64encode(one.path.read_bytes()).decode("ascii")
    return (
        f'<figure id="{escape(one.name)}"><h3>Figure {number}. {escape(one.title)}</h3>'
        f'<div class="scroll"><img src="data:image/png;base64,{data}" alt="{escape(one.title)}" style="{size}"></div>'
        f"<figcaption>{escape(one.caption)}</figcaption></figure>"
    )
