"""Losses, each the mean over samples, with its gradient, for every replica at once, for arrays of numpy and of PyTorch.

Predictions and targets have the samples last: (R, C, N), targets (C, N) where all replicas share them. Every loss is at most the mean
of (|prediction| + |target| + 1)^2, summed over outputs; that training tells when a loss may overflow rests on it.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from scripts.common.libraries import library


class Loss(NamedTuple):
    """A loss.

    Attributes:
        value: takes predictions and targets, returns the loss of each replica, (R,).
        gradient: takes predictions and targets, and writes the gradient with respect to the predictions into its third argument.
    """

    value: Callable[[Any, Any], Any]
    gradient: Callable[[Any, Any, Any], object]


def mse() -> Loss:
    """Mean squared error over samples and outputs."""

    def value(prediction: Any, target: Any) -> Any:
        return ((prediction - target) ** 2).mean((-2, -1))

    def gradient(prediction: Any, target: Any, out: Any) -> None:
        library(out).subtract(prediction, target, out=out)
        out *= 2.0 / (out.shape[-2] * out.shape[-1])

    return Loss(value, gradient)


def cross_entropy() -> Loss:
    """Cross-entropy of the softmax over outputs against columns of class probabilities (one-hot for plain labels)."""

    def value(prediction: Any, target: Any) -> Any:
        shifted = _shifted(prediction)
        normalizer = library(shifted).log(library(shifted).exp(shifted).sum(-2))[..., None, :]
        return -(target * (shifted - normalizer)).sum(-2).mean(-1)

    def gradient(prediction: Any, target: Any, out: Any) -> None:
        odds = library(out).exp(_shifted(prediction))
        shares = odds / odds.sum(-2)[..., None, :]
        library(out).subtract(shares * target.sum(-2)[..., None, :], target, out=out)
        out /= out.shape[-1]

    return Loss(value, gradient)


def _shifted(prediction: Any) -> Any:
    """Return the predictions less their largest of each sample, so that their exponentials do not overflow."""
    return prediction - library(prediction).amax(prediction, -2)[..., None, :]
