"""Data sets on [0, 1]: noisy samples of a function, sorted, and its values without noise at the points that it is tested at."""

from collections.abc import Callable

import numpy as np
from numpy.random import RandomState
from numpy.typing import NDArray

from scripts.common.storage import Arrays


def samples(
    function: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    *,
    seed: int,
    samples: int,
    noise: float,
    test_samples: int,
    grid_samples: int,
) -> Arrays:
    """Return sorted uniform samples of a function with normal noise, and its values at test points and on a dense grid.

    Args:
        function: the values at points x, of the shape of x.
        seed: seed of the training samples; all their x are drawn first, then all their noise.
        samples: number of training samples, N.
        noise: standard deviation of the noise on the training targets.
        test_samples: number of even points of [0, 1] that are test points beside the training points, M = N + test_samples.
        grid_samples: number of points of the dense grid, G, evenly spaced from 0 to 1.

    Returns:
        The arrays of `scripts.common.storage.DATA`, with one input and one output.
    """
    generator = RandomState(seed)
    train_x = np.sort(generator.rand(samples))
    test_x = np.sort(np.concatenate([train_x, np.linspace(0.0, 1.0, test_samples)]))
    grid_x = np.linspace(0.0, 1.0, grid_samples)
    columns = {
        "train_x": train_x,
        "train_y": function(train_x) + generator.randn(samples) * noise,
        "test_x": test_x,
        "test_y": function(test_x),
        "grid_x": grid_x,
        "grid_y": function(grid_x),
    }
    return {key: column[:, None] for key, column in columns.items()}
