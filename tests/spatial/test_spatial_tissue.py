"""The tumour's edge, niches, clusters of deaths, how deaths spread, and fronts."""

from __future__ import annotations

import numpy as np
import pytest
from patterns import poisson
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from tme.spatial import SpatialError, box, cells, clusters, front, niches, profile, propagation_index, region
from tme.spatial.deaths import cluster_sizes
from tme.spatial.infiltration import DESERT, EXCLUDED, classes
from tme.spatial.neighbourhood import within
from tme.studies import infiltration as of_cohorts
from tme.targets import fronts
from tme.viz import space

SIZE = (1200.0, 1200.0)
RADIUS = 330.0


def disc(inside: float, rim: float, seed: int = 1):
    """A round tumour with CD8 at two densities per mm^2, inside and outside of it."""
    rng = np.random.default_rng(seed)
    grid = np.stack(np.meshgrid(np.arange(7.5, 1200, 15), np.arange(7.5, 1200, 15)), axis=-1).reshape(-1, 2)
    far = np.hypot(*(grid - 600).T)
    tumour = grid[far < RADIUS]
    cd8 = poisson(rng, max(inside, rim) * 1e-6, SIZE)
    own = np.hypot(*(cd8 - 600).T)
    keep = rng.random(len(cd8)) < np.where(own < RADIUS, inside, rim) / max(inside, rim)
    points = np.concatenate([tumour, cd8[keep]])
    return cells(points, np.r_[np.full(len(tumour), "tumour"), np.full(keep.sum(), "cd8")], box([0, 0], SIZE))


def test_densities_by_distance_from_the_edge_are_those_planted():
    of = disc(400, 1600)
    where = region(of, ["tumour"])
    assert where.mask.sum() * 225.0 == pytest.approx(np.pi * RADIUS**2, rel=0.02)
    assert where.at(np.array([[600.0, 600], [600 + RADIUS + 100, 600]])) == pytest.approx([-RADIUS, 100], abs=20)
    found = profile(of, where)
    inner = found.edges_um[1:] <= 0
    cd8 = found.types.index("cd8")
    deep = np.nansum(found.cells[cd8][inner]) / found.area[inner].sum()
    assert deep == pytest.approx(400, rel=0.3) and found.deep[cd8] == pytest.approx(deep)
    assert found.rim[cd8] == pytest.approx(1600, rel=0.2)
    assert found.area.sum() == pytest.approx(1.44) and found.cells.sum() == of.n
    assert found.infiltration(["cd8"]) == "excluded"


@pytest.mark.parametrize(("inside", "rim", "named"), [(600, 500, "inflamed"), (60, 900, "excluded"), (5, 10, "desert")])
def test_infiltration_classes_are_those_planted(inside, rim, named):
    assert profile(disc(inside, rim), region(disc(inside, rim), ["tumour"])).infiltration(["cd8"]) == named


def test_the_classes_are_those_of_cohorts():
    assert (of_cohorts.DESERT, of_cohorts.EXCLUDED, of_cohorts.classes) == (DESERT, EXCLUDED, classes)


def test_the_region_is_that_of_the_report():
    of = disc(400, 800)
    tumour = of.points[of.of("tumour")]
    hole = np.hypot(*(tumour - [500, 600]).T) > 70
    of = cells(tumour[hole], np.full(hole.sum(), "tumour"), box([0, 0], SIZE))
    x, y = of.points.T
    wanted = space.tumour_region({"x": x, "y": y, "z": np.zeros(of.n), "cell_type": np.full(of.n, "tumour")}, (1, 80, 80), 15.0)
    found = region(of, ["tumour"])
    assert np.array_equal(found.mask, wanted)
    assert found.distance == pytest.approx(space.signed_distance(wanted, 15.0))


def test_a_field_within_the_tumour_has_no_edge():
    of = disc(400, 400)
    inner = of.within(box([450, 450], [750, 750]))
    with pytest.raises(SpatialError, match="fills the window"):
        profile(inner, region(inner, ["tumour"]))


