"""What a reader of a report should know before believing a figure: few simulations, early ends, tumours at the edge, failures."""

from __future__ import annotations

import re
from html import escape

import numpy as np
import pandas as pd

from tme.viz.load import Run
from tme.viz.space import lattice_shape, voxel_of
from tme.viz.steered import steered
from tme.viz.style import arm_name

FEW = 4


def warnings(run: Run) -> list[str]:
    """What a reader should know before believing a figure."""
    out = []
    counts = {a: len(run.replicates(a)) for a in run.arms}
    fewest = min(counts.values(), default=0)
    if fewest == 0:
        out.append(
            "Some arms have no results yet: "
            + ", ".join(arm_name(a) for a, n in counts.items() if not n)
            + "."
        )
    elif fewest == 1:
        out.append(
            "An arm has a single simulation: no interval can be given for it, and differences may be chance."
        )
    elif fewest < FEW:
        out.append(
            f"Only {fewest} simulations in an arm: intervals are wide and rest on the assumption of "
            f"normality."
        )
    if len(set(counts.values())) > 1:
        out.append("Arms differ in their number of simulations; pairs are formed from those that all have.")
    if len(run.arms) > 1 and run.control is None:
        out.append("No untreated arm was found, so nothing is compared with a control.")
    out += steered(run.folder) + _stopped(run) + _edges(run) + _failed(run)
    if run.has("tumour_alive"):
        gone = [arm_name(a) for a in run.arms if (run.at(a, "tumour_alive") == 0).any()]
        if gone:
            out.append(
                f"The tumour vanished in at least one simulation of: {', '.join(gone)}. Means mix "
                f"two outcomes."
            )
    return out


def _stopped(run: Run) -> list[str]:
    """Simulations that ended before the others, with their reason where one is recorded."""
    early, due = _early(run)
    if early.empty:
        return []
    reasons = _stop_reasons(run)
    groups: dict[str, dict[str, list[float]]] = {}
    for (*_point, arm, replicate), hour in early.items():
        why = re.sub(r" at day [-\d.]+$", "", reasons.get((str(arm), int(replicate)), "no reason recorded"))
        groups.setdefault(why, {}).setdefault(str(arm), []).append(hour / 24)
    told = [f"{why}: {_who_stopped(run, arms)}" for why, arms in groups.items()]
    return [
        f"Stopped before day {due / 24:.3g}. {_sentence('; '.join(told))} Endpoints are read at the "
        f"last hour that "
        f"every simulation recorded, day {run.last_common_hour / 24:.3g}."
    ]


def _early(run: Run) -> tuple[pd.Series, float]:
    """Last hour (h) of simulations that ended before the horizon, by (sweep point,) arm and replicate; the horizon."""
    keys = [k for k in ("sweep", "arm", "replicate") if k in run.series]
    ends = run.series.groupby(keys)["hour"].max()
    horizon = run.config.get("horizon_day")
    due = 24.0 * float(horizon) if isinstance(horizon, (int, float)) else float(ends.max())
    return ends[ends < due - 1.0], due


def _who_stopped(run: Run, arms: dict[str, list[float]]) -> str:
    """`control 2 of 4 (day 2.3 to 2.6), combination 1 of 4 (day 2.9)`."""
    out = []
    for arm in run.arms:
        days = arms.get(arm, [])
        if days:
            first, last = f"{min(days):.3g}", f"{max(days):.3g}"
            when = f"day {first}" if first == last else f"day {first} to {last}"
            out.append(f"{arm_name(arm)} {len(days)} of {len(run.replicates(arm))} ({when})")
    return ", ".join(out)


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + "."


def _stop_reasons(run: Run) -> dict[tuple[str, int], str]:
    found = {}
    if {"arm", "replicate", "stop_reason"} <= set(run.summary):
        for row in run.summary.itertuples():
            if isinstance(row.stop_reason, str) and row.stop_reason:
                found[str(row.arm), int(row.replicate)] = row.stop_reason
    for event in run.events:
        if event.get("stop_reason") and "arm" in event and "replicate" in event:
            found.setdefault((str(event["arm"]), int(event["replicate"])), str(event["stop_reason"]))
    return found


def _edges(run: Run) -> list[str]:
    """Whether tumour cells of the last snapshots lie in the outermost voxels of the lattice."""
    if (run.config.get("initial") or {}).get("kind") == "monolayer" or run.lattice[0] is None:
        return []
    touching = set()
    for arm in run.arms:
        for replicate in run.replicates(arm):
            hours = run.hours(arm, replicate)
            try:
                cells = run.cells(arm, replicate, hours[-1], ["cell_type"]) if hours else {}
            except (OSError, KeyError):  # a torn file: the figures say so
                continue
            if "cell_type" in cells:
                shape = lattice_shape(run, cells, run.lattice[1])
                mine = np.asarray(cells["cell_type"]) == "tumour"
                for index, size in zip(voxel_of(cells, run.lattice[1]), shape):
                    if size > 2 and (np.isin(index[mine], (0, size - 1))).any():
                        touching.add(arm)
    if not touching:
        return []
    return [
        f"Tumour cells touch the edge of the domain in: "
        f"{', '.join(arm_name(a) for a in run.arms if a in touching)}. "
        "Growth there is held back by the wall, which makes other arms look better."
    ]


def _failed(run: Run) -> list[str]:
    failed = [e for e in run.events if "fail" in str(e.get("event", e.get("kind", ""))).lower()]
    unfinished = [p for p in run.folder.glob("*/rep-*") if p.is_dir() and not (p / "DONE").exists()]
    out = []
    if failed:
        named = {f"{arm_name(str(e.get('arm', '?')))} {e.get('replicate', '?')}" for e in failed}
        out.append(f"Failed at least once: {', '.join(sorted(named))}.")
    if unfinished:
        out.append(
            f"{len(unfinished)} simulation{'s' if len(unfinished) > 1 else ''} not finished when "
            f"this was written."
        )
    return out


def warnings_html(run: Run) -> str:
    found = warnings(run)
    if not found:
        return ""
    items = "".join(f"<li>{escape(w)}</li>" for w in found)
    return f'<div class="warnings" id="cautions"><strong>Before you read on</strong><ul>{items}</ul></div>'
