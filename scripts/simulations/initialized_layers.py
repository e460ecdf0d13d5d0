"""Signals and gradients by layer in a network as each of several initializations leaves it."""

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Generator, Tensor

from scripts.common import components, parts, random_networks
from scripts.common import initializations as known_initializations
from scripts.common.formatting import check_known
from scripts.common.options import Count, Positive
from scripts.common.storage import Array, Arrays, Kind

OUTPUTS = 10
"""Classes of the task by which there is a gradient."""

KIND = Kind(
    "initialized_layers",
    {
        "level": Array("X", "str"),
        "layer": Array("L", "int64"),
        "activation_variance": Array("R X L", "float64"),
        "signal_variance": Array("R X L", "float64"),
        "backward_square": Array("R X L", "float64"),
        "signal_ratio": Array("R X", "float64", quantity=True),
        "index_signal_ratio": Array("X", "str"),
        "exists_signal_ratio": Array("R X", "bool"),
        "gradient_ratio": Array("R X", "float64", quantity=True),
        "index_gradient_ratio": Array("X", "str"),
        "exists_gradient_ratio": Array("R X", "bool"),
    },
)


def simulate(
    seeds: Sequence[int],
    *,
    activation: str,
    initializations: list[str],
    depth: Count,
    width: Count = 64,
    samples: Count = 200,
    scale: Positive = 0.1,
) -> Arrays:
    """Return variances of what units put out, and mean squares of gradients, by layer of freshly initialized perceptrons.

    Inputs are standard normal, classes random, and the loss is the cross-entropy of a last layer with ten outputs, which belongs to the
    network that is initialized. Each initialization starts from the replica's seed.

    Args:
        seeds: seed of each replica, R.
        activation: name of the activation.
        initializations: names of initializations, X.
        depth: number of hidden layers, L.
        width: units of a hidden layer, and inputs.
        samples: number of inputs.
        scale: of the initialization `uniform`.

    Returns:
        By initialization and hidden layer, (R, X, L): ``activation_variance``, over units and samples together; ``signal_variance``, over
        samples, on average over units, which is what tells one sample from another; ``backward_square``, the mean square of the
        gradient with respect to pre-activations. By initialization, (R, X): ``signal_ratio``, the root of the signal variance of the last
        hidden layer over that of the first, and ``gradient_ratio``, the root mean square of the gradient in the first hidden layer over
        that in the last; neither exists where both are zero.

    Raises:
        UserError: there is no such initialization.
    """
    for name in initializations:
        check_known(name, components.names(components.INITIALIZATION), "initialization")
    kind = {"kind": activation}
    shape = len(seeds), len(initializations), depth
    found: Arrays = {name: np.empty(shape) for name in KIND.arrays if KIND.arrays[name].axes == "R X L"}
    for replica, seed in enumerate(seeds):
        x, labels = random_networks.task(np.random.default_rng(seed), inputs=width, outputs=OUTPUTS, samples=samples)
        for level, name in enumerate(initializations):
            drawn = _draw(name, [*[width] * (depth + 1), OUTPUTS], x, seed=seed, activation=kind, scale=scale)
            (*weights, last), (*biases, of_outputs) = zip(*drawn, strict=True)
            layers = random_networks.forward(weights, biases, x, activation=kind)
            outputs = [after for _, after in layers]
            error = random_networks.cross_entropy_gradient(last @ outputs[-1] + of_outputs, labels)
            gradients = random_networks.backward(weights, layers, last.T @ error, activation=kind)
            found["activation_variance"][replica, level] = [one.var() for one in outputs]
            found["signal_variance"][replica, level] = [one.var(axis=1).mean() for one in outputs]
            found["backward_square"][replica, level] = random_networks.mean_squares(gradients)
    signal, gradient = found["signal_variance"], found["backward_square"]
    names = np.array(initializations)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = {
            "signal_ratio": np.sqrt(signal[..., -1] / signal[..., 0]),
            "gradient_ratio": np.sqrt(gradient[..., 0] / gradient[..., -1]),
        }
    found |= {"level": names, "layer": np.arange(1, depth + 1)}
    for ratio, values in ratios.items():
        found |= {ratio: values, f"index_{ratio}": names, f"exists_{ratio}": ~np.isnan(values)}
    return found


def _draw(
    name: str, widths: Sequence[int], x: NDArray[np.float64], *, seed: int, activation: Mapping[str, Any], scale: float
) -> list[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Return weight (outputs, inputs) and bias (outputs, 1) of each layer."""
    layers = [(torch.empty(above, below), torch.empty(above)) for below, above in pairwise(widths)]
    options: dict[str, dict[str, Any]] = {"uniform": {"scale": scale}, "lsuv": {"outputs_of": _outputs_of(layers, x, activation)}}
    parts.call(known_initializations, {"kind": name}, layers, generator=Generator().manual_seed(seed), **options.get(name, {}))
    return [_plain(layer) for layer in layers]


def _outputs_of(layers: Sequence[tuple[Tensor, Tensor]], x: NDArray[np.float64], activation: Mapping[str, Any]) -> Callable[[int], Tensor]:
    """Return the function that gives the pre-activations (units, N) of a layer, with the weights as they are when it is called."""

    def outputs_of(place: int) -> Tensor:
        weights, biases = zip(*[_plain(layer) for layer in layers[: place + 1]], strict=True)
        return torch.as_tensor(random_networks.forward(weights, biases, x, activation=activation)[-1][0])

    return outputs_of


def _plain(layer: tuple[Tensor, Tensor]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    return layer[0].double().numpy(), layer[1].double().numpy()[:, None]
