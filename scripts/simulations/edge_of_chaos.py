"""Where gradients of deep random networks neither shrink nor grow: the weight variance of the edge of chaos, by the variance of biases."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from scripts.common import mean_field, random_networks
from scripts.common.errors import UserError
from scripts.common.levels import level_labels
from scripts.common.options import Count, Positive
from scripts.common.storage import Array, Arrays, Kind

KIND = Kind(
    "edge_of_chaos",
    {
        "weight_variance": Array("W", "float64"),
        "gradient_factor": Array("R X W", "float64"),
        "edge": Array("R X", "float64", quantity=True),
        "index_edge": Array("X", "str"),
        "exists_edge": Array("R X", "bool"),
        "edge_theory": Array("R X", "float64", quantity=True),
        "index_edge_theory": Array("X", "str"),
    },
)


def simulate(
    seeds: Sequence[int],
    *,
    bias_variances: list[Positive],
    weight_variances: list[Positive],
    activation: str = "tanh",
    settled: Count = 25,
    depth: Count = 50,
    width: Count = 200,
    samples: Count = 10,
) -> Arrays:
    """Return by bias variance the weight variance at which the gradient keeps its mean square, measured in networks of one width.

    A replica draws standard normal inputs, weights and biases, which all variances share. The gradient starts at the last layer as
    standard normal numbers, and is followed back to the first layer in which the variance of units has settled.

    Args:
        seeds: seed of each replica, R.
        bias_variances: variances of the biases, X.
        weight_variances: variances of the weights times the inputs of their layer, W of them, ascending, with the edge among them.
        activation: name of the activation.
        settled: the layer in which the variance of units is taken to have settled.
        depth: number of hidden layers, more than `settled`.
        width: units of a layer, and inputs.
        samples: number of inputs.

    Returns:
        ``gradient_factor`` (R, X, W), by which the mean square of the gradient is multiplied from one layer back to the next, on
        (geometric) average; ``edge`` (R, X), the first weight variance at which it is 1, on straight lines between those of the list
        and on logarithmic axes, where it comes to that; ``edge_theory``, what mean-field theory has for it.

    Raises:
        UserError: no layer is left to follow the gradient through, or the weight variances do not ascend.
    """
    if settled >= depth:
        raise UserError(f"settled ({settled}) must be below depth ({depth})")
    if sorted(set(weight_variances)) != list(weight_variances):
        raise UserError("weight variances must ascend")
    kind = {"kind": activation}
    factors = np.empty((len(seeds), len(bias_variances), len(weight_variances)))
    for replica, seed in enumerate(seeds):
        generator = np.random.default_rng(seed)
        x = generator.standard_normal((width, samples))
        drawn = [(generator.standard_normal((width, width)), generator.standard_normal((width, 1))) for _ in range(depth)]
        arriving = generator.standard_normal((width, samples))
        for place, variance in enumerate(weight_variances):
            weights = [np.sqrt(variance / width) * weight for weight, _ in drawn]
            biases = [np.sqrt(bias_variances)[:, None, None] * bias for _, bias in drawn]  # (X, width, 1)
            layers = random_networks.forward(weights, biases, x, activation=kind)
            gradients = random_networks.backward(
                weights[settled - 1 :], layers[settled - 1 :], np.broadcast_to(arriving, layers[-1][1].shape), activation=kind
            )
            squares = random_networks.mean_squares([gradients[0], gradients[-1]])
            factors[replica, :, place] = (squares[:, 0] / squares[:, 1]) ** (1 / (depth - settled))
    edge = np.array([[_crossing(weight_variances, row) for row in of_replica] for of_replica in factors])
    expected = [mean_field.edge_of_chaos(variance, activation=kind) for variance in bias_variances]
    labels = level_labels(bias_variances)
    return {
        "weight_variance": np.array(weight_variances, dtype=np.float64),
        "gradient_factor": factors,
        "edge": edge,
        "index_edge": labels,
        "exists_edge": np.isfinite(edge),
        "edge_theory": np.tile(expected, (len(seeds), 1)),
        "index_edge_theory": labels,
    }


def _crossing(levels: Sequence[float], factors: NDArray[np.float64]) -> float:
    """Return the level at which the factors (W,) first come from below 1 to 1; nan where they never do."""
    above = np.flatnonzero((factors[:-1] < 1) & (factors[1:] >= 1))
    if not above.size:
        return float("nan")
    ends = slice(above[0], above[0] + 2)
    return float(np.exp(np.interp(0.0, np.log(factors[ends]), np.log(levels[ends]))))
