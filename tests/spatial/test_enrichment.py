"""Neighbourhood enrichment: counts, and the null exactly, by enumeration, by shuffling and against squidpy."""

from __future__ import annotations

import itertools
import warnings

import numpy as np
import pytest
from patterns import poisson, two_types
from scipy.spatial import cKDTree

from tme.kernels import threads
from tme.spatial import SpatialError, assortativity, box, cells, enrichment, mixing, neighbours
from tme.spatial.contact import contacts, weights
from tme.spatial.draws import Purpose, shuffled
from tme.spatial.neighbourhood import Graph, nearest, within
from tme.spatial.nulls import shuffled_moments


@pytest.mark.parametrize("ndim", [2, 3])
def test_neighbours_are_those_that_a_tree_finds(ndim):
    rng = np.random.default_rng(ndim)
    points = np.round(rng.random((600, ndim)) * 150)  # several at one place
    graph = within(points, 20.0)
    wanted = cKDTree(points).query_pairs(20.0, output_type="ndarray")
    both = np.concatenate([wanted, wanted[:, ::-1]])
    both = both[np.lexsort(both.T[::-1])]
    found = np.column_stack([np.repeat(np.arange(graph.n), graph.degree), graph.neighbour])
    assert graph.mutual and np.array_equal(found, both)


def test_the_nearest_leave_out_the_cell_itself_also_where_cells_share_a_place():
    points = np.array([[0, 0], [0, 0], [0, 0], [0, 0], [50, 0], [60, 0]], float)
    graph = nearest(points, 2)
    rows = graph.neighbour.reshape(-1, 2)
    assert all(i not in row for i, row in enumerate(rows)) and set(rows[4]) >= {5}


@pytest.mark.parametrize("directed", [False, True])
def test_the_moments_are_those_of_all_orders_of_the_types(directed):
    rng = np.random.default_rng(4)
    n, code = 7, np.array([0, 0, 0, 1, 1, 2, 0])
    adjacency = rng.random((n, n)) < 0.45
    np.fill_diagonal(adjacency, False)
    if not directed:
        adjacency |= adjacency.T
    at = np.concatenate([[0], np.cumsum(adjacency.sum(axis=1))]).astype(np.int64)
    graph = Graph(at, np.nonzero(adjacency)[1].astype(np.int32), not directed, "made up")
    orders = np.array(sorted(set(itertools.permutations(code))))
    all_of = np.array([contacts(graph, np.array(o), 3) for o in orders])
    mean, variance = shuffled_moments(weights(graph), np.bincount(code))
    assert mean == pytest.approx(all_of.mean(axis=0)) and variance == pytest.approx(all_of.var(axis=0), abs=1e-9)


@pytest.mark.parametrize("kind", ["radius", "nearest", "delaunay"])
def test_shuffling_comes_to_the_exact_moments(kind):
    rng = np.random.default_rng(5)
    of = two_types(rng, poisson(rng, 1e-3))
    found = enrichment(of, neighbours(of, kind), shuffles=2000)
    # the mean of 2,000 strays by sd/45, their sd by 1.6 % (one sd): five of each
    assert np.abs(found.drawn_mean - found.mean).max() < 5 * found.sd.max() / np.sqrt(2000)
    assert found.drawn_sd == pytest.approx(found.sd, rel=0.08)


def test_unrelated_types_are_within_the_null_and_clumped_ones_beyond():
    rng = np.random.default_rng(6)
    z = np.array([enrichment(two_types(rng, poisson(rng, 5e-4)), shuffles=0).z[0, 1] for _ in range(200)])
    assert abs(z.mean()) < 5 / np.sqrt(200) and 0.8 < z.std() < 1.2
    points = poisson(rng, 1e-3)
    halves = cells(points, np.where(points[:, 0] < 450, "left", "right"), box([0, 0], [900, 700]))
    found = enrichment(halves, shuffles=99)
    assert found.z[0, 1] < -10 and found.p[0, 1] == 0.01 and found.ratio[0, 0] > 1.5
    assert assortativity(found.contacts) > 0.9
    assert (mixing(found)["normalised"] < 0.1).all()


