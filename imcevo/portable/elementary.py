"""Logarithms, exponentials, powers, cosine and the error function of one number, for compiled kernels.

Made of +, -, *, / and exact scaling alone, so that every host gives the same bits. LLVM contracts a * b + c to one
rounding only where a caller allows it, which `imcevo.kernels.kernel` never does. Largest errors, in units of the last
place (ulp) of results that are not subnormal, as tested against 40-digit arithmetic: .51 for `exp`, `exp2`, `log`,
`log2`, `log10`, `log1p` and `power`, 2 for `cos_turns`, 4 for `erfc`; subnormal results are off by 1 ulp at most.

Methods: tables and short Taylor series (P. T. P. Tang, ACM TOMS 15 (1989) 144 and 16 (1990) 378), carried in pairs of
doubles, high and low part (T. J. Dekker, Numerische Mathematik 18 (1971) 224).
"""

from __future__ import annotations

from decimal import Decimal
from math import inf, nan

import numpy as np

from imcevo.kernels import kernel
from imcevo.portable.exact import DIGITS

_STEPS = 64  # entries of the table of 2^(j/64)
_TO_WHOLE = 1.5 * 2.0**52  # x + this - this is the whole number nearest to x, |x| < 2^51
_SPLITTER = 2.0**27 + 1.0
_FRACTION, _ONE, _HALF = 0x000FFFFFFFFFFFFF, 0x3FF0000000000000, 0x3FE0000000000000
_HIGH_HALF = ~0x7FFFFFF  # all but the low 27 bits
_SMALLEST_NORMAL = 2.0**-1022


def _pair(value: Decimal, high_bits: int = 53) -> tuple[float, float]:
    """A number as high part of so many bits and low part."""
    high = float(value)
    if high_bits < 53:
        unit = 2.0 ** (np.frexp(high)[1] - high_bits)
        high = float(np.floor(high / unit) * unit)
    return high, float(DIGITS.subtract(value, Decimal(high)))


def _exp2_table() -> tuple[np.ndarray, np.ndarray]:
    """2^(j/64), high and low parts ``[64]``."""
    root = Decimal(2)
    for _ in range(6):
        root = root.sqrt(DIGITS)
    powers = [Decimal(1)]
    for _ in range(_STEPS - 1):
        powers.append(DIGITS.multiply(powers[-1], root))
    high, low = np.array([_pair(value) for value in powers]).T
    return high.copy(), low.copy()


def _log_table() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """For z in [j, j + 1)/256 + 1, halved from `_HALVED` on: a number c of few bits near 1/z, and -ln c ``[256]``.

    c is 1 next to z = 1, so that logarithms near 0 lose nothing.
    """
    c = np.ones(256)
    for j in range(1, 255):
        z = (1.0 + (j + 0.5) / 256.0) * (0.5 if j >= _HALVED else 1.0)
        c[j] = np.rint(512.0 / z) / 512.0
    high, low = np.array([_pair(DIGITS.minus(Decimal(value).ln(DIGITS))) for value in c.tolist()]).T
    return c, high.copy(), low.copy()


_HALVED = 106  # 1 + 106/256 = sqrt(2), about
_EXP2_HIGH, _EXP2_LOW = _exp2_table()
_INVERSE, _LOG_HIGH, _LOG_LOW = _log_table()
_LN2 = Decimal(2).ln(DIGITS)
_LN2_HIGH, _LN2_LOW = _pair(_LN2, 42)  # times an exponent exact
_STEP_HIGH, _STEP_LOW = _pair(DIGITS.divide(_LN2, Decimal(_STEPS)), 36)  # times a number of steps exact
_STEPS_PER_UNIT = float(DIGITS.divide(Decimal(_STEPS), _LN2))
_LN2_PAIR = _pair(_LN2)
_LOG2_E = _pair(DIGITS.divide(Decimal(1), _LN2))
_LOG10_E = _pair(DIGITS.divide(Decimal(1), Decimal(10).ln(DIGITS)))
_LOG10_2 = _pair(DIGITS.divide(_LN2, Decimal(10).ln(DIGITS)), 42)
_TWO_PI = 6.283185307179586
_TWO_OVER_ROOT_PI = 1.1283791670955126


@kernel(inner=True)
def _sum(a: float, b: float) -> tuple[float, float]:
    """a + b without error: rounded sum, and what it lacks (D. Knuth)."""
    s = a + b
    t = s - a
    return s, (a - (s - t)) + (b - t)


@kernel(inner=True)
def _fast_sum(a: float, b: float) -> tuple[float, float]:
    """The same where |a| >= |b| or a = 0."""
    s = a + b
    return s, b - (s - a)


@kernel(inner=True)
def _product(a: float, b: float) -> tuple[float, float]:
    """a * b without error (Dekker); both below 2^990."""
    p = a * b
    t = _SPLITTER * a
    a1 = t - (t - a)
    a2 = a - a1
    t = _SPLITTER * b
    b1 = t - (t - b)
    b2 = b - b1
    return p, ((a1 * b1 - p) + a1 * b2 + a2 * b1) + a2 * b2


