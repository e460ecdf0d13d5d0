"""Spectrum and principal features of the Jacobian: the singular value decomposition of each replica's linearization."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scripts.common import linearization
from scripts.common.decomposition import decompose, numerical_rank
from scripts.common.options import Count
from scripts.common.runs import intact
from scripts.common.storage import Array, Arrays, Kind

KIND = Kind(
    "spectrum",
    {
        "step": Array("S", "int64"),
        "available": Array("S R", "bool"),
        "singular_value": Array("S R K", "float64", quantity=True),
        "exists_singular_value": Array("S R", "bool"),
        "singular_value_own_points": Array("S R H", "float64", quantity=True),
        "exists_singular_value_own_points": Array("S R", "bool"),
        "rank": Array("S R", "int64", quantity=True),
        "exists_rank": Array("S R", "bool"),
        "error_bound": Array("S R", "float64"),
        "feature": Array("S R N F", "float64"),
        "feature_grid": Array("S R G F", "float64"),
        "right_vector": Array("S R P F", "float64"),
        "feature_variation": Array("S R", "float64", quantity=True),
        "exists_feature_variation": Array("S R", "bool"),
        "points_x": Array("N D", "float64"),
        "grid_x": Array("G D", "float64"),
    },
    optional=frozenset({"singular_value_own_points", "exists_singular_value_own_points"}),
)


def measure(
    data: Arrays,
    train: Arrays,
    jacobian: Arrays,
    network: Mapping[str, Any],
    reference_points: Arrays,
    *,
    features: Count = 10,
) -> Arrays:
    """Return the spectrum of each replica at the first and the last saved step, and of replica 0 at those between.

    Args:
        data: the data set that the network was trained on.
        train: its parameters.
        jacobian: the Jacobian of replica 0 at every saved step; those of the others are computed here.
        network: ``hidden`` and ``activation``.
        reference_points: the data set whose training points the network is linearized on.
        features: number of principal features, F.

    Returns:
        The arrays of `KIND`. ``feature`` is U Sigma on the points, ``feature_grid`` is J(x) V on the dense grid; the entry of largest
        magnitude of each ``feature`` is positive. ``rank`` counts singular values above 1e-10 of the largest. ``error_bound`` bounds the
        error of each singular value. ``feature_variation`` is the standard deviation of the first feature over the points divided by its
        root mean square: 0 for a constant, 1 for one of mean 0. ``singular_value_own_points`` is there where the network's own training
        points are others than the reference points. What is not available, because a parameter is not finite or because the step is
        between the first and the last, is nan.
    """
    points, own_points, grid = reference_points["train_x"], data["train_x"], reference_points["grid_x"]
    steps, replicas, size = train["parameters"].shape
    outputs = jacobian["jacobian"].shape[2]
    available = intact(train)
    available[1:-1, 1:] = False
    found: Arrays = {
        "singular_value": np.full((steps, replicas, min(len(points) * outputs, size)), np.nan),
        "rank": np.zeros((steps, replicas), dtype=np.int64),
        "error_bound": np.full((steps, replicas), np.nan),
        "feature": np.full((steps, replicas, len(points) * outputs, features), np.nan),
        "feature_grid": np.full((steps, replicas, len(grid) * outputs, features), np.nan),
        "right_vector": np.full((steps, replicas, size, features), np.nan),
        "feature_variation": np.full((steps, replicas), np.nan),
    }
    other_points = not np.array_equal(points, own_points)
    if other_points:
        found["singular_value_own_points"] = np.full((steps, replicas, min(len(own_points) * outputs, size)), np.nan)

    def matrix(x: NDArray[np.float64], stored: str, step: int, replica: int) -> NDArray[np.float64]:
        known = replica == 0 and stored in jacobian
        values = jacobian[stored][step] if known else linearization.jacobian(train["parameters"][step, replica], x, network=network)
        return values.reshape(-1, size)

    for step, replica in np.argwhere(available):
        here = step, replica
        summary = decompose(matrix(points, "jacobian", *here), vectors=features)
        found["singular_value"][here] = summary.singular_values
        found["rank"][here] = numerical_rank(summary.singular_values)
        found["error_bound"][here] = summary.error_bound
        found["feature"][here] = summary.features
        found["feature_grid"][here] = matrix(grid, "", *here) @ summary.right_vectors
        found["right_vector"][here] = summary.right_vectors
        found["feature_variation"][here] = _variation(summary.features[:, 0])
        if other_points:
            own = decompose(matrix(own_points, "jacobian_own_points", *here), vectors=0)
            found["singular_value_own_points"][here] = own.singular_values

    quantities = [key for key, array in KIND.arrays.items() if array.quantity and key in found]
    return {
        "step": train["step"],
        "available": available,
        **found,
        **{f"exists_{key}": available for key in quantities},
        "points_x": np.repeat(points, outputs, axis=0),
        "grid_x": np.repeat(grid, outputs, axis=0),
    }


def _variation(feature: NDArray[np.float64]) -> float:
    return float(feature.std() / np.sqrt(np.mean(feature**2)))
