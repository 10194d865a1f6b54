"""Cross-K, pair correlation and distances against closed forms of Poisson and Thomas patterns, and against scipy."""

from __future__ import annotations

import numpy as np
import pytest
from patterns import SIZE, poisson, thomas, two_types
from scipy.spatial import cKDTree

from tme.kernels import pairs
from tme.spatial import SpatialError, Window, box, cells, correlation, nearest, nearest_um, weighted
from tme.spatial.distances import CURVE_UM, unrelated
from tme.spatial.draws import Purpose, shuffled
from tme.spatial.neighbourhood import grid
from tme.spatial.pair_correlation import edge_terms

ROUNDS = 60


def ell() -> Window:
    """An L of pixels 20 um wide in the box, with a hole."""
    mask = np.zeros((1, 35, 45), bool)
    mask[0, :, :20] = mask[0, 20:, :] = True
    mask[0, 5:9, 5:12] = False
    return Window(np.zeros(2), np.array(SIZE), mask, 20.0, "L")


def counts_of(of, far: float, width: float) -> np.ndarray:
    """Unweighted pairs by the kernel: a weight of at most 1."""
    g, m = grid(of.points, far), round(far / width)
    sums, moments = np.zeros((1, len(of.types), len(of.types), m)), np.zeros((3, m))
    size, table, pixel, _ = edge_terms(of.window, far)
    pairs.pair_sums(g.x, g.y, g.z, of.code[g.order], np.zeros(of.n, np.int64), *g.given, width, size, table, pixel, 1.0, sums, moments)
    assert moments[0] == pytest.approx(sums.sum(axis=(0, 1, 2))) and moments[1] == pytest.approx(moments[0])
    return sums[0]


@pytest.mark.parametrize("size", [SIZE, (120.0, 90.0, 80.0)])
def test_pairs_are_those_that_scipy_counts(size):
    rng = np.random.default_rng(1)
    of = two_types(rng, np.round(poisson(rng, 1.5e-3, size)), size=size)
    found = np.cumsum(counts_of(of, 40.0, 10.0), axis=2)
    trees = [cKDTree(of.points[of.code == k]) for k in range(2)]
    for i in range(2):
        for j in range(2):
            wanted = trees[i].count_neighbors(trees[j], [10.0, 20.0, 30.0, 40.0]) - (of.counts[i] if i == j else 0)
            assert found[i, j] == pytest.approx(wanted)


def brute(of, edges: np.ndarray) -> np.ndarray:
    """K by the definition, pair by pair, the overlap of a mask counted by moving it."""
    d = of.points[None] - of.points[:, None]
    far = np.sqrt((d**2).sum(axis=2))
    w = of.window
    part = np.prod(1 - np.abs(d) / w.size, axis=2)
    a, b = (of.code == 0)[:, None], (of.code == 1)[None, :]
    return np.array([w.volume / (of.counts[0] * of.counts[1]) * (np.where(a & b & (far <= r), 1 / part, 0)).sum() for r in edges[1:]])


def test_k_is_that_of_the_definition_and_of_its_plain_python():
    rng = np.random.default_rng(2)
    of = two_types(rng, poisson(rng, 3e-4))
    found = correlation(of, 100.0, 20.0, draws=0)
    assert found.k[0, 1] == pytest.approx(brute(of, found.edges_um)) and found.k[0, 1] == pytest.approx(found.k[1, 0])
    with_python = np.zeros((1, 2, 2, 2))
    small = of.where(np.arange(of.n) < 40)
    g = grid(small.points, 40.0)
    size, table, pixel, most = edge_terms(small.window, 40.0)
    given = (g.x, g.y, g.z, small.code[g.order], np.zeros(small.n, np.int64), *g.given, 20.0, size, table, pixel, most)
    pairs.pair_sums.py_func(*given, with_python, np.zeros((3, 2)))
    compiled = np.zeros_like(with_python)
    pairs.pair_sums(*given, compiled, np.zeros((3, 2)))
    assert np.array_equal(with_python, compiled)


