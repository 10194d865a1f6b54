"""Philox 4x32-10 against the known answers of Random123, its uniforms, and the uid hashes."""

from __future__ import annotations

import numpy as np
import pytest

from tme.kernels.jit import serial
from tme.kernels.rng import (
    BLOCK,
    Stream,
    child_uid,
    draw,
    draw_block,
    normals,
    philox,
    recruit_uid,
    uniform,
    uniform2,
    uniform_block,
    uniforms,
    unit,
)

# kat_vectors of Random123 1.14 (Salmon et al. 2011): counter, key, result
ZEROS = ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8))
ONES = ((0xFFFFFFFF,) * 4, (0xFFFFFFFF,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD))
PI = (
    (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
    (0xA4093822, 0x299F31D0),
    (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
)
SEED = np.uint64(2026)


@pytest.mark.parametrize(("counter", "key", "answer"), [ZEROS, ONES, PI], ids=["zeros", "ones", "pi"])
def test_philox_gives_the_published_answers(counter, key, answer):
    words = [np.uint32(x) for x in (*counter, *key)]
    assert tuple(int(x) for x in philox(*words)) == answer
    with np.errstate(over="ignore"):
        assert tuple(int(x) for x in getattr(philox, "py_func", philox)(*words)) == answer


def test_unit_is_never_zero():
    assert 0.0 < unit(np.uint32(0), np.uint32(0)) < 1e-15


def test_unit_is_never_one():
    top = np.uint32(0xFFFFFFFF)
    assert 1.0 - 1e-15 < unit(top, top) < 1.0


def filled(stream=Stream.DEATH, tick=7, sub=0, seed=SEED, n=1_000_000, function=uniforms):
    out = np.empty(n)
    function(seed, int(stream), tick, np.arange(n, dtype=np.uint64), sub, out)
    return out


def test_uniforms_are_uniform():
    u = filled()
    assert u.min() > 0.0 and u.max() < 1.0
    counts = np.bincount((u * 1000).astype(int), minlength=1000)
    chi2 = ((counts - 1000.0) ** 2 / 1000.0).sum()
    assert 999 - 5 * np.sqrt(2 * 999) < chi2 < 999 + 5 * np.sqrt(2 * 999)
    assert abs(u.mean() - 0.5) < 5 * np.sqrt(1 / 12 / u.size)
    assert abs(u.var() - 1 / 12) < 5 * np.sqrt(1 / 180 / u.size)


def test_draws_of_neighbouring_cells_ticks_streams_and_seeds_are_unrelated():
    u = filled()
    others = [u[1:], filled(tick=8), filled(stream=Stream.HIT), filled(sub=1), filled(seed=np.uint64(2027))]
    for other in others:
        assert abs(np.corrcoef(u[: other.size], other)[0, 1]) < 5e-3


def test_normals_are_normal():
    z = filled(n=200_000, function=normals)
    bound = 5 / np.sqrt(z.size)
    assert abs(z.mean()) < bound and abs(z.var() - 1) < 1.5 * bound
    assert abs((z**3).mean()) < 4 * bound and abs((z**4).mean() - 3) < 10 * bound


def test_a_draw_depends_on_its_key_only():
    args = (SEED, int(Stream.MOVE), 11, np.uint64(2**63 + 5), 2)
    a, b, c, d = draw(*args)
    assert uniform(*args) == unit(a, b)
    assert uniform2(*args) == (unit(a, b), unit(c, d))
    one = np.empty(1)
    uniforms(SEED, int(Stream.MOVE), 11, np.array([2**63 + 5], np.uint64), 2, one)
    assert one[0] == uniform(*args)


@pytest.mark.parametrize("seed", [1, 2**63 + 7, 2**64 - 1])
@pytest.mark.parametrize(("lo", "hi"), [(0, 64), (3, 40), (64, 65), (936, 1000), (5, 5)])
def test_draws_side_by_side_are_those_of_each_cell_alone(seed, lo, hi):
    uid = np.random.default_rng(3).integers(0, 2**64 - 1, 1000, dtype=np.uint64)
    words, u = np.zeros((4, BLOCK), np.uint64), np.full((2, BLOCK), np.nan)
    draw_block(np.uint64(seed), int(Stream.HIT), 2**33 + 5, uid, lo, hi, 3, words)
    uniform_block(np.uint64(seed), int(Stream.HIT), 2**33 + 5, uid, lo, hi, 3, u)
    for j in range(hi - lo):
        key = (np.uint64(seed), int(Stream.HIT), 2**33 + 5, uid[lo + j], 3)
        assert words[:, j].tolist() == [int(x) for x in draw(*key)]
        assert tuple(u[:, j]) == uniform2(*key)
    assert (words[:, hi - lo :] == 0).all() and np.isnan(u[:, hi - lo :]).all()


def test_streams_have_distinct_codes_that_fit():
    codes = [int(s) for s in Stream]
    assert len(set(codes)) == len(codes) and min(codes) > 0 and max(codes) < 2**15


@serial
def families(parents, divisions, out):
    """uids of the first `divisions` daughters of each parent."""
    k = 0
    for parent in parents:
        for j in range(1, divisions + 1):
            out[k] = child_uid(parent, j)
            k += 1


@serial
def arrivals(sources, ticks, slots, out):
    """uids of recruits from every source, tick and slot."""
    k = 0
    for source in sources:
        for tick in range(ticks):
            for slot in range(slots):
                out[k] = recruit_uid(source, tick, slot)
                k += 1


def test_a_million_newborns_and_recruits_have_their_own_uids():
    founders = np.arange(1, 50_001, dtype=np.uint64)
    children = np.empty(500_000, np.uint64)
    families(founders, 10, children)
    grandchildren = np.empty(250_000, np.uint64)
    families(children[:50_000], 5, grandchildren)
    recruits = np.empty(250_000, np.uint64)
    arrivals((np.uint64(2) << np.uint64(32)) + np.arange(50, dtype=np.uint64), 1000, 5, recruits)
    everyone = np.concatenate([founders, children, grandchildren, recruits])
    assert np.unique(everyone).size == everyone.size > 1_000_000


def test_uid_hashes_are_the_same_in_every_arm():
    assert child_uid(np.uint64(5), 3) == child_uid(np.uint64(5), 3)
    assert child_uid(np.uint64(5), 3) != child_uid(np.uint64(5), 4)
    assert recruit_uid(7, 100, 0) != recruit_uid(7, 100, 1)
