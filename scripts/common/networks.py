"""The kinds of networks: which tensors each has, and what it predicts."""

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scripts.common import linearization


def shapes(network: Mapping[str, Any], *, inputs: int, outputs: int) -> dict[str, tuple[int, ...]]:
    """Return the shape of each tensor of a network by its name, in the order in which they are stored, weight and bias in turn.

    Names and shapes are those of the same network as a ``torch.nn.Sequential``.
    """
    if network.get("kind") == "convolutional":
        from scripts.common import convolutional  # noqa: PLC0415 - imports PyTorch, which takes a second or two

        return convolutional.shapes(network, inputs=inputs, outputs=outputs)
    found: dict[str, tuple[int, ...]] = {}
    for layer, (fan_in, fan_out) in enumerate(pairwise([inputs, *network["hidden"], outputs])):
        found |= {f"{2 * layer}.weight": (fan_out, fan_in), f"{2 * layer}.bias": (fan_out,)}
    return found


def predict(parameters: NDArray[Any], x: NDArray[np.float64], *, network: Mapping[str, Any], outputs: int) -> NDArray[np.float64]:
    """Return the predictions (N, C), computed in float64, at the points x (N, D) of one network with the flat `parameters` (P,)."""
    if network.get("kind") == "convolutional":
        from scripts.common import convolutional  # noqa: PLC0415 - the same

        return convolutional.predict_one(parameters, x, network=network, outputs=outputs)
    return linearization.predict(parameters, x, network=network)
