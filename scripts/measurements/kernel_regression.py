"""Training as kernel regression: what gradient descent makes of a network with a fixed kernel, in closed form, beside the network."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from scripts.common import infinite_width, linearization
from scripts.common.errors import UserError
from scripts.common.gram import gram
from scripts.common.runs import intact
from scripts.common.storage import Array, Arrays, Kind

KIND = Kind(
    "kernel_regression",
    {
        "step": Array("S", "int64"),
        "kernel_prediction_gap": Array("S R", "float64", quantity=True),
        "exists_kernel_prediction_gap": Array("S R", "bool"),
        "linearized_prediction_gap": Array("S R", "float64", quantity=True),
        "exists_linearized_prediction_gap": Array("S R", "bool"),
        "infinite_test_loss": Array("S R", "float64", quantity=True),
        "exists_infinite_test_loss": Array("S R", "bool"),
        "linearized_test_loss_at": Array("S R", "float64", quantity=True),
        "exists_linearized_test_loss_at": Array("S R", "bool"),
        "infinite_prediction_grid": Array("S R G", "float64"),
        "linearized_prediction_grid": Array("S R G", "float64"),
    },
)

Matrix = NDArray[np.float64]
PARTS = ("test", "grid")


class Kernel(NamedTuple):
    """A kernel K, as regression with it needs it.

    Attributes:
        values: its eigenvalues on the training points, (Q,) with Q = N C, none below 0.
        vectors: its eigenvectors, (Q, Q).
        across: K between the points of each of `PARTS` and the training points, (M C or G C, Q).
    """

    values: Matrix
    vectors: Matrix
    across: dict[str, Matrix]


def measure(
    data: Arrays,
    train: Arrays,
    network: Mapping[str, Any],
    optimizer: Mapping[str, Any],
    batches: Mapping[str, Any],
    *,
    loss_function: Mapping[str, Any],
) -> Arrays:
    """Return the predictions of gradient descent with a kernel that does not move, at each saved step, and the network's distance to them.

    Full-batch gradient descent with learning rate e on the mean squared error moves the predictions of a network that is linear in its
    parameters, with kernel K, by exactly

        f_(t+1)(x) = f_t(x) - 2 e / (N C) K(x, X) (f_t(X) - y),

    so that, with K(X, X) = U diag(v) U^T and s_t(v) = (1 - (1 - 2 e v / (N C))^t) / v,

        f_t(x) = f_0(x) + K(x, X) U diag(s_t(v)) U^T (y - f_0(X))

    (Jacot et al. 2018, section 5; Lee et al. 2019, equations 8 to 11, there for flows). f_0 is the function of the network at
    initialization. The kernel is that of the infinitely wide network ("infinite"), or the network's own at initialization
    ("linearized"), for which this is the exact training of the network's first-order expansion.

    Args:
        data: the data set that the network was trained on.
        train: its parameters.
        network: a network of ReLU in the NTK parametrization.
        optimizer: gradient descent without momentum.
        batches: all samples in every step.
        loss_function: the mean squared error.

    Returns:
        The arrays of `KIND`. The gaps are root mean squares over the test points of the network's prediction less that of the kernel, the
        losses are mean squared errors of the kernel's prediction on the test points. ``..._prediction_grid`` is the first output on the
        dense grid. What belongs to a replica that has diverged does not exist.

    Raises:
        UserError: the training is no full-batch gradient descent on the mean squared error, or the network has no infinite limit.
    """
    rate = _rate(optimizer, batches, loss_function)
    steps, replicas = train["parameters"].shape[:2]
    outputs = data["train_y"].shape[1]
    infinite = _kernel(partial(_limit, network, data, outputs=outputs))
    available = intact(train)
    found = {key: np.full((steps, replicas), np.nan) for key, array in KIND.arrays.items() if array.quantity}
    grids = {name: np.full((steps, replicas, len(data["grid_x"])), np.nan) for name in ("infinite", "linearized")}
    for replica in np.flatnonzero(available[0]):
        start = train["parameters"][0, replica]
        kernels = {"infinite": infinite, "linearized": _kernel(partial(_own, start, network, data))}
        begin = {part: linearization.predict(start, data[f"{part}_x"], network=network).ravel() for part in ("train", *PARTS)}
        left = data["train_y"].ravel() - begin["train"]
        for name, (values, vectors, across) in kernels.items():
            along = vectors.T @ left
            gap, loss = (
                ("kernel_prediction_gap", "infinite_test_loss")
                if name == "infinite"
                else ("linearized_prediction_gap", "linearized_test_loss_at")
            )
            for step in np.flatnonzero(available[:, replica]):
                here = step, replica
                change = vectors @ (_shares(values, 2 * rate / len(left), int(train["step"][step])) * along)
                predicted = {part: begin[part] + across[part] @ change for part in PARTS}
                network_now = linearization.predict(train["parameters"][step, replica], data["test_x"], network=network).ravel()
                found[gap][here] = np.sqrt(np.mean((network_now - predicted["test"]) ** 2))
                found[loss][here] = np.mean((predicted["test"] - data["test_y"].ravel()) ** 2)
                grids[name][here] = predicted["grid"].reshape(-1, outputs)[:, 0]
    return {
        "step": train["step"],
        **found,
        **{f"exists_{key}": np.isfinite(values) for key, values in found.items()},
        **{f"{name}_prediction_grid": grid for name, grid in grids.items()},
    }


def _rate(optimizer: Mapping[str, Any], batches: Mapping[str, Any], loss_function: Mapping[str, Any]) -> float:
    """Return the learning rate of full-batch gradient descent on the mean squared error."""
    plain = optimizer["kind"] == "sgd" and not optimizer.get("momentum", 0.0)
    if not plain or batches["kind"] != "full" or loss_function["kind"] != "mse":
        raise UserError(
            "kernel regression is compared with training by 'sgd' without momentum, on 'full' batches and the loss 'mse'; "
            f"this one has optimizer '{optimizer['kind']}', batches '{batches['kind']}' and loss '{loss_function['kind']}'"
        )
    return float(optimizer["learning_rate"])


def _kernel(across: Callable[[str], Matrix]) -> Kernel:
    """Return a kernel, given by a function from "train", "test" or "grid" to K between these points and the training points."""
    values, vectors = np.linalg.eigh(across("train"))
    return Kernel(np.maximum(values, 0.0), vectors, {part: across(part) for part in PARTS})


def _limit(network: Mapping[str, Any], data: Arrays, part: str, *, outputs: int) -> Matrix:
    """Return the kernel of the infinitely wide network."""
    found = infinite_width.of_network(network, data[f"{part}_x"], None if part == "train" else data["train_x"])
    return np.asarray(np.kron(found, np.eye(outputs)), dtype=np.float64)


def _own(parameters: NDArray[Any], network: Mapping[str, Any], data: Arrays, part: str) -> Matrix:
    """Return the kernel of the network's expansion in its parameters around these."""
    return gram(parameters, data[f"{part}_x"], None if part == "train" else data["train_x"], network=network, memory=np.inf)


def _shares(values: Matrix, rate: float, steps: int) -> Matrix:
    """Return (1 - (1 - rate v)^steps) / v for eigenvalues v, which is rate * steps at 0, without loss of digits near it."""
    moved = rate * values
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        slow = -np.expm1(steps * np.log1p(-np.minimum(moved, 0.5)))
        total = np.where(moved < 0.5, slow, 1.0 - (1.0 - moved) ** steps)
        return np.where(values > 0, total / values, rate * steps)
