"""Distortion of one conversion: quantisation, clipping and analog noise (compiled).

Every function returns (alpha, d2, g): the Bussgang gain of the converter, the variance of its error that does not
correlate with the sum in levels^2, and the gain that a static programming error sees.
"""

from __future__ import annotations

import math

from imcevo.kernels import kernel
from imcevo.portable.elementary import erfc, exp, power

# Gauss-Hermite nodes and weights for E[f(Z)], Z ~ N(0, 1): numpy.polynomial.hermite_e.hermegauss(7), weights over
# sqrt(2 pi).
_NODES = (-3.750439717725742, -2.366759410734541, -1.154405394739968, 0.0,
          1.154405394739968, 2.366759410734541, 3.750439717725742)  # fmt: skip
_WEIGHTS = (5.4826885597222e-4, 3.0757123967586e-2, 2.4012317860501e-1, 4.5714285714286e-1,
            2.4012317860501e-1, 3.0757123967586e-2, 5.4826885597222e-4)  # fmt: skip
# The means of symmetrical values are whole quarters of a level: thresholds lie between these, so that no last place
# decides on which side a column falls.
_NORMAL_FROM = 30.1  # mean, levels, above which noise is averaged over a normal sum
_LITTLE_NOISE = 0.1  # noise variance, steps^2, that moves a code to its neighbours at most
_GAUSSIAN_FROM = 60.1  # mean, levels, above which a coarse converter sees a normal sum
_IMPOSSIBLE = 1e-12  # probability of a sum that is left out, and all above it
_REACH = 8.0  # standard deviations
_SHIFT_REACH = 4.0  # standard deviations that a shifted sum goes below 0
_NEGLIGIBLE = 6.5  # standard deviations: tails beyond are below 1e-10
_SYMMETRIC = 1e-4  # skewness below which a sum counts as normal
_SQRT2 = math.sqrt(2.0)
_SQRT2PI = math.sqrt(2.0 * math.pi)


@kernel()
def upper_tail(z: float) -> float:
    """Q(z) of the normal distribution."""
    return 0.5 * erfc(z / _SQRT2)


@kernel()
def density(z: float) -> float:
    return exp(-0.5 * z * z) / _SQRT2PI


@kernel()
def rounded_noise(variance: float) -> float:
    """E[round(noise)^2] = sum_k 2(2k-1) Q((k-1/2)/sigma): an integer sum read with noise, levels^2."""
    if variance > 0.64:
        return variance + 1.0 / 12.0
    if variance < 0.0064:
        return 0.0
    sigma = math.sqrt(variance)
    total = 0.0
    for k in range(1, 6):
        z = (k - 0.5) / sigma
        if z > _NEGLIGIBLE:
            break
        total += 2.0 * (2.0 * k - 1.0) * upper_tail(z)
    return total


@kernel()
def rounded_gain(variance: float) -> float:
    """Slope of E[round(x + noise)] seen by a small added error: (2/sigma) sum_k phi((k-1/2)/sigma) for unit steps."""
    if variance > 0.64:
        return 1.0
    if variance < 0.0064:
        return 0.0
    sigma = math.sqrt(variance)
    total = 0.0
    for k in range(1, 6):
        z = (k - 0.5) / sigma
        if z > _NEGLIGIBLE:
            break
        total += density(z)
    return 2.0 / sigma * total


@kernel()
def next_ratio(mu: float, s2: float, k: float) -> float:
    """P(k+1)/P(k) of the binomial, Poisson or negative binomial distribution with mean mu and variance s2."""
    spread = s2 / mu
    if spread < 0.97:
        p = min(1.0 - spread, 0.999)
        return max(mu / p - k, 0.0) / (k + 1.0) * p / (1.0 - p)
    if spread > 1.03:
        p = 1.0 / spread
        return (mu * p / (1.0 - p) + k) / (k + 1.0) * (1.0 - p)
    return mu / (k + 1.0)


@kernel()
def none_probability(mu: float, s2: float) -> float:
    """P(0) of the same distribution."""
    spread = s2 / mu
    if spread < 0.97:
        p = min(1.0 - spread, 0.999)
        return power(1.0 - p, mu / p)
    if spread > 1.03:
        p = 1.0 / spread
        return power(p, mu * p / (1.0 - p))
    return exp(-mu)


@kernel()
def _levels(mu: float, s: float) -> int:
    """Levels from 0 on that a whole-numbered sum takes, but for a negligible rest."""
    return int(mu + 12.0 * s) + 30


@kernel()
def beyond_whole(mu: float, s2: float, low: float, high: float) -> tuple[float, float]:
    """(P(P < low or P > high), E[(distance to low or high)^2]) of a whole-numbered sum."""
    tails = squares = 0.0
    probability = none_probability(mu, s2)
    for level in range(_levels(mu, math.sqrt(s2))):
        if level > mu and probability < _IMPOSSIBLE:
            break
        distance = max(level - high, low - level, 0.0)
        if distance > 0.0:
            tails += probability
            squares += probability * distance * distance
        probability *= next_ratio(mu, s2, float(level))
    return tails, squares


