"""The start is a state that the untreated tumour keeps: densities, exhaustion, polarisation, while immune cells turn over."""

import numpy as np
import pytest

from tme.targets.setups import minutes, nodule

SEEDS, DAYS = (1, 2), 7
STILL = {
    "mechanisms": {
        "division": {"k_div": 0}, "death": {"k_apo": 0, "k_nec": 0}, "killing": {"k_hit": 0}, "ferroptosis": {"d_leth": 5000},
    },
    "entries": {"cells": {"macrophage": {"phagocytoses": {"living": 0}}}},
}  # fmt: skip


def state(model):
    """What has to hold, within the tumour and 100 um around it."""
    row, cd8 = model.observe(), model.cd8
    inside = model.lattice.depth_um() > -100.0
    here = inside[cd8.voxel] & (cd8.specific == 1)
    return {
        "cd8": row["cd8_per_mm2"],
        "treg": row["treg_per_mm2"],
        "macrophage": row["macrophage"],
        "dendritic": row["dc_immature"] + row["dc_mature"],
        "exhaustion": float(cd8.exhaustion[here].mean()),
        "m1": row["m1_mean"],
        "treg_share": row["treg_share"],
    }


@pytest.mark.slow
def test_an_untreated_tumour_keeps_its_immune_cells_for_a_week():
    """Tumour cells neither divide nor die; the means of two tumours, after each of seven days, within 30 % of the start."""
    runs, replaced = [], []
    for seed in SEEDS:
        model = nodule("b16_like", 3000, 2400.0, DAYS, seed, **STILL)
        first = set(model.cd8.uid.tolist())
        rows = [state(model)]
        for _ in range(DAYS):
            minutes(model, 1440)
            rows.append(state(model))
        runs.append(rows)
        replaced.append(1.0 - len(first & set(model.cd8.uid.tolist())) / len(first))
        assert model.n_alive == 3000
    means = {k: np.array([[row[k] for row in rows] for rows in runs]).mean(axis=0) for k in runs[0][0]}
    off = {k: (v / v[0]).round(2).tolist() for k, v in means.items() if np.abs(v / v[0] - 1.0).max() > 0.3}
    assert not off, off
    assert min(replaced) >= 0.5  # CD8 live 4 days
