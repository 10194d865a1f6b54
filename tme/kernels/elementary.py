"""exp, expm1, log and power in plain arithmetic, so that scalar and vector code give the same bits.

The C library and a compiler's vector library disagree in the last bits, and a loop's vector body and its
remainder may call one each. These have no branch and no call: LLVM inlines and vectorises them, and every
operation is an IEEE add, multiply or divide or a bit shift, none of them fused unless `fma` says so: a
compiler left to fuse what it likes would not do so everywhere alike.

Each takes and returns one float64. Largest relative errors seen against 60-digit arithmetic: `exp`
2.4e-16, `expm1` 4.5e-16, `log` 1.4e-16 over their whole range; `power` 1.2e-15 for |y log x| <= 15;
`expm1_fast` 7.1e-12.

    exp(x) = 2^k e^r      x = k ln 2 + r, |r| <= ln 2 / 2      e^r = 1 + r P(r)

P is the Chebyshev interpolant of expm1(r)/r of degree 10 (error 2e-17 before rounding); `log` uses the
reduction and the coefficients of fdlibm's e_log.c (Sun Microsystems 1993).
"""

from __future__ import annotations

from fractions import Fraction
from math import isfinite

import numpy as np
from numba import types
from numba.extending import intrinsic, overload

from tme.kernels.jit import SETTINGS, compiled

# like `rule`, but LLVM inlines it whatever its size: a call left in a loop stops vectorisation
law = compiled(**SETTINGS, forceinline=True)

_LOG2E = 1.4426950408889634
_LN2_HI = 6.93147180369123816490e-01
_LN2_LO = 1.90821492927058770002e-10
_LN2 = 0.6931471805599453
_ROUND = 6755399441055744.0  # 1.5 * 2^52: adding it rounds to an integer and leaves that in the low bits
_EXP_HIGH = 709.0
_EXP_LOW = -708.0

_MANTISSA = 0x000FFFFFFFFFFFFF
_SQRT_HALF = 0x3FE6A09E667F3BCD
_ONE = 0x3FF0000000000000
_TWO52 = 4503599627370496.0
_TWO52_BITS = 0x4330000000000000


@law
def _reduce(x):
    """x -> (2^k, r P(r)) with e^x = 2^k (1 + r P(r)); -708 <= x <= 709."""
    t = x * _LOG2E + _ROUND
    k = t - _ROUND
    r = (x - k * _LN2_HI) - k * _LN2_LO
    scale = np.int64((np.float64(t).view(np.int64) + 1023) << 52).view(np.float64)
    r2 = r * r
    r4 = r2 * r2
    low = (1.0 + r * 0.5) + r2 * (0.1666666666666667 + r * 0.04166666666657222)
    mid = (0.00833333333332607 + r * 0.0013888888932811632) + r2 * (
        0.00019841269875048905 + r * 2.480150393767484e-05
    )
    top = (2.755725511097889e-06 + r * 2.7626527425824333e-07) + r2 * 2.5105337244665212e-08
    return scale, r * (low + r4 * (mid + r4 * top))


@law
def _clip(x):
    """Keep x where 2^k is a normal number; a NaN stays a NaN."""
    x = _EXP_HIGH if x > _EXP_HIGH else x
    return _EXP_LOW if x < _EXP_LOW else x


@law
def exp(x):
    """e^x. Below -708 it is 0 and above 709 infinite.

    >>> exp(0.0)
    1.0
    """
    s, q = _reduce(_clip(x))
    y = s * q + s
    y = 0.0 if x < _EXP_LOW else y
    return np.inf if x > _EXP_HIGH else y


@law
def expm1(x):
    """e^x - 1, accurate near 0.

    >>> expm1(1e-20)
    1e-20
    """
    s, q = _reduce(_clip(x))
    y = s * q + (s - 1.0)
    return np.inf if x > _EXP_HIGH else y


@intrinsic
def _fused(context, a, b, c):
    """LLVM's fma: one instruction where the processor has it, else a call of the C library; the same bits."""
    number = types.float64
    return number(number, number, number), lambda context, builder, signature, args: builder.fma(*args)


def fma(a, b, c):
    """a b + c rounded once; of numbers, not arrays. Without the compiler in exact fractions.

    >>> fma(0.1, 10.0, -1.0)
    5.551115123125783e-17
    """
    if isfinite(a) and isfinite(b) and isfinite(c):
        exact = Fraction(a) * Fraction(b) + Fraction(c)
        if exact and abs(exact) < 1e308:
            return float(exact)
    return a * b + c


@overload(fma)
def _compiled_fma(a, b, c):
    return lambda a, b, c: _fused(a, b, c)


def _multiply_add(a, b, c):
    """The device's `fma`: its compiler fuses this, and its bits are its own anyhow."""
    return a * b + c


fma.py_func = _multiply_add  # type: ignore[attr-defined]  # what `device_law` compiles


@law
def expm1_fast(x):
    """e^x - 1 to a relative 1e-11, exact at 0 and never below -1; -708 <= x <= 709 (not checked).

    e^r = 1 + r P(r) with P of degree 7; ln 2 in one piece, whose rounding is nothing here.
    """
    t = fma(x, _LOG2E, _ROUND)
    r = fma(t - _ROUND, -_LN2, x)
    scale = np.int64((np.float64(t).view(np.int64) + 1023) << 52).view(np.float64)
    q = fma(r, 2.4867883453521806e-05, 0.00019907582591325134)
    q = fma(r, q, 0.001388883909064138)
    q = fma(r, q, 0.008333283518768105)
    q = fma(r, q, 0.041666666786337556)
    q = fma(r, q, 0.1666666678638044)
    q = fma(r, q, 0.4999999999995507)
    q = fma(r, q, 0.9999999999955055)
    return fma(scale, r * q, scale - 1.0)


@law
def log(x):
    """Natural logarithm of a normal number; -inf at 0, NaN below.

    >>> log(1.0)
    0.0
    """
    bits = np.float64(x).view(np.int64) + (_ONE - _SQRT_HALF)
    # the exponent as a float, without an integer conversion that AVX2 lacks
    biased = np.int64((bits >> 52) | _TWO52_BITS).view(np.float64) - _TWO52
    k = biased - 1023.0
    f = np.int64((bits & _MANTISSA) + _SQRT_HALF).view(np.float64) - 1.0
    s = f / (2.0 + f)
    z = s * s
    w = z * z
    t1 = w * (3.999999999940941908e-01 + w * (2.222219843214978396e-01 + w * 1.531383769920937332e-01))
    t2 = z * (
        6.666666666666735130e-01
        + w * (2.857142874366239149e-01 + w * (1.818357216161805012e-01 + w * 1.479819860511658591e-01))
    )
    half = 0.5 * f * f
    y = k * _LN2_HI - ((half - (s * (half + (t1 + t2)) + k * _LN2_LO)) - f)
    y = -np.inf if x == 0.0 else y
    return np.nan if x < 0.0 else y


@law
def power(x, y):
    """x^y for x >= 0, as exp(y log x); power(0, y > 0) = 0 and power(1, y) = 1.

    >>> power(1.0, 0.3)
    1.0
    """
    return exp(y * log(x))
