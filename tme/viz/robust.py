"""The figure of `tme robust`: how often each conclusion holds, what its spread is made of, what decides it, what rivals have."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from matplotlib.ticker import MaxNLocator

from tme.viz import style
from tme.viz.study import StudyPage
from tme.viz.style import Drawn

PARTS = (("seeds", "luck of the tumour", style.GREY), ("numbers", "numbers", style.BLUE), ("structure", "structure", style.ORANGE))
MOST_NUMBERS = 6
LONGEST = 20  # characters of a key on a line


def robust(page: StudyPage) -> list[Drawn]:
    """Probabilities and effects, shares of variance, what decides the last contrast, rivals."""
    told = page.summary["conclusions"]
    figure = style.new_figure(style.PAGE_IN, 5.6)
    grid = figure.add_gridspec(2, 2, height_ratios=(1.0, 1.15))
    first, second, third, fourth = (figure.add_subplot(grid[i, j]) for i in range(2) for j in range(2))
    _probabilities(first, told)
    _shares(second, [c for c in told if (c.get("shares") or {}).get("seeds", {}).get("value") is not None])
    shown = _decided(third, told)
    _rivals(fourth, page.summary["rivals"])
    style.panel_letters([a for a in (first, second, third, fourth) if a.get_visible()])
    caption = (
        f"{page.summary['draws']} draws with one tumour each and {page.summary['repeated']} with {page.summary['seeds']}. Probability of each conclusion with "
        "Wilson's 95 % interval, and in how many draws it was decided; shares of the variance of each effect from luck, numbers and structure; "
        f"what explains whether {shown} holds: first-order share, in bins, filled where it exceeds what chance shows (dashed), with the value where the conclusion flips; share "
        "of the variance between draws that simple rivals explain (cut at -0.5; below 0 the mean alone does better)."
    )
    return [Drawn("robust", "Does the conclusion hold?", figure, caption)]


def _name(text: str) -> str:
    """A contrast on an axis; an index by its combination and what that is held against."""
    index = re.fullmatch(r"(\w+)\(([^;]+);.*\) ([<>].*)", text)
    if index:
        return style.wrapped(style.arm_name(index[2]), 270) + f"\nover {index[1].title() if index[1] != 'hsa' else 'the better agent'} {index[3]}"
    first, sign, second = text.partition(" < ") if " < " in text else text.partition(" > ")
    return style.wrapped(style.arm_name(first), 270) + (f"\n{sign.strip()} {style.arm_name(second)}" if sign else "")


def _probabilities(axis: Any, told: list[dict[str, Any]]) -> None:
    """A dot with its interval per conclusion."""
    known = [c for c in told if c["probability"]["value"] is not None]
    at = np.arange(len(known))
    for k, c in zip(at, known):
        p = c["probability"]
        axis.plot([p["low"], p["high"]], [k, k], color=style.BLUE, lw=1.5)
        axis.plot(p["value"], k, "o", color=style.BLUE, ms=4)
        axis.annotate(f"{c['held']}/{c['decided']}", (p["value"], k), xytext=(0, 4), textcoords="offset points", ha="center", fontsize=style.SMALL_PT - 0.5)
    axis.axvline(0.5, color=style.GREY, lw=0.6, ls=":")
    axis.set_yticks(at, [_name(c["contrast"]) for c in known])
    axis.set(xlim=(-0.03, 1.03), ylim=(len(known) - 0.4, -0.7), xlabel="probability that it holds")


def _shares(axis: Any, told: list[dict[str, Any]]) -> None:
    """Stacked shares of variance."""
    axis.set_visible(bool(told))
    left = np.zeros(len(told))
    at = np.arange(len(told))
    for key, label, colour in PARTS if told else ():
        share = np.array([c["shares"][key]["value"] for c in told])
        axis.barh(at, share, left=left, color=colour, height=0.6, label=label)
        left += share
    axis.set_yticks(at, [_name(c["contrast"]) for c in told])
    axis.set(xlim=(0, 1), ylim=(len(told) - 0.4, -0.6), xlabel="share of variance")
    axis.legend(loc="lower right", bbox_to_anchor=(1.03, 1.0), ncols=3, columnspacing=0.8, handlelength=1.1, handletextpad=0.4, fontsize=style.SMALL_PT)


def _decided(axis: Any, told: list[dict[str, Any]]) -> str:
    """Bars of what decides one conclusion: of those that something decides the one closest to even; returns which."""
    open_ones = [c for c in told if c["decides"]]
    axis.set_visible(bool(open_ones))
    if not open_ones:
        return "none"
    c = min(open_ones, key=lambda c: (not any(d["beyond_chance"] for d in c["decides"]), abs(c["probability"]["value"] - 0.5)))
    rows = c["decides"][:MOST_NUMBERS]
    at = np.arange(len(rows))
    for k, d in zip(at, rows):
        axis.barh(k, max(d["share"], 0.0), color=style.GREEN if d["beyond_chance"] else "white", edgecolor=style.GREEN, height=0.6)
        flip = f"flips at {d['flips_at']:.3g} {d['unit']}".removesuffix(" 1") if d.get("flips_at") is not None and d["beyond_chance"] else ""
        axis.annotate(flip, (max(d["share"], 0.0), k), xytext=(3, 0), textcoords="offset points", va="center", fontsize=style.SMALL_PT - 0.5)
    axis.axvline(rows[0]["chance"], color=style.GREY, lw=0.8, ls="--")
    axis.set_yticks(at, [_key(d["name"]) for d in rows])
    axis.set(ylim=(len(rows) - 0.4, -0.6), xlim=(0, 1.45 * max(0.02, rows[0]["share"], rows[0]["chance"])), xlabel="share explained of whether it holds")
    axis.xaxis.set_major_locator(MaxNLocator(5))
    axis.set_title(_name(c["contrast"]).replace("\n", " "))
    return c["contrast"]


def _key(key: str) -> str:
    """A dotted key without its kind, in lines that end at dots, so that it is found in the table; a switch's name as it is."""
    if " " in key:
        return style.wrapped(key, 330)
    parts = key.split(".")
    lines = [""]
    for part in parts[{"entries": 2, "mechanisms": 1}.get(parts[0], 0) :]:
        if lines[-1] and len(lines[-1]) + len(part) > LONGEST:
            lines.append("")
        lines[-1] += f"{part}."
    return "\n".join(lines).removesuffix(".")


def _rivals(axis: Any, found: dict[str, Any]) -> None:
    """What each rival explains of the combination's size and of the excess."""
    axis.set_visible(bool(found))
    names = list(found)
    for shift, key, label, colour in ((-0.18, "combination", "size of the combination", style.BLUE), (0.18, "excess", "excess over Bliss", style.ORANGE)):
        values = [found[n][key] for n in names]
        axis.barh(np.arange(len(names)) + shift, [np.nan if v is None else max(v, -0.5) for v in values], height=0.34, color=colour, label=label)
    axis.axvline(0, color=style.GREY, lw=0.6)
    axis.set_yticks(range(len(names)), [style.wrapped(n, 330) for n in names])
    axis.set(ylim=(len(names) - 0.4, -0.6), xlim=(-0.55, 1.05), xlabel="share of variance explained")
    if names:
        axis.legend(loc="lower right", bbox_to_anchor=(1.03, 1.0), ncols=2, columnspacing=0.8, handlelength=1.1, handletextpad=0.4, fontsize=style.SMALL_PT)
