"""Noisy samples of a sum of sines in one dimension."""

import math

import numpy as np
from numpy.random import RandomState
from numpy.typing import NDArray

from scripts.common.options import Count, NonNegative, Seed
from scripts.common.storage import Arrays


def generate(
    *,
    coefficient_seed: Seed,
    coefficients: Count,
    seed: Seed,
    samples: Count,
    low: float,
    high: float,
    noise: NonNegative,
    test_samples: Count,
    grid_samples: Count,
    test_low: float,
    test_high: float,
    kept: Count | None = None,
) -> Arrays:
    """Return training samples of the function with normal noise, and noise-free values on two even grids.

    The function is the sum over k from 0 to `coefficients` - 1 of a_k sin(pi k x), so its first term is zero everywhere.

    Args:
        coefficient_seed: seed of the a_k, which are uniform on [-1, 1).
        coefficients: number of terms.
        seed: seed of the training samples; all their x are drawn first, then all their noise.
        samples: number of training samples, N.
        low: lower end of the range of the training samples, uniform on [low, high).
        high: upper end of that range.
        noise: standard deviation of the noise on the training targets.
        test_samples: number of test points, M, evenly spaced from `test_low` to `test_high`.
        grid_samples: number of points of the dense grid, G, evenly spaced from `test_low` to `test_high`.
        test_low: lower end of the range of test points and grid.
        test_high: upper end of that range.
        kept: how many of the training samples are kept, the first ones; all if not given. N is then this number.

    Returns:
        The arrays of `scripts.common.storage.DATA`, with one input and one output.
    """
    amplitude = RandomState(coefficient_seed).rand(coefficients) * 2.0 - 1.0
    generator = RandomState(seed)
    train_x = generator.uniform(low=low, high=high, size=samples)
    train_y = _sum_of_sines(train_x, amplitude) + generator.randn(samples) * noise
    test_x = np.linspace(test_low, test_high, test_samples)
    grid_x = np.linspace(test_low, test_high, grid_samples)
    columns = {
        "train_x": train_x[:kept],
        "train_y": train_y[:kept],
        "test_x": test_x,
        "test_y": _sum_of_sines(test_x, amplitude),
        "grid_x": grid_x,
        "grid_y": _sum_of_sines(grid_x, amplitude),
    }
    return {key: column[:, None] for key, column in columns.items()}


def _sum_of_sines(x: NDArray[np.float64], amplitude: NDArray[np.float64]) -> NDArray[np.float64]:
    # One product and one sum in this order: the values are those of the source to the last bit.
    waves = np.sin(x[:, None] * np.arange(len(amplitude))[None, :] * math.pi)
    return np.asarray((waves * amplitude).sum(axis=-1))
