"""Activation functions, each with its derivative stated through its own output, for arrays of numpy and of PyTorch.

Every one satisfies ``|f(z)| <= max(|z|, 1)``; `scripts.common.perceptron.output_bound` and `scripts.common.bounds` rest on it.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from scripts.common.libraries import library

BOUNDED = ("tanh", "sigmoid")
"""Those with |f(z)| <= 1 wherever z is."""


class Activation(NamedTuple):
    """An activation function f.

    Attributes:
        apply: writes f(z) into its second argument, which may be z itself.
        chain: multiplies a gradient with respect to f(z) by f'(z), in place; takes the gradient and the output f(z), of one shape.
    """

    apply: Callable[[Any, Any], object]
    chain: Callable[[Any, Any], object]


def relu() -> Activation:
    """max(z, 0), with derivative 0 at 0."""
    return Activation(lambda z, out: library(z).clip(z, 0.0, None, out=out), _clear_inactive)


def leaky_relu(*, slope: float = 0.01) -> Activation:
    """The larger of z and `slope` times z, with 0 < slope < 1."""

    def chain(gradient: Any, output: Any) -> None:
        gradient[...] = library(gradient).where(output > 0, gradient, gradient * slope)

    return Activation(lambda z, out: library(z).maximum(z, z * slope, out=out), chain)


def tanh() -> Activation:
    """The hyperbolic tangent, with derivative 1 - f^2."""
    return Activation(
        lambda z, out: library(z).tanh(z, out=out),
        lambda gradient, output: library(gradient).multiply(gradient, 1 - output * output, out=gradient),
    )


def sigmoid() -> Activation:
    """1 / (1 + exp(-z)), with derivative f (1 - f)."""

    def apply(z: Any, out: Any) -> None:
        with np.errstate(over="ignore"):  # exp(-z) may be infinite, and 1 / infinity is 0
            library(z).reciprocal(library(z).exp(-z) + 1.0, out=out)

    return Activation(apply, lambda gradient, output: library(gradient).multiply(gradient, output * (1 - output), out=gradient))


def linear() -> Activation:
    """The identity."""
    return Activation(lambda z, out: library(z).add(z, 0.0, out=out), lambda gradient, _output: gradient)


def _clear_inactive(gradient: Any, output: Any) -> None:
    """Set `gradient` to 0 where `output` is 0; a product would turn an overflow there into nan, and is slow in PyTorch."""
    if isinstance(gradient, np.ndarray):
        np.copyto(gradient, 0.0, where=output <= 0)
    else:
        library(gradient).ops.aten.threshold_backward.grad_input(gradient, output, 0.0, grad_input=gradient)
