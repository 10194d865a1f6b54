"""A tumour so small that a live session of a day takes seconds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tme.experiments.live import LiveModel, start
from tme.model import load_config

TEXT = """
schema: 2
name: small
seed: 5
start_day: -0.25
horizon_day: 2
domain: {size_um: [360, 360], dx_um: 20, thickness_um: 20, at_edge: continue}
initial: {kind: nodule, n_cells: 60}
tumour: {preset: b16_like}
populations: {cd8: {per_mm2: 300}, macrophage: {share: 0.1}, dendritic: {share: 0.05}, treg: {per_mm2: 60}}
arms:
  control: {}
  treated: {drugs: [{name: rsl3, dose_mg_kg: 20, day: [0, 1]}], antibodies: [{name: anti_pdl1, dose_mg_kg: 10, day: 0.5}]}
output: {record_every_h: 6}
"""


def write(folder: Path, text: str = TEXT) -> Path:
    """The experiment as a file."""
    path = folder / "small.yaml"
    path.write_text(text)
    return path


def live(folder: Path, arm: str | None = None, encode: Any = None, text: str = TEXT) -> LiveModel:
    """A live model of it in `folder`/live."""
    folder.mkdir(parents=True, exist_ok=True)
    return start(load_config(write(folder, text)), arm, 0, folder / "live", encode)


def ahead(model: LiveModel, ticks: int) -> LiveModel:
    """The model after so many ticks."""
    for _ in range(ticks):
        model.step()
    return model
