"""The source's histograms: what one layer of ReLU puts out for normal inputs, by the initialization of its weights."""

import math
from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Generator, Tensor, nn

from scripts.common.options import Count
from scripts.common.storage import Array, Arrays, Kind

SUMMARIES = ("activation_mean", "activation_deviation", "mean_square")
KIND = Kind(
    "activation_distribution",
    {
        "level": Array("X", "str"),
        "edges": Array("X I", "float64"),
        "counts": Array("X B", "int64"),
        "activation_mean": Array("R X", "float64", quantity=True),
        "index_activation_mean": Array("X", "str"),
        "activation_mean_theory": Array("R X", "float64", quantity=True),
        "index_activation_mean_theory": Array("X", "str"),
        "activation_deviation": Array("R X", "float64", quantity=True),
        "index_activation_deviation": Array("X", "str"),
        "activation_deviation_theory": Array("R X", "float64", quantity=True),
        "index_activation_deviation_theory": Array("X", "str"),
        "mean_square": Array("R X", "float64", quantity=True),
        "index_mean_square": Array("X", "str"),
        "mean_square_theory": Array("R X", "float64", quantity=True),
        "index_mean_square_theory": Array("X", "str"),
    },
)

INITIALIZATIONS: dict[str, tuple[Callable[[Tensor, Generator], object], Callable[[int], float]]] = {
    "He": (
        lambda weight, generator: nn.init.kaiming_normal_(weight, nonlinearity="relu", generator=generator),
        lambda units: 2 / units,
    ),
    "Xavier": (lambda weight, generator: nn.init.xavier_normal_(weight, generator=generator), lambda units: 1 / units),
    "Small (0.01)": (lambda weight, generator: nn.init.normal_(weight, std=0.01, generator=generator), lambda _: 0.01**2),
    "Large (1.0)": (lambda weight, generator: nn.init.normal_(weight, std=1.0, generator=generator), lambda _: 1.0),
}
"""The source's initializations, in its order and by its names: how weights are drawn, and their variance in a layer of so many units."""


def simulate(seeds: Sequence[int], *, samples: Count = 1000, units: Count = 100, bins: Count = 50) -> Arrays:
    """Return mean, deviation and mean square of what a layer of ReLU puts out, for four initializations.

    What a replica draws is what the source draws from PyTorch's generator with its seed: the inputs, and for each initialization first the
    layer's own default weights and biases, which are thrown away, then the weights. All is computed in float32, as there.

    Args:
        seeds: seed of each replica, R; the source's is 42.
        samples: number of standard normal inputs.
        units: inputs and units of the layer.
        bins: bars of a histogram.

    Returns:
        ``activation_mean``, ``activation_deviation`` and ``mean_square`` (R, X), the deviation with the divisor of PyTorch; each with
        ``_theory``, what it is for a wide layer with weights of this variance. ``counts`` (X, B) and ``edges`` (X, I), I = B + 1: the
        histogram of replica 0.
    """
    names = list(INITIALIZATIONS)
    found: Arrays = {name: np.empty((len(seeds), len(names))) for name in SUMMARIES}
    counts, edges = np.empty((len(names), bins), dtype=np.int64), np.empty((len(names), bins + 1))
    for replica, seed in enumerate(seeds):
        generator = Generator().manual_seed(seed)
        x = torch.randn(samples, units, generator=generator)
        for level, (draw, _) in enumerate(INITIALIZATIONS.values()):
            weight, bias = torch.empty(units, units), torch.empty(units)
            nn.init.kaiming_uniform_(weight, a=math.sqrt(5), generator=generator)
            nn.init.uniform_(bias, -1 / math.sqrt(units), 1 / math.sqrt(units), generator=generator)
            draw(weight, generator)
            output = torch.relu(nn.functional.linear(x, weight, torch.zeros(units)))
            found["activation_mean"][replica, level] = output.mean().item()
            found["activation_deviation"][replica, level] = output.std().item()
            found["mean_square"][replica, level] = output.double().square().mean().item()
            if replica == 0:
                counts[level], edges[level] = np.histogram(output.numpy().ravel(), bins=bins)
    deviation = np.sqrt([units * variance(units) for _, variance in INITIALIZATIONS.values()])  # of what the units have before ReLU
    theory = {
        "activation_mean": deviation / math.sqrt(2 * math.pi),
        "activation_deviation": deviation * math.sqrt(1 / 2 - 1 / (2 * math.pi)),
        "mean_square": deviation**2 / 2,
    }
    found |= {f"{name}_theory": np.tile(values, (len(seeds), 1)) for name, values in theory.items()}
    labels = np.array(names)
    found |= {f"index_{name}{ending}": labels for name in SUMMARIES for ending in ("", "_theory")}
    return found | {"level": labels, "counts": counts, "edges": edges}
