"""Test loss without some of the test points, such as one that lies on a jump of the target."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from scripts.common import linearization, losses, parts
from scripts.common.errors import UserError
from scripts.common.storage import Array, Arrays, Kind

SAME = 1e-9
"""Two places closer than this are one."""

KIND = Kind(
    "loss_without_points",
    {
        "step": Array("S", "int64"),
        "test_loss_without_points": Array("S R", "float64", quantity=True),
    },
)


def measure(data: Arrays, train: Arrays, network: Mapping[str, Any], loss_function: Mapping[str, Any], *, without: list[float]) -> Arrays:
    """Return the loss on the test points that are kept, computed in float64; not finite where a parameter is not.

    Args:
        data: the data set that the network was trained on, with one input.
        train: its parameters.
        network: ``hidden`` and ``activation``.
        loss_function: ``kind`` (a function of `scripts.common.losses`) and its options.
        without: the x of the test points that are left out.

    Raises:
        UserError: there is no test point at one of these x, or no other.
    """
    loss: losses.Loss = parts.call(losses, loss_function)
    places = data["test_x"][:, 0]
    there = np.abs(places[:, None] - np.array(without)) < SAME
    absent = [str(x) for x, found in zip(without, there.any(axis=0), strict=True) if not found]
    if absent:
        raise UserError(f"measurement 'loss_without_points': no test point at x = {', '.join(absent)}; name places of test points")
    kept = ~there.any(axis=1)
    if not kept.any():
        raise UserError("measurement 'loss_without_points': no test point is left; leave out fewer")
    x, y = data["test_x"][kept], data["test_y"][kept].T
    predictions = np.array(
        [[linearization.predict(parameters, x, network=network).T for parameters in saved] for saved in train["parameters"]]
    )  # (S, R, C, M)
    with np.errstate(over="ignore", invalid="ignore"):
        return {"step": train["step"], "test_loss_without_points": loss.value(predictions, y)}