def test_well_mixed_types_have_no_assortativity_and_normalised_mixing_of_one():
    rng = np.random.default_rng(7)
    found = enrichment(two_types(rng, poisson(rng, 4e-3)), shuffles=0)
    assert abs(assortativity(found.contacts)) < 0.02
    assert mixing(found)["normalised"].to_numpy() == pytest.approx(1.0, abs=0.05)


def test_rows_in_any_order_and_any_number_of_threads_give_the_same_bits():
    rng = np.random.default_rng(8)
    points, names = poisson(rng, 1e-3), None
    names = np.where(rng.random(len(points)) < 0.4, "a", "b")
    order = rng.permutation(len(points))
    one = enrichment(cells(points, names), shuffles=50, seed=3)
    before = threads.get_num_threads() if hasattr(threads, "get_num_threads") else None
    other = enrichment(cells(points[order], names[order]), shuffles=50, seed=3)
    assert before is None or threads.get_num_threads() == before
    assert np.array_equal(one.drawn_mean, other.drawn_mean) and np.array_equal(one.drawn_sd, other.drawn_sd) and np.array_equal(one.p, other.p)
    assert not np.array_equal(one.drawn_mean, enrichment(cells(points, names), shuffles=50, seed=4).drawn_mean)


def test_a_shuffle_is_an_order_in_which_every_place_is_as_likely():
    turns = np.array([shuffled(np.arange(5), 1, Purpose.TYPES, t) for t in range(4000)])
    assert (np.sort(turns, axis=1) == np.arange(5)).all()
    times = np.array([np.bincount(turns[:, k], minlength=5) for k in range(5)])
    assert np.abs(times - 800).max() < 5 * np.sqrt(4000 * 0.16)  # five sd of a binomial


def test_what_cannot_be_asked_is_refused():
    of = cells(np.array([[0.0, 0], [1, 0], [2, 0], [0, 0]]), list("aabb"))
    with pytest.raises(SpatialError, match=r"share their place|triangles"):
        neighbours(of, "delaunay")
    with pytest.raises(SpatialError, match="the 4 nearest of 4 cells; expected 1 to 3"):
        neighbours(of, "nearest", k=4)
    with pytest.raises(SpatialError, match="neighbours by 'circle'; expected one of radius, nearest, delaunay"):
        neighbours(of, "circle")
    with pytest.raises(SpatialError, match="the place of cell 2 is no number"):
        cells(np.array([[0.0, 0], [np.nan, 0]]), list("ab"))


def squidpy():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pytest.importorskip("squidpy", reason="squidpy is not installed: its enrichment is compared in an environment of its own")


@pytest.mark.parametrize("kind", ["radius", "nearest", "delaunay"])
def test_contacts_and_z_are_those_of_squidpy(kind):
    sq = squidpy()
    import anndata

    rng = np.random.default_rng(9)
    of = two_types(rng, poisson(rng, 1.5e-3))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        table = anndata.AnnData(np.zeros((of.n, 1)))
        table.obsm["spatial"] = of.points
        table.obs["kind"] = [of.types[c] for c in of.code]
        table.obs["kind"] = table.obs["kind"].astype("category")
        how = {"radius": {"radius": 30.0}, "nearest": {"n_neighs": 6}, "delaunay": {"delaunay": True}}[kind]
        sq.gr.spatial_neighbors(table, coord_type="generic", **how)
        z, counts = sq.gr.nhood_enrichment(table, cluster_key="kind", n_perms=1000, seed=1, copy=True, show_progress_bar=False)[:2]
    found = enrichment(of, neighbours(of, kind, 30.0, 6), shuffles=1000)
    assert np.array_equal(found.contacts, counts)
    # squidpy's z strays by 1/sqrt(1000) in the mean and 2.2 % of it in the sd: five of each
    assert np.abs(found.z - z).max() < 5 * (1 / np.sqrt(1000) + 0.022 * np.abs(z).max())
