"""The gradient features of one replica as functions of x: the derivative of its output in each parameter, on an even grid."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from scripts.common import linearization
from scripts.common.options import Count
from scripts.common.storage import Array, Arrays, Kind

KIND = Kind(
    "gradient_features",
    {
        "step": Array("S", "int64"),
        "feature": Array("S G P", "float64"),
        "grid_x": Array("G D", "float64"),
        "parameter_name": Array("L", "str"),
        "parameter_size": Array("L", "int64"),
    },
)


def measure(train: Arrays, network: Mapping[str, Any], data: Arrays, *, points: Count = 200) -> Arrays:
    """Return the derivatives of the first output of replica 0, computed in float64, at the first and the last saved step.

    Args:
        train: the parameters.
        network: ``hidden`` and ``activation``.
        data: the data set that the network was trained on, for its dense grid.
        points: at most so many points of the dense grid, evenly chosen, its first and its last among them.

    Returns:
        ``feature`` has the parameters in the order in which they are stored: so many of each tensor as ``parameter_size`` says, under its
        ``parameter_name``. Where a parameter of the replica is not finite, all is nan.
    """
    chosen = np.unique(np.linspace(0, len(data["grid_x"]) - 1, points).round().astype(np.int64))
    grid = data["grid_x"][chosen]
    ends = np.unique([0, len(train["step"]) - 1])
    tensors = linearization.slices(network, inputs=grid.shape[1], outputs=data["train_y"].shape[1])
    features = [linearization.jacobian(train["parameters"][end, 0], grid, network=network)[:, 0] for end in ends]
    return {
        "step": train["step"][ends],
        "feature": np.stack(features),
        "grid_x": grid,
        "parameter_name": np.array(list(tensors)),
        "parameter_size": np.array([part.stop - part.start for part in tensors.values()]),
    }
