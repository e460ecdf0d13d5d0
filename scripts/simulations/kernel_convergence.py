"""How near the kernels of networks of finite width are to their infinitely wide limit, at initialization."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from scripts.common import infinite_width
from scripts.common.options import Count, NonNegative, Parametrization, Positive
from scripts.common.storage import Array, Arrays, Kind

KIND = Kind(
    "kernel_convergence",
    {
        "ntk_distance": Array("R X", "float64", quantity=True),
        "index_ntk_distance": Array("X", "int64"),
        "ntk_distance_slope": Array("R", "float64", quantity=True),
        "nngp_distance": Array("R X", "float64", quantity=True),
        "index_nngp_distance": Array("X", "int64"),
        "nngp_distance_slope": Array("R", "float64", quantity=True),
    },
)

Single = NDArray[np.float32]


def simulate(
    data: Arrays,
    seeds: Sequence[int],
    *,
    depth: Count,
    widths: list[Count],
    weight_variance: Positive,
    bias_variance: NonNegative,
    parametrization: Parametrization = "ntk",
) -> Arrays:
    """Return the distances of random networks' kernels on the training points from those of the infinitely wide network.

    Each replica draws a network of each width in turn from a generator with its seed. The networks are those of
    `scripts.common.infinite_width`: ReLU, one output, effective weights of variance `weight_variance` / inputs. They are computed in
    float32, whose rounding, 1e-6 of a kernel, is far below the distances.

    Args:
        data: the data set whose training points the kernels are taken on.
        seeds: seed of each replica, R.
        depth: number of hidden layers.
        widths: widths of the hidden layers, X of them.
        weight_variance: variance of the effective weights, times the number of inputs of their layer.
        bias_variance: variance of the effective biases.
        parametrization: with respect to which parameters derivatives are taken: those of the NTK parametrization, or the weights and
            biases themselves ("standard"). The latter's kernel grows with the width and is divided by it.

    Returns:
        The arrays of `KIND`: |K_width - K_infinity| / |K_infinity| in the Frobenius norm, of the tangent kernel, and of the covariance
        of the output given the hidden layers (which goes to the NNGP kernel); and the slope of the logarithm of each over that of the
        width, by least squares, which is 0 for a single width.
    """
    x = data["train_x"]
    exact = infinite_width.kernels(x, depth=depth, weight_variance=weight_variance, bias_variance=bias_variance)
    if parametrization == "standard":
        terms = infinite_width.standard_limit_terms(depth)
        limit = infinite_width.tangent_kernel(x, weight_variance=weight_variance, bias_variance=bias_variance, terms=terms)
        exact = exact._replace(ntk=limit)
    found = np.empty((2, len(seeds), len(widths)))
    for replica, seed in enumerate(seeds):
        generator = np.random.default_rng(seed)
        for place, width in enumerate(widths):
            drawn = _draw(generator, [x.shape[1], *[width] * depth, 1])
            kernels = _kernels(drawn, x.astype(np.float32), weight_variance, bias_variance, standard=parametrization == "standard")
            found[:, replica, place] = [_distance(*both) for both in zip(kernels, (exact.ntk, exact.nngp), strict=True)]
    labels, slopes = np.array(widths), _slopes(np.log(widths), np.log(found))
    return {
        "ntk_distance": found[0],
        "index_ntk_distance": labels,
        "ntk_distance_slope": slopes[0],
        "nngp_distance": found[1],
        "index_nngp_distance": labels,
        "nngp_distance_slope": slopes[1],
    }


def _draw(generator: Generator, widths: Sequence[int]) -> list[tuple[Single, Single]]:
    """Return standard normal parameters of each layer: weight (outputs, inputs) first, then bias (outputs,)."""
    return [
        (generator.standard_normal((fan_out, fan_in), dtype=np.float32), generator.standard_normal(fan_out, dtype=np.float32))
        for fan_in, fan_out in pairwise(widths)
    ]


def _kernels(
    layers: Sequence[tuple[Single, Single]], x: Single, weight_variance: float, bias_variance: float, *, standard: bool
) -> tuple[Single, Single]:
    """Return the tangent kernel, divided by the width where it is the `standard` one's, and the covariance of the output, (N, N).

    With `scripts.common.gram` it has the formula in common and nothing else: it is far faster for one output and float32, since no
    parameter is copied.
    """
    scales = [np.float32(np.sqrt(weight_variance / weight.shape[1])) for weight, _ in layers]
    shift = np.float32(np.sqrt(bias_variance))
    inputs = [x]
    for (weight, bias), scale in zip(layers[:-1], scales, strict=False):
        sums = inputs[-1] @ weight.T
        sums *= scale
        sums += shift * bias
        inputs.append(np.maximum(sums, 0, out=sums))
    squares = [values @ values.T for values in inputs]
    delta = np.ones((len(x), 1), dtype=np.float32)
    width = layers[-1][0].shape[1]
    covariance = np.float32(weight_variance / width) * squares[-1] + np.float32(bias_variance)
    kernel = np.zeros_like(covariance)
    for layer in range(len(layers) - 1, -1, -1):
        weight, fan_in = layers[layer][0], layers[layer][0].shape[1]
        of_weight, of_bias = (1 / width, 1 / width) if standard else (weight_variance / fan_in, bias_variance)
        kernel += (delta @ delta.T) * (np.float32(of_weight) * squares[layer] + np.float32(of_bias))
        if layer:
            delta = delta @ weight if layer < len(layers) - 1 else np.repeat(weight, len(x), axis=0)
            delta *= scales[layer]
            np.copyto(delta, 0, where=inputs[layer] <= 0)
    return kernel, covariance


def _distance(found: Single, exact: NDArray[np.float64]) -> float:
    return float(np.linalg.norm(found - exact) / np.linalg.norm(exact))


def _slopes(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the slopes of the least-squares lines through y (..., X) over x (X,)."""
    centered = x - x.mean()
    return np.asarray((y - y.mean(axis=-1, keepdims=True)) @ centered / (np.sum(centered**2) or 1.0))
