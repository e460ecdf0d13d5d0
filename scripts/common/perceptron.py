"""Fully connected networks, many replicas at once: forward pass and gradient of the loss, by hand.

The layers of R replicas are a list of tensors (R, outputs, inputs + 1), one for each linear layer: its weight, and in the last column
its bias, the weight of an input that is constantly 1. Samples are the last axis, which is what small matrix products are fastest with:

    g_0 = [x; 1]                             (R, D + 1, N)
    z_l = A_l g_(l-1)                        (R, width of layer l, N)
    g_l = [activation(z_l); 1]               prediction = z_L  (R, C, N)
    d_l = d loss / d z_l;                    d_(l-1) = (W_l^T d_l) * activation'(z_(l-1))
    d loss / d A_l = d_l g_(l-1)^T           where A_l = [W_l, b_l]

Stored parameters are flat, (R, P), in the order and under the names of ``torch.nn.Sequential(Linear, Activation, Linear, ...)``.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate, pairwise
from typing import Any

import torch
from torch import Tensor

from scripts.common import activations, bounds, parts
from scripts.common.activations import Activation
from scripts.common.engine import Form
from scripts.common.losses import Loss


def activation_of(network: Mapping[str, Any]) -> Activation:
    """Return the activation that `network` names."""
    chosen: Activation = parts.call(activations, {"kind": network["activation"]})
    return chosen


def widths(network: Mapping[str, Any], *, inputs: int, outputs: int) -> list[int]:
    """Return the width of every layer of `network`, inputs and outputs included."""
    return [inputs, *network["hidden"], outputs]


def empty_layers(widths: Sequence[int], replicas: int, *, dtype: torch.dtype, device: str = "cpu") -> tuple[Tensor, list[Tensor]]:
    """Return one flat buffer of zeros, and the layers as contiguous views of it: an update is a few operations on the buffer."""
    size = sum((fan_in + 1) * fan_out for fan_in, fan_out in pairwise(widths))
    buffer = torch.zeros(replicas * size, dtype=dtype, device=device)
    return buffer, views(buffer, widths, replicas)


def views(buffer: Tensor, widths: Sequence[int], replicas: int) -> list[Tensor]:
    """Return the layers as views of a flat buffer, contiguous ones."""
    shapes = [(replicas, fan_out, fan_in + 1) for fan_in, fan_out in pairwise(widths)]
    ends = [0, *accumulate(math.prod(shape) for shape in shapes)]
    return [buffer[begin:end].view(shape) for (begin, end), shape in zip(pairwise(ends), shapes, strict=True)]


def to_parameters(layers: Sequence[Tensor]) -> Tensor:
    """Return the flat parameters (R, P) of `layers`."""
    return torch.cat([part for layer in layers for part in (layer[:, :, :-1].flatten(1), layer[:, :, -1])], dim=1)


def set_parameters(layers: Sequence[Tensor], parameters: Tensor) -> None:
    """Fill `layers` with flat parameters (R, P)."""
    begin = 0
    for layer in layers:
        outputs, inputs = layer.shape[1], layer.shape[2] - 1
        middle, end = begin + outputs * inputs, begin + outputs * (inputs + 1)
        layer[:, :, :-1] = parameters[:, begin:middle].view(-1, outputs, inputs)
        layer[:, :, -1] = parameters[:, middle:end]
        begin = end


FORM = Form(to_parameters, set_parameters)
"""Layers as a form of parameters."""


def with_constant(x: Tensor) -> Tensor:
    """Return the inputs x (..., D, N) with a last row of ones, (..., D + 1, N)."""
    return torch.cat([x, torch.ones_like(x[..., :1, :])], dim=-2)


def predict(layers: Sequence[Tensor], x: Tensor, *, activation: Activation) -> Tensor:
    """Return the predictions (R, C, N) of all replicas at the points x (D, N)."""
    values = x.expand(layers[0].shape[0], *x.shape)
    for depth, layer in enumerate(layers):
        if depth:
            activation.apply(values, values)
        values = torch.baddbmm(layer[:, :, -1:], layer[:, :, :-1], values)
    return values


def output_bound(widths: Sequence[int], *, norm: float, largest_input: float) -> float:
    """Return a bound on every |value| in a forward pass.

    With Euclidean norms, |z_l| <= |A_l| |g_(l-1)|, and |g_l| <= |z_l| + sqrt(width) + 1 for the activations here.

    Args:
        widths: width of every layer, inputs and outputs included.
        norm: bound on the Euclidean norm of all parameters together, and so on that of each layer.
        largest_input: bound on every |input|.
    """
    bound = math.sqrt(widths[0]) * largest_input + 1.0
    for width in widths[1:]:
        bound = max(norm, 1.0) * bound + math.sqrt(width) + 1.0
    return bound


def safe_norm(widths: Sequence[int], x: Tensor, y: Tensor) -> float:
    """Return a norm of all parameters together up to which no forward pass and no loss on x (D, N), y (C, N) can overflow."""
    largest_input = x.abs().max().item()
    return bounds.safe_norm(lambda norm: output_bound(widths, norm=norm, largest_input=largest_input), x, y)


def gradient_function(
    layers: Sequence[Tensor],
    gradients: Sequence[Tensor],
    *,
    samples: int,
    activation: Activation,
    loss: Loss,
) -> Callable[[Tensor, Tensor], None]:
    """Return a function that writes the gradient of the loss of every replica into `gradients`.

    It takes inputs with their constant row, (R, D + 1, N), and targets (R, C, N). All memory is reserved here, once.

    Args:
        layers: the layers, read at each call.
        gradients: contiguous tensors of the same shapes, overwritten at each call.
        samples: number of samples N of each call.
        activation: activation between the layers.
        loss: loss of each replica.
    """
    back = [layer[:, :, :-1].mT for layer in layers]
    sums = [layer.new_empty(*layer.shape[:2], samples) for layer in layers]  # z_l, then d_l
    hidden = [with_constant(values) for values in sums[:-1]]  # g_l
    active = [values[:, :-1] for values in hidden]
    flipped = [values.mT for values in hidden]
    last = len(layers) - 1

    def gradient(x: Tensor, y: Tensor) -> None:
        below = x
        for layer in range(last):
            torch.bmm(layers[layer], below, out=sums[layer])
            activation.apply(sums[layer], active[layer])
            below = hidden[layer]
        torch.bmm(layers[last], below, out=sums[last])
        loss.gradient(sums[last], y, sums[last])
        for layer in range(last, 0, -1):
            torch.bmm(sums[layer], flipped[layer - 1], out=gradients[layer])
            torch.bmm(back[layer], sums[layer], out=sums[layer - 1])
            activation.chain(sums[layer - 1], active[layer - 1])
        torch.bmm(sums[0], x.mT, out=gradients[0])

    return gradient
