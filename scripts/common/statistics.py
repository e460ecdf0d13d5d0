"""Intervals over replicas: medians by a seeded bootstrap, ratios of medians, and shares by Clopper and Pearson.

A value that is not finite counts as infinite and is never dropped.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

LEVEL = 0.95


class Interval(NamedTuple):
    """An estimate and the ends of its interval."""

    estimate: float
    low: float
    high: float


def median_interval(values: ArrayLike, *, seed: int, resamples: int = 2000, level: float = LEVEL) -> Interval:
    """Return the median of `values` (R,) and its percentile bootstrap interval (Efron 1979): resampled replicas, seeded.

    Raises:
        ValueError: there are no values.
    """
    sample = _infinite_for_nan(values)
    return _interval(float(_median(sample[None])[0]), _median(_resample(sample, seed, resamples)), level)


def ratio_interval(numerator: ArrayLike, denominator: ArrayLike, *, seed: int, resamples: int = 2000, level: float = LEVEL) -> Interval:
    """Return the ratio of the medians of two independent samples of non-negative values, (R,) and (Q,), and its bootstrap interval.

    Two infinite or two zero medians are a tie: their ratio is 1.
    """
    above, below = _infinite_for_nan(numerator), _infinite_for_nan(denominator)
    estimate = float(_ratio(_median(above[None]), _median(below[None]))[0])
    ratios = _ratio(_median(_resample(above, seed, resamples)), _median(_resample(below, seed + 1, resamples)))
    return _interval(estimate, ratios, level)


def share_interval(count: int, total: int, *, level: float = LEVEL) -> Interval:
    """Return the share `count` of `total` and its exact interval (Clopper and Pearson 1934).

    Raises:
        ValueError: `total` is not positive, or `count` is not between 0 and `total`.
    """
    if not 0 <= count <= total or total < 1:
        raise ValueError(f"a share needs 0 <= count <= total and total >= 1, not {count} of {total}")
    from scipy.special import betaincinv  # noqa: PLC0415 - takes a while to import, and only claims need it

    tail = (1 - level) / 2
    low = 0.0 if count == 0 else float(betaincinv(count, total - count + 1, tail))
    high = 1.0 if count == total else float(betaincinv(count + 1, total - count, 1 - tail))
    return Interval(count / total, low, high)


def paired_ratio(numerator: ArrayLike, denominator: ArrayLike) -> NDArray[np.float64]:
    """Return the ratio of non-negative values, replica by replica, (R,); two infinite or two zero values are a tie."""
    return _ratio(_infinite_for_nan(numerator), _infinite_for_nan(denominator))


def _infinite_for_nan(values: ArrayLike) -> NDArray[np.float64]:
    array = np.asarray(values, dtype=np.float64)
    if array.size == 0:
        raise ValueError("an interval needs at least one value")
    return np.where(np.isnan(array), np.inf, array)


def _resample(sample: NDArray[np.float64], seed: int, resamples: int) -> NDArray[np.float64]:
    chosen = np.random.default_rng(seed).integers(0, len(sample), size=(resamples, len(sample)))
    return np.asarray(sample[chosen])


def _median(samples: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the median along the last axis; halfway between minus and plus infinity is 0."""
    ordered = np.sort(samples, axis=-1)
    length = ordered.shape[-1]
    with np.errstate(invalid="ignore"):
        middle = (ordered[..., (length - 1) // 2] + ordered[..., length // 2]) / 2
    return np.where(np.isnan(middle), 0.0, middle)


def _ratio(numerator: NDArray[np.float64], denominator: NDArray[np.float64]) -> NDArray[np.float64]:
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = numerator / denominator
    return np.where(np.isnan(ratio), 1.0, ratio)


def _interval(estimate: float, resampled: NDArray[np.float64], level: float) -> Interval:
    tail = (1 - level) / 2
    low, high = np.quantile(resampled, [tail, 1 - tail], method="inverted_cdf")
    return Interval(estimate, float(low), float(high))