@pytest.mark.parametrize("where", ["box", "L"])
def test_unrelated_cells_have_k_of_pi_r_squared_whatever_the_window(where):
    rng = np.random.default_rng(3)
    ks, gs = [], []
    for _ in range(ROUNDS):
        of = two_types(rng, poisson(rng, 8e-4))
        found = correlation(of if where == "box" else of.within(ell()), 150.0, 25.0, draws=0)
        ks.append(found.k[0, 1] / (np.pi * found.edges_um[1:] ** 2))
        gs.append(found.g[0, 0])
    for values in (np.array(ks), np.array(gs)):
        error = values.std(axis=0, ddof=1) / np.sqrt(ROUNDS)
        assert (np.abs(values.mean(axis=0) - 1) < 5 * error).all() and error.max() < 0.03


def test_without_the_correction_the_same_k_would_be_too_small():
    rng = np.random.default_rng(3)
    of = two_types(rng, poisson(rng, 2e-3)).within(ell())
    plain = np.cumsum(counts_of(of, 150.0, 25.0), axis=2)[0, 1] * of.window.volume / of.counts[0] / of.counts[1]
    assert plain[-1] / (np.pi * 150.0**2) < 0.8


def test_thomas_clusters_have_their_k_and_g():
    rng = np.random.default_rng(4)
    parents, sd = 4e-5, 20.0
    found = [correlation(two_types(rng, thomas(rng, parents, 12, sd), 0.5), 120.0, 10.0, draws=0) for _ in range(ROUNDS)]
    edges = found[0].edges_um
    wanted_k = np.pi * edges[1:] ** 2 + (1 - np.exp(-(edges[1:] ** 2) / (4 * sd**2))) / parents
    wanted_g = np.diff(np.r_[0.0, wanted_k]) / np.diff(np.pi * edges**2)
    for values, wanted in ((np.array([f.k[0, 1] for f in found]), wanted_k), (np.array([f.g[0, 1] for f in found]), wanted_g)):
        # K divides by the densities found, a bias of the order 1/clusters (3 % of the excess here) besides the error of the mean
        error = values.std(axis=0, ddof=1) / np.sqrt(ROUNDS)
        assert (np.abs(values.mean(axis=0) - wanted) < 5 * error + 0.03 * wanted).all()
    assert wanted_g[0] > 2.2
    # clustered as they are, types do not matter: the ratio to shuffled types is 1
    ratio = np.array([f.ratio[0, 1] for f in found])
    assert (np.abs(ratio.mean(axis=0) - 1) < 5 * ratio.std(axis=0, ddof=1) / np.sqrt(ROUNDS)).all()


def test_three_dimensions_have_their_k():
    rng = np.random.default_rng(5)
    size = (200.0, 180.0, 160.0)
    values = []
    for _ in range(20):
        found = correlation(two_types(rng, poisson(rng, 2e-4, size), size=size), 60.0, 20.0, draws=0)
        values.append(found.k[0, 1] / (4 / 3 * np.pi * found.edges_um[1:] ** 3))
    assert np.abs(np.mean(values, axis=0) - 1).max() < 5 * np.std(values, axis=0, ddof=1).max() / np.sqrt(20)


def test_a_mask_of_the_whole_box_is_the_box():
    rng = np.random.default_rng(6)
    of = two_types(rng, poisson(rng, 5e-4))
    whole = Window(np.zeros(2), np.array(SIZE), np.ones((1, 35, 45), bool), 20.0)
    assert correlation(of.within(whole), draws=0).k == pytest.approx(correlation(of, draws=0).k)


def test_the_null_of_shuffled_types_is_that_of_drawn_ones():
    rng = np.random.default_rng(7)
    of = two_types(rng, thomas(rng, 4e-5, 12, 20.0))
    exact = correlation(of, 60.0, 20.0, draws=0)
    from dataclasses import replace

    drawn = np.array([correlation(replace(of, code=shuffled(of.code, 1, Purpose.TYPES, t)), 60.0, 20.0, draws=0).ratio for t in range(400)])
    assert np.abs(drawn.mean(axis=0) - 1).max() < 5 * exact.null_sd.max() / 20
    assert drawn.std(axis=0) == pytest.approx(exact.null_sd, rel=0.2)


def test_intervals_hold_the_truth_about_as_often_as_they_say():
    rng = np.random.default_rng(8)
    held = []
    for _ in range(80):
        found = correlation(two_types(rng, poisson(rng, 1e-3)), 90.0, 30.0, draws=199)
        held.append((found.low[0, 1] <= 1) & (found.high[0, 1] >= 1))
    # 95 %: percentiles of 36 tiles are somewhat narrow
    assert 0.84 < np.mean(held) <= 1.0


