"""Parametrizations of a network: how the weights that it computes with follow from the parameters that are stored and trained.

In the *standard* parametrization they are the same. In the *ntk* parametrization (Jacot et al. 2018; Lee et al. 2019, equation 1) every
parameter is of order 1, and a layer with n inputs computes with

    W = sqrt(weight_variance / n) theta_W,    b = sqrt(bias_variance) theta_b,

the last one times `output_scale` (Chizat et al. 2019). Either way the weights are `scales` times the parameters, one by one, and by the
chain rule a derivative with respect to a parameter is that with respect to its weight, times its scale.
"""

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scripts.common import networks


def is_standard(network: Mapping[str, Any]) -> bool:
    """Whether the network computes with the parameters as they are stored."""
    return bool(network.get("parametrization", "standard") == "standard")


def tensor_scales(network: Mapping[str, Any], *, inputs: int, outputs: int) -> list[tuple[float, float]]:
    """Return the scale of the weight and that of the bias of each layer of a perceptron, from the input on.

    Args:
        network: ``hidden`` (widths); with ``parametrization: ntk`` also ``weight_variance``, ``bias_variance`` and ``output_scale``.
        inputs: number of inputs, D.
        outputs: number of outputs, C.
    """
    layers = list(pairwise([inputs, *network["hidden"], outputs]))
    if is_standard(network):
        return [(1.0, 1.0) for _ in layers]
    found = [(float(np.sqrt(network["weight_variance"] / fan_in)), float(np.sqrt(network["bias_variance"]))) for fan_in, _ in layers]
    weight, bias = found[-1]
    return [*found[:-1], (network["output_scale"] * weight, network["output_scale"] * bias)]


def scales(network: Mapping[str, Any], *, inputs: int, outputs: int) -> NDArray[np.float64] | None:
    """Return the scale of every parameter of a perceptron, (P,) float64 in the order in which they are stored; None where all are 1."""
    if is_standard(network):
        return None
    sizes = networks.sizes(network, inputs=inputs, outputs=outputs)
    values = [scale for layer in tensor_scales(network, inputs=inputs, outputs=outputs) for scale in layer]
    return np.repeat(values, list(sizes.values()))
