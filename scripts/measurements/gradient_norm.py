"""Norm of the gradient of the loss on all training samples with respect to each weight matrix."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from scripts.common import linearization, losses, parts
from scripts.common.runs import intact
from scripts.common.storage import Array, Arrays, Kind

KIND = Kind(
    "gradient_norm",
    {
        "step": Array("S", "int64"),
        "gradient_norm": Array("S R L", "float64", quantity=True),
        "index_gradient_norm": Array("L", "str"),
        "exists_gradient_norm": Array("S R", "bool"),
    },
)


def measure(data: Arrays, train: Arrays, network: Mapping[str, Any], loss_function: Mapping[str, Any]) -> Arrays:
    """Return the Euclidean norms, computed in float64, at each saved step and for each replica.

    Args:
        data: the data set that the network was trained on.
        train: its parameters.
        network: ``hidden`` and ``activation``.
        loss_function: ``kind`` (a function of `scripts.common.losses`) and its options.
    """
    loss = parts.call(losses, loss_function)
    x, y = data["train_x"], data["train_y"]
    tensors = linearization.slices(network, inputs=x.shape[1], outputs=y.shape[1])
    weights = [tensors[name] for name in train["parameter_name"][::2]]
    norms = np.full((*train["parameters"].shape[:2], len(weights)), np.nan)
    for step, replica in np.ndindex(norms.shape[:2]):
        gradient = linearization.loss_gradient(train["parameters"][step, replica], x, y, network=network, loss=loss)
        norms[step, replica] = [np.linalg.norm(gradient[part]) for part in weights]
    return {
        "step": train["step"],
        "gradient_norm": norms,
        "index_gradient_norm": train["parameter_name"][::2],
        "exists_gradient_norm": intact(train),
    }
