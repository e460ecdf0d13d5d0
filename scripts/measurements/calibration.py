"""How well a classifier's confidence fits its accuracy on the test samples, before and after training."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from scripts.common import calibration, forward_pass
from scripts.common.errors import UserError
from scripts.common.options import Count
from scripts.common.storage import Array, Arrays, Kind

KIND = Kind(
    "calibration",
    {
        "step": Array("S", "int64"),
        "calibration_error": Array("S R", "float64", quantity=True),
        "overconfidence": Array("S R", "float64", quantity=True),
        "bin_samples": Array("R X", "int64"),
        "bin_confidence": Array("R X", "float64"),
        "bin_accuracy": Array("R X", "float64"),
    },
)


def measure(data: Arrays, train: Arrays, network: Mapping[str, Any], *, bins: Count = calibration.BINS) -> Arrays:
    """Return the expected calibration error on the test samples, and what a reliability diagram shows.

    Args:
        data: the data set: classes one-hot, (M, C).
        train: the networks; they are looked at at the first and at the last of the saved steps.
        network: ``kind`` and the options of the network.
        bins: number of bins of confidence.

    Returns:
        At these steps ``calibration_error`` (S, R) and ``overconfidence`` (S, R), the mean confidence less the accuracy; nan where an
        output is not finite, as after divergence. After training, by bin of confidence: ``bin_samples`` (R, X), how many test samples
        are in it, ``bin_confidence`` and ``bin_accuracy`` (R, X), nan where there are none.

    Raises:
        UserError: there is one output, and so no classes.
    """
    outputs = data["test_y"].shape[1]
    if outputs == 1:
        raise UserError("calibration is that of classifiers; this data set has one output; take its variants out of 'measurements'")
    labels = data["test_y"].argmax(axis=1)
    ends = np.unique([0, len(train["step"]) - 1])
    errors, excess = (np.empty((len(ends), train["parameters"].shape[1])) for _ in range(2))
    for place, moment in enumerate(ends):
        found = forward_pass.predict_all(train["parameters"][moment], data["test_x"], network=network, outputs=outputs)
        probabilities = calibration.softmax(np.swapaxes(found, 1, 2))  # (R, C, M)
        errors[place] = calibration.expected_calibration_error(probabilities, labels, bins=bins)
        right = (probabilities.argmax(axis=1) == labels).mean(axis=1)
        excess[place] = probabilities.max(axis=1).mean(axis=1) - right
        reliability = calibration.reliability(probabilities, labels, bins=bins)
    return {
        "step": train["step"][ends],
        "calibration_error": errors,
        "overconfidence": excess,
        "bin_samples": reliability.samples,
        "bin_confidence": reliability.confidence,
        "bin_accuracy": reliability.accuracy,
    }
