"""Plain perceptrons with given weights, forward and backward, layer by layer: what random networks are looked at with.

The axes are those of ``numpy.matmul``: before the last two, which are units and samples (N), any number of others.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from scripts.common import activations, losses, parts

Values = NDArray[np.float64]


def forward(
    weights: Sequence[Values], biases: Sequence[Values], x: Values, *, activation: Mapping[str, Any]
) -> list[tuple[Values, Values]]:
    """Return what every layer has before and after its activation.

    Args:
        weights: of each layer, (..., outputs, inputs).
        biases: of each layer, (..., outputs, 1).
        x: what the first layer takes in, (..., inputs, N).
        activation: the activation as a study names it, ``kind`` and its options.
    """
    function = parts.call(activations, activation)
    layers: list[tuple[Values, Values]] = []
    for weight, bias in zip(weights, biases, strict=True):
        before = np.matmul(weight, layers[-1][1] if layers else x) + bias
        after = np.empty_like(before)
        function.apply(before, after)
        layers.append((before, after))
    return layers


def backward(
    weights: Sequence[Values], layers: Sequence[tuple[Values, Values]], gradient: Values, *, activation: Mapping[str, Any]
) -> list[Values]:
    """Return the gradient with respect to what every layer has before its activation, (..., units, N) each.

    Args:
        weights: of each layer, (..., outputs, inputs).
        layers: what `forward` returned for them, or its first entries: the gradient comes in at the last of these.
        gradient: the gradient with respect to what the last layer has after its activation, (..., units, N).
        activation: the activation as a study names it.
    """
    function = parts.call(activations, activation)
    found: list[Values] = []
    for place in reversed(range(len(layers))):
        gradient = gradient.copy()
        function.chain(gradient, layers[place][1])
        found.append(gradient)
        gradient = np.matmul(np.swapaxes(weights[place], -1, -2), gradient)
    return found[::-1]


def cross_entropy_gradient(scores: Values, labels: NDArray[np.int64]) -> Values:
    """Return the gradient of the mean cross-entropy with respect to the scores.

    Args:
        scores: scores of the classes, (..., C, N).
        labels: the classes of the samples, (N,).
    """
    found = np.empty_like(scores)
    losses.cross_entropy().gradient(scores, np.eye(scores.shape[-2])[:, labels], found)
    return found


def task(generator: Generator, *, inputs: int, outputs: int, samples: int) -> tuple[Values, NDArray[np.int64]]:
    """Return standard normal inputs (inputs, N) and random classes (N,): a task with nothing to learn, to have a real gradient by."""
    return generator.standard_normal((inputs, samples)), generator.integers(outputs, size=samples)


def mean_squares(values: Sequence[Values]) -> Values:
    """Return the mean over units and samples of the squares of each layer's values, (..., L)."""
    return np.stack([np.mean(one**2, axis=(-2, -1)) for one in values], axis=-1)
