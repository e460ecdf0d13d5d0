"""The empirical neural tangent kernel in training: its eigenvalues, how far it moves, and how it is aligned with the target."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scripts.common import infinite_width
from scripts.common.options import Count
from scripts.common.runs import intact
from scripts.common.storage import Array, Arrays, Kind

KIND = Kind(
    "kernel",
    {
        "step": Array("S", "int64"),
        "ntk_eigenvalue": Array("S R X", "float64", quantity=True),
        "exists_ntk_eigenvalue": Array("S R", "bool"),
        "infinite_eigenvalue": Array("R X", "float64", quantity=True),
        "kernel_change": Array("S R", "float64", quantity=True),
        "exists_kernel_change": Array("S R", "bool"),
        "kernel_distance": Array("S R", "float64", quantity=True),
        "exists_kernel_distance": Array("S R", "bool"),
        "kernel_alignment": Array("S R", "float64", quantity=True),
        "exists_kernel_alignment": Array("S R", "bool"),
    },
)


def measure(train: Arrays, gram: Arrays, network: Mapping[str, Any], reference_points: Arrays, *, eigenvalues: Count = 20) -> Arrays:
    """Return what becomes of the kernel K = J J^T of each replica on the reference points.

    Args:
        train: the training, for the replicas that have diverged.
        gram: `gram` (S, R, Q, Q), with Q = N C.
        network: a network of ReLU in the NTK parametrization.
        reference_points: the data set whose training points K is taken on.
        eigenvalues: number of leading eigenvalues, X.

    Returns:
        The arrays of `KIND`. ``ntk_eigenvalue`` are the first eigenvalues of K, ``infinite_eigenvalue`` those of the infinitely wide
        network's kernel, which are the same for all replicas. ``kernel_change`` is |K - K at the first step| / |K at the first step|,
        ``kernel_distance`` |K - K of infinite width| / |K of infinite width|, in the Frobenius norm. ``kernel_alignment`` is the centered
        alignment with the training targets y (Cortes, Mohri and Rostamizadeh 2012, definition 4), y'^T K' y' / (|y'|^2 |K'|) with K' and
        y' centered, for each output by itself: 1 where K' is a multiple of y' y'^T. Without the centering it would hardly tell more than
        how much of K is constant. What belongs to a replica that has diverged is nan and does not exist;
        of eigenvalues at steps between the first and the last, only those of replica 0 are numbers of the report.

    Raises:
        UserError: the network is not of ReLU, or not in the NTK parametrization.
    """
    x, y = reference_points["train_x"], reference_points["train_y"]
    outputs = y.shape[1]
    infinite = np.asarray(np.kron(infinite_width.of_network(network, x), np.eye(outputs)), dtype=np.float64)
    available = intact(train)
    kernels = gram["gram"]
    steps, replicas, size = kernels.shape[:3]
    count = min(eigenvalues, size)
    target = (y - y.mean(axis=0)).ravel()
    found = {key: np.full((steps, replicas), np.nan) for key in ("kernel_change", "kernel_distance", "kernel_alignment")}
    values = np.full((steps, replicas, count), np.nan)
    for step, replica in np.argwhere(available):
        here, kernel, first = (step, replica), kernels[step, replica], kernels[0, replica]
        values[here] = _eigenvalues(kernel, count)
        found["kernel_change"][here] = np.linalg.norm(kernel - first) / np.linalg.norm(first)
        found["kernel_distance"][here] = np.linalg.norm(kernel - infinite) / np.linalg.norm(infinite)
        centered = _centered(kernel, outputs)
        found["kernel_alignment"][here] = target @ centered @ target / (target @ target * np.linalg.norm(centered))
    told = available.copy()
    told[1:-1, 1:] = False
    return {
        "step": train["step"],
        "ntk_eigenvalue": values,
        "infinite_eigenvalue": np.repeat(_eigenvalues(infinite, count)[None], replicas, axis=0),
        **found,
        "exists_ntk_eigenvalue": told,
        **{f"exists_{key}": available for key in found},
    }


def _eigenvalues(kernel: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """Return the first eigenvalues of a symmetric matrix, from the largest on."""
    return np.asarray(np.linalg.eigvalsh(kernel)[::-1][:count])


def _centered(kernel: NDArray[np.float64], outputs: int) -> NDArray[np.float64]:
    """Return a kernel (N C, N C) of features less their means over the points, for each output by itself."""
    blocks = kernel.reshape(-1, outputs, len(kernel) // outputs, outputs)
    blocks = blocks - blocks.mean(axis=0, keepdims=True)
    return np.asarray((blocks - blocks.mean(axis=2, keepdims=True)).reshape(kernel.shape))
