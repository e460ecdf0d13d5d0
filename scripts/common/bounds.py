"""Bounds on the values of a forward pass, by the norm of all parameters: up to which norm neither it nor the loss can overflow."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from scripts.common import activations, networks
from scripts.common.networks import Layer
from scripts.common.normalization import EPSILON

SQUARABLE = 1e18
"""Values above this have squares that overflow in single precision, and so have no variance."""


def safe_norm(output_bound: Callable[[float], float], x: Tensor, y: Tensor) -> float:
    """Return a norm of all parameters together up to which no forward pass and no loss on (x, y) can overflow.

    A loss is a mean of terms of at most (|prediction| + |target| + 1)^2: it is enough that their sum stays below the largest number.

    Args:
        output_bound: returns a bound on every |value| of a forward pass, for a bound on the norm.
        x: inputs, (D, N).
        y: targets, (C, N).
    """
    enough = room(x.dtype, y)
    norms = (2.0**power for power in range(500, -1, -1))
    return next((norm for norm in norms if output_bound(norm) < enough), 0.0)


def room(dtype: torch.dtype, y: Tensor) -> float:
    """Return how large predictions of targets y (C, N) may be at most, in numbers of `dtype`, without a loss that overflows."""
    return float((torch.finfo(dtype).max / y.numel()) ** 0.5 / 2 - y.abs().max().item() - 1)


def output_bound(network: Mapping[str, Any], *, inputs: int, outputs: int, norm: Callable[[Layer], float], largest_input: float) -> float:
    """Return a bound on every |value| in a forward pass in evaluation mode; infinity where none is known.

    A sum over n inputs of a unit is at most norm (sqrt(n) bound + 1), where the bound is that of the inputs; pooling takes one of its
    values, for the activations |f(z)| <= max(|z|, 1), and attention is a mean of values.

    Args:
        network: ``kind`` and the options of the network.
        inputs: number of inputs, D.
        outputs: number of outputs, C.
        norm: returns a bound on the Euclidean norm of all parameters of a layer together.
        largest_input: bound on every |input|.
    """
    if network["kind"] not in networks.KINDS:
        return math.inf
    found = networks.layers(network, inputs=inputs, outputs=outputs)
    side = math.isqrt(inputs)

    def through(layers: Sequence[Layer], bound: float) -> float:
        for layer in layers:
            if layer.kind in ("linear", "convolution"):
                bound = norm(layer) * (math.sqrt(math.prod(layer.tensors["weight"][1:])) * bound + 1)
            elif layer.kind == "normalization":
                bound = normalized(bound, layer)
            elif layer.kind == "activation":
                slope = max(norm(layer), 1.0) if layer.tensors else 1.0
                bound = 1.0 if network["activation"] in activations.BOUNDED else max(slope * bound, 1.0)
        return bound

    def normalized(bound: float, layer: Layer) -> float:
        if not bound < SQUARABLE:
            return math.inf
        if network["normalization"] == "batch":
            return norm(layer) * (bound + norm(layer)) / math.sqrt(EPSILON) + norm(layer)
        return norm(layer) * math.sqrt(layer.tensors["weight"][0] * inputs) + norm(layer)  # no more positions than pixels

    if network["kind"] == "recurrent":
        bound = 1.0
        for _ in range(side):
            bound = through(found[:-1], max(bound, largest_input))
        return through(found[-1:], bound)
    if network["kind"] == "attention":
        embed, queries, project, *_ = (layer for layer in found if layer.kind == "linear")
        tokens = through([embed], largest_input) + 1
        parts = through([queries], through([layer for layer in found if layer.kind == "normalization"][:1], tokens))
        if not parts < SQUARABLE:
            return math.inf  # products of queries and keys may overflow
        tokens += through([project], parts)
        after = found[found.index(project) + 1 :]
        return through(after[-1:], tokens + through(after[:-1], tokens))
    bound = largest_input
    if not network.get("residual"):
        return through(found, bound)
    begins = [place for place, layer in enumerate(found) if layer.kind == "linear"]
    bound = through(found[: begins[1]], bound)
    for begin, end in zip(begins[1:-1:2], begins[3::2], strict=True):
        bound += through(found[begin:end], bound)
    return through(found[begins[-1] :], bound)
