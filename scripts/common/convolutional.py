"""Convolutional networks, many replicas at once: convolution, activation and pooling in turns, then a linear layer.

Images are square and gray, D = height x width pixels row by row. Tensors have the names and shapes of

    torch.nn.Sequential(Conv2d, activation, MaxPool2d(2), Conv2d, ..., MaxPool2d(2), Flatten, Linear)

with convolutions of step 1 that keep the size, and zeros around the image. Values within are (R, C, H, W, N): samples are the last axis,
so that every shift of an image is a copy of long rows, and a layer is one product of matrices for each replica,

    z = W c + b         W (R, O, C k k),  c (R, C k k, H W N) the k by k patches around every pixel,  z (R, O, H W N)
    d loss / d W = (d loss / d z) c^T,    d loss / d c = W^T (d loss / d z), every entry added where its pixel came from.

An activation that never falls does not change which of four values is the largest: it is applied after the pooling, to a quarter of the
values. Gradients are those of PyTorch, also where several of the four are equal: the first of them takes it.
"""

import math
from collections.abc import Mapping, Sequence
from itertools import accumulate, pairwise
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.autograd.function import once_differentiable

from scripts.common import activations, parts
from scripts.common.activations import Activation
from scripts.common.errors import UserError

LAYERS_OF_A_BLOCK = 3
"""Convolution, activation, pooling: how far the numbers in names are apart."""


def shapes(network: Mapping[str, Any], *, inputs: int, outputs: int) -> dict[str, tuple[int, ...]]:
    """Return the shape of each tensor by its name, in the order in which they are stored, weight and bias in turn.

    Args:
        network: ``channels`` of each convolution, from the image on, and ``kernel``, the side of their patches, an odd number.
        inputs: number of pixels, D.
        outputs: number of outputs, C.

    Raises:
        UserError: the pixels are no square image, the kernel is even, or nothing of the image is left after the pooling.
    """
    side, kernel = math.isqrt(inputs), network["kernel"]
    if side * side != inputs:
        raise UserError(f"network.kind: a convolutional network takes square images; {inputs} inputs are none; choose a perceptron")
    if kernel % 2 == 0:
        raise UserError(f"network.kernel: wrong value {kernel}; allowed: an odd number, so that a patch has a middle")
    if side >> len(network["channels"]) == 0:
        raise UserError(
            f"network.channels: {len(network['channels'])} poolings leave nothing of {side} by {side} pixels; give fewer channels"
        )
    found: dict[str, tuple[int, ...]] = {}
    below = 1
    for place, channels in enumerate(network["channels"]):
        number = LAYERS_OF_A_BLOCK * place
        found |= {f"{number}.weight": (channels, below, kernel, kernel), f"{number}.bias": (channels,)}
        below, side = channels, side // 2
    number = LAYERS_OF_A_BLOCK * len(network["channels"]) + 1
    return found | {f"{number}.weight": (outputs, below * side * side), f"{number}.bias": (outputs,)}


def predict(tensors: Sequence[Tensor], x: Tensor, *, network: Mapping[str, Any]) -> Tensor:
    """Return the predictions (R, C, N) of all replicas, differentiable once in all `tensors`.

    Args:
        tensors: the tensors of `shapes`, of all replicas: (R, *shape) each.
        x: images (D, N) for all replicas, or (R, D, N).
        network: ``channels``, ``kernel`` and ``activation``.
    """
    *convolutions, (weight, bias) = zip(tensors[::2], tensors[1::2], strict=True)
    activation = parts.call(activations, {"kind": network["activation"]})
    side = math.isqrt(x.shape[-2])
    values = x.expand(len(weight), *x.shape[-2:]).unflatten(1, (1, side, side))  # type: ignore[no-untyped-call]
    for kernels, shifts in convolutions:
        values = activate(pool(convolve(values, kernels, shifts)), activation)
    return torch.baddbmm(bias[:, :, None], weight, values.flatten(1, 3))


def predict_one(parameters: NDArray[Any], x: NDArray[np.float64], *, network: Mapping[str, Any], outputs: int) -> NDArray[np.float64]:
    """Return the predictions (N, C), in float64, at the images x (N, D) of one network with the flat `parameters` (P,)."""
    flat = torch.as_tensor(np.asarray(parameters, dtype=np.float64))[None]
    tensors = unflatten(flat, shapes(network, inputs=x.shape[1], outputs=outputs))
    with torch.no_grad():
        found: NDArray[np.float64] = predict(tensors, torch.as_tensor(np.ascontiguousarray(x.T)), network=network)[0].T.numpy()
    return found


def unflatten(parameters: Tensor, shapes: Mapping[str, Sequence[int]]) -> list[Tensor]:
    """Return the tensors (R, *shape), views of the flat `parameters` (R, P), in the order of `shapes`."""
    ends = [0, *accumulate(math.prod(shape) for shape in shapes.values())]
    return [
        parameters[:, begin:end].view(len(parameters), *shape) for (begin, end), shape in zip(pairwise(ends), shapes.values(), strict=True)
    ]