def test_niches_are_the_planted_ones_in_any_order_of_rows():
    rng = np.random.default_rng(2)
    points = poisson(rng, 3e-3, (900, 300))
    third = (points[:, 0] // 300).astype(int)
    share = np.array([[0.9, 0.1, 0.0], [0.1, 0.1, 0.8], [0.0, 0.9, 0.1]])[third]
    u = rng.random(len(points))
    names = np.array(["a", "b", "c"])[(u[:, None] > share.cumsum(axis=1)).sum(axis=1)]
    order = rng.permutation(len(points))
    of, other = cells(points, names), cells(points[order], names[order])
    found, again = niches([of], 3), niches([other], 3)
    assert np.array_equal(found.of[0], again.of[0]) and np.array_equal(found.composition, again.composition)
    inner = (np.abs(of.points[:, 0] - 300) > 60) & (np.abs(of.points[:, 0] - 600) > 60)
    where = (of.points[:, 0] // 300).astype(int)
    table = np.array([[((found.of[0] == n) & (where == t) & inner).sum() for t in range(3)] for n in range(3)])
    assert (table.max(axis=0) > 0.97 * table.sum(axis=0)).all() and sorted(table.argmax(axis=0)) == [0, 1, 2]
    assert list(found.sizes) == sorted(found.sizes, reverse=True) and found.sizes.sum() == of.n
    assert sorted(found.composition.max(axis=1)) == pytest.approx([0.8, 0.9, 0.9], abs=0.08)


def test_sets_of_cells_share_their_niches():
    rng = np.random.default_rng(3)
    a, b = poisson(rng, 2e-3, (300, 300)), poisson(rng, 2e-3, (300, 300))
    mixed = cells(a, np.where(np.arange(len(a)) % 2 == 0, "a", "b"))
    pure = cells(b, np.where(b[:, 0] < 10, "b", "a"))
    found = niches([mixed, pure], 2)
    assert [len(x) for x in found.of] == [mixed.n, pure.n]
    assert (found.of[0] == 0).mean() > 0.95 or (found.of[0] == 1).mean() > 0.95
    with pytest.raises(SpatialError, match="different types"):
        niches([mixed, cells(a, np.full(len(a), "a"))])


def test_clusters_are_the_connected_parts():
    rng = np.random.default_rng(4)
    points = poisson(rng, 1e-3)
    of = cells(points, np.full(len(points), "tumour"), dead=rng.random(len(points)) < 0.3)
    dead = of.points[of.dead]
    pairs = cKDTree(dead).query_pairs(30.0, output_type="ndarray")
    _n, label = connected_components(coo_matrix((np.ones(len(pairs)), pairs.T), (len(dead), len(dead))), directed=False)
    assert np.array_equal(cluster_sizes(within(of.points, 30.0), of.dead), np.sort(np.bincount(label))[::-1])
    assert clusters(of, shuffles=99).p > 0.05


def test_deaths_that_lie_together_make_larger_clusters_than_shuffled_ones():
    rng = np.random.default_rng(5)
    points = poisson(rng, 1e-3)
    dead = (np.hypot(*(points - [300, 300]).T) < 90) | (np.hypot(*(points - [650, 350]).T) < 60)
    found = clusters(cells(points, np.full(len(points), "tumour"), dead=dead), shuffles=99)
    assert found.p == 0.01 and found.typical > 3 * found.shuffled_high and found.dead == dead.sum() == found.sizes.sum()


def lattice(hours: np.ndarray):
    """Cells of a lattice of 15 um with these hours of death (ny, nx); NaN: alive."""
    ny, nx = hours.shape
    y, x = np.mgrid[0:ny, 0:nx]
    points = np.column_stack([x.ravel(), y.ravel()]) * 15.0 + 7.5
    return cells(points, np.full(nx * ny, "tumour"), box([0, 0], [nx * 15, ny * 15]), death_hour=hours.ravel())


def test_the_propagation_index_is_that_of_targets_on_a_lattice():
    rng = np.random.default_rng(6)
    y, x = np.mgrid[0:30, 0:30]
    wave = np.hypot(x - 15, y - 15) * 15 / 5.5 / 60 + rng.normal(0, 0.05, x.shape)
    wave[rng.random(x.shape) < 0.2] = np.nan
    for hours in (wave, rng.permutation(wave.ravel()).reshape(wave.shape)):
        found, n = propagation_index(lattice(hours), radius_um=16.0)
        # both strays: the 5th percentile of 200 scrambles
        assert found == pytest.approx(fronts.propagation_index(hours), abs=0.03) and n == np.isfinite(hours).sum()


def test_a_wave_has_an_index_near_one_and_independent_deaths_none():
    rng = np.random.default_rng(7)
    y, x = np.mgrid[0:40, 0:40]
    assert propagation_index(lattice(np.hypot(x - 20, y - 20) * 0.05))[0] > 0.85
    assert abs(propagation_index(lattice(rng.random(x.shape)))[0]) < 0.1
    assert np.isnan(propagation_index(lattice(np.full(x.shape, np.nan)))[0])


@pytest.mark.parametrize("along", [None, "x"])
def test_a_front_has_the_speed_it_was_made_with(along):
    rng = np.random.default_rng(8)
    y, x = np.mgrid[0:60, 0:60]
    far = (np.hypot(x - 30, y - 30) if along is None else x + 0.5) * 15.0
    hours = far / (5.5 * 60) + rng.normal(0, 0.1, x.shape)
    hours[far > 350] = np.nan
    found = front(lattice(hours), along)
    assert found.speed == pytest.approx(5.5, rel=0.06) and found.r2 > 0.98 and found.low < found.speed < found.high
    assert np.isnan(found.hour[found.distance_um > 380]).all()


def test_deaths_anywhere_at_any_time_have_no_front():
    rng = np.random.default_rng(9)
    found = front(lattice(np.where(rng.random((50, 50)) < 0.9, rng.random((50, 50)) * 10, np.nan)))
    assert np.isnan(found.speed) or found.r2 < 0.5
    assert np.isnan(front(lattice(np.full((10, 10), np.nan))).speed)
    with pytest.raises(SpatialError, match="along 'z'; expected one of x, y"):
        front(lattice(np.zeros((10, 10))), "z")
