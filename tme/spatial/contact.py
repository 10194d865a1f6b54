"""Neighbourhood enrichment: whose neighbours are whose, against the same cells with their types shuffled."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from tme.kernels import pairs
from tme.spatial.cell import Cells
from tme.spatial.draws import Purpose, shuffled
from tme.spatial.neighbourhood import Graph, neighbours
from tme.spatial.nulls import Weights, mutual, shuffled_moments

FEW, MANY, LARGE = 99, 999, 50_000  # shuffles of large and of small tables, and where a table is large


@dataclass(frozen=True)
class Enrichment:
    """Contacts (k, k) from cells of a type (rows) to neighbours of a type (columns), and what shuffled types give.

    `mean`, `sd`: exactly, over all shuffles; `drawn_mean`, `drawn_sd`, `p`: of the `shuffles` drawn, p two-sided (r + 1)/(shuffles + 1); NaN
    without any. `z` is (contacts - mean)/sd, `ratio` contacts/mean.
    """

    types: tuple[str, ...]
    counts: np.ndarray
    contacts: np.ndarray
    mean: np.ndarray
    sd: np.ndarray
    drawn_mean: np.ndarray
    drawn_sd: np.ndarray
    p: np.ndarray
    shuffles: int
    edges: int
    about: str

    @property
    def z(self) -> np.ndarray:
        """Standard deviations of the null from its mean; NaN where shuffling changes nothing."""
        return np.divide(self.contacts - self.mean, self.sd, out=np.full(self.mean.shape, np.nan), where=self.sd > 1e-9 * np.abs(self.mean))

    @property
    def ratio(self) -> np.ndarray:
        """Contacts over what shuffled types give."""
        return np.divide(self.contacts, self.mean, out=np.full(self.mean.shape, np.nan), where=self.mean > 0)

    def table(self) -> pd.DataFrame:
        """One row for each ordered pair of types."""
        rows = [
            {"source": a, "target": b, "source_cells": self.counts[i], "target_cells": self.counts[j], "contacts": self.contacts[i, j],
             "expected": self.mean[i, j], "expected_sd": self.sd[i, j], "ratio": self.ratio[i, j], "z": self.z[i, j],
             "shuffles": self.shuffles, "shuffled_mean": self.drawn_mean[i, j], "shuffled_sd": self.drawn_sd[i, j], "p": self.p[i, j]}
            for i, a in enumerate(self.types) for j, b in enumerate(self.types)
        ]  # fmt: skip
        return pd.DataFrame(rows)


def shuffles_for(n: int) -> int:
    """How often types are shuffled unless the user says."""
    return FEW if n > LARGE else MANY


def contacts(graph: Graph, code: np.ndarray, k: int) -> np.ndarray:
    """Directed edges (k, k) int64 by the types of their ends."""
    out = np.zeros((k, k), np.int64)
    pairs.count_contacts(graph.at, graph.neighbour, code, out)
    return out


def weights(graph: Graph) -> Weights:
    """The sums that the null's moments are made of."""
    if graph.mutual:
        d = graph.degree.astype(float)
        total = np.asarray(float(graph.edges))
        return mutual(total, total, np.asarray((d**2).sum()))
    back, out2, in2, both = pairs.graph_moments(graph.at, graph.neighbour, np.empty(graph.n, np.int64))
    total = np.asarray(float(graph.edges))
    return Weights(total, total, np.asarray(float(back)), np.asarray(out2), np.asarray(in2), np.asarray(both))


def enrichment(of: Cells, graph: Graph | None = None, shuffles: int | None = None, seed: int = 0) -> Enrichment:
    """Contacts between types and their null; neighbours within 30 um unless a graph is given.

    `shuffles` of the types besides the exact moments: 999, or 99 above 50,000 cells; 0 for none. Equals `squidpy.gr.nhood_enrichment` in the counts,
    and in z up to what its drawn mean and standard deviation stray.
    """
    graph = neighbours(of) if graph is None else graph
    times = shuffles_for(of.n) if shuffles is None else shuffles
    k = len(of.types)
    code = of.code.astype(np.uint8)  # a quarter of the time where a million types are read in random order
    found = contacts(graph, code, k)
    mean, variance = shuffled_moments(weights(graph), of.counts)
    drawn = np.empty((times, k, k))
    for turn in range(times):
        drawn[turn] = contacts(graph, shuffled(code, seed, Purpose.TYPES, turn), k)
    if times:
        # both sides: as far from the exact mean as what was found
        beyond = (np.abs(drawn - mean) >= np.abs(found - mean) - 1e-9).sum(axis=0)
        p, drawn_mean, drawn_sd = (beyond + 1) / (times + 1), drawn.mean(axis=0), drawn.std(axis=0)
    else:
        p = drawn_mean = drawn_sd = np.full((k, k), np.nan)
    return Enrichment(of.types, of.counts, found, mean, np.sqrt(variance), drawn_mean, drawn_sd, p, times, graph.edges, graph.about)
