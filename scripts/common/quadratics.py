"""Least squares problems with given eigenvalues, for simulations of descent.

The loss is half the mean square of what X w differs from the outputs. Its Hessian H = X^T X / N is, for noise of variance 1, the
Fisher information of w. What differs from the solution, e = w - w*, is all that the steps depend on: the gradient is H e and the
loss above its smallest value e^T H e / 2. All arrays hold it instead of w.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Problem(NamedTuple):
    """One problem for each of R replicas, in d parameters.

    Attributes:
        hessian: H (R, d, d).
        eigenvalues: those of every H, (d,), ascending; the largest is 1.
        vectors: in its columns the eigenvectors in the same order, (R, d, d).
        start: what the start differs from the solution (R, d).
    """

    hessian: NDArray[np.float64]
    eigenvalues: NDArray[np.float64]
    vectors: NDArray[np.float64]
    start: NDArray[np.float64]


def draw_problem(seeds: Sequence[int], *, dimension: int, condition: float) -> Problem:
    """Return problems with eigenvalues from 1 / `condition` to 1, even on a logarithmic scale.

    The eigenvectors are drawn evenly from all rotations (Stewart 1980), and so is the direction of the solution from the start, in
    distance a normal vector's. They depend on a seed alone: problems of one seed differ in their eigenvalues only.
    """
    eigenvalues = np.geomspace(1 / condition, 1, dimension) if dimension > 1 else np.ones(1)
    vectors, starts = [], []
    for seed in seeds:
        generator = np.random.default_rng(seed)
        basis, triangle = np.linalg.qr(generator.normal(size=(dimension, dimension)))
        vectors.append(basis * np.sign(np.diag(triangle)))
        starts.append(-generator.normal(size=dimension))  # the start is the origin
    directions = np.stack(vectors)
    hessian = directions * eigenvalues @ directions.transpose(0, 2, 1)
    return Problem((hessian + hessian.transpose(0, 2, 1)) / 2, eigenvalues, directions, np.stack(starts))