@kernel(inner=True)
def _log_parts(x: float) -> tuple[float, float, float]:
    """(e, high, low): ln x = e ln 2 + high + low, x positive, finite and not 0."""
    e = 0.0
    if x < _SMALLEST_NORMAL:
        x *= 2.0**54
        e = -54.0
    bits = np.float64(x).view(np.int64)
    j = (bits >> 44) & 255
    e += float((bits >> 52) - 1023)
    fraction = (bits & _FRACTION) | _ONE
    if j >= _HALVED:
        e += 1.0
        fraction = (bits & _FRACTION) | _HALF
    z, z_high = np.int64(fraction).view(np.float64), np.int64(fraction & _HIGH_HALF).view(np.float64)
    c = _INVERSE[j]
    r, r_low = _sum(z_high * c - 1.0, (z - z_high) * c)  # z c - 1 without error, |r| < 2^-7.9
    square, square_low = _product(r, r)
    series = r * square * (
        1.0 / 3.0 - r * (1.0 / 4.0 - r * (1.0 / 5.0 - r * (1.0 / 6.0 - r * (1.0 / 7.0 - r * (1.0 / 8.0)))))
    )  # fmt: skip
    high, low = _fast_sum(r, -0.5 * square)
    low += (r_low - r * r_low - 0.5 * square_low) + series
    high, rest = _sum(_LOG_HIGH[j], high)
    high, low = _fast_sum(high, rest + low + _LOG_LOW[j])
    return e, high, low


@kernel(inner=True)
def _log_pair(x: float) -> tuple[float, float]:
    """ln x as high and low part, good to 2^-66 relative, x positive, finite and not 0."""
    e, high, low = _log_parts(x)
    whole, rest = _sum(e * _LN2_HIGH, high)
    return _fast_sum(whole, rest + low + e * _LN2_LOW)


@kernel(inner=True)
def _exp_reduced(k: float, r: float, low: float) -> float:
    """2^(k/64) e^(r + low), |r| < ln 2/127, |low| far below."""
    steps = np.int64(k)
    j, n = steps & (_STEPS - 1), steps >> 6
    series = r * r * (
        0.5 + r * (1.0 / 6.0 + r * (1.0 / 24.0 + r * (1.0 / 120.0 + r * (1.0 / 720.0 + r * (1.0 / 5040.0)))))
    )  # fmt: skip
    grown = r + (low + series)
    value = _EXP2_HIGH[j] + (_EXP2_LOW[j] + _EXP2_HIGH[j] * grown)
    if -1022 <= n <= 1023:
        return value * np.int64((n + 1023) << 52).view(np.float64)
    half = n >> 1
    value *= np.int64((half + 1023) << 52).view(np.float64)
    return value * np.int64((n - half + 1023) << 52).view(np.float64)


@kernel(inner=True)
def _exp_pair(high: float, low: float) -> float:
    """e^(high + low)."""
    if high > 710.0:
        return inf
    if high < -746.0:
        return 0.0
    k = (high * _STEPS_PER_UNIT + _TO_WHOLE) - _TO_WHOLE
    r, rest = _sum(high - k * _STEP_HIGH, -k * _STEP_LOW)
    r, rest = _sum(r, rest + low)
    return _exp_reduced(k, r, rest)


@kernel(inline=False, inner=True)
def exp(x: float) -> float:
    """e^x."""
    if x != x:
        return x
    return _exp_pair(x, 0.0)


@kernel(inline=False, inner=True)
def exp2(x: float) -> float:
    """2^x; whole powers are exact."""
    if x != x:
        return x
    if x > 1025.0:
        return inf
    if x < -1076.0:
        return 0.0
    k = (x * _STEPS + _TO_WHOLE) - _TO_WHOLE
    r, low = _product(x - k / _STEPS, _LN2_PAIR[0])
    return _exp_reduced(k, r, low + (x - k / _STEPS) * _LN2_PAIR[1])


@kernel(inner=True)
def _outside_logarithm(x: float) -> float:
    """ln of what is not a positive finite number."""
    if x == 0.0:
        return -inf
    return nan if x < 0.0 else x


@kernel(inline=False, inner=True)
def log(x: float) -> float:
    """ln x; -inf at 0, nan below."""
    if not 0.0 < x < inf:
        return _outside_logarithm(x)
    return _log_pair(x)[0]


@kernel(inline=False, inner=True)
def log2(x: float) -> float:
    """log2 x; powers of two are exact."""
    if not 0.0 < x < inf:
        return _outside_logarithm(x)
    e, high, low = _log_parts(x)
    p, p_low = _product(high, _LOG2_E[0])
    p_low += high * _LOG2_E[1] + low * _LOG2_E[0]
    whole, rest = _sum(e, p)
    return whole + (rest + p_low)


@kernel(inline=False, inner=True)
def log10(x: float) -> float:
    """log10 x; powers of ten are exact."""
    if not 0.0 < x < inf:
        return _outside_logarithm(x)
    e, high, low = _log_parts(x)
    p, p_low = _product(high, _LOG10_E[0])
    p_low += high * _LOG10_E[1] + low * _LOG10_E[0]
    whole, rest = _sum(e * _LOG10_2[0], p)
    return whole + (rest + (p_low + e * _LOG10_2[1]))


