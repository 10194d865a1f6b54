"""Walkers against the closed forms of a random walk with a step probability of speed dt / (dx L).

A step along direction k of length L_k voxels (1, sqrt 2, sqrt 3) happens with probability p/L_k, where
p = speed dt/dx, so that every direction has the same speed. With n directions, S1 = sum of L_k and
Si = sum of 1/L_k:

    directions of the moves          (1/L_k)/Si
    mean squared displacement        m p S1/n, so D = speed dx S1/(2 d n) in d dimensions
    with persistence q               m p [q n/Si + (1-q) S1/n] + 2 q p^2 sum_j (m-j) r^(j-1),
                                     r = 1 - (1-q) p Si/n  (a heading survives a step)

The last line holds for headings drawn from their stationary law (1/L_k)/Si: a cell's mean step, whatever its
heading h, is q p e_h, and a heading is lost only in a move of a fresh direction, which has no mean.
"""

import numpy as np
import pytest
from exact import Z, assert_binomial, assert_counts, assert_mean
from support import tissue

from tme.kernels.movement import grant, propose
from tme.kernels.neighbours import DISTANCE, OFFSETS
from tme.kernels.rng import Stream, uniforms
from tme.mechanisms.motility import switch_mode

FLAT, SOLID = (1, 101, 101, 0, 1, 1), (41, 41, 41, 1, 1, 1)
SEED = np.uint64(21)
NO_TERM = np.zeros(0)


