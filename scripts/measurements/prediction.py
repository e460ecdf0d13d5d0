"""Prediction on the dense grid, and how much the prediction varies over the test points."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scripts.common import predictions
from scripts.common.runs import intact
from scripts.common.storage import Array, Arrays, Kind

KIND = Kind(
    "prediction",
    {
        "step": Array("S", "int64"),
        "prediction_grid": Array("S R G", "float64"),
        "prediction_std": Array("S R", "float64", quantity=True),
        "exists_prediction_std": Array("S R", "bool"),
    },
)


def measure(data: Arrays, train: Arrays, network: Mapping[str, Any]) -> Arrays:
    """Return predictions of the first output, computed in float64, at each saved step and for each replica.

    ``prediction_std`` is their standard deviation over the test points; it exists where a replica has not diverged.
    """

    def of_any(x: NDArray[np.float64]) -> NDArray[np.float64]:
        return predictions.of_all(train["parameters"], x, network=network, outputs=data["train_y"].shape[1])[..., 0]

    return {
        "step": train["step"],
        "prediction_grid": of_any(data["grid_x"]),
        "prediction_std": of_any(data["test_x"]).std(axis=2),
        "exists_prediction_std": intact(train),
    }