def convolve(values: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Return the convolution (R, O, H, W, N) of values (R, C, H, W, N) by a weight (R, O, C, k, k) and a bias (R, O), as ``Conv2d``."""
    found: Tensor = _Convolve.apply(values, weight, bias)  # type: ignore[no-untyped-call]
    return found


def pool(values: Tensor) -> Tensor:
    """Return the largest of every 2 by 2 values (R, C, H, W, N), (R, C, H // 2, W // 2, N), as ``MaxPool2d(2)``."""
    found: Tensor = _Pool.apply(values)  # type: ignore[no-untyped-call]
    return found


def activate(values: Tensor, activation: Activation) -> Tensor:
    """Return the activation of values of any shape."""
    found: Tensor = _Activate.apply(values, activation)  # type: ignore[no-untyped-call]
    return found


class _Convolve(torch.autograd.Function):
    """`convolve`; its backward pass reads the patches that the forward pass made."""

    @staticmethod
    def forward(ctx: Any, values: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        replicas, channels, height, width, samples = ctx.shape = values.shape
        kernel = weight.shape[-1]
        middle_rows, middle = _middle(values.shape, kernel)
        framed = values.new_zeros(_framed(values.shape, kernel))
        framed[:, :, middle_rows, middle] = values
        strides = framed.stride()
        patches = framed.as_strided(
            (replicas, channels, kernel, kernel, height, width, samples),
            (strides[0], strides[1], strides[2], strides[3], strides[2], strides[3], strides[4]),
        ).reshape(replicas, channels * kernel * kernel, -1)  # here they are copied
        ctx.save_for_backward(patches, weight)
        return torch.baddbmm(bias[:, :, None], weight.flatten(2), patches).view(replicas, -1, height, width, samples)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor, Tensor]:
        patches, weight = ctx.saved_tensors
        kernel = weight.shape[-1]
        gradient = gradient.flatten(2)
        of_weight = torch.bmm(patches, gradient.mT).mT  # half again as fast as the product in the other order
        of_values = None
        if ctx.needs_input_grad[0]:
            height, width = ctx.shape[2:4]
            of_patches = torch.bmm(weight.flatten(2).mT, gradient).view(*ctx.shape[:2], kernel, kernel, *ctx.shape[2:])
            framed = gradient.new_zeros(_framed(ctx.shape, kernel))
            for row in range(kernel):
                for column in range(kernel):
                    framed[:, :, row : row + height, column : column + width] += of_patches[:, :, row, column]
            middle_rows, middle = _middle(ctx.shape, kernel)
            of_values = framed[:, :, middle_rows, middle]
        return of_values, of_weight.reshape(weight.shape), gradient.sum(dim=2)


def _framed(shape: Sequence[int], kernel: int) -> tuple[int, ...]:
    """Return the shape of values (R, C, H, W, N) with zeros around each image."""
    replicas, channels, height, width, samples = shape
    return (replicas, channels, height + kernel - 1, width + kernel - 1, samples)


def _middle(shape: Sequence[int], kernel: int) -> tuple[slice, slice]:
    """Return where the image stands between these zeros: rows and columns."""
    begin = kernel // 2
    return slice(begin, begin + shape[2]), slice(begin, begin + shape[3])


class _Pool(torch.autograd.Function):
    """`pool`, as two rounds of pairs: what is kept is by how much the second of a pair is larger."""

    @staticmethod
    def forward(ctx: Any, values: Tensor) -> Tensor:
        ctx.shape = values.shape
        first, second, third, fourth = (values[:, :, rows, columns] for rows, columns in _quarters(values.shape))
        above, below = torch.maximum(first, second), torch.maximum(third, fourth)
        ctx.save_for_backward(second - first, fourth - third, below - above)
        return torch.maximum(above, below)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        second_ahead, fourth_ahead, below_ahead = ctx.saved_tensors
        below = _where_positive(gradient, below_ahead)
        above = gradient - below
        second, fourth = _where_positive(above, second_ahead), _where_positive(below, fourth_ahead)
        found = gradient.new_zeros(ctx.shape)
        for (rows, columns), quarter in zip(_quarters(ctx.shape), (above - second, second, below - fourth, fourth), strict=True):
            found[:, :, rows, columns] = quarter
        return found


def _quarters(shape: Sequence[int]) -> list[tuple[slice, slice]]:
    """Return rows and columns of the first, second, third and fourth of every 2 by 2 values; a last odd row or column is in none."""
    height, width = shape[2] // 2 * 2, shape[3] // 2 * 2
    return [(slice(row, height, 2), slice(column, width, 2)) for row in (0, 1) for column in (0, 1)]


def _where_positive(values: Tensor, condition: Tensor) -> Tensor:
    """Return `values` where `condition` is positive, else 0; a product with a mask of Booleans takes seven times as long."""
    found: Tensor = torch.ops.aten.threshold_backward(values, condition, 0.0)
    return found


class _Activate(torch.autograd.Function):
    """`activate`, with the derivative that the activation states through its own output."""

    @staticmethod
    def forward(ctx: Any, values: Tensor, activation: Activation) -> Tensor:
        ctx.activation = activation
        found = torch.empty_like(values)
        activation.apply(values, found)
        ctx.save_for_backward(found)
        return found

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        (found,) = ctx.saved_tensors
        chained = gradient.clone()
        ctx.activation.chain(chained, found)
        return chained, None
