"""The variant that is timed: `deep_he` of the shipped study, with 20 replicas."""

from functools import cache
from itertools import pairwise
from typing import Any

from torch import nn

from scripts.common.storage import Arrays
from scripts.datasets.sum_of_sines import generate

NETWORK: dict[str, Any] = {"kind": "perceptron", "hidden": [20, 20, 20, 20], "activation": "relu"}
LAYERS = list(pairwise([1, *NETWORK["hidden"], 1]))
REPLICAS = 20
STEPS = 468
BATCH = 32
LEARNING_RATE = 0.1
MOMENTUM = 0.9

SETTINGS: dict[str, Any] = {
    "network": NETWORK,
    "initialization": {"kind": "he_normal", "seed": 600},
    "optimizer": {"kind": "sgd", "learning_rate": LEARNING_RATE, "momentum": MOMENTUM},
    "batches": {"kind": "permutations", "size": BATCH, "seed": 650},
    "loss": {"kind": "mse"},
    "steps": STEPS,
    "evaluate_every": STEPS,
    "precision": "float32",
    "replicas": REPLICAS,
}


@cache
def data() -> Arrays:
    """The data set `sines` of the study."""
    return generate(
        coefficient_seed=0,
        coefficients=5,
        seed=10,
        samples=1500,
        low=-1.0,
        high=1.0,
        noise=0.1,
        test_samples=500,
        grid_samples=1000,
        test_low=-1.0,
        test_high=1.0,
    )


@cache
def trained() -> Arrays:
    """The variant, trained."""
    from scripts.common.training import train  # noqa: PLC0415 - needs more than PyTorch and numpy, which `benchmarks.cuda` does without

    return train(data(), **SETTINGS)


def torch_model() -> nn.Sequential:
    """The network as PyTorch's users write it."""
    modules = [module for fan_in, fan_out in LAYERS for module in (nn.Linear(fan_in, fan_out), nn.ReLU())]
    return nn.Sequential(*modules[:-1])
