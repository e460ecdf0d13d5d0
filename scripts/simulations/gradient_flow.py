"""The source's ten random layers of ten units at several scales: its outputs, its "simplified" gradients, and true ones beside."""

from collections.abc import Sequence

import numpy as np
from numpy.random import RandomState
from numpy.typing import NDArray

from scripts.common import mean_field, random_networks
from scripts.common.levels import level_labels
from scripts.common.options import Count, Positive
from scripts.common.storage import Array, Arrays, Kind

KIND = Kind(
    "gradient_flow",
    {
        "level": Array("X", "str"),
        "layer": Array("L", "int64"),
        "output_norm": Array("R X L", "float64"),
        "simplified_gradient_norm": Array("R X L", "float64"),
        "gradient_norm": Array("R X L", "float64"),
        "weight_gradient_norm": Array("R X L", "float64"),
        "gradient_factor": Array("R X", "float64", quantity=True),
        "index_gradient_factor": Array("X", "str"),
        "gradient_ratio": Array("R X", "float64", quantity=True),
        "index_gradient_ratio": Array("X", "str"),
        "weight_gradient_ratio": Array("R X", "float64", quantity=True),
        "index_weight_gradient_ratio": Array("X", "str"),
        "output_norm_ratio": Array("R X", "float64", quantity=True),
        "index_output_norm_ratio": Array("X", "str"),
        "gradient_factor_theory": Array("R X", "float64", quantity=True),
        "index_gradient_factor_theory": Array("X", "str"),
    },
)


def simulate(
    seeds: Sequence[int], *, activation: str, scales: list[Positive], layers: Count = 10, width: Count = 10, samples: Count = 100
) -> Arrays:
    """Return norms by layer, over all samples and units, of networks whose weights are standard normal numbers times a scale.

    What a replica draws, and in which order, is the source's: from numpy's older generator with its seed the inputs, then the weights of
    each layer, the same for every scale; there are no biases. The source goes back from ones at the outputs of the last layer, to what
    each layer takes in. For the true gradient the weights of a linear output, of variance 1 / width and not scaled, and a target for
    each sample are drawn after them; the loss is half the mean squared error.

    Args:
        seeds: seed of each replica, R; the source's is 42.
        activation: name of the activation.
        scales: what the weights are multiplied by, X.
        layers: number of layers, L.
        width: units of a layer, and inputs.
        samples: number of inputs.

    Returns:
        By scale and layer, (R, X, L): ``output_norm``, of what the layer puts out; ``simplified_gradient_norm``, of the source's gradient
        with respect to what the layer takes in; ``gradient_norm``, of the true one of the loss; ``weight_gradient_norm``, of that with
        respect to the layer's weights. By scale, (R, X): ``gradient_ratio``, the simplified norm of the first layer over that of the
        last, and likewise ``weight_gradient_ratio``; ``output_norm_ratio``, the output norm of the last layer over that of the inputs;
        ``gradient_factor``, by which the simplified norm is multiplied from one layer back to the next, on (geometric) average, and
        ``gradient_factor_theory``, the same by mean-field theory, for the limit of wide layers.
    """
    kind = {"kind": activation}
    shape = len(seeds), len(scales), layers
    found: Arrays = {name: np.empty(shape) for name in KIND.arrays if KIND.arrays[name].axes == "R X L"}
    output_ratio = np.empty(shape[:2])
    for replica, seed in enumerate(seeds):
        numbers = RandomState(seed)
        x = numbers.randn(samples, width).T
        drawn = [numbers.randn(width, width).T for _ in range(layers)]
        last, target = numbers.randn(1, width) / np.sqrt(width), numbers.randn(1, samples)
        no_biases = [np.zeros((width, 1))] * layers
        for level, scale in enumerate(scales):
            weights = [scale * weight for weight in drawn]
            passed = random_networks.forward(weights, no_biases, x, activation=kind)
            error = (last @ passed[-1][1] - target) / samples
            simplified, true = (
                random_networks.backward(weights, passed, arriving, activation=kind)
                for arriving in (np.ones((width, samples)), last.T @ error)
            )
            inputs = [x, *[after for _, after in passed[:-1]]]
            found["output_norm"][replica, level] = _norms([after for _, after in passed])
            found["simplified_gradient_norm"][replica, level] = _norms([w.T @ one for w, one in zip(weights, simplified, strict=True)])
            found["gradient_norm"][replica, level] = _norms([w.T @ one for w, one in zip(weights, true, strict=True)])
            found["weight_gradient_norm"][replica, level] = _norms([one @ below.T for one, below in zip(true, inputs, strict=True)])
            output_ratio[replica, level] = found["output_norm"][replica, level, -1] / np.linalg.norm(x)
    simplified_norm, weight_norm = found["simplified_gradient_norm"], found["weight_gradient_norm"]
    with np.errstate(divide="ignore", invalid="ignore"):  # a network may be dead
        ratio = simplified_norm[..., 0] / simplified_norm[..., -1]
        found |= {"gradient_ratio": ratio, "weight_gradient_ratio": weight_norm[..., 0] / weight_norm[..., -1]}
    steps = layers - 1
    theory = [_factor(activation, width * scale**2, layers) for scale in scales]
    found |= {
        "output_norm_ratio": output_ratio,
        "gradient_factor": ratio ** (1 / steps),
        "gradient_factor_theory": np.tile(theory, (len(seeds), 1)),
        "level": level_labels(scales),
        "layer": np.arange(1, layers + 1),
    }
    return found | {f"index_{name}": found["level"] for name, array in KIND.arrays.items() if array.quantity}


def _norms(values: Sequence[NDArray[np.float64]]) -> list[float]:
    return [float(np.linalg.norm(one)) for one in values]


def _factor(activation: str, weight_variance: float, layers: int) -> float:
    """Return the factor of a gradient's norm from one layer back to the next, on geometric average, in wide layers."""
    kind = {"kind": activation}
    by_layer = mean_field.variances(weight_variance, layers, activation=kind, weight_variance=weight_variance)
    squares = mean_field.gradient_squares(by_layer, activation=kind, weight_variance=weight_variance)
    return float(squares[0] ** (1 / (2 * (layers - 1))))
