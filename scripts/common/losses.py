"""Losses, each the mean over samples, with its gradient, for every replica at once.

Predictions and targets have the samples last: (R, C, N), targets (C, N) where all replicas share them. Every loss is at most the mean
of (|prediction| + |target| + 1)^2, summed over outputs; that training tells when a loss may overflow rests on it.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor


class Loss(NamedTuple):
    """A loss.

    Attributes:
        value: takes predictions and targets, returns the loss of each replica, (R,).
        gradient: takes predictions and targets, and writes the gradient with respect to the predictions into its third argument.
    """

    value: Callable[[Tensor, Tensor], Tensor]
    gradient: Callable[[Tensor, Tensor, Tensor], object]


def mse() -> Loss:
    """Mean squared error over samples and outputs."""

    def value(prediction: Tensor, target: Tensor) -> Tensor:
        return (prediction - target).square_().mean(dim=(-2, -1))

    def gradient(prediction: Tensor, target: Tensor, out: Tensor) -> None:
        torch.sub(prediction, target, out=out).mul_(2.0 / (out.shape[-2] * out.shape[-1]))

    return Loss(value, gradient)


def cross_entropy() -> Loss:
    """Cross-entropy of the softmax over outputs against columns of class probabilities (one-hot for plain labels)."""

    def value(prediction: Tensor, target: Tensor) -> Tensor:
        return -(target * prediction.log_softmax(dim=-2)).sum(dim=-2).mean(dim=-1)

    def gradient(prediction: Tensor, target: Tensor, out: Tensor) -> None:
        torch.sub(prediction.softmax(dim=-2).mul_(target.sum(dim=-2, keepdim=True)), target, out=out).div_(out.shape[-1])

    return Loss(value, gradient)
