"""Noisy samples of a piecewise linear function on [0, 1] with ten pieces."""

import numpy as np
from numpy.typing import NDArray

from scripts.common import unit_interval
from scripts.common.options import Count, NonNegative, Seed
from scripts.common.storage import Arrays


def generate(
    *,
    seed: Seed,
    samples: Count,
    noise: NonNegative,
    test_samples: Count,
    grid_samples: Count,
    multiplier: int = 12345,
) -> Arrays:
    """Return sorted training samples of the function with normal noise, and noise-free values at test points and on a dense grid.

    Between the multiples of 0.1 the function is linear, and tends to sin(multiplier k) at k / 10 from both sides. At k / 10 itself, where
    the two terms of its formula are both zero, it is 0.

    Args:
        seed: seed of the training samples; all their x are drawn first, uniform on [0, 1), then all their noise.
        samples: number of training samples, N.
        noise: standard deviation of the noise on the training targets.
        test_samples: number of even points of [0, 1] that are test points beside the training points.
        grid_samples: number of points of the dense grid, G, evenly spaced from 0 to 1.
        multiplier: what tells the heights of the function at the ends of its pieces.

    Returns:
        The arrays of `scripts.common.storage.DATA`, with one input and one output.
    """

    def function(x: NDArray[np.float64]) -> NDArray[np.float64]:
        # The formula of the source as it stands there: the values are its own to the last bit.
        tens = 10 * x
        above, below = np.ceil(tens), np.floor(tens)
        values: NDArray[np.float64] = (tens - below) * np.sin(multiplier * above) - (tens - above) * np.sin(multiplier * below)
        return values

    return unit_interval.samples(function, seed=seed, samples=samples, noise=noise, test_samples=test_samples, grid_samples=grid_samples)
