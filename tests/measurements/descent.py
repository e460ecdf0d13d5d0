"""Two small networks in the NTK parametrization and their full-batch gradient descent, step by step, for the tests of kernels."""

from itertools import pairwise
from typing import Any

import numpy as np

from scripts.common import linearization, losses, parts
from scripts.common.storage import Arrays

NETWORK: dict[str, Any] = {
    "kind": "perceptron",
    "hidden": [12, 10],
    "activation": "relu",
    "parametrization": "ntk",
    "weight_variance": 2.0,
    "bias_variance": 0.1,
    "output_scale": 2.0,
}
RATE, STEPS, LOSS = 0.05, (0, 3, 40), {"kind": "mse"}
OPTIMIZER = {"kind": "sgd", "learning_rate": RATE}
BATCHES = {"kind": "full", "seed": 0}


def points(outputs: int) -> Arrays:
    """Data with two inputs."""
    generator = np.random.default_rng(1)
    made = {}
    for name, count in (("train", 25), ("test", 9), ("grid", 7)):
        x = generator.uniform(-1, 1, (count, 2))
        made |= {f"{name}_x": x, f"{name}_y": np.stack([np.sin(3 * x[:, 0] + output) + x[:, 1] for output in range(outputs)], axis=1)}
    return made


def descended(outputs: int, *, network: dict[str, Any] = NETWORK, rate: float = RATE, start: Any = None) -> Arrays:
    """Train two replicas by gradient descent in float64, from the parameters `start` if given."""
    data, loss = points(outputs), parts.call(losses, LOSS)
    sizes = [2, *network["hidden"], outputs]
    size = sum((fan_in + 1) * fan_out for fan_in, fan_out in pairwise(sizes))
    now = np.random.default_rng(2).standard_normal((2, size)) if start is None else start
    saved = {0: now.copy()}
    for step in range(1, STEPS[-1] + 1):
        gradients = [linearization.loss_gradient(one, data["train_x"], data["train_y"], network=network, loss=loss) for one in now]
        now = now - rate * np.array(gradients)
        saved[step] = now.copy()
    return {
        "step": np.array(STEPS),
        "parameters": np.stack([saved[step] for step in STEPS]),
        "diverged_at": np.array([-1, -1]),
    }


def gram_of(train: Arrays, outputs: int, *, network: dict[str, Any] = NETWORK) -> Arrays:
    """The kernel of each replica at each step, as an explicit product."""
    x = points(outputs)["train_x"]

    def kernel(parameters: Any) -> Any:
        jacobian = linearization.jacobian(parameters, x, network=network).reshape(len(x) * outputs, -1)
        return jacobian @ jacobian.T

    return {"step": train["step"], "gram": np.array([[kernel(one) for one in saved] for saved in train["parameters"]])}
