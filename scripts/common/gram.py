"""The Gram matrix K = J J^T of a perceptron's Jacobian J (N C, P), its empirical neural tangent kernel, without ever holding J.

A row of J that belongs to a layer is the outer product of d(output)/d(layer's sums), D_l (N C, width), and the layer's inputs h_(l-1)
(N, width below), so that the products of two such rows are products of two numbers (Novak et al. 2022 call this structured derivatives):

    K[(n, c), (m, d)] = sum over layers l of (D_l D_l^T)[(n, c), (m, d)] (w_l^2 h_(l-1)[n].h_(l-1)[m] + b_l^2),

where w_l and b_l are the scales of the layer's weight and bias (`scripts.common.parametrization`). This takes of the order of
N^2 C^2 width + N C P operations, where the product of explicit Jacobians takes N^2 C^2 P.
"""

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from scripts.common import activations, parametrization, parts
from scripts.common.activations import Activation
from scripts.common.errors import UserError

Matrix = NDArray[np.float64]

GIBIBYTE = 2.0**30
ROWS = 512
"""Most rows, of N C, of a product that is made at once, within a block: what is not yet added to K is then small beside K."""


class _Layer(NamedTuple):
    """A layer of effective weights.

    Attributes:
        weight: (outputs, inputs).
        bias: (outputs,).
        scales: scale of its weight and that of its bias.
    """

    weight: Matrix
    bias: Matrix
    scales: tuple[float, float]


class _Rows(NamedTuple):
    """What K needs of a block of n points.

    Attributes:
        inputs: the inputs h of each layer, (n, width below).
        deltas: the derivatives of the outputs with respect to the sums of each layer but the last, (n C, width).
    """

    inputs: list[Matrix]
    deltas: list[Matrix]


def gram(parameters: NDArray[Any], x: Matrix, other: Matrix | None = None, *, network: Mapping[str, Any], memory: float) -> Matrix:
    """Return K = J(x) J(x)^T, or J(x) J(other)^T, of one perceptron.

    Points are taken in blocks, as large as `memory` allows. What a block needs is computed again for each other block that it meets:
    in one block, where there is room for that, K takes the fewest operations.

    Args:
        parameters: the flat parameters (P,), as they are stored.
        x: points, (N, D).
        other: other points, (M, D); `x` if not given, and then K is symmetric to the last bit.
        network: ``hidden``, ``activation``, and its parametrization.
        memory: most bytes that are held beside `parameters` and the points: K itself, the network's weights in float64, and blocks.

    Returns:
        (N C, M C) float64, a row for each output of each point, the outputs of one point in a row; nan where a parameter is not finite.

    Raises:
        UserError: the memory is too small even for blocks of one point.
    """
    inputs = x.shape[1]
    widths = [inputs, *network["hidden"]]
    outputs = (len(parameters) - sum((fan_in + 1) * fan_out for fan_in, fan_out in pairwise(widths))) // (widths[-1] + 1)
    columns = x if other is None else other
    shape = len(x) * outputs, len(columns) * outputs
    block = _block(shape, [*widths, outputs], len(parameters), memory)
    found = np.empty(shape)
    if not np.isfinite(parameters).all():
        found.fill(np.nan)
        return found
    layers = list(_layers(parameters, network, [*widths, outputs]))
    activation: Activation = parts.call(activations, {"kind": network["activation"]})
    for top in range(0, len(x), block):
        rows = _rows(x[top : top + block], layers, activation)
        for left in range(top if other is None else 0, len(columns), block):
            same = other is None and left == top
            across = rows if same else _rows(columns[left : left + block], layers, activation)
            here = found[top * outputs : (top + block) * outputs, left * outputs : (left + block) * outputs]
            _multiply(rows, across, layers, outputs, here, same=same)
            if other is None and not same:
                found[left * outputs : (left + block) * outputs, top * outputs : (top + block) * outputs] = here.T
    return found


