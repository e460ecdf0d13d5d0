"""Convolution, pooling and activation of many replicas at once, each differentiable.

Images are square and gray, with zeros around them. Values are (R, C, H, W, N): samples are the last axis, so that every shift of an
image is a copy of long rows, and a layer is one product of matrices for each replica,

    z = W c + b         W (R, O, C k k),  c (R, C k k, H W N) the k by k patches around every pixel,  z (R, O, H W N)
    d loss / d W = (d loss / d z) c^T,    d loss / d c = W^T (d loss / d z), every entry added where its pixel came from.

Gradients are those of PyTorch, also where several of the four values of a pooling are equal: the first of them takes it.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from scripts.common.activations import Activation


def convolve(values: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Return the convolution of values (R, C, H, W, N) by a weight (R, O, C, k, k) and a bias (R, O), as ``Conv2d``, in blocks for `pool`.

    It is (R, O, 2, 2, H // 2, W // 2, N): the first, second, third and fourth of every 2 by 2 values stand together, so that what is done
    with them goes through memory in order. A last odd row or column, which no pooling reads, is left out.
    """
    found: Tensor = _Convolve.apply(values, weight, bias)  # type: ignore[no-untyped-call]
    return found


def pool(blocks: Tensor) -> Tensor:
    """Return the largest of every 2 by 2 values (R, C, 2, 2, H, W, N), (R, C, H, W, N), as ``MaxPool2d(2)``."""
    found: Tensor = _Pool.apply(blocks)  # type: ignore[no-untyped-call]
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
        kernel, begin = weight.shape[-1], weight.shape[-1] // 2
        framed = values.new_zeros(_framed(values.shape, kernel))
        framed[:, :, begin : begin + height, begin : begin + width] = values
        row, column = framed.stride(2), framed.stride(3)
        patches = framed.as_strided(
            (replicas, channels, kernel, kernel, 2, 2, height // 2, width // 2, samples),
            (framed.stride(0), framed.stride(1), row, column, row, column, 2 * row, 2 * column, 1),
        ).reshape(replicas, channels * kernel * kernel, -1)  # here they are copied
        ctx.save_for_backward(patches, weight)
        found = torch.baddbmm(bias[:, :, None], weight.flatten(2), patches)
        return found.view(replicas, -1, 2, 2, height // 2, width // 2, samples)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor, Tensor]:
        patches, weight = ctx.saved_tensors
        replicas, channels, height, width, samples = ctx.shape
        kernel, begin = weight.shape[-1], weight.shape[-1] // 2
        gradient = gradient.flatten(2)
        of_weight = torch.bmm(patches, gradient.mT).mT  # half again as fast as the product in the other order
        of_values = None
        if ctx.needs_input_grad[0]:
            blocks = (2, 2, height // 2, width // 2, samples)
            of_patches = torch.bmm(weight.flatten(2).mT, gradient).view(replicas, channels, kernel, kernel, *blocks)
            framed = gradient.new_zeros(_framed(ctx.shape, kernel))
            rows, columns = height // 2 * 2, width // 2 * 2
            for down in range(kernel):
                for right in range(kernel):
                    place = framed[:, :, down : down + rows, right : right + columns].view(
                        replicas, channels, height // 2, 2, width // 2, 2, samples
                    )
                    place.permute(0, 1, 3, 5, 2, 4, 6).add_(of_patches[:, :, down, right])
            of_values = framed[:, :, begin : begin + height, begin : begin + width]
        return of_values, of_weight.reshape(weight.shape), gradient.sum(dim=2)


def _framed(shape: Sequence[int], kernel: int) -> tuple[int, ...]:
    """Return the shape of values (R, C, H, W, N) with zeros around each image."""
    replicas, channels, height, width, samples = shape
    return (replicas, channels, height + kernel - 1, width + kernel - 1, samples)


class _Pool(torch.autograd.Function):
    """`pool`, as two rounds of pairs: what is kept is by how much the second of a pair is larger."""

    @staticmethod
    def forward(ctx: Any, blocks: Tensor) -> Tensor:
        (first, second), (third, fourth) = (pair.unbind(2) for pair in blocks.unbind(2))
        above, below = torch.maximum(first, second), torch.maximum(third, fourth)
        ctx.save_for_backward(second - first, fourth - third, below - above)
        return torch.maximum(above, below)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        second_ahead, fourth_ahead, below_ahead = ctx.saved_tensors
        found = gradient.new_empty((*gradient.shape[:2], 2, 2, *gradient.shape[2:]))
        (first, second), (third, fourth) = (pair.unbind(2) for pair in found.unbind(2))
        below = torch.empty_like(gradient)
        _where_positive(gradient, below_ahead, below)
        above = gradient - below
        for pair, ahead, one, other in ((above, second_ahead, first, second), (below, fourth_ahead, third, fourth)):
            _where_positive(pair, ahead, other)
            torch.sub(pair, other, out=one)
        return found


def _where_positive(values: Tensor, condition: Tensor, out: Tensor) -> None:
    """Write `values` where `condition` is positive, else 0; a product with a mask of Booleans takes seven times as long."""
    torch.ops.aten.threshold_backward.grad_input(values, condition, 0.0, grad_input=out)


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
