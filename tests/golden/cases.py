"""Golden runs: shipped experiments cut down to seconds, what is kept of each, and how closely it must agree.

Integers (counts of cells and of events) agree exactly; floats within `TOLERANCE`, which leaves room for another
processor's or library's last bits and for nothing else.
"""

from __future__ import annotations

import hashlib
import json
import math
from pathlib import Path
from typing import Any

from tme.model import TumourModel, load_config

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
CHANGELOG = ROOT / "CHANGELOG.md"
STORE = HERE / "golden.json"
TOLERANCE = 1e-6  # relative: bits are meant to be equal; one more cycle of a solver would already show
FLOOR = 1e-9  # absolute, for numbers that are nothing

SMALL = ("domain.size_um=[700, 700]", "initial.n_cells=300")
# name -> (config, arm, changes, hours)
CASES: dict[str, tuple[str, str, tuple[str, ...], float]] = {
    "quick": ("quick", "control", (*SMALL, "start_day=0", "branch_at_day=null"), 12.0),
    "four_arms": ("four_arms", "combination", (*SMALL, "start_day=0", "branch_at_day=null", "populations.cd8.per_mm2=200"), 16.0),
    "wave": ("wave", "erastin", ("domain.size_um=[400, 400]",), 7.0),
    "rescue": ("rescue", "ferrostatin", ("domain.size_um=[300, 300]",), 12.0),
    "iron_np": ("iron_np", "injected", (*SMALL, "start_day=0", "branch_at_day=null", "arms.injected.nanoparticles.0.dose_mg_kg=0.5"), 24.0),
    "systemic_ike": ("systemic_ike", "ike", (*SMALL, "start_day=0", "branch_at_day=null", "arms.ike.drugs.0.dose_mg_kg=40"), 6.0),
    "spheroid_3d": ("spheroid_3d", "rsl3", ("domain.size_um=[340, 340, 340]", "initial.n_cells=900", "domain.at_edge=continue"), 8.0),
    "tissue": ("tissue", "rsl3_np", (), 6.0),
}
COUNTS = ("tumour_alive", "corpses", "births", "dead_ferroptosis", "dead_immune", "dead_necrosis", "dead_apoptosis", "cleared",
          "cd8", "cd8_recruited", "treg", "macrophage", "dc_immature", "dc_mature", "kills")  # fmt: skip
CHEMISTRY = ("gsh", "gpx4", "lip", "pufa", "plooh", "cysteine", "coq10h2", "ferritin", "ifng_response", "pdl1")


def run(name: str) -> dict[str, Any]:
    """The numbers of one case, from its config as it stands."""
    config_name, arm, changes, hours = CASES[name]
    model = TumourModel(load_config(ROOT / "configs" / f"{config_name}.yaml", overrides=changes), seed=20, arm=arm)
    while model.sim_hour < hours and model.running:
        model.step()
    return numbers(model)


def numbers(model: TumourModel) -> dict[str, Any]:
    """Counts, a checksum of places, means of fields, medians of the chemistry of living cells."""
    row = model.observe()
    alive = model.tumour.state == 0
    floats: dict[str, float] = {f"field.{n}": float(f.concentration.mean()) for n, f in model.fields.items()}
    for column in CHEMISTRY:
        values = sorted(getattr(model.tumour, column)[alive].tolist())
        floats[f"tumour.{column}"] = values[len(values) // 2] if values else 0.0
    floats["immune_exhaustion"] = float(model.cd8.exhaustion.sum())
    return {
        "tick": int(model.tick),
        "counts": {key: int(row[key]) for key in COUNTS},
        "places": {p.kind: int((p.voxel.astype("i8") * (p.uid % 1009).astype("i8")).sum() % 2**31) for p in model.populations},
        "floats": {key: float(f"{value:.12g}") for key, value in floats.items()},
    }


def differences(seen: dict[str, Any], kept: dict[str, Any]) -> list[str]:
    """What does not agree, a line each."""
    out = []
    for part in ("counts", "places", "floats"):
        for key in sorted({*seen[part], *kept[part]}):
            a, b = seen[part].get(key), kept[part].get(key)
            equal = a == b if part != "floats" or a is None or b is None else math.isclose(a, b, rel_tol=TOLERANCE, abs_tol=FLOOR)
            if not equal:
                out.append(f"{part}.{key}: {a}, golden {b}")
    return out + ([f"tick: {seen['tick']}, golden {kept['tick']}"] if seen["tick"] != kept["tick"] else [])


def stored() -> dict[str, Any]:
    """The golden numbers, {} if there are none."""
    return json.loads(STORE.read_text()) if STORE.exists() else {}


def dumped(golden: dict[str, Any]) -> str:
    """The file's text."""
    return json.dumps(golden, indent=1, sort_keys=True) + "\n"


def mark(text: str) -> str:
    """Eight hexadecimal digits that stand for a set of golden numbers."""
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def newest_section(changelog: str) -> str:
    """The text between the first heading of a version and the next."""
    return ("\n" + changelog).split("\n## ")[1] if "\n## " in "\n" + changelog else ""


def explained(text: str, changelog: str) -> bool:
    """Whether the newest section has a line that says why the golden numbers are these."""
    return any("golden" in line.lower() and mark(text) in line for line in newest_section(changelog).splitlines())