def _block(shape: tuple[int, int], widths: list[int], size: int, memory: float) -> int:
    """Return how many points fit into a block: K, the weights, two blocks of `_Rows` and what is made of them must stay within `memory`."""
    outputs = widths[-1]
    most = max(1, max(shape) // outputs)
    fixed = 8 * (shape[0] * shape[1] + size)

    def needed(block: int) -> int:
        rows = block * (sum(widths) + outputs * (sum(widths[1:-1]) + 2 * max(widths)))  # one array more while derivatives are passed down
        pieces = 4 * min(ROWS, block * outputs) * block * outputs
        return fixed + 8 * ((2 if block < most else 1 if shape[0] == shape[1] else 2) * rows + pieces)

    if needed(1) > memory:
        raise UserError(
            f"a Gram matrix of {shape[0]:,} by {shape[1]:,} with {size:,} parameters needs {needed(1) / GIBIBYTE:.3g} GiB at least; "
            f"it was given {memory / GIBIBYTE:.3g} GiB: raise 'memory' in config/report.yaml, or take fewer points"
        )
    low, high = 1, most
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if needed(middle) <= memory else (low, middle - 1)
    return low


def _layers(parameters: NDArray[Any], network: Mapping[str, Any], widths: list[int]) -> Iterator[_Layer]:
    """Yield the layers with the weights that the network computes with, in float64."""
    begin = 0
    scales = parametrization.tensor_scales(network, inputs=widths[0], outputs=widths[-1])
    for (fan_in, fan_out), (of_weight, of_bias) in zip(pairwise(widths), scales, strict=True):
        middle, end = begin + fan_in * fan_out, begin + (fan_in + 1) * fan_out
        weight = parameters[begin:middle].reshape(fan_out, fan_in).astype(np.float64, copy=False)
        bias = parameters[middle:end].astype(np.float64, copy=False)
        scaled = (weight, bias) if (of_weight, of_bias) == (1.0, 1.0) else (weight * of_weight, bias * of_bias)
        yield _Layer(*scaled, (of_weight, of_bias))
        begin = end


def _rows(x: Matrix, layers: list[_Layer], activation: Activation) -> _Rows:
    """Return what K needs of the points x (n, D)."""
    inputs = [np.asarray(x, dtype=np.float64)]
    for layer in layers[:-1]:
        sums = inputs[-1] @ layer.weight.T
        sums += layer.bias
        activation.apply(sums, sums)
        inputs.append(sums)
    last = layers[-1].weight
    deltas: list[Matrix] = []
    for place in range(len(layers) - 1, 0, -1):
        if deltas:
            delta = deltas[0] @ layers[place].weight
        else:
            delta = np.broadcast_to(last, (len(x), *last.shape)).reshape(-1, last.shape[1]).copy()
        each = delta.reshape(len(x), -1, delta.shape[1])  # (n, C, width)
        activation.chain(each, np.broadcast_to(inputs[place][:, None], each.shape))
        deltas = [delta, *deltas]
    return _Rows(inputs, deltas)


def _multiply(rows: _Rows, columns: _Rows, layers: list[_Layer], outputs: int, out: Matrix, *, same: bool) -> None:
    """Write the part of K between two blocks of n and m points, `rows` and `columns`, into `out` (n C, m C), some rows at a time."""
    points = max(1, ROWS // outputs)
    for top in range(0, len(rows.inputs[0]), points):
        some = slice(top, min(top + points, len(rows.inputs[0])))
        left = top if same else 0  # what is below the diagonal is mirrored
        part = out[some.start * outputs : some.stop * outputs, left * outputs :]
        part[:] = 0.0
        for place, layer in enumerate(layers):
            of_weight, of_bias = (scale**2 for scale in layer.scales)
            below = rows.inputs[place][some] @ columns.inputs[place][left:].T
            below *= of_weight
            below += of_bias
            if place < len(rows.deltas):
                product = rows.deltas[place][some.start * outputs : some.stop * outputs] @ columns.deltas[place][left * outputs :].T
                blocks = product.reshape(len(below), outputs, -1, outputs)
                blocks *= below[:, None, :, None]
                part += product
            else:  # the derivative of an output with respect to the last sums is 1 or 0
                for output in range(outputs):
                    part[output::outputs, output::outputs] += below
        if same:
            _mirror(out, some.start * outputs, some.stop * outputs)


def _mirror(out: Matrix, begin: int, end: int) -> None:
    """Copy what is right of the diagonal in the rows from `begin` to `end` of a symmetric matrix to below it."""
    square = out[begin:end, begin:end]
    upper = np.triu_indices(end - begin, 1)
    square.T[upper] = square[upper]
    out[end:, begin:end] = out[begin:end, end:].T