@kernel()
def read_noise(noise: float, shift2: float, whole: bool) -> tuple[float, float]:
    """Rounded noise of variance `noise`, and the gain that a small added error sees.

    `shift2` is the variance of a known shift d that moves sums off whole levels (cells of value 0 that conduct):
    E[(round(noise + d) - d)^2] = R + shift2 (1 - 2 gamma), R and gamma of the variance of both together. Converted in
    steps of one level (`whole`), digital logic knows that sums are whole and rounds what is left of d: errors are those
    of round(noise + d) - round(d), about R(both) - R(d).
    """
    gain = rounded_gain(noise + shift2)
    if whole:
        offset2 = min(shift2, 1.0 / 12.0)
        return max(rounded_noise(noise), rounded_noise(noise + offset2) - rounded_noise(offset2)), gain
    return rounded_noise(noise + shift2) + shift2 * (1.0 - 2.0 * gain), gain


@kernel()
def noise_moments(
    mu: float, s2: float, slope: float, constant: float, shift2: float, whole: bool
) -> tuple[float, float, float]:
    """E over the sum P of: noise variance, rounded noise, noise variance times gain.

    Rare large sums flip most codes, so small sums are taken level by level.
    """
    if slope == 0.0 or s2 <= 0.0:
        noise = slope * max(mu, 0.0) + constant
        rounded, gain = read_noise(noise, shift2, whole)
        return noise, rounded, noise * gain
    s = math.sqrt(s2)
    discrete = 0.0 < mu < _NORMAL_FROM
    probability = none_probability(mu, s2) if discrete else 0.0
    of_noise = of_rounded = gained = 0.0
    for q in range(_levels(mu, s) if discrete else len(_NODES)):
        weight, level = (probability, float(q)) if discrete else (_WEIGHTS[q], max(mu + s * _NODES[q], 0.0))
        if discrete:
            if level > mu and probability < _IMPOSSIBLE:
                break
            probability *= next_ratio(mu, s2, level)
        noise = slope * level + constant
        rounded, gain = read_noise(noise, shift2, whole)
        of_noise += weight * noise
        of_rounded += weight * rounded
        gained += weight * noise * gain
    return of_noise, of_rounded, gained


@kernel()
def beyond(z: float, skewness: float) -> tuple[float, float]:
    """(P(Z > z), E[(Z - z)^2; Z > z]) of a sum in standard deviations from its mean.

    Wilson and Hilferty, PNAS 17 (1931) 684: the cube root of a gamma variable is nearly normal, so
    y = 6/g ((1 + g z/2)^(1/3) - 1) + g/6 is that of a sum of skewness g. Normal in y:
    E[(Y - y)^2; Y > y] = (1 + y^2) Q(y) - y phi(y), over the square of dy/dz.
    """
    y, slope = z, 1.0
    if abs(skewness) > _SYMMETRIC:
        root = 1.0 + 0.5 * skewness * z
        if root <= 0.0:  # a gamma variable ends here
            return (0.0, 0.0) if z > 0.0 else (1.0, 1.0 + z * z)
        cube_root = power(root, 1.0 / 3.0)
        y = 6.0 / skewness * (cube_root - 1.0) + skewness / 6.0
        slope = 1.0 / (cube_root * cube_root)
    tail = upper_tail(y)
    return tail, max((1.0 + y * y) * tail - y * density(y), 0.0) / slope**2


@kernel()
def fine(
    mu: float, s2: float, k3: float, noise: tuple[float, float, float], low: float, step: float, top: float,
    lowest: float, full_scale: float,
) -> tuple[float, float, float]:  # fmt: skip
    """A step below the spread of the sum: uniform quantisation error plus clipping at the range's ends.

    d2 = (D^2-1)/12 + E[R] + max(sum over sides t^2 E[(Z-z)^2; Z > z] - (1-alpha)^2 s^2, 0) with t^2 = s^2 + E[noise],
    z of the outer code, and 1 - alpha the probability of sums beyond the outer edges, half a step further; a side
    counts only where sums, `lowest` to `full_scale`, can lie beyond it. `k3` is the third cumulant of sum and noise.
    """
    variance, rounded, gained = noise
    t = math.sqrt(s2 + variance)
    clipped, alpha = 0.0, 1.0
    if step == 1.0 and 0.0 < mu < _NORMAL_FROM and 0.0 < s2 <= mu and variance < _LITTLE_NOISE:
        # Sums of ones: exact for independent rows, and never more than these. Wider ones have no such end.
        tails, clipped = beyond_whole(mu, s2, low, top - 0.5)
        alpha -= tails
    elif t > 0.0:
        for side in range(2):
            edge = low - 0.5 if side == 0 else top
            if (side == 0 and edge <= lowest) or (side == 1 and edge >= full_scale):
                continue
            z, skewness = (edge - mu) / t, k3 / t**3
            if side == 0:
                z, skewness = -z, -skewness
            alpha -= beyond(z, skewness)[0]
            clipped += t * t * beyond(z - 0.5 * step / t, skewness)[1]
    d2 = (step * step - 1.0) / 12.0 + rounded + max(clipped - (1.0 - alpha) ** 2 * s2, 0.0)
    g = alpha
    if step == 1.0 and variance > 0.0:
        g = alpha * gained / variance
    return alpha, d2, g


