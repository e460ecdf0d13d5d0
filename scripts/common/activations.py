"""Activation functions, each with its derivative stated through its own output.

Every one satisfies ``|f(z)| <= max(|z|, 1)``; `scripts.common.perceptron.output_bound` rests on it.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor


class Activation(NamedTuple):
    """An activation function f.

    Attributes:
        apply: writes f(z) into its second argument, which may be z itself.
        chain: multiplies a gradient with respect to f(z) by f'(z), in place; takes the gradient and the output f(z), of one shape.
    """

    apply: Callable[[Tensor, Tensor], object]
    chain: Callable[[Tensor, Tensor], object]


def relu() -> Activation:
    """max(z, 0), with derivative 0 at 0."""
    return Activation(
        lambda z, out: torch.clamp(z, min=0.0, out=out),
        lambda gradient, output: torch.ops.aten.threshold_backward.grad_input(gradient, output, 0.0, grad_input=gradient),
    )


def leaky_relu(*, slope: float = 0.01) -> Activation:
    """z where z > 0, elsewhere `slope` times z, with 0 < slope < 1."""
    return Activation(
        lambda z, out: torch.maximum(z, z * slope, out=out),
        lambda gradient, output: torch.where(output > 0, gradient, gradient * slope, out=gradient),
    )


def tanh() -> Activation:
    """The hyperbolic tangent, with derivative 1 - f^2."""
    return Activation(lambda z, out: torch.tanh(z, out=out), lambda gradient, output: gradient.mul_(1 - output * output))


def sigmoid() -> Activation:
    """1 / (1 + exp(-z)), with derivative f (1 - f)."""
    return Activation(lambda z, out: torch.sigmoid(z, out=out), lambda gradient, output: gradient.mul_(output * (1 - output)))


def linear() -> Activation:
    """z itself."""
    return Activation(lambda z, out: out.copy_(z), lambda gradient, output: gradient)
