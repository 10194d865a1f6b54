"""The files of an import: the config, its library, the table of cells on the lattice."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any

from ruamel.yaml import YAML

from tme.importing.notes import Note, printable
from tme.importing.physicell_cells import Table
from tme.importing.physicell_data import Domain
from tme.importing.physicell_grammar import Setting, number
from tme.importing.physicell_parts import Parts
from tme.library import load_library

INSET = 1e-3  # um: cells stay within the walls by so much
CORNER = "corner"


@dataclass
class Lattice:
    """The lattice for a domain: whole voxels, its middle that of the domain."""

    domain: Domain
    dx_um: float

    @property
    def axes(self) -> str:
        """The axes it has."""
        return "xy" if self.domain.flat else "xyz"

    def span(self, axis: str) -> tuple[float, float]:
        """Lower corner and length, um."""
        low, high = getattr(self.domain, axis)
        length = max(1, round((high - low) / self.dx_um)) * self.dx_um
        return 0.5 * (low + high - length), length

    def place(self, axis: str, value: float) -> float:
        """A coordinate from the lattice's own corner, within its walls."""
        corner, length = self.span(axis)
        return min(max(value - corner, INSET), length - INSET)

    def notes(self, file: str, table: Table) -> list[Note]:
        """What the lattice does to extent and cells."""
        out = []
        sizes = {a: (getattr(self.domain, a)[1] - getattr(self.domain, a)[0], self.span(a)[1]) for a in self.axes}
        if any(before != after for before, after in sizes.values()):
            said = ", ".join(f"{a} {before:g} to {after:g}" for a, (before, after) in sizes.items())
            out.append(Note("approximated", file, self.domain.line, "the domain is whole voxels", f"{said} um, of {self.dx_um:g} um each, about its middle"))
        moved = sum(any(self.place(a, v) != v - self.span(a)[0] for a, v in zip(self.axes, place)) for place in table.places)
        if moved:
            out.append(Note("approximated", file, self.domain.line, f"{moved} cells lay beyond the last whole voxel", "moved to the wall"))
        return [*out, Note("approximated", file, self.domain.line, "cells sit on a lattice", "one tissue cell to a voxel; a cell whose voxel is taken goes to the nearest free one")]


def config_of(setting: Setting, parts: Parts, lattice: Lattice, entries: dict[str, Any], name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The config, and the library beside it; names of files are left to whoever writes them."""
    project = setting.project
    days = float(f"{max(round(project.minutes), 1) / 1440.0:.10g}")
    tumours = {"physicell": {
        "about": "tumour cells of a PhysiCell project: all alike",
        "cv": number(0.0, "1", "chosen: PhysiCell's cells of a type are alike"), "drift_per_division": number(0.0, "1", "chosen: as the variation"),
        "antigenicity_mean": number(1.0, "1", "chosen: PhysiCell's attack rate is all of it"), "antigenicity_cv": number(0.0, "1", "chosen: as the variation"),
        "mass_g": number(0.5, "g", "assumed: for doses only"), "mouse_g": number(20.0, "g", "assumed: for doses only"),
    }}  # fmt: skip
    off = {n: "off" for n, r in load_library().rules.items() if r.default and "tumour" in r.cells and r.term.startswith(("division.", "death.", "invasion.", "secretion.", "uptake."))}
    held: dict[str, Any] = {"cystine": {"initial": 40, "held": True}}
    sinks = {item["field"] for entry in entries["cells"].values() for item in entry.get("takes_up", ())}
    o2 = entries["fields"].get("oxygen")
    if o2 is None:
        held["oxygen"] = {"initial": 38, "held": True, "vessel_exchange": 0}
    elif not o2.get("walls") and o2["decay"]["value"] == 0.0 and "oxygen" not in sinks:
        held["oxygen"] = {"held": True}
    kinds = {kind: kind for kind in dict.fromkeys(setting.kinds.values())}
    size = [float(f"{lattice.span(a)[1]:g}") for a in lattice.axes]
    config = {
        "schema": 2, "name": name, "seed": project.seed if project.seed is not None else 1, "horizon_day": days,
        "domain": {"size_um": size, "dx_um": lattice.dx_um, **({"thickness_um": project.domain.dz} if project.domain.flat else {}), "at_edge": "continue"},
        "initial": {"kind": "cells", "file": "", "columns": {a: f"{a}_um" for a in lattice.axes} | {"type": "cell_type"},
                    "types": {**kinds, CORNER: "ignore"}, "unit_um": 1},
        "tumour": {"preset": "physicell"},
        "library": [],
        "fields": held,
        "mechanisms": parts.mechanisms(),
        "rules": {**dict.fromkeys(entries["rules"], "on"), **off},
        "arms": {"control": {}},
        "output": {"record_every_h": 1 if days <= 3 else 6, "snapshot_days": sorted({0.0, float(f"{days / 2:.6g}"), days})},
        "quick": {"horizon_day": min(days, 0.25), "output": {"record_every_h": 1}},
    }  # fmt: skip
    parts_of = {"fields": entries["fields"], "cells": entries["cells"], "tumours": tumours, "rules": entries["rules"]}
    return config, {k: v for k, v in parts_of.items() if v}


def table_text(table: Table, kinds: dict[str, str], lattice: Lattice) -> str:
    """The cells as our table, from the lattice's corner on. Two rows that are no cells mark its corners, so that the middle of the table is the middle of the domain."""
    axes = lattice.axes
    lines = [",".join([*(f"{a}_um" for a in axes), "cell_type"])]
    lines.append(",".join([*("0.0005" for _ in axes), CORNER]))
    lines.append(",".join([*(f"{lattice.span(a)[1] - 0.0005:.4f}" for a in axes), CORNER]))
    there: set[str] = set()
    for place, name in zip(table.places, table.types):
        at = [lattice.place(a, v) for a, v in zip(axes, place)]
        while (line := ",".join([*(f"{v:.4f}" for v in at), kinds[name]])) in there:
            at[0] += INSET if at[0] < 0.5 * lattice.span("x")[1] else -INSET  # two cells at one place are two rows
        there.add(line)
        lines.append(line)
    return "\n".join(lines) + "\n"


def as_yaml(data: dict[str, Any], head: str) -> str:
    """Plain data as YAML below a remark; text of the source is escaped by the writer."""
    text = io.StringIO()
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = None
    yaml.width = 150
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    yaml.dump(data, text)
    return f"# {printable(head)}\n{text.getvalue()}"