@kernel()
def coarse_gaussian(
    mu: float, s2: float, noise: tuple[float, float, float], low: float, step: float, n_codes: float
) -> tuple[float, float, float]:
    """Few codes over a normal sum of standard deviation t (noise included).

    Stein: Cov(V, Q) = t sum over thresholds D phi(z). d2 = Var Q - alpha^2 s^2 - alpha (1/12 + E noise - E R).
    """
    variance, rounded, _ = noise
    t = math.sqrt(s2 + variance)
    first = max(0.0, math.floor((mu - _REACH * t - low) / step))
    last = min(n_codes - 1.0, math.floor((mu + _REACH * t - low) / step))
    slope = above = above2 = 0.0
    # Q counted in steps from code `first`: E[Q] = sum of P(Q >= k), E[Q^2] = sum of (2k-1) P(Q >= k).
    for k in range(1, int(max(last - first, 0.0)) + 1):
        z = (low + step * (first + k) - 0.5 - mu) / t
        tail = upper_tail(z)
        above += tail
        above2 += (2.0 * k - 1.0) * tail
        slope += density(z)
    alpha = step * slope / t
    d2 = step * step * (above2 - above * above) - alpha * alpha * s2
    return alpha, max(d2 - alpha * (1.0 / 12.0 + variance - rounded), 0.0), alpha


@kernel()
def coarse_discrete(
    mu: float, s2: float, slope: float, constant: float, low: float, step: float, n_codes: float
) -> tuple[float, float, float]:
    """Few codes over a small whole-numbered sum: moments of the code over its distribution.

    Noise smears decisions between neighbouring codes where its mean variance exceeds .01.
    """
    smeared = slope * mu + constant > 0.01
    probability = none_probability(mu, s2)
    mass = sum_p = sum_pp = sum_q = sum_qq = sum_pq = 0.0
    for level in range(_levels(mu, math.sqrt(s2))):
        code = min(max(math.floor((level - low) / step), 0.0), n_codes - 1.0)
        up = down = 0.0
        if smeared:
            sigma = math.sqrt(slope * level + constant) + 1e-9
            edge = low + step * code - 0.5
            if code < n_codes - 1.0:
                up = upper_tail((edge + step - level) / sigma)
            if code > 0.0:
                down = upper_tail((level - edge) / sigma)
        q = code + up - down
        mass += probability
        sum_p += probability * level
        sum_pp += probability * level * level
        sum_q += probability * q
        sum_qq += probability * (code * code + up * (2.0 * code + 1.0) + down * (1.0 - 2.0 * code))
        sum_pq += probability * level * q
        probability *= next_ratio(mu, s2, float(level))
    mean_p, mean_q = sum_p / mass, sum_q / mass
    variance = max(sum_pp / mass - mean_p**2, 1e-30)
    alpha = step * (sum_pq / mass - mean_p * mean_q) / variance
    return alpha, max(step**2 * (sum_qq / mass - mean_q**2) - alpha**2 * variance, 0.0), alpha


@kernel()
def conversion(
    mu: float, s2: float, k3: float, slope: float, constant: float, shift2: float, low: float, step: float,
    n_codes: float, full_scale: float,
) -> tuple[float, float, float]:  # fmt: skip
    """The form that fits: fine, coarse over a normal sum, or coarse over a whole-numbered one."""
    noise = noise_moments(mu, s2, slope, constant, shift2, step == 1.0)
    discrete = 0.0 < mu < _NORMAL_FROM and noise[0] < _LITTLE_NOISE * step * step
    if step == 1.0 or (step * step < s2 + noise[0] and not discrete):
        lowest = -_SHIFT_REACH * math.sqrt(shift2)
        return fine(mu, s2, k3, noise, low, step, low + step * n_codes - 0.5, lowest, full_scale)
    if mu >= _GAUSSIAN_FROM:
        return coarse_gaussian(mu, s2, noise, low, step, n_codes)
    if mu <= 0.0 or s2 <= 0.0:
        return 0.0, 0.0, 0.0
    return coarse_discrete(mu, s2, slope, constant, low, step, n_codes)
