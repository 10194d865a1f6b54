"""Responses of rules: powers against exact arithmetic, any number of rows, any cut among threads."""

from fractions import Fraction

import numpy as np
import pytest

from tme.kernels import rules


@pytest.mark.parametrize("hill", [1.0, 2.0, 3.0, 4.0, 5.0, 8.0, 20.0, -1.0, -3.0])
def test_whole_powers_agree_with_exact_fractions(hill):
    x = np.random.default_rng(1).uniform(0.01, 30.0, 40)
    exact = [float(Fraction(v) ** int(hill)) for v in x]
    rules.raise_to(x, np.uint64(len(x)), hill)
    assert np.allclose(x, exact, rtol=1e-13, atol=0.0)


@pytest.mark.parametrize("hill", [0.3, 0.5, 1.5, 2.5, 3.7, 17.9, -0.7, -2.5])
def test_other_powers_agree_with_the_c_library_to_12_digits(hill):
    x = np.concatenate([[1.0], 10.0 ** np.random.default_rng(2).uniform(-6, 6, 5000)])
    expected = x**hill
    rules.raise_to(x, np.uint64(len(x)), hill)
    assert np.allclose(x, expected, rtol=1e-12, atol=0.0) and x[0] == 1.0


@pytest.mark.parametrize("hill", [1.0, 2.5, 20.0])
def test_nothing_stays_nothing_and_a_falling_power_of_it_is_bounded(hill):
    x = np.zeros(3)
    rules.raise_to(x, np.uint64(3), hill)
    assert (x == 0.0).all()
    rules.raise_to(x, np.uint64(3), -hill)
    assert (x == 1.0 / 1e-300).all()


@pytest.mark.parametrize("hill", [2.0, 2.5, -1.0])
def test_rows_respond_alike_however_they_are_shared(hill):
    n, rng = 2 * rules.BLOCK + 37, np.random.default_rng(3)
    signal = rng.uniform(-1.0, 3.0, n)
    whole, parts = np.full(n, 7.0), np.full(n, 7.0)
    rules.multiply_by_response(0, n, signal, 0.5, 2.0, hill, -0.4, False, whole)
    for lo, hi in ((0, 1), (1, 300), (300, 301), (301, n)):
        rules.multiply_by_response(lo, hi, signal, 0.5, 2.0, hill, -0.4, False, parts)
    assert np.array_equal(whole, parts)
    x = np.maximum(2.0 * (signal - 0.5), 1e-30) ** hill
    assert np.allclose(whole, 7.0 * (1.0 - 0.4 * x / (1.0 + x)), rtol=1e-12)
    total, first = np.full(n, 5.0), np.full(n, 5.0)
    rules.sum_powers(0, n, signal, 0.5, 2.0, 2.0, False, total)
    rules.sum_powers(0, n, signal, 0.5, 2.0, 2.0, True, first)
    assert np.allclose(total, 5.0 + first, rtol=1e-15) and np.array_equal(first, np.maximum(2.0 * (signal - 0.5), 0.0) ** 2)
