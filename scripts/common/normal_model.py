"""The normal distribution N(mu, sigma^2) as a model of a sample: its loss, gradient and Fisher information in two coordinates.

The loss is the mean negative log-likelihood of the sample, which depends on it by its mean m and its variance v alone. In the
coordinates "deviation" a point is (mu, sigma), in "log_deviation" (mu, log sigma). Arrays of points have the axes (..., R, 2): any
number of runs for each of R replicas.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]

DEVIATION, LOG_DEVIATION = "deviation", "log_deviation"
COORDINATES = (DEVIATION, LOG_DEVIATION)


class Sample(NamedTuple):
    """What the loss needs to know of the sample of each of R replicas.

    Attributes:
        mean: m (R,).
        variance: v (R,), the mean square of what a value differs from m; not corrected for the number of values.
    """

    mean: NDArray[np.float64]
    variance: NDArray[np.float64]


def draw_samples(seeds: Sequence[int], *, samples: int, mean: float, deviation: float) -> Sample:
    """Return mean and variance of a sample of so many values of N(mean, deviation^2) for each seed."""
    values = np.stack([np.random.default_rng(seed).normal(mean, deviation, samples) for seed in seeds])
    return Sample(values.mean(axis=1), values.var(axis=1))


def from_plane(plane: Points, coordinates: str) -> Points:
    """Return points (..., R, 2) given as (mu, sigma) in other coordinates."""
    if coordinates == DEVIATION:
        return plane.copy()
    return np.stack([plane[..., 0], np.log(plane[..., 1])], axis=-1)


def to_plane(points: Points, coordinates: str) -> Points:
    """Return points (..., R, 2) as (mu, sigma): nan where they are not finite, or where sigma is not positive."""
    deviation = points[..., 1] if coordinates == DEVIATION else np.exp(points[..., 1])
    plane = np.stack([points[..., 0], deviation], axis=-1)
    valid = np.isfinite(plane).all(axis=-1) & (deviation > 0)
    return np.where(valid[..., None], plane, np.nan)


def excess_loss(plane: Points, sample: Sample) -> NDArray[np.float64]:
    """Return the loss at the points (mu, sigma) (..., R, 2) above its smallest value, in nats: (..., R).

    It is the Kullback-Leibler divergence of N(m, v), the best fit, from N(mu, sigma^2), and so is the same number in any coordinates.
    """
    ratio = sample.variance / plane[..., 1] ** 2
    return (ratio - 1 - np.log(ratio)) / 2 + (plane[..., 0] - sample.mean) ** 2 / (2 * plane[..., 1] ** 2)


def gradient(points: Points, sample: Sample, coordinates: str) -> Points:
    """Return the gradient (..., R, 2) of the loss log sigma + (v + (m - mu)^2) / (2 sigma^2) in `coordinates`."""
    deviation = points[..., 1] if coordinates == DEVIATION else np.exp(points[..., 1])
    away, inverse = points[..., 0] - sample.mean, 1 / deviation**2
    along = 1 - (sample.variance + away * away) * inverse  # with respect to log sigma
    found = np.empty_like(points)
    found[..., 0] = away * inverse
    found[..., 1] = along / deviation if coordinates == DEVIATION else along
    return found


def fisher(points: Points, coordinates: str) -> Points:
    """Return the diagonal (..., R, 2) of the Fisher information of one value in `coordinates`; what is off the diagonal is 0.

    It is diag(1, 2) / sigma^2 for (mu, sigma), and diag(1 / sigma^2, 2) for (mu, log sigma) (Amari and Nagaoka 2000, section 2.2).
    """
    if coordinates == DEVIATION:
        inverse = 1 / points[..., 1] ** 2
        return np.stack([inverse, 2 * inverse], axis=-1)
    inverse = np.exp(-2 * points[..., 1])
    return np.stack([inverse, np.full_like(inverse, 2.0)], axis=-1)


def natural_gradient(points: Points, sample: Sample, coordinates: str) -> Points:
    """Return the natural gradient (..., R, 2): the solution x of F x = g, Fisher information F and gradient g (Amari 1998).

    With g divided by the diagonal of F it is mu - m, and half of 1 - (v + (m - mu)^2) / sigma^2 times sigma, or times 1 for log sigma.
    """
    deviation = points[..., 1] if coordinates == DEVIATION else np.exp(points[..., 1])
    away = points[..., 0] - sample.mean
    spread = (sample.variance + away * away) / deviation
    found = np.empty_like(points)
    found[..., 0] = away
    found[..., 1] = (deviation - spread) / 2 if coordinates == DEVIATION else (1 - spread / deviation) / 2
    return found


def natural_flow(plane: Points, sample: Sample, time: NDArray[np.float64]) -> Points:
    """Return where the flow against the natural gradient is after each `time` (T,) from the points (mu, sigma) (R, 2): (T, R, 2).

    With d = mu - m at the start, mu - m falls as d e^-t, and w = sigma^2 follows w' = v + (mu - m)^2 - w, which gives
    w = v + (w(0) - v + d^2) e^-t - d^2 e^-2t.
    """
    fall = np.exp(-time)[:, None]
    away = plane[:, 0] - sample.mean
    variance = sample.variance + (plane[:, 1] ** 2 - sample.variance + away**2) * fall - (away * fall) ** 2
    return np.stack([sample.mean + away * fall, np.sqrt(variance)], axis=-1)


def fisher_distance(one: Points, other: Points) -> NDArray[np.float64]:
    """Return the length (...) of the shortest way between points (mu, sigma) (..., 2) by the Fisher information as a metric.

    It is that of the hyperbolic half-plane (Rao 1945), written so that small distances keep their digits:
    2 sqrt(2) arsinh(sqrt(((mu - mu')^2 / 2 + (sigma - sigma')^2) / (4 sigma sigma'))).
    """
    squares = (one[..., 0] - other[..., 0]) ** 2 / 2 + (one[..., 1] - other[..., 1]) ** 2
    return np.asarray(2 * np.sqrt(2) * np.arcsinh(np.sqrt(squares / (4 * one[..., 1] * other[..., 1]))))
