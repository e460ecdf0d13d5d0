"""The running variance of batch normalization: what it comes to by the biased and by the unbiased variance of batches of any size."""

from collections.abc import Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from scripts.common.errors import UserError
from scripts.common.levels import level_labels
from scripts.common.options import Count, Positive, Share
from scripts.common.storage import Array, Arrays, Kind

EPSILON = 1e-5
"""What PyTorch, and the source, add to a variance."""
FOLLOWED = (1, 2, 3, 5, 7, 10, 15, 20, 30, 50, 70, 100, 150, 200)
"""The steps at which the running variance of the smallest batches is told."""

KIND = Kind(
    "running_variance",
    {
        "running_variance": Array("R X", "float64", quantity=True),
        "index_running_variance": Array("X", "str"),
        "expected_variance": Array("R X", "float64", quantity=True),
        "index_expected_variance": Array("X", "str"),
        "evaluation_deviation": Array("R X", "float64", quantity=True),
        "index_evaluation_deviation": Array("X", "str"),
        "variance_by_step": Array("R Y", "float64", quantity=True),
        "index_variance_by_step": Array("Y", "str"),
        "expected_by_step": Array("R Y", "float64", quantity=True),
        "index_expected_by_step": Array("Y", "str"),
    },
)


def simulate(
    seeds: Sequence[int],
    *,
    batch_sizes: list[Count],
    unbiased: bool,
    deviation: Positive = 2.0,
    momentum: Share = 0.1,
    channels: Count = 64,
    test_samples: Count = 1000,
    steps: Count = 100,
) -> Arrays:
    """Return the running variance of a layer that has seen batches of normal values, and what it makes of new values.

    Running mean and variance start at 0 and 1, and a batch changes each by r <- (1 - momentum) r + momentum s, where s is its mean, or
    its variance: divided by its size n (biased), or by n - 1. After t steps the running variance is on average

        (1 - momentum)^t + (1 - (1 - momentum)^t) c deviation^2,    c = 1 if unbiased, else (n - 1) / n.

    Args:
        seeds: seed of each replica, which draws the values; they are the same with either variance.
        batch_sizes: the sizes n, each at least 2, in ascending order.
        unbiased: whether the variance of a batch is divided by n - 1, as PyTorch has it, or by n, as the source has it.
        deviation: standard deviation of the values; their mean is 1.
        momentum: the weight of a batch.
        channels: how many channels have statistics; what is returned are means over them.
        test_samples: new values of each channel.
        steps: number of batches.

    Returns:
        By batch size, after the last step: ``running_variance`` (R, X), ``expected_variance`` (R, X), the formula above, and
        ``evaluation_deviation`` (R, X), the standard deviation of new values after they are normalized by the running statistics. By
        step, of the smallest batch size: ``variance_by_step`` (R, Y) and ``expected_by_step`` (R, Y).

    Raises:
        UserError: a batch size below 2, of which there is no unbiased variance, or sizes that are not in ascending order.
    """
    if min(batch_sizes) < 2 or sorted(set(batch_sizes)) != batch_sizes:
        raise UserError(f"batch sizes are at least 2, in ascending order, not {batch_sizes}")
    told = [step for step in FOLLOWED if step <= steps]
    follow = partial(
        _course, unbiased=unbiased, deviation=deviation, momentum=momentum, channels=channels, test_samples=test_samples, steps=steps
    )
    expect = partial(_expected, unbiased=unbiased, deviation=deviation, momentum=momentum)
    last, deviations, courses = [], [], []
    for seed in seeds:
        found = [follow(seed, size) for size in batch_sizes]
        last.append([course[-1] for course, _ in found])
        deviations.append([new for _, new in found])
        courses.append(found[0][0][[step - 1 for step in told]])
    sizes = np.array(batch_sizes, dtype=np.float64)
    expected, by_step = expect(sizes, float(steps)), expect(sizes[:1], np.array(told, dtype=np.float64))
    by_size, by_time = level_labels(batch_sizes), level_labels(told)
    return {
        "running_variance": np.array(last),
        "index_running_variance": by_size,
        "expected_variance": np.tile(expected, (len(seeds), 1)),
        "index_expected_variance": by_size,
        "evaluation_deviation": np.array(deviations),
        "index_evaluation_deviation": by_size,
        "variance_by_step": np.array(courses),
        "index_variance_by_step": by_time,
        "expected_by_step": np.tile(by_step, (len(seeds), 1)),
        "index_expected_by_step": by_time,
    }


def _course(
    seed: int, size: int, *, unbiased: bool, deviation: float, momentum: float, channels: int, test_samples: int, steps: int
) -> tuple[NDArray[np.float64], float]:
    """Return the running variance after each step, (S,), and the deviation of new values in the end, both means over the channels."""
    generator = np.random.default_rng([seed, size])
    batches = generator.normal(1.0, deviation, (steps, channels, size))
    means, variances = batches.mean(axis=2), batches.var(axis=2, ddof=int(unbiased))
    mean, variance, course = np.zeros(channels), np.ones(channels), np.empty(steps)
    for step in range(steps):
        mean = (1 - momentum) * mean + momentum * means[step]
        variance = (1 - momentum) * variance + momentum * variances[step]
        course[step] = variance.mean()
    new = generator.normal(1.0, deviation, (test_samples, channels))
    return course, float(((new - mean) / np.sqrt(variance + EPSILON)).std(axis=0).mean())


def _expected(
    sizes: NDArray[np.float64], steps: float | NDArray[np.float64], *, unbiased: bool, deviation: float, momentum: float
) -> NDArray[np.float64]:
    factor = np.ones_like(sizes) if unbiased else (sizes - 1) / sizes
    left = (1 - momentum) ** steps
    return np.asarray(left + (1 - left) * factor * deviation**2, dtype=np.float64)
