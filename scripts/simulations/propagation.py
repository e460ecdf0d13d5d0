"""How signals and gradients go through deep random networks, by layer and by depth, and what mean-field theory says of it."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scripts.common import mean_field, random_networks
from scripts.common.errors import UserError
from scripts.common.levels import level_labels
from scripts.common.options import Count, NonNegative, Positive
from scripts.common.storage import Array, Arrays, Kind

OUTPUTS = 10
"""Classes of the task by which there is a gradient."""

KIND = Kind(
    "propagation",
    {
        "level": Array("X", "str"),
        "layer": Array("L", "int64"),
        "depth": Array("G", "int64"),
        "forward_square": Array("R X L", "float64"),
        "forward_square_theory": Array("X L", "float64"),
        "backward_square": Array("R X L", "float64"),
        "backward_square_theory": Array("X L", "float64"),
        "first_layer_square": Array("R X G", "float64"),
        "first_layer_square_theory": Array("X G", "float64"),
        "forward_factor": Array("R X", "float64", quantity=True),
        "index_forward_factor": Array("X", "str"),
        "forward_factor_theory": Array("R X", "float64", quantity=True),
        "index_forward_factor_theory": Array("X", "str"),
        "backward_factor": Array("R X", "float64", quantity=True),
        "index_backward_factor": Array("X", "str"),
        "backward_factor_theory": Array("R X", "float64", quantity=True),
        "index_backward_factor_theory": Array("X", "str"),
        "gradient_ratio": Array("R X", "float64", quantity=True),
        "index_gradient_ratio": Array("X", "str"),
        "gradient_ratio_theory": Array("R X", "float64", quantity=True),
        "index_gradient_ratio_theory": Array("X", "str"),
        "depth_scale": Array("R X", "float64", quantity=True),
        "index_depth_scale": Array("X", "str"),
        "depth_scale_theory": Array("R X", "float64", quantity=True),
        "index_depth_scale_theory": Array("X", "str"),
    },
)


def simulate(
    seeds: Sequence[int],
    *,
    activation: str,
    depths: list[Count],
    weight_variances: list[Positive] | None = None,
    slopes: list[NonNegative] | None = None,
    bias_variance: NonNegative = 0.0,
    width: Count = 200,
    samples: Count = 20,
) -> Arrays:
    """Return mean squares of what units compute and of gradients, in networks with one weight variance or slope at each level.

    A replica draws standard normal inputs, random classes, standard normal weights and biases of hidden layers of one width, and a last
    layer of ten outputs; the levels share them and differ in what they are multiplied by. The gradient is that of the cross-entropy.
    In the deepest network it is taken in every layer; a network of another depth is the first layers of it with the same last layer.

    Args:
        seeds: seed of each replica, R.
        activation: name of the activation.
        depths: numbers of hidden layers, at least 2, ascending; the last is that of the profiles.
        weight_variances: variance of the weights times the inputs of their layer, at each level X; with `slopes` one for all of them or
            one for each, and 2 / (1 + slope^2), which keeps the mean square, if not given.
        slopes: slope left of zero of a leaky ReLU, at each level.
        bias_variance: variance of the biases.
        width: units of a hidden layer, and inputs.
        samples: number of inputs.

    Returns:
        By level, the weight variance or the slope: ``forward_square`` (R, X, L), the mean square of pre-activations by layer, and
        ``backward_square`` (R, X, L), that of the gradient with respect to them, relative to the last hidden layer;
        ``first_layer_square`` (R, X, G), the latter in the first layer, by depth; each with what theory says of it. In the deepest
        network, ``forward_factor`` and ``backward_factor`` (R, X), by which these mean squares are multiplied from one layer to the
        next, or back, on (geometric) average; ``gradient_ratio``, the root mean square of the gradient in the first layer relative to
        the last; ``depth_scale``, the layers in which the mean square of the gradient changes by a factor of e.

    Raises:
        UserError: levels are missing, or slopes and weight variances do not go together.
    """
    kinds, variances = _levels(activation, weight_variances, slopes)
    if min(depths) < 2 or sorted(depths) != list(depths):
        raise UserError(f"depths must be at least 2, and ascending; given are {', '.join(map(str, depths))}")
    shape = len(seeds), len(kinds)
    profile = {name: np.empty((*shape, depths[-1])) for name in ("forward_square", "backward_square")}
    first = np.empty((*shape, len(depths)))
    for replica, seed in enumerate(seeds):
        generator = np.random.default_rng(seed)
        x, labels = random_networks.task(generator, inputs=width, outputs=OUTPUTS, samples=samples)
        drawn = [(generator.standard_normal((width, width)), generator.standard_normal((width, 1))) for _ in range(depths[-1])]
        last = generator.standard_normal((OUTPUTS, width)) / np.sqrt(width)
        biases = [np.sqrt(bias_variance) * bias for _, bias in drawn]
        for level, (kind, variance) in enumerate(zip(kinds, variances, strict=True)):
            weights = [np.sqrt(variance / width) * weight for weight, _ in drawn]
            layers = random_networks.forward(weights, biases, x, activation=kind)
            profile["forward_square"][replica, level] = random_networks.mean_squares([before for before, _ in layers])
            for place, depth in enumerate(depths):
                scores = last @ layers[depth - 1][1]
                arriving = last.T @ random_networks.cross_entropy_gradient(scores, labels)
                squares = random_networks.mean_squares(random_networks.backward(weights[:depth], layers[:depth], arriving, activation=kind))
                first[replica, level, place] = squares[0] / squares[-1]
            profile["backward_square"][replica, level] = squares / squares[-1]
    theory = _theory(kinds, variances, depths[-1], bias_variance)
    theory["first_layer_square_theory"] = _first_by_depth(kinds, variances, depths, theory["forward_square_theory"])
    found: Arrays = {"level": level_labels(slopes or variances), "layer": np.arange(1, depths[-1] + 1), "depth": np.array(depths)}
    found |= {**profile, "first_layer_square": first, **theory}
    of_theory = {name: theory[f"{name}_theory"][None] for name in ("forward_square", "backward_square")}
    measured, expected = _summary(**profile), _summary(**of_theory)
    for name, values in measured.items():
        found |= {name: values, f"{name}_theory": np.repeat(expected[name], len(seeds), axis=0)}
        found |= {f"index_{name}": found["level"], f"index_{name}_theory": found["level"]}
    return found


def _levels(
    activation: str, weight_variances: Sequence[float] | None, slopes: Sequence[float] | None
) -> tuple[list[dict[str, Any]], list[float]]:
    """Return activation and weight variance of each level."""
    if slopes is None:
        if weight_variances is None:
            raise UserError("there are no levels; give 'weight_variances' or 'slopes'")
        return [{"kind": activation}] * len(weight_variances), list(weight_variances)
    variances = weight_variances or [2 / (1 + slope**2) for slope in slopes]
    if len(variances) not in (1, len(slopes)):
        raise UserError(f"there are {len(variances)} weight variances for {len(slopes)} slopes; give one, or one for each")
    return [{"kind": activation, "slope": slope} for slope in slopes], list(variances) * (len(slopes) // len(variances))


def _theory(kinds: Sequence[Mapping[str, Any]], variances: Sequence[float], depth: int, bias_variance: float) -> Arrays:
    """Return what theory says of the profiles, (X, L), for inputs with a mean square of 1."""
    found: dict[str, list[NDArray[np.float64]]] = {"forward_square_theory": [], "backward_square_theory": []}
    for kind, variance in zip(kinds, variances, strict=True):
        of_level: dict[str, Any] = {"activation": kind, "weight_variance": variance}
        by_layer = mean_field.variances(variance + bias_variance, depth, bias_variance=bias_variance, **of_level)
        found["forward_square_theory"].append(by_layer)
        found["backward_square_theory"].append(mean_field.gradient_squares(by_layer, **of_level))
    return {name: np.stack(profiles) for name, profiles in found.items()}


def _first_by_depth(
    kinds: Sequence[Mapping[str, Any]], variances: Sequence[float], depths: Sequence[int], forward: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return what theory says of the mean square of the first layer's gradient relative to the last layer's, by depth, (X, G)."""
    rows = [
        [mean_field.gradient_squares(by_layer[:depth], activation=kind, weight_variance=variance)[0] for depth in depths]
        for kind, variance, by_layer in zip(kinds, variances, forward, strict=True)
    ]
    return np.array(rows)


def _summary(*, forward_square: NDArray[np.float64], backward_square: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    """Return the quantities (R, X) of profiles (R, X, L)."""
    steps = forward_square.shape[-1] - 1
    backward = (backward_square[..., 0] / backward_square[..., -1]) ** (1 / steps)
    with np.errstate(divide="ignore"):
        scale = 1 / np.abs(np.log(backward))
    return {
        "forward_factor": (forward_square[..., -1] / forward_square[..., 0]) ** (1 / steps),
        "backward_factor": backward,
        "gradient_ratio": np.sqrt(backward_square[..., 0] / backward_square[..., -1]),
        "depth_scale": scale,
    }
