"""Test loss inside and outside the range of the training points."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from scripts.common import losses, parts, perceptron
from scripts.common.storage import Array, Arrays, Kind

KIND = Kind(
    "test_range",
    {
        "step": Array("S", "int64"),
        "test_loss_inside": Array("S R", "float64", quantity=True),
        "test_loss_outside": Array("S R", "float64", quantity=True),
    },
)


def measure(data: Arrays, train: Arrays, network: Mapping[str, Any], loss_function: Mapping[str, Any], *, boundary: float) -> Arrays:
    """Return the loss on the test points on each side of a boundary, computed in float64; not finite where a parameter is not.

    Args:
        data: the data set that the network was trained on, with one input.
        train: its parameters.
        network: ``hidden`` and ``activation``.
        loss_function: ``kind`` (a function of `scripts.common.losses`) and its options.
        boundary: inside are the test points with x at most this, outside the others.
    """
    x, y = (torch.as_tensor(np.ascontiguousarray(data[key].T)) for key in ("test_x", "test_y"))
    inside = x[0] <= boundary
    activation = perceptron.activation_of(network)
    chosen_loss: losses.Loss = parts.call(losses, loss_function)
    found: dict[str, list[Any]] = {"test_loss_inside": [], "test_loss_outside": []}
    for parameters in train["parameters"]:
        layers = perceptron.to_layers(parameters, network, inputs=len(x), dtype=torch.float64)
        prediction = perceptron.predict(layers, x, activation=activation)
        for key, side in zip(found, (inside, ~inside), strict=True):
            found[key].append(chosen_loss.value(prediction[:, :, side], y[:, side]).numpy())
    return {"step": train["step"], **{key: np.stack(values) for key, values in found.items()}}
