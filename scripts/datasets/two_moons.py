"""Two moons: points scattered around two half circles that reach into each other, as scikit-learn makes them, in two classes."""

import numpy as np
from numpy.random import RandomState
from numpy.typing import NDArray
from sklearn.datasets import make_moons

from scripts.common.options import Count, NonNegative, Seed
from scripts.common.storage import Arrays

CENTERS = np.array([[0.0, 0.0], [1.0, 0.5]])
"""Of the half circles of radius 1: the first is the upper half, the second the lower."""
MIDDLE, HALF_SIDE = np.array([0.5, 0.25]), 2.25
"""Of the square that the grid covers: both half circles, with more than one unit around them."""


def generate(*, seed: Seed, samples: Count, test_samples: Count, noise: NonNegative, grid_samples: Count) -> Arrays:
    """Return training and test points of both moons, one-hot, and a square grid whose points have the class of the nearer half circle.

    Args:
        seed: seed of the training points, then the test points; each set is made by ``sklearn.datasets.make_moons``.
        samples: number of training points, N; half of them are of each class.
        test_samples: number of test points, M.
        noise: standard deviation of the normal noise on both coordinates of all points.
        grid_samples: points along each axis of the grid; it has G = grid_samples^2, row by row from the lowest, from left to right in each.

    Returns:
        The arrays of `scripts.common.storage.DATA`, with two inputs and two outputs.
    """
    state = RandomState(seed)
    found: Arrays = {}
    for part, count in (("train", samples), ("test", test_samples)):
        points, labels = make_moons(count, noise=noise, random_state=state)
        found |= {f"{part}_x": np.asarray(points, dtype=np.float64), f"{part}_y": np.eye(2)[labels]}
    along = np.linspace(-HALF_SIDE, HALF_SIDE, grid_samples)
    grid = MIDDLE + np.stack([np.tile(along, grid_samples), np.repeat(along, grid_samples)], axis=1)
    first, second = (_distance(grid, moon) for moon in (0, 1))
    return found | {"grid_x": grid, "grid_y": np.eye(2)[(second < first).astype(np.int64)]}


def _distance(points: NDArray[np.float64], moon: int) -> NDArray[np.float64]:
    """Return the distances (G,) of points (G, 2) from the half circle of a moon."""
    off = points - CENTERS[moon]
    around = off[:, 1] <= 0 if moon else off[:, 1] >= 0
    to_ends = np.hypot(np.abs(off[:, 0]) - 1, off[:, 1])
    return np.asarray(np.where(around, np.abs(np.hypot(off[:, 0], off[:, 1]) - 1), to_ends))
