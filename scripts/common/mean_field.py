"""Mean-field theory of random networks: how the sizes of what units compute, and of gradients, go from layer to layer.

Layer l of a wide network with independent normal weights of variance weight_variance / inputs and biases of variance bias_variance
has, before its activation f, units that are normal with a variance q_l (Poole et al. 2016),

    q_(l+1) = weight_variance E[f(sqrt(q_l) z)^2] + bias_variance,    z standard normal,

and the mean square of the gradient with respect to them is multiplied on the way from layer l + 1 back to layer l, of the same width, by

    chi(q_l) = weight_variance E[f'(sqrt(q_l) z)^2]

(Schoenholz et al. 2017; that the weights on the way back are as good as new ones is the theory's approximation).
Where q has come to its fixed point q*, gradients shrink by chi(q*) < 1 in each layer (the ordered phase) or grow by chi(q*) > 1 (the
chaotic one); the *edge of chaos* chi(q*) = 1 lies between the two.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scripts.common import activations, parts
from scripts.common.errors import UserError

Vector = NDArray[np.float64]

REACH, NODES = 12.0, 160
"""The quadrature: so many points by Gauss and Legendre on either side of zero, as far as this many standard deviations."""
HALVINGS = 200
"""Halvings of an interval that holds a solution; it stops to change long before."""


def _quadrature() -> tuple[Vector, Vector]:
    """Return points and weights of the expectation over a standard normal number.

    Either side of zero has its own points, so that what has a kink or a jump there is integrated as exactly as what is smooth, and they
    crowd at zero, so that units which saturate close to it are, too.
    """
    points, weights = np.polynomial.legendre.leggauss(NODES)
    half = (points + 1) * REACH / 2
    density = weights * REACH / 2 * np.exp(-(half**2) / 2) / np.sqrt(2 * np.pi)
    return np.concatenate([-half[::-1], half]), np.concatenate([density[::-1], density])


POINTS, WEIGHTS = _quadrature()


def mean_square(variance: float, *, activation: Mapping[str, Any]) -> float:
    """Return E[f(sqrt(q) z)^2], the mean square of an activation at pre-activations of variance q.

    Args:
        variance: the variance q.
        activation: the activation f as a study names it, ``kind`` and its options.
    """
    return float(WEIGHTS @ _outputs(np.sqrt(variance) * POINTS, activation) ** 2)


def mean_squared_slope(variance: float, *, activation: Mapping[str, Any]) -> float:
    """Return E[f'(sqrt(q) z)^2], the mean square of an activation's derivative at pre-activations of variance q."""
    slopes = np.ones_like(POINTS)
    parts.call(activations, activation).chain(slopes, _outputs(np.sqrt(variance) * POINTS, activation))
    return float(WEIGHTS @ slopes**2)


def next_variance(variance: float, *, activation: Mapping[str, Any], weight_variance: float, bias_variance: float = 0.0) -> float:
    """Return q_(l+1) for q_l: the variance map."""
    return weight_variance * mean_square(variance, activation=activation) + bias_variance


def susceptibility(variance: float, *, activation: Mapping[str, Any], weight_variance: float) -> float:
    """Return chi(q_l), by which the mean square of the gradient is multiplied from layer l + 1 back to layer l."""
    return weight_variance * mean_squared_slope(variance, activation=activation)


def variances(first: float, depth: int, *, activation: Mapping[str, Any], weight_variance: float, bias_variance: float = 0.0) -> Vector:
    """Return q_1, ..., q_depth (depth,), from the first one on."""
    found = [first]
    while len(found) < depth:
        found.append(next_variance(found[-1], activation=activation, weight_variance=weight_variance, bias_variance=bias_variance))
    return np.array(found)


def gradient_squares(by_layer: Vector, *, activation: Mapping[str, Any], weight_variance: float) -> Vector:
    """Return the mean squares of the gradients by layer (depth,) relative to that of the last layer.

    Args:
        by_layer: the variances q_1, ..., q_depth, (depth,).
        activation: the activation f as a study names it.
        weight_variance: variance of the weights, times the inputs of their layer.
    """
    factors = [susceptibility(float(one), activation=activation, weight_variance=weight_variance) for one in by_layer[:-1]]
    return np.asarray(np.cumprod([1.0, *factors[::-1]])[::-1], dtype=np.float64)


def fixed_point(*, activation: Mapping[str, Any], weight_variance: float, bias_variance: float = 0.0) -> float:
    """Return q*, the largest variance that the variance map leaves as it is, of an activation that is bounded, so that it has one.

    Raises:
        UserError: another activation; its q may grow without end.
    """
    if activation["kind"] not in activations.BOUNDED:
        raise UserError(f"only bounded activations have a fixed point at all variances; known: {', '.join(activations.BOUNDED)}")

    def shrinks(variance: float) -> bool:
        after = next_variance(variance, activation=activation, weight_variance=weight_variance, bias_variance=bias_variance)
        return after < variance

    return _first(shrinks, 0.0, weight_variance + bias_variance)


def edge_of_chaos(bias_variance: float, *, activation: Mapping[str, Any]) -> float:
    """Return the weight variance at which chi(q*) = 1, for a bias variance.

    On the edge each q has one pair of variances for which it is the fixed point: weight_variance = 1 / E[f'^2] and
    bias_variance = q - weight_variance E[f^2]. The latter grows with q, for tanh, from 0 on.
    """

    def beyond(variance: float) -> bool:
        weights = 1 / mean_squared_slope(variance, activation=activation)
        return variance - weights * mean_square(variance, activation=activation) > bias_variance

    variance = _first(beyond, 0.0, 10.0 + 10.0 * bias_variance)
    return 1 / mean_squared_slope(variance, activation=activation)


def depth_scale(factor: float) -> float:
    """Return in how many layers a gradient's mean square shrinks or grows by e, if it is multiplied by `factor` in each."""
    return float(1 / abs(np.log(factor))) if factor != 1 else float("inf")


def _outputs(values: Vector, activation: Mapping[str, Any]) -> Vector:
    out = np.empty_like(values)
    parts.call(activations, activation).apply(values, out)
    return out


def _first(holds: Callable[[float], bool], low: float, high: float) -> float:
    """Return where between `low` and `high` a condition begins to hold that does from there on; `low` if it does at once."""
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        if middle in (low, high):
            break
        low, high = (low, middle) if holds(middle) else (middle, high)
    return high if high > 1e-12 else 0.0
