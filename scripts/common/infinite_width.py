"""Kernels of fully connected networks of ReLU whose hidden layers are infinitely wide, in closed form.

A network in the NTK parametrization (`scripts.common.parametrization`) with independent standard normal parameters is, as its hidden
layers grow, a Gaussian process (Lee et al. 2018; Matthews et al. 2018): given all of them, what the units of layer l have before their
activation are independent draws of a process with covariance K_l,

    K_1(x, x') = weight_variance x.x' / D + bias_variance
    K_(l+1)    = weight_variance S_l + bias_variance,    S_l = E[relu(u) relu(v)] with (u, v) normal of covariance K_l,

and the last K is the *NNGP* kernel of the outputs. The inner product of the derivatives of an output with respect to all parameters
goes to the *NTK* (Jacot et al. 2018, theorem 1), which holds still in training:

    T_1 = K_1,    T_(l+1) = K_(l+1) + weight_variance E[relu'(u) relu'(v)] T_l.

Both expectations are arc-cosine kernels (Cho and Saul 2009, equations 3 to 6): with the angle t = arccos(c), c(x, x') = K_l(x, x') /
(n(x) n(x')), n(x) = sqrt(K_l(x, x)),

    S_l = n(x) n(x') (sin t + (pi - t) cos t) / (2 pi),    E[relu'(u) relu'(v)] = (pi - t) / (2 pi).

In the standard parametrization nothing is divided by the width, so that layer l + 1 with n_l inputs adds n_l S_l + 1 to the kernel where
it adds K_(l+1) here (Lee et al. 2019, appendix E); the kernel grows with the width, and has a limit once it is divided by it.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from scripts.common.errors import UserError

Matrix = NDArray[np.float64]

TILE = 160
"""Points along either side of a tile: the few arrays of a tile's size that are at work fit into a core's own cache."""


class Kernels(NamedTuple):
    """Two kernels of the same network between the same points.

    Attributes:
        nngp: covariance of an output over random initializations, (N, M).
        ntk: inner products of the derivatives of an output with respect to all parameters, (N, M).
    """

    nngp: Matrix
    ntk: Matrix


class Terms(NamedTuple):
    """What each layer adds to the tangent kernel, by the parameters of the layer, from the input on.

    Attributes:
        weight: the factor of S_l, the mean of squares that the layer takes in, in what its weight adds.
        bias: what its bias adds.
    """

    weight: tuple[float, ...]
    bias: tuple[float, ...]


class _Network(NamedTuple):
    """What a random network is: the variances of its weights and biases, and what each layer adds to its tangent kernel."""

    weight_variance: float
    bias_variance: float
    terms: Terms


def kernels(
    x: Matrix,
    other: Matrix | None = None,
    *,
    depth: int,
    weight_variance: float,
    bias_variance: float,
    output_scale: float = 1.0,
) -> Kernels:
    """Return the NNGP kernel and the NTK of a network in the NTK parametrization.

    Args:
        x: points, (N, D).
        other: other points, (M, D); `x` if not given, and then both kernels are symmetric to the last bit.
        depth: number of hidden layers, 1 or more.
        weight_variance: variance of the weights, times the number of inputs of their layer.
        bias_variance: variance of the biases.
        output_scale: factor of the last layer's weights and biases; both kernels have its square.

    Returns:
        Both kernels, (N, M), or (N, N). An angle t is found to about 1e-16 / t, so that what is lost of the NTK between points that all
        but coincide is some 1e-8 of it; on the diagonal nothing is lost.
    """
    terms = ntk_terms(depth, weight_variance=weight_variance, bias_variance=bias_variance)
    ntk, nngp = _kernels(x, other, weight_variance=weight_variance, bias_variance=bias_variance, terms=terms, count=2)
    if output_scale != 1.0:
        for kernel in (nngp, ntk):
            kernel *= output_scale**2
    return Kernels(nngp, ntk)


def ntk_terms(depth: int, *, weight_variance: float, bias_variance: float) -> Terms:
    """Return the terms of the NTK parametrization, with which the tangent kernel is the NTK."""
    return Terms((weight_variance,) * (depth + 1), (bias_variance,) * (depth + 1))


def standard_terms(widths: Sequence[int]) -> Terms:
    """Return the terms of the standard parametrization.

    Args:
        widths: number of inputs of each layer, from that of the first, D, to that of the output layer.
    """
    return Terms(tuple(map(float, widths)), (1.0,) * len(widths))


def standard_limit_terms(depth: int) -> Terms:
    """Return the terms of the standard parametrization's kernel divided by the width of `depth` hidden layers, as this grows.

    What is left are the weights of all layers but the first.
    """
    return Terms((0.0,) + (1.0,) * depth, (0.0,) * (depth + 1))


def tangent_kernel(x: Matrix, other: Matrix | None = None, *, weight_variance: float, bias_variance: float, terms: Terms) -> Matrix:
    """Return the tangent kernel (N, M) in another parametrization of the same random network, or a part of it.

    Args:
        x: points, (N, D).
        other: other points, (M, D); `x` if not given.
        weight_variance: variance of the weights, times the number of inputs of their layer.
        bias_variance: variance of the biases.
        terms: what each layer adds; as many hidden layers as there are terms, less one.
    """
    return _kernels(x, other, weight_variance=weight_variance, bias_variance=bias_variance, terms=terms, count=1)[0]


def of_network(network: Mapping[str, Any], x: Matrix, other: Matrix | None = None) -> Matrix:
    """Return the NTK (N, M) of the infinitely wide network of the same depth, variances and output scale as `network`.

    Args:
        network: ``hidden`` and ``activation``, and ``parametrization: ntk`` with its variances and ``output_scale``.
        x: points, (N, D).
        other: other points, (M, D); `x` if not given.

    Raises:
        UserError: the network has no limit of this kind: another activation, or the standard parametrization.
    """
    if network["activation"] != "relu" or network.get("parametrization", "standard") != "ntk":
        raise UserError(
            "the kernel of an infinitely wide network is that of ReLU in the NTK parametrization; "
            f"this one has activation '{network['activation']}' and parametrization '{network.get('parametrization', 'standard')}'"
        )
    variances = {name: network[name] for name in ("weight_variance", "bias_variance")}
    found = tangent_kernel(x, other, **variances, terms=ntk_terms(len(network["hidden"]), **variances))
    found *= network["output_scale"] ** 2
    return found


def _kernels(
    x: Matrix, other: Matrix | None, *, weight_variance: float, bias_variance: float, terms: Terms, count: int
) -> tuple[Matrix, ...]:
    """Return the tangent kernel and, if `count` is 2, the NNGP kernel, tile by tile; of a symmetric one the upper half is mirrored."""
    x = np.ascontiguousarray(x, dtype=np.float64)
    y = x if other is None else np.asarray(other, dtype=np.float64)
    network = _Network(weight_variance, bias_variance, terms)
    rows, columns = (_norms(points, network) for points in (x, y))
    found = tuple(np.empty((len(x), len(y))) for _ in range(count))
    left, right = (_features(points, network) for points in (x, y))
    memory = np.empty((5, TILE * TILE))
    last = _slope(network) ** len(rows)
    for across, down in _tiles(len(x), len(y), symmetric=other is None):
        shape = across.stop - across.start, down.stop - down.start
        tiles = [part[: shape[0] * shape[1]].reshape(shape) for part in memory]
        on_diagonal = other is None and across == down
        np.dot(-left[across], right[down].T, out=tiles[1])
        if on_diagonal:
            np.minimum(tiles[1], tiles[1].T.copy(), out=tiles[1])  # all that follows is done element by element, and keeps the symmetry
        _fill(tiles, rows[:, across, None], columns[:, None, down], network, on_diagonal=on_diagonal)
        for kernel, tile, factor in zip(found, tiles, (last, -last), strict=False):
            np.multiply(tile, factor, out=kernel[across, down])
            if other is None and not on_diagonal:
                np.multiply(tile.T, factor, out=kernel[down, across])
    if not bias_variance:  # at the origin such a network is 0, whatever its weights, and depends on its last bias alone
        for kernel, value in zip(found, (terms.bias[-1], 0.0), strict=False):
            kernel[~x.any(axis=1)] = value
            kernel[:, ~y.any(axis=1)] = value
    return found


def _slope(network: _Network) -> float:
    """Return s = weight_variance / (2 pi), by which the angle pi - t is the factor of a layer in the tangent kernel."""
    return network.weight_variance / (2 * math.pi)


def _features(x: Matrix, network: _Network) -> Matrix:
    """Return the features (N, D + 1) whose inner products are K_1 / s."""
    weight, bias = (math.sqrt(variance / _slope(network)) for variance in (network.weight_variance / x.shape[1], network.bias_variance))
    return np.column_stack([weight * x, np.full(len(x), bias)])


def _norms(x: Matrix, network: _Network) -> Matrix:
    """Return sqrt(K_l(x, x) / s^l) of each layer l and point, (layers, N); 1 where that is 0. E[relu(u)^2] is half the variance of u."""
    squares = [network.weight_variance / x.shape[1] * np.einsum("nd,nd->n", x, x) + network.bias_variance]
    for _ in network.terms.weight[1:]:
        squares.append(network.weight_variance / 2 * squares[-1] + network.bias_variance)
    powers = np.array([_slope(network) ** (layer + 1) for layer in range(len(squares))])
    found: Matrix = np.sqrt(np.array(squares) / powers[:, None])
    found[found == 0.0] = 1.0
    return found


def _tiles(rows: int, columns: int, *, symmetric: bool) -> Iterator[tuple[slice, slice]]:
    """Yield the tiles of a matrix, or of its upper half where it is symmetric."""
    for top in range(0, rows, TILE):
        for left in range(top if symmetric else 0, columns, TILE):
            yield slice(top, min(top + TILE, rows)), slice(left, min(left + TILE, columns))


def _fill(tiles: Sequence[Matrix], rows: Matrix, columns: Matrix, network: _Network, *, on_diagonal: bool) -> None:
    """Compute both kernels between n and m points, with as few operations as there may be.

    K and T are those of layer l divided by s^l, so that no layer needs a factor; and instead of the correlation c stands e = -c, whose
    arc cosine is the pi - t that is needed. With n the norms of `_norms`,

        -K <- n n' ((pi - t) e - sin t) - bias_variance / s^l,    T <- (pi - t) T + K,    e <- -K / (m m'), m the next norms.

    The first two of `tiles` become T / s^L and -K / s^L, L the number of layers.

    Args:
        tiles: five arrays (n, m); the second holds -K_1 / s, all are overwritten.
        rows: `_norms` of the n points, (layers, n, 1).
        columns: `_norms` of the m points, (layers, 1, m).
        network: what the network is.
        on_diagonal: whether both are the same points, so that each has the correlation 1 with itself.
    """
    tangent, negative, angle, room, norms = tiles
    weight_variance, bias_variance, terms = network
    slope, last = _slope(network), len(rows) - 1
    same = [terms.weight[layer] == weight_variance and terms.bias[layer] == bias_variance for layer in range(last + 1)]
    np.negative(negative, out=tangent)
    if not same[0]:
        tangent -= bias_variance / slope
        tangent *= terms.weight[0] / weight_variance
        tangent += terms.bias[0] / slope
    for layer in range(1, last + 1):
        np.dot(rows[layer - 1], columns[layer - 1], out=norms)
        negative /= norms
        if negative.min() < -1.0:
            np.maximum(negative, -1.0, out=negative)
        if layer == 1 and negative.max() > 1.0:  # in later layers no correlation is below 0
            np.minimum(negative, 1.0, out=negative)
        if on_diagonal:
            np.fill_diagonal(negative, -1.0)
        np.subtract(1.0, negative, out=room)  # sin^2 = (1 - e) (1 + e), which is right to the last bit where 1 - e^2 is not
        np.add(1.0, negative, out=angle)
        room *= angle
        np.sqrt(room, out=room)
        np.arccos(negative, out=angle)
        negative *= angle
        negative -= room
        negative *= norms
        tangent *= angle
        power = slope ** (layer + 1)
        if same[layer]:
            if bias_variance:
                negative -= bias_variance / power
            tangent -= negative
        else:
            tangent -= np.multiply(negative, terms.weight[layer] / weight_variance, out=room)
            tangent += terms.bias[layer] / power
            negative -= bias_variance / power
