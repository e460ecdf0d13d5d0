"""Predictions of stored networks of any kind, in float64.

Plain perceptrons are computed by numpy alone. For others PyTorch is imported, which takes a second or two, when there is one.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scripts.common import linearization

TECHNIQUES = ("normalization", "dropout", "residual")


def of_all(parameters: NDArray[Any], x: NDArray[np.float64], *, network: Mapping[str, Any], outputs: int) -> NDArray[np.float64]:
    """Return the predictions (S, R, N, C) at the points x (N, D) of networks with the flat `parameters` (S, R, P)."""
    plain = network["kind"] == "perceptron" and network["activation"] != "prelu" and not any(network.get(key) for key in TECHNIQUES)
    if plain:
        return np.array([[linearization.predict(own, x, network=network) for own in saved] for saved in parameters])
    from scripts.common import forward_pass  # noqa: PLC0415

    return np.array([forward_pass.predict_all(saved, x, network=network, outputs=outputs) for saved in parameters])
