"""The output layer solved exactly, on the hidden features at initialization, and how near its training has come to that."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from scripts.common import linearization
from scripts.common.decomposition import numerical_rank
from scripts.common.errors import UserError
from scripts.common.storage import Array, Arrays, Kind

KIND = Kind(
    "exact_output",
    {
        "step": Array("S", "int64"),
        "exact_train_loss": Array("R", "float64", quantity=True),
        "exact_test_loss": Array("R", "float64", quantity=True),
        "output_gap": Array("S R", "float64", quantity=True),
        "output_gap_predicted": Array("S R", "float64", quantity=True),
        "hidden_singular_value": Array("R K", "float64", quantity=True),
        "exists_hidden_singular_value": Array("R K", "bool"),
        "slow_directions": Array("R", "int64", quantity=True),
        "prediction_grid_exact": Array("R G", "float64"),
    },
)


def measure(data: Arrays, train: Arrays, network: Mapping[str, Any], optimizer: Mapping[str, Any]) -> Arrays:
    """Compare the training of an output layer by gradient descent on the mean squared error with the solution by least squares.

    With the hidden features fixed, the matrix H (N, K) of these features and a constant 1 has the singular values sigma_i and left
    vectors u_i, and each step of gradient descent with learning rate e on all N samples multiplies what is left of the targets along
    u_i by 1 - 2 e sigma_i^2 / N. A step on a random subset does so in the mean.

    Args:
        data: the data set that the network was trained on.
        train: its parameters, of which only the output layer changes.
        network: ``hidden`` and ``activation``.
        optimizer: ``kind``, sgd without momentum, and ``learning_rate``.

    Returns:
        ``exact_train_loss`` and ``exact_test_loss`` of the least squares solution of smallest norm, by singular values above 1e-10 of
        the largest, and ``prediction_grid_exact``, its first output on the dense grid. ``output_gap`` is the training loss of the
        network less ``exact_train_loss``, computed as the mean squared difference of the two predictions, to which it is equal;
        ``output_gap_predicted`` is what gradient descent on all samples leaves of it after as many steps. ``hidden_singular_value`` are
        the sigma_i above 1e-10 of the largest, and ``slow_directions`` counts those of them along which, after the last step, more than
        1 / e of the first distance is left.

    Raises:
        UserError: the variant trains more than its output layer, or not by gradient descent without momentum.
    """
    output_weight = _check(data, train, network, optimizer)
    steps, replicas = train["parameters"].shape[:2]
    hidden, targets = network["hidden"][-1], data["train_y"]
    rate, last = 2 * optimizer["learning_rate"] / targets.size, int(train["step"][-1])
    found: Arrays = {
        "exact_train_loss": np.empty(replicas),
        "exact_test_loss": np.empty(replicas),
        "output_gap": np.empty((steps, replicas)),
        "output_gap_predicted": np.empty((steps, replicas)),
        "hidden_singular_value": np.full((replicas, min(len(targets), hidden + 1)), np.nan),
        "slow_directions": np.empty(replicas, dtype=np.int64),
        "prediction_grid_exact": np.empty((replicas, len(data["grid_x"]))),
    }
    # The hidden features and the constant 1 are the derivatives of the first output in its own weights and its bias.
    columns = [*range(output_weight, output_weight + hidden), output_weight + hidden * targets.shape[1]]
    for replica in range(replicas):
        features, test_features, grid_features = (
            linearization.jacobian(train["parameters"][0, replica], data[key], network=network)[:, 0, columns]
            for key in ("train_x", "test_x", "grid_x")
        )
        left, values, right = np.linalg.svd(features, full_matrices=False)
        rank = numerical_rank(values)
        left, values, right = left[:, :rank], values[:rank], right[:rank].T
        coordinates = left.T @ targets  # (rank, C)
        weights, exact = right @ (coordinates / values[:, None]), left @ coordinates
        found["exact_train_loss"][replica] = np.mean((targets - exact) ** 2)
        found["exact_test_loss"][replica] = np.mean((data["test_y"] - test_features @ weights) ** 2)
        found["prediction_grid_exact"][replica] = grid_features @ weights[:, 0]
        found["hidden_singular_value"][replica, :rank] = values
        predictions = np.array([linearization.predict(saved[replica], data["train_x"], network=network) for saved in train["parameters"]])
        distance = coordinates - left.T @ predictions[0]  # along each u_i, before training
        with np.errstate(over="ignore", invalid="ignore"):
            kept = 1 - rate * values**2
            found["output_gap"][:, replica] = np.mean((predictions - exact) ** 2, axis=(1, 2))
            found["output_gap_predicted"][:, replica] = kept ** (2 * train["step"][:, None]) @ (distance**2).sum(axis=1) / targets.size
            found["slow_directions"][replica] = np.sum(np.abs(kept) ** last > 1 / np.e)
    return {
        "step": train["step"],
        **found,
        "exists_hidden_singular_value": np.isfinite(found["hidden_singular_value"]),
    }


def _check(data: Arrays, train: Arrays, network: Mapping[str, Any], optimizer: Mapping[str, Any]) -> int:
    """Return where the weights of the output layer begin in the flat parameters; all before them must be as at initialization."""
    if optimizer["kind"] != "sgd" or optimizer.get("momentum", 0.0) != 0:
        raise UserError("measurement 'exact_output' is of variants with the optimizer sgd without momentum; leave this variant out")
    tensors = linearization.slices(network, inputs=data["train_x"].shape[1], outputs=data["train_y"].shape[1])
    begin: int = tensors[train["parameter_name"][-2]].start
    below = train["parameters"][:, :, :begin]
    if not (below == below[0]).all():
        raise UserError("measurement 'exact_output' is of variants with `trained: output_layer`, not of one that trains all; leave it out")
    return begin
