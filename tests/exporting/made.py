"""A run directory made by hand, with names that would break what does not escape them; nothing is simulated."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from tme.experiments.h5ad import write_h5ad
from tme.experiments.recorder import write_fields

HOSTILE = "a<b>&\"c'; rm -rf,\u00e9"
HOURS = (0.0, 24.0, 36.5)
SHAPE = (1, 5, 6)
UNITS = {"oxygen": "mmHg", "rsl3": "uM", "cxcl": "a.u."}
CONFIG = f"""# tme 0.1.0, resolved configuration, digest 0123abcd
schema: 2
name: made
horizon_day: 2
domain: {{size_um: [300, 300]}}
initial: {{kind: nodule, n_cells: 20}}
arms: {{control: {{}}, {json.dumps(HOSTILE, ensure_ascii=False)}: {{}}}}
replicates: 2
"""
CALLS = [
    {"command": "tme run made.yaml --set 'x=\"<&>\"'", "started": "2026-11-01T10:00:00+00:00", "finished": "2026-11-01T10:01:00+00:00", "exit_code": 75},
    {"command": "tme run made.yaml", "started": "2026-11-01T11:00:00+00:00", "finished": "2026-11-01T11:05:00+00:00", "exit_code": 0},
]


def cells(k: int, n: int = 40) -> dict[str, np.ndarray]:
    """Made-up cells: tumour and others, some dead, one type with a hostile name, one column that only later snapshots have."""
    rng = np.random.default_rng(k)
    at = rng.integers(0, SHAPE[1] * SHAPE[2], n)
    kinds = np.array(["tumour", "cd8", "odd <&\"'>"])[np.minimum(np.arange(n) // 15, 2)]
    out = {
        "cell_type": kinds, "uid": np.arange(n, dtype=np.uint64) + np.uint64(2**63), "fate": np.where(np.arange(n) == 3, "ferroptosis", "alive"),
        "x_um": (at % SHAPE[2] + 0.5) * 15.0, "y_um": (at // SHAPE[2] + 0.5) * 15.0, "z_um": np.full(n, 7.5),
        "clone": np.where(kinds == "tumour", "reference", ""), "gsh": np.where(kinds == "tumour", rng.random(n) * 1000, np.nan),
    }  # fmt: skip
    return {**out, "iron_load": rng.random(n)} if k % 3 == 2 else out


def fields(k: int) -> dict[str, np.ndarray]:
    """Made-up fields."""
    rng = np.random.default_rng(100 + k)
    return {name: rng.random(SHAPE).astype(np.float32) for name in UNITS}


def make(folder: Path, arms: tuple[str, ...] = ("control", HOSTILE), replicates: int = 2) -> Path:
    """The directory."""
    folder.mkdir()
    (folder / "config.resolved.yaml").write_text(CONFIG, encoding="utf-8")
    provenance = {"name": "made", "config_digest": "0123abcd", "seed": 1, "versions": {"tme": "0.1.0", "numpy": "2"}, "git": "abc",
                  "started": CALLS[0]["started"], "finished": CALLS[1]["finished"], "invocations": CALLS, "simulations": []}  # fmt: skip
    (folder / "provenance.json").write_text(json.dumps(provenance))
    rows = ["arm,replicate,hour,tumour_alive"]
    k = 0
    for arm in arms:
        quoted = '"' + arm.replace('"', '""') + '"'
        for replicate in range(replicates):
            place = folder / arm / f"rep-{replicate:03d}"
            place.mkdir(parents=True)
            for hour in HOURS:
                about = {"arm": arm, "replicate": replicate, "seed": 1, "hour": hour, "dx_um": 15.0, "spatial_unit": "um"}
                write_h5ad(place / f"cells_{hour:g}.h5ad", cells(k), about, flat=True)
                write_fields(place / f"fields_{hour:g}.npz", fields(k), UNITS, hour, 15.0)
                rows.append(f"{quoted},{replicate},{hour},{15 - k}")
                k += 1
            (place / "checkpoint_a").write_bytes(b"state")
            (place / "DONE").write_text("{}")
    (folder / "series.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    (folder / "summary.csv").write_text("arm,replicate,seed\ncontrol,0,1\n")
    (folder / "report.html").write_text("<html></html>")
    (folder / "run.lock").write_text("{}")
    return folder