@kernel(inline=False, inner=True)
def log1p(x: float) -> float:
    """ln(1 + x)."""
    if not -1.0 < x < inf:
        return _outside_logarithm(1.0 + x)
    if abs(x) < 2.0**-54:
        return x
    total, lacking = _sum(1.0, x)
    high, low = _log_pair(total)
    return high + (low + lacking / total)


@kernel(inline=False, inner=True)
def power(x: float, y: float) -> float:
    """x^y, special values as C has them."""
    if y == 0.0 or x == 1.0:
        return 1.0
    if x != x or y != y:
        return nan
    size, sign = abs(x), 1.0
    negative = x < 0.0 or (x == 0.0 and 1.0 / x < 0.0)
    if negative and abs(y) < 2.0**53:  # all larger numbers are even
        if np.floor(y) != y:
            if -inf < x < 0.0:
                return nan
        elif 2.0 * np.floor(0.5 * y) != y:
            sign = -1.0
    if size == 1.0:
        return sign
    if size == 0.0 or size == inf or abs(y) == inf:
        return sign * inf if (size > 1.0) == (y > 0.0) else sign * 0.0
    high, low = _log_pair(size)
    y = min(max(y, -(2.0**80)), 2.0**80)  # beyond, all results are 0 or infinite
    p, p_low = _product(high, y)
    return sign * _exp_pair(p, p_low + low * y)


@kernel(inline=False, inner=True)
def cos_turns(q: float) -> float:
    """cos(2 pi q), also of large q: whole turns are taken off without error."""
    if not abs(q) < inf:
        return nan
    f = 0.0
    if abs(q) < 2.0**51:
        f = abs(q - ((q + _TO_WHOLE) - _TO_WHOLE))
    elif abs(q) < 2.0**52:
        f = abs(q) - np.floor(abs(q))
    sign = 1.0
    if f > 0.25:
        f, sign = 0.5 - f, -1.0
    if f <= 0.125:
        t = (_TWO_PI * f) * (_TWO_PI * f)
        series = 1.0 / 479001600.0 - t * (1.0 / 87178291200.0 - t / 20922789888000.0)
        series = 1.0 / 24.0 - t * (1.0 / 720.0 - t * (1.0 / 40320.0 - t * (1.0 / 3628800.0 - t * series)))
        return sign * (1.0 - (0.5 * t - t * t * series))
    a = _TWO_PI * (0.25 - f)
    t = a * a
    series = 1.0 / 6227020800.0 - t * (1.0 / 1307674368000.0 - t / 355687428096000.0)
    series = 1.0 / 5040.0 - t * (1.0 / 362880.0 - t * (1.0 / 39916800.0 - t * series))
    return sign * (a - a * t * (1.0 / 6.0 - t * (1.0 / 120.0 - t * series)))


# Chebyshev coefficients of (1 + 2 x) e^(x^2) erfc(x), x >= 0, over (x - 3.75)/(x + 3.75) (the form of Shepherd and
# Laframboise, Mathematics of Computation 36 (1981) 249), from 60-digit values at 40 points: tests/portable.
_ERFC = (
    1.1775789345674017, -0.004590054580646478, -0.08424913336651792,
    0.05920993999819189, -0.026658668435305753, 0.009074997670705265,
    -0.002413163540417608, 0.0004907758365258086, -6.916973302501207e-05,
    4.13902798607301e-06, 7.74038306619849e-07, -2.1886401049234397e-07,
    1.076499946567091e-08, 4.521959811218287e-09, -7.754400208831351e-10,
    -6.318088340886684e-11, 2.86879501093067e-11, 1.9455868545777347e-13,
    -9.65469674843344e-13, 3.25254814814874e-14, 3.3478119482868056e-14,
    -1.864562880419313e-15, -1.2507950530688648e-15, 7.418235256624044e-17,
    5.068148904796111e-17, -2.2370566594359995e-18, -2.187342944303018e-18,
)  # fmt: skip


@kernel(inline=False, inner=True)
def erfc(x: float) -> float:
    """1 - erf(x)."""
    if x != x:
        return x
    a = abs(x)
    if a < 0.5:
        square, term, series = x * x, x, x
        for k in range(1, 13):  # sum of (-1)^k x^(2k + 1)/(k! (2k + 1))
            term *= -square / k
            series += term / (2 * k + 1)
        return 1.0 - _TWO_OVER_ROOT_PI * series
    if a > 27.3:
        return 0.0 if x > 0.0 else 2.0
    t = (a - 3.75) / (a + 3.75)
    later = last = 0.0
    for k in range(len(_ERFC) - 1, 0, -1):
        later, last = 2.0 * t * later - last + _ERFC[k], later
    scaled = t * later - last + _ERFC[0]
    square, low = _product(a, a)
    value = _exp_pair(-square, -low) * (scaled / (1.0 + 2.0 * a))
    return value if x >= 0.0 else 2.0 - value
