"""Spectrum of a Jacobian of 1,500 by 1,321: all singular values, 20 features and right vectors, against LAPACK in float64."""

import numpy as np
from numpy.typing import NDArray

from benchmarks import example
from benchmarks.comparison import Comparison, compare
from scripts.common.decomposition import Decomposition, decompose
from scripts.common.linearization import jacobian

VECTORS = 20


def comparisons() -> list[Comparison]:
    """Time the matrix at initialization, after training, and of the trained replica whose rank is highest."""
    parameters = example.trained()["parameters"]
    finite = np.flatnonzero(np.isfinite(parameters[-1]).all(axis=1))
    hardest = max(finite, key=lambda replica: int(np.linalg.matrix_rank(_matrix(parameters[-1, replica])[:, ::7])))
    chosen = {
        "at initialization": parameters[0, 0],
        "after training": parameters[-1, 0],
        "after training, highest rank": parameters[-1, hardest],
    }
    lines = []
    for name, flat in chosen.items():
        matrix = _matrix(flat)
        _check(decompose(matrix, vectors=VECTORS), matrix)
        lines += compare(
            f"spectrum, {name}",
            plain={"numpy.linalg.svd": (lambda matrix=matrix: np.linalg.svd(matrix, full_matrices=False), 5)},  # type: ignore[misc]
            ours=lambda matrix=matrix: decompose(matrix, vectors=VECTORS),  # type: ignore[misc]
            runs=5,
        )
    return lines


def _matrix(flat: NDArray[np.float32]) -> NDArray[np.float64]:
    return np.asarray(jacobian(flat, example.data()["train_x"], network=example.NETWORK)[:, 0])


def _check(found: Decomposition, matrix: NDArray[np.float64]) -> None:
    """Check what is timed: every singular value, and the first features and right vectors up to sign and rotation in clusters."""
    left, values, right = np.linalg.svd(matrix, full_matrices=False)
    assert np.abs(found.singular_values - values).max() < 1e-6 * values[0]
    apart = np.flatnonzero(values[:-1] - values[1:] > 1e-3 * values[0]) + 1
    for first, last in zip([0, *apart], apart, strict=False):
        if last <= VECTORS:
            ours, theirs = found.right_vectors[:, first:last], right[first:last].T
            assert np.abs(ours @ ours.T - theirs @ theirs.T).max() < 1e-5
            ours, theirs = found.features[:, first:last], left[:, first:last] * values[first:last]
            assert np.abs(ours @ ours.T - theirs @ theirs.T).max() < 1e-5 * values[0] ** 2
