"""A mirrored world: fields mirror to 1e-12, axes exchange, and cells do the same in distribution.

Cells cannot mirror bit for bit, since their luck hangs on uids and those on voxels; what many mirrored
tumours do on average must be the mirror image of what many tumours do.
"""

from functools import partial

import numpy as np
import pytest
from exact import assert_same_mean
from support import TISSUE, hours, small_model

from tme.core.field import Field
from tme.core.grid import Grid
from tme.kernels.lod import LodSolver
from tme.kernels.multigrid import Workspace


def terms(shape, seed=3):
    """Random sources, losses and vessels on a lattice."""
    rng = np.random.default_rng(seed)
    return {
        "source": rng.random(shape) * (rng.random(shape) < 0.2),
        "loss": 0.2 * rng.random(shape),
        "exchange": 2.0 * (rng.random(shape) < 0.05),
    }


def solved(shape, mode, given, saturating, turn=lambda a: a):
    """Three solves of a field with the given terms, each turned first; (shape) after turning."""
    turned = {name: np.ascontiguousarray(turn(a)) for name, a in given.items()}
    now = turned["source"].shape
    field = Field("x", "uM", Grid(now), 800.0, 0.05, mode=mode, tol=1e-15, k_m=0.7, vessel_value=3.0, max_cycles=400, outer=400)
    for name, a in turned.items():
        field.use(name)[:] = a.ravel()
    if saturating:
        field.use("vmax")[:] = 0.4 * turned["loss"].ravel()
    workspace = Workspace(now)
    for _ in range(3):
        field.advance(5.0, workspace)
    return field.concentration.reshape(now)


TURNS = {
    "mirrored in x": (lambda a: a[:, :, ::-1]),
    "mirrored in y": (lambda a: a[:, ::-1]),
    "mirrored in z": (lambda a: a[::-1]),
    "x and y exchanged": (lambda a: a.transpose(0, 2, 1)),
}


@pytest.mark.parametrize("turn", TURNS)
@pytest.mark.parametrize("shape", [(1, 20, 23), (6, 9, 8)])
@pytest.mark.parametrize("mode", ["backward_euler", "quasi_steady"])
def test_a_field_in_a_turned_world_is_the_turned_field(shape, mode, turn):
    """Unsplit solvers have no preferred axis: 1e-12 of the largest value, also for exchanged axes."""
    given, turn = terms(shape), TURNS[turn]
    straight = solved(shape, mode, given, False)
    turned = solved(shape, mode, given, False, turn)
    assert np.abs(turned - turn(straight)).max() < 1e-12 * straight.max()


@pytest.mark.parametrize("turn", TURNS)
def test_saturating_uptake_turns_too(turn):
    given, turn = terms((1, 20, 23)), TURNS[turn]
    straight = solved((1, 20, 23), "backward_euler", given, True)
    turned = solved((1, 20, 23), "backward_euler", given, True, turn)
    assert np.abs(turned - turn(straight)).max() < 1e-12 * straight.max()


@pytest.mark.parametrize("shape", [(1, 21, 21), (9, 9, 9)])
def test_line_splitting_mirrors_exactly_and_exchanges_axes_within_its_splitting_error(shape):
    """A mirrored line solve sums in the other direction: 1e-12. Exchanged axes differ by the commutator of
    the lines, of second order in the step: four times less at half the step.
    """
    rng = np.random.default_rng(4)
    start, loss = rng.random(shape), 0.01 * rng.random(shape)

    def ran(dt, turn=lambda a: a):
        c = np.ascontiguousarray(turn(start)).ravel()
        LodSolver(shape, 20.0, 100.0, np.ascontiguousarray(turn(loss)).ravel(), dt).advance(c)
        return c.reshape(shape)

    for axis in (1, 2):
        assert np.abs(ran(1.0, partial(np.flip, axis=axis)) - np.flip(ran(1.0), axis)).max() < 1e-12
    error = [np.abs(ran(dt, lambda a: a.swapaxes(1, 2)) - ran(dt).swapaxes(1, 2)).max() for dt in (0.2, 0.1)]
    assert 0.0 < error[1] < error[0] < 1e-3
    assert error[0] / error[1] == pytest.approx(4.0, rel=0.15)


# ---- cells --------------------------------------------------------------------------------------------
BUSY = {
    "mechanisms__division": {"k_div": 0.004},
    "mechanisms__death": {"k_apo": 1e-3, "k_nec": 0.004, "o2_necrosis": 8},
    "mechanisms__recruitment": {"k_cd8": 15},
    "mechanisms__killing": {"k_hit": 0.06},
}


def summary(seed, mirrored):
    """Counts after 4 h, and where cells are in the frame of the unmirrored start (um)."""
    size, place = 520.0, 180.0
    model = small_model(TISSUE, "control", seed, initial__centre_um=[size - place if mirrored else place, 260.0], **BUSY)
    hours(model, 4)
    out = {k: model.counters[k] for k in ("births", "dead_apoptosis", "dead_necrosis", "kills", "recruited_cd8")}
    for population in (model.tumour, model.cd8):
        x, y, _ = model.lattice.position_um(population.voxel)
        x = size - x if mirrored else x
        out |= {f"{population.kind}_x": x.mean(), f"{population.kind}_x_sd": x.std(), f"{population.kind}_y": y.mean()}
    return out


@pytest.mark.slow
def test_a_mirrored_tumour_behaves_like_its_mirror_image():
    """30 tumours off the centre against 30 mirrored ones, other seeds: births, deaths, kills, recruits, and
    the mean place and spread of tumour cells and CD8 (Welch's t, eleven at 1e-6).

    Power: a difference of 1.8 standard deviations between tumours is caught; for CD8 that is about 20 um.
    """
    straight = [summary(seed, False) for seed in range(1, 31)]
    mirrored = [summary(seed, True) for seed in range(31, 61)]
    for name in straight[0]:
        a, b = np.array([s[name] for s in straight], float), np.array([s[name] for s in mirrored], float)
        assert_same_mean(a, b)
    assert np.mean([s["births"] for s in straight]) > 20 and np.mean([s["kills"] for s in straight]) > 0.5


@pytest.mark.slow
def test_cells_spread_alike_along_both_axes_and_to_both_sides():
    """In a centred tumour nothing tells left from right or x from y: over 30 seeds the mean place of tumour
    cells and CD8 is the centre, and their spread is equal along both axes.
    """
    rows = []
    for seed in range(61, 91):
        model = hours(small_model(TISSUE, "control", seed, **BUSY), 4)
        row = []
        for population in (model.tumour, model.cd8):
            x, y, _ = model.lattice.position_um(population.voxel)
            row += [x.mean(), y.mean(), x.std(), y.std()]
        rows.append(row)
    t, c = np.array(rows)[:, :4], np.array(rows)[:, 4:]
    for place in (t, c):
        assert_same_mean(place[:, 0], 520.0 - place[:, 0])
        assert_same_mean(place[:, 1], 520.0 - place[:, 1])
        assert_same_mean(place[:, 0], place[:, 1])
        assert_same_mean(place[:, 2], place[:, 3])
