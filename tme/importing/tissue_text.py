"""A proposal of `tme import tissue` in words, as YAML, and as what its picture shows."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np

from tme.importing.tissue_names import Guess
from tme.model.initial_cells import report_lines
from tme.viz.tissue import Panels

SHOWN_TYPES = 30


def told(proposal: Any) -> list[str]:
    """What was found and guessed, a line each; names from the table are quoted, so that no sign of theirs acts on a terminal."""
    spec, doubts = proposal.spec, proposal.doubts
    unsure: dict[str, list[str]] = {}
    for key, text in doubts:
        unsure.setdefault(key, []).append(text)
    lines = [f"{proposal.file.name!r}: {sum(proposal.counts.values())} rows"]
    lines.append("columns: " + ", ".join(f"{k} {v!r}" for k, v in spec.columns.items()))
    lines.append(f"unit: {spec.unit}" + (f" of {spec.um_per_px:g} um" if spec.um_per_px else ""))
    lines.append("types:")
    for name, n in list(proposal.counts.items())[:SHOWN_TYPES]:
        guess = proposal.guesses.get(name, Guess("ignore"))
        lines.append(f"  {name!r} ({n}) -> {guess.value}" + (f"   unsure: {guess.doubt}" if guess.doubt else ""))
    if len(proposal.counts) > SHOWN_TYPES:
        lines.append(f"  and {len(proposal.counts) - SHOWN_TYPES} more")
    if spec.only:
        lines.append("only: " + ", ".join(f"{c!r} {v[0]!r}" for c, v in spec.only.items()))
    for column, rule in spec.traits.items():
        lines.append(f"marker {column!r} -> {rule.trait or rule.state}, by {rule.by}")
    size = " x ".join(f"{s:g}" for s in proposal.size_um)
    lines.append(f"lattice: {size} um in voxels of {proposal.dx_um:g} um; not in their own voxel at " + ", ".join(f"{dx:g} um {'no room' if share is None else format(share, '.0%')}" for dx, share in proposal.tried))
    lines += report_lines(proposal.arrangement.report)
    if doubts:
        lines.append(f"unsure of {len(doubts)} thing{'s' * (len(doubts) != 1)}:")
        lines += [f"  {key}: {text}" for key, texts in unsure.items() for text in texts]
    return lines


def quoted(text: str) -> str:
    """A string in double quotes as YAML has it; signs that do not print are escaped."""
    out = []
    for sign in text:
        if sign in '"\\':
            out.append("\\" + sign)
        elif sign.isprintable():
            out.append(sign)
        else:
            code = ord(sign)
            out.append(f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}" if code < 65536 else f"\\U{code:08x}")
    return '"' + "".join(out) + '"'


def value(item: Any) -> str:
    """A plain value in YAML's one-line style."""
    if isinstance(item, bool) or item is None:
        return {True: "true", False: "false", None: "null"}[item]
    if isinstance(item, (int, float)):
        return f"{item:g}" if abs(item) < 1e6 else repr(item)
    if isinstance(item, str):
        return item if re.fullmatch(r"[a-z][a-z0-9_]*", item) and item not in ("null", "true", "false", "yes", "no", "on", "off") else quoted(item)
    if isinstance(item, dict):
        return "{" + ", ".join(f"{value(str(k))}: {value(v)}" for k, v in item.items()) + "}"
    return "[" + ", ".join(map(value, item)) + "]"


def as_yaml(proposal: Any, file: str) -> str:
    """The config; what is unsure says so beside it."""
    spec, size = proposal.spec, [float(s) for s in proposal.size_um]
    stem = re.sub(r"[^A-Za-z0-9_.+-]+", "_", Path(file).name.split(".")[0]).strip("_.+-")[:60] or "tissue"
    general = {key: [t for k, t in proposal.doubts if k == key] for key in ("columns", "unit", "only", "roi", "domain")}
    lines = [f"# Proposed by `tme import tissue` from {quoted(proposal.file.name)}; look at every line marked unsure, and at the picture."]
    lines += [f"# unsure, {key}: {text}" for key, texts in general.items() for text in texts]
    lines.append(f"name: {quoted(stem)}")
    lines.append("horizon_day: 1")
    lines.append(f"domain: {{size_um: {value(size)}, dx_um: {proposal.dx_um:g}, thickness_um: {proposal.thickness_um:g}, at_edge: continue}}")
    lines += ["initial:", "  kind: cells", f"  file: {quoted(file)}", f"  columns: {value(dict(spec.columns))}"]
    lines.append(f"  unit: {spec.unit}")
    if spec.um_per_px is not None:
        lines.append(f"  um_per_px: {spec.um_per_px!r}")
    lines.append("  types:")
    for name, guess in proposal.guesses.items():
        lines.append(f"    {quoted(name)}: {guess.value}" + (f"   # unsure: {guess.doubt}" if guess.doubt else ""))
    if spec.only:
        lines.append(f"  only: {value({c: list(v) for c, v in spec.only.items()})}")
    if spec.roi is not None:
        lines.append(f"  roi: {value(spec.roi.model_dump())}")
    lines += [f"  {key}: {getattr(spec, key)}" for key in ("missing", "duplicates") if getattr(spec, key) != "refuse"]
    if spec.traits:
        lines.append("  traits:")
        for column, rule in spec.traits.items():
            what = {"trait": rule.trait} if rule.trait else {"state": rule.state}
            lines.append(f"    {quoted(column)}: {value({**what, 'by': rule.by, 'max_fold': rule.max_fold})}   # unsure: the order is measured, the width is chosen")
    guests = [k for k in dict.fromkeys(spec.types.values()) if k not in ("tumour", "ignore")]
    if guests:
        lines.append("# With `populations: {" + ", ".join(f"{k}: {{}}" for k in guests) + "}` more of them may come in through vessels.")
    lines.append("arms: {control: {}}   # add therapies here")
    return "\n".join(lines) + "\n"


def panels(proposal: Any) -> Panels:
    """What the picture shows: cells as the table has them, and on the lattice."""
    found, tissue = proposal.arrangement, proposal.arrangement.tissue
    n = [round(s / proposal.dx_um) for s in proposal.size_um]
    voxel = found.voxel
    places = np.stack([voxel % n[0], (voxel // n[0]) % n[1]], axis=1)
    return Panels(tissue.place_um[:, :2], tissue.name.astype(str), tissue.kind.astype(str), places, (n[0], n[1]), proposal.dx_um,
                  sum(found.report["unmapped_types"].values()) + found.report["ignored"])  # fmt: skip
