"""Noisy samples of a sine wave on [0, 1]."""

import numpy as np

from scripts.common import unit_interval
from scripts.common.options import Count, NonNegative, Seed
from scripts.common.storage import Arrays


def generate(
    *,
    frequency: float,
    seed: Seed,
    samples: Count,
    noise: NonNegative,
    test_samples: Count,
    grid_samples: Count,
) -> Arrays:
    """Return sorted training samples of sin(frequency x) with normal noise, and noise-free values at test points and on a dense grid.

    Args:
        frequency: angular frequency of the wave.
        seed: seed of the training samples; all their x are drawn first, uniform on [0, 1), then all their noise.
        samples: number of training samples, N.
        noise: standard deviation of the noise on the training targets.
        test_samples: number of even points of [0, 1] that are test points beside the training points.
        grid_samples: number of points of the dense grid, G, evenly spaced from 0 to 1.

    Returns:
        The arrays of `scripts.common.storage.DATA`, with one input and one output.
    """
    return unit_interval.samples(
        lambda x: np.sin(frequency * x), seed=seed, samples=samples, noise=noise, test_samples=test_samples, grid_samples=grid_samples
    )