class Walkers:
    """Cells that never meet: proposals are taken as moves; positions are unwrapped."""

    def __init__(self, n, geometry, p=0.5, bias=0.0, persistence=0.0, field=None, terms=(NO_TERM, NO_TERM)):
        self.n, self.geometry, self.p, self.bias, self.persistence = n, geometry, p, bias, persistence
        self.terms = terms
        nz, ny, nx = geometry[:3]
        self.uid = np.arange(n, dtype=np.uint64)
        self.voxel = np.full(n, (nz // 2 * ny + ny // 2) * nx + nx // 2, np.int32)
        self.heading = np.full(n, -1, np.int8)
        self.place = np.zeros((n, 3), np.int64)
        self.field = np.zeros(nz * ny * nx) if field is None else field
        self.proposal, self.direction = np.full(n, -1, np.int32), np.zeros(n, np.int8)
        self.moves = np.zeros(8 if nz == 1 else 26, np.int64)
        self.tick = 0

    def step(self):
        """One tick; returns who moved (n,) bool."""
        self.tick += 1
        propose(0, self.n, self.uid, self.voxel, self.heading, np.full(self.n, self.p), np.zeros(self.n, np.int8),
                self.field, self.bias, self.persistence, 1.0, SEED, self.tick, self.geometry,
                self.proposal, self.direction, *self.terms)  # fmt: skip
        moved = self.proposal >= 0
        way = self.direction[moved]
        self.voxel[moved], self.heading[moved] = self.proposal[moved], way
        self.place[moved] += OFFSETS[way]
        self.moves += np.bincount(way, minlength=len(self.moves))
        return moved

    def settle_headings(self):
        """Headings from their stationary law."""
        length = DISTANCE[: len(self.moves)]
        rng = np.random.default_rng(3)
        self.heading[:] = rng.choice(len(length), self.n, p=(1 / length) / (1 / length).sum())
        return self


def lengths(geometry):
    return DISTANCE[: 8 if geometry[0] == 1 else 26]


@pytest.mark.parametrize("geometry", [FLAT, SOLID])
def test_moves_have_the_same_speed_in_every_direction(geometry):
    """Chi-square over 8 or 26 directions. Power: 600,000 moves; one direction 5 % off is caught."""
    walkers = Walkers(20_000, geometry)
    for _ in range(75):
        walkers.step()
    assert_counts(walkers.moves, 1.0 / lengths(geometry))
    assert_binomial(walkers.moves.sum(), 75 * 20_000, 0.5 * (1.0 / lengths(geometry)).mean())


@pytest.mark.parametrize("geometry", [FLAT, SOLID])
@pytest.mark.parametrize("persistence", [0.0, 0.5, 0.9])
def test_mean_squared_displacement_is_that_of_a_persistent_walk(geometry, persistence):
    """Power: 40,000 walkers, standard error 0.5 %: D wrong by 5 % is caught with probability above 0.99."""
    n, m, p, q = 40_000, 60, 0.5, persistence
    walkers = Walkers(n, geometry, p, persistence=q).settle_headings()
    for _ in range(m):
        walkers.step()
    length = lengths(geometry)
    k, si = len(length), (1.0 / length).sum()
    r = 1.0 - (1.0 - q) * p * si / k
    j = np.arange(1, m)
    expected = m * p * (q * k / si + (1 - q) * length.mean()) + 2 * q * p * p * ((m - j) * r ** (j - 1)).sum()
    assert_mean((walkers.place**2).sum(axis=1), expected)
    for axis in range(3 if geometry[0] > 1 else 2):
        assert_mean(walkers.place[:, 2 - axis], 0.0)
    assert_mean(walkers.place[:, 1] * walkers.place[:, 2], 0.0)


def test_speed_sets_the_diffusion_coefficient():
    """D = speed dx (1 + sqrt 2)/8 without persistence: proportional to the speed. Power as above."""
    for p in (0.05, 0.25, 1.0):
        walkers = Walkers(40_000, FLAT, p)
        for _ in range(60):
            walkers.step()
        assert_mean((walkers.place**2).sum(axis=1), 60 * p * (1.0 + np.sqrt(2.0)) / 2.0)


def test_terms_scale_the_speed_and_the_bias_of_each_cell():
    """Half of the walkers at half the speed, the others with twice the bias along x. Power: as above."""
    x = np.arange(101 * 101) % 101
    half = np.arange(40_000) < 20_000
    walkers = Walkers(40_000, FLAT, 0.5, bias=0.2, field=1.0 * x, terms=(np.where(half, 0.5, 1.0), np.where(half, 1.0, 2.0)))
    for _ in range(20):
        walkers.step()
    assert_mean(walkers.place[half, 2], 20 * 0.25 * 0.2)
    assert_mean(walkers.place[~half, 2], 20 * 0.5 * 0.4)


def test_first_passage_out_of_a_strip():
    """Along x a walker makes steps of one voxel with probability s = p (2 + 4/sqrt 2)/8 and no other: the mean
    time to leave a strip of half width R is R^2/s (optional stopping, exact), to either side alike.

    Power: 20,000 walkers, standard error 0.6 %; 5 % off is caught with probability above 0.99.
    """
    half, p = 6, 0.8
    walkers = Walkers(20_000, FLAT, p)
    time, side = np.zeros(walkers.n), np.zeros(walkers.n)
    while (time == 0).any():
        walkers.step()
        out = (time == 0) & (np.abs(walkers.place[:, 2]) == half)
        time[out], side[out] = walkers.tick, walkers.place[out, 2]
    assert_mean(time, half**2 / (p * (2.0 + 4.0 / np.sqrt(2.0)) / 8.0))
    assert_binomial((side > 0).sum(), walkers.n, 0.5)


def test_bias_sends_that_share_of_the_choices_uphill():
    """Slopes of 2 and 1.8 along x and y: axis and diagonal in the parts 0.2 and 1.8 sqrt 2; the rest as without bias."""
    y, x = np.divmod(np.arange(101 * 101), 101)
    walkers = Walkers(40_000, FLAT, 0.5, bias=0.2, field=x + 0.9 * y)
    steps = 20
    for _ in range(steps):
        walkers.step()
    axis, diagonal = 0.2, 1.8 * np.sqrt(2.0)
    share = np.full(8, 0.8 / 8)
    share[4] += 0.2 * axis / (axis + diagonal)
    share[7] += 0.2 * diagonal / (axis + diagonal)
    assert_counts(walkers.moves, share / lengths(FLAT))
    assert_mean(walkers.place[:, 2], steps * 0.5 * 0.2 * 2.0 / (axis + diagonal))


@pytest.mark.parametrize("angle", [0.0, 10.0, 22.5, 40.0, 45.0, 100.0, 215.0, 300.0])
def test_cells_climb_along_the_gradient_whatever_its_angle_to_the_lattice(angle):
    y, x = np.divmod(np.arange(101 * 101), 101)
    a = np.deg2rad(angle)
    walkers = Walkers(40_000, FLAT, 0.5, bias=0.5, field=np.cos(a) * x + np.sin(a) * y + 500.0)
    for _ in range(20):
        walkers.step()
    across = -np.sin(a) * walkers.place[:, 2] + np.cos(a) * walkers.place[:, 1]
    assert_mean(across, 0.0)
    along = (np.cos(a) * walkers.place[:, 2] + np.sin(a) * walkers.place[:, 1]).mean()
    assert 0.9 <= along / (20 * 0.5 * 0.5) <= 1.0  # as fast along every direction, within 8 %


@pytest.mark.parametrize("gradient", [(3.0, 2.0, 1.0), (-1.0, 4.0, 0.5), (1.0, 1.0, 1.0), (0.0, -2.0, 1.0)])
def test_cells_climb_along_the_gradient_in_three_dimensions(gradient):
    z, y, x = np.unravel_index(np.arange(SOLID[0] * SOLID[1] * SOLID[2]), SOLID[:3])
    up = np.array(gradient)  # z, y, x
    walkers = Walkers(40_000, SOLID, 0.5, bias=0.5, field=up[0] * z + up[1] * y + up[2] * x + 500.0)
    for _ in range(8):
        walkers.step()
    mean = walkers.place.mean(axis=0)
    error = walkers.place.std(axis=0).max() / np.sqrt(walkers.n)
    off = mean - up * (mean @ up) / (up @ up)
    assert np.abs(off).max() <= 5.5 * error
    assert mean @ up > 0.0


def test_a_contested_place_goes_to_each_with_the_same_chance():
    """Eight walkers round one free voxel, 40,000 times: the winner is uniform over them. Power: 5,000 wins are
    expected of each; one 10 % off is caught.
    """
    ring = np.array([(1 + OFFSETS[k, 1]) * 3 + 1 + OFFSETS[k, 2] for k in range(8)], np.int32)
    wins, uid = np.zeros(8, np.int64), np.arange(8, dtype=np.uint64)
    claim = np.zeros(9, np.int64)
    for tick in range(40_000):
        voxel, heading = ring.copy(), np.zeros(8, np.int8)
        occupancy = np.ones(9, np.int8)
        occupancy[4] = 0
        moved = grant(8, uid, voxel, heading, np.full(8, 4, np.int32), np.zeros(8, np.int8), occupancy, 1,
                      SEED, tick, claim)  # fmt: skip
        assert moved == 1 and occupancy.sum() == 8 and not claim.any()
        wins[voxel == 4] += 1
    assert_counts(wins, np.ones(8))


def test_modes_follow_a_telegraph_process():
    """From all slow, the share of fast cells after m ticks: a/(a+b) (1 - (1-a-b)^m). Power: 100,000 cells."""
    n, slow, fastest = 100_000, 1.5, 10.0
    speed, uid = np.full(n, slow), np.arange(n, dtype=np.uint64)
    a, b = -np.expm1(-0.1), -np.expm1(-0.2)
    for tick in range(1, 31):
        switch_mode(0, n, uid, speed, slow, fastest, 0.2, 0.1, 1.0, SEED, tick)
        if tick in (1, 3, 30):
            fast = (speed == fastest).sum()
            assert_binomial(fast, n, a / (a + b) * (1.0 - (1.0 - a - b) ** tick))


def test_walkers_in_the_model_fill_a_closed_tissue_evenly():
    """CD8 without bias, contact or turnover, in a domain with walls: after two days each quarter of the domain
    holds a quarter of them. Power: 1,600 cells in four classes; a quarter 30 % off is caught.
    """
    model = tissue(domain__immune_per_voxel=8, initial__n_cells=20, populations={"cd8": None, "treg": None, "macrophage": None, "dendritic": None},
                   mechanisms__killing={"k_attach": 0}, mechanisms__motility={"cd8_bias": 0.0})  # fmt: skip
    n = 1600
    u = np.empty(n)
    uniforms(SEED, int(Stream.PLACE), 0, np.arange(n, dtype=np.uint64), 0, u)
    voxel = (u * model.grid.n_voxels).astype(np.int32) // 4  # all in the first quarter of rows
    model.cd8.add(np.arange(n, dtype=np.uint64), voxel, 0, speed=10.0)
    walk = model.mechanism("motility")
    while model.tick < 2880:
        model.tick += 1
        walk.step(model)
    x, y, _ = model.lattice.position_um(model.cd8.voxel)
    quarter = 2 * (x > 260) + (y > 260)
    assert_counts(np.bincount(quarter, minlength=4), np.ones(4))
    assert abs(x.mean() - 260) < Z * x.std() / np.sqrt(n)
