"""Test loss inside and outside the range of the training points."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from scripts.common import linearization, losses, parts
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
    loss: losses.Loss = parts.call(losses, loss_function)
    x, y = data["test_x"], data["test_y"].T
    inside = x[:, 0] <= boundary
    predictions = np.array(
        [[linearization.predict(parameters, x, network=network).T for parameters in saved] for saved in train["parameters"]]
    )  # (S, R, C, M)
    sides = {"test_loss_inside": inside, "test_loss_outside": ~inside}
    with np.errstate(over="ignore", invalid="ignore"):
        losses_by_side = {key: loss.value(predictions[..., side], y[:, side]) for key, side in sides.items()}
    return {"step": train["step"], **losses_by_side}
