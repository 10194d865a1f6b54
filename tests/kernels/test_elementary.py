"""exp, expm1, log and power against 50-digit decimal arithmetic, and scalar against vector bits."""

from __future__ import annotations

from decimal import Decimal, localcontext

import numpy as np
import pytest

from tme.kernels.elementary import exp, expm1, expm1_fast, fma, log, power
from tme.kernels.jit import serial


def worst(function, exact, xs):
    """Largest relative error over `xs`."""
    with localcontext() as context:
        context.prec = 50
        errors = []
        for x in xs:
            truth = exact(Decimal(float(x)))
            if truth:
                errors.append(abs((Decimal(float(function(float(x)))) - truth) / truth))
    return float(max(errors))


def spread(low, high, n=1500, seed=0):
    return np.random.default_rng(seed).uniform(low, high, n)


@pytest.mark.parametrize("width", [1e-6, 1.0, 30.0, 700.0])
def test_exp_and_expm1_are_exact_to_a_few_bits(width):
    xs = spread(-width, width)
    assert worst(exp, lambda d: d.exp(), xs) < 6e-16
    assert worst(expm1, lambda d: d.exp() - 1, xs) < 6e-16


@pytest.mark.parametrize("xs", [spread(0.5, 2.0), 1.0 + spread(-1e-6, 1e-6), np.exp(spread(-700, 700))])
def test_log_is_exact_to_a_few_bits(xs):
    assert worst(log, lambda d: d.ln(), xs) < 4e-16


@pytest.mark.parametrize("y", [0.3, 0.5, 0.7, 1.5, -1.0, 6.0])
def test_power_is_exact_to_1e_14(y):
    xs = np.exp(spread(-5, 5, 500))
    assert worst(lambda x: power(x, y), lambda d: (d.ln() * Decimal(y)).exp(), xs) < 1e-14


def test_limits_are_those_of_the_functions():
    assert exp(0.0) == 1.0 and expm1(0.0) == 0.0 and log(1.0) == 0.0
    assert exp(-1e9) == 0.0 and exp(-np.inf) == 0.0 and exp(1e9) == np.inf and exp(np.inf) == np.inf
    assert expm1(-1e9) == -1.0 and expm1(1e9) == np.inf
    with np.errstate(all="ignore"):  # integer wrap-around warns when the compiler is switched off
        assert log(0.0) == -np.inf and np.isnan(log(-1.0))
    assert power(0.0, 0.3) == 0.0 and power(1.0, 0.3) == 1.0
    with np.errstate(all="ignore"):
        assert all(np.isnan(f(np.nan)) for f in (exp, expm1, log))


def test_fast_expm1_is_exact_to_1e_11_and_never_loses_more_than_everything():
    xs = np.concatenate([spread(-w, w) for w in (1e-6, 1.0, 30.0, 700.0)])
    assert worst(expm1_fast, lambda d: d.exp() - 1, xs) < 1e-11
    assert expm1_fast(0.0) == 0.0
    assert all(-1.0 <= expm1_fast(-x) < 0.0 for x in np.geomspace(1e-12, 708.0, 400))


def test_fma_rounds_once_with_and_without_the_compiler():
    rng = np.random.default_rng(3)
    compiled = serial(lambda a, b, c: fma(a, b, c))
    for a, b in rng.lognormal(0.0, 5.0, (300, 2)) * rng.choice([-1.0, 1.0], (300, 2)):
        for c in (-a * b, 0.0, rng.normal(), -a * b * (1.0 + 1e-15)):
            assert fma(a, b, c) == compiled(a, b, c)
    assert fma(0.1, 10.0, -1.0) == 2.0**-54
    for odd in ((np.inf, 1.0, 0.0), (-0.0, 1.0, -0.0), (1e300, 1e300, 0.0), (1e-200, 1e-200, 0.0)):
        assert np.float64(fma(*odd)).tobytes() == np.float64(compiled(*odd)).tobytes()


@serial
def over(xs, out):
    """A loop the compiler vectorises."""
    for i in range(xs.size):
        out[0, i] = exp(xs[i])
        out[1, i] = expm1(xs[i])
        out[2, i] = log(xs[i])
        out[3, i] = expm1_fast(xs[i])
        out[4, i] = power(xs[i], 0.3)


@pytest.mark.parametrize("n", [1, 3, 8, 17, 256])
def test_vector_scalar_and_python_give_the_same_bits(n):
    xs = np.exp(spread(-6, 6, n, seed=n))
    out = np.empty((5, n))
    over(xs, out)
    for k, f in enumerate((exp, expm1, log, expm1_fast, lambda x: power(x, 0.3))):
        scalar = np.array([f(float(x)) for x in xs])
        assert (out[k].view(np.int64) == scalar.view(np.int64)).all()
    for k, f in enumerate((exp, expm1, log, expm1_fast)):
        plain = np.array([getattr(f, "py_func", f)(float(x)) for x in xs])
        assert (out[k].view(np.int64) == plain.view(np.int64)).all()
