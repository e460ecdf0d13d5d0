"""How near the kernels of networks of finite width are to their infinitely wide limit, at initialization."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from scripts.common import infinite_width
from scripts.common.levels import slopes
from scripts.common.options import Count, NonNegative, Positive
from scripts.common.storage import Array, Arrays, Kind

KIND = Kind(
    "kernel_convergence",
    {
        "ntk_distance": Array("R X", "float64", quantity=True),
        "index_ntk_distance": Array("X", "int64"),
        "ntk_distance_slope": Array("R", "float64", quantity=True),
        "standard_distance": Array("R X", "float64", quantity=True),
        "index_standard_distance": Array("X", "int64"),
        "standard_distance_slope": Array("R", "float64", quantity=True),
        "nngp_distance": Array("R X", "float64", quantity=True),
        "index_nngp_distance": Array("X", "int64"),
        "nngp_distance_slope": Array("R", "float64", quantity=True),
    },
)

Single = NDArray[np.floating]


def simulate(
    data: Arrays,
    seeds: Sequence[int],
    *,
    depth: Count,
    widths: list[Count],
    weight_variance: Positive,
    bias_variance: NonNegative,
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

    Returns:
        The arrays of `KIND`: |K_width - K_infinity| / |K_infinity| in the Frobenius norm, of three kernels. ``ntk_distance`` is of the
        tangent kernel in the NTK parametrization; ``standard_distance`` of that with respect to weights and biases themselves, which
        grows with the width and is divided by it; ``nngp_distance`` of the covariance of the output given the hidden layers. And the
        slope of the logarithm of each over that of the width, by least squares, nan for a single width.
    """
    x = data["train_x"]
    exact = infinite_width.kernels(x, depth=depth, weight_variance=weight_variance, bias_variance=bias_variance)
    terms = infinite_width.standard_limit_terms(depth)
    standard = infinite_width.tangent_kernel(x, weight_variance=weight_variance, bias_variance=bias_variance, terms=terms)
    found = {name: np.empty((len(seeds), len(widths))) for name in ("ntk_distance", "standard_distance", "nngp_distance")}
    for replica, seed in enumerate(seeds):
        generator = np.random.default_rng(seed)
        for place, width in enumerate(widths):
            drawn = _draw(generator, [x.shape[1], *[width] * depth, 1])
            kernels = _kernels(drawn, x.astype(np.float32), weight_variance, bias_variance)
            for distances, kernel, limit in zip(found.values(), kernels, (exact.ntk, standard, exact.nngp), strict=True):
                distances[replica, place] = np.linalg.norm(kernel - limit) / np.linalg.norm(limit)
    labels = {f"index_{name}": np.array(widths) for name in found}
    return found | labels | {f"{name}_slope": slopes(widths, distances) for name, distances in found.items()}


def _draw(generator: Generator, widths: Sequence[int]) -> list[tuple[Single, Single]]:
    """Return standard normal parameters of each layer: weight (outputs, inputs) first, then bias (outputs,)."""
    return [
        (generator.standard_normal((fan_out, fan_in), dtype=np.float32), generator.standard_normal(fan_out, dtype=np.float32))
        for fan_in, fan_out in pairwise(widths)
    ]


def _kernels(
    layers: Sequence[tuple[Single, Single]], x: Single, weight_variance: float, bias_variance: float
) -> tuple[Single, Single, Single]:
    """Return the tangent kernel, that of the standard parametrization divided by the width, and the covariance of the output, (N, N).

    With `scripts.common.gram` it shares the formula and nothing else: here are one output, float32, and no copies of parameters.
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
    covariance = scales[-1] ** 2 * squares[-1] + shift**2
    ntk, standard = np.zeros_like(covariance), np.zeros_like(covariance)
    delta: Single = np.ones((len(x), 1), dtype=np.float32)
    for layer in range(len(layers) - 1, -1, -1):
        below = delta @ delta.T
        ntk += below * (scales[layer] ** 2 * squares[layer] + shift**2)
        standard += below * (squares[layer] + 1)
        if layer:
            delta = delta @ layers[layer][0]
            delta *= scales[layer]
            np.copyto(delta, 0, where=inputs[layer] <= 0)
    return ntk, standard / np.float32(layers[-1][0].shape[1]), covariance