def test_the_nearest_are_those_of_a_tree_and_a_cell_is_not_its_own():
    rng = np.random.default_rng(9)
    of = two_types(rng, poisson(rng, 5e-4))
    b = of.code == 1
    tree = cKDTree(of.points[b])
    found = nearest_um(of, b)
    assert np.array_equal(found[~b], tree.query(of.points[~b])[0]) and np.array_equal(found[b], tree.query(of.points[b], 2)[0][:, 1])
    assert np.isinf(nearest_um(of, np.zeros(of.n, bool))).all()


def test_corrected_distances_follow_the_closed_form_where_raw_ones_do_not():
    rng = np.random.default_rng(10)
    density, curves, raw = 1.2e-4, [], []
    for _ in range(ROUNDS):
        points = np.concatenate([poisson(rng, 2e-3), target := poisson(rng, density)])
        names = np.r_[np.full(len(points) - len(target), "a"), np.full(len(target), "t")]
        of = cells(points, names, box([0, 0], SIZE))
        one = next(n for n in nearest(of) if (n.source, n.target) == ("a", "t"))
        curves.append(one.curve)
        raw.append((nearest_um(of, of.of("t"))[of.of("a")][:, None] <= CURVE_UM).mean(axis=0))
    wanted = 1 - np.exp(-density * np.pi * CURVE_UM**2)
    look = (CURVE_UM > 20) & (CURVE_UM <= 90)
    error = np.std(curves, axis=0, ddof=1)[look] / np.sqrt(ROUNDS)
    assert (np.abs(np.mean(curves, axis=0)[look] - wanted[look]) < 5 * error + 0.01).all()
    assert (np.mean(raw, axis=0)[look] < wanted[look] - 0.01).sum() > 8
    mean, median = unrelated(density, 2)
    assert mean == pytest.approx(0.5 / np.sqrt(density)) and 1 - np.exp(-density * np.pi * median**2) == pytest.approx(0.5)


def test_a_mark_that_knows_nothing_has_a_ratio_of_one_within_its_exact_null():
    rng = np.random.default_rng(11)
    points = poisson(rng, 1e-3)
    of = two_types(rng, points, marks={"m": rng.random(len(points))})
    found = weighted(of, "m", 60.0, 20.0)
    from dataclasses import replace

    drawn = np.array([weighted(replace(of, marks={"m": shuffled(of.marks["m"], 2, Purpose.TYPES, t)}), "m", 60.0, 20.0, found.levels).ratio for t in range(300)])
    assert np.abs(drawn.mean(axis=0) - 1).max() < 5 * found.null_sd.max() / np.sqrt(300)
    assert drawn.std(axis=0) == pytest.approx(found.null_sd, rel=0.25)
    assert np.abs(found.ratio - 1).max() < 5 * found.null_sd.max()


def test_a_mark_that_rises_towards_a_type_is_found_beside_it():
    rng = np.random.default_rng(12)
    points = poisson(rng, 1.5e-3)
    names = np.where(rng.random(len(points)) < 0.02, "t", "b")
    near = cKDTree(points[names == "t"]).query(points)[0]
    of = cells(points, names, box([0, 0], SIZE), marks={"m": np.where(names == "b", np.exp(-near / 30), np.nan)})
    found = weighted(of, "m", 100.0, 20.0)
    t = found.types.index("t")
    assert found.ratio[t, 0, -1] > 3 and found.ratio[t, 0, 0] < 0.1 and found.ratio[t, 0, -1] > 1 + 5 * found.null_sd[t, 0, -1]
    assert found.marked == (names == "b").sum()


@pytest.mark.parametrize(
    ("ask", "words"),
    [
        (lambda of: correlation(of, 100, 500), "holds no ring of 500 um"),
        (lambda of: correlation(of, 100, 0), "expected both above 0"),
        (lambda of: weighted(of, "nope"), "no mark 'nope'; expected one of m"),
        (lambda of: weighted(of, "m"), "does m vary"),
    ],
)
def test_questions_without_an_answer_are_refused(ask, words):
    rng = np.random.default_rng(13)
    points = poisson(rng, 1e-4)
    with pytest.raises(SpatialError, match=words):
        ask(two_types(rng, points, marks={"m": np.ones(len(points))}))
