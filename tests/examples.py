"""Data sets and settings that several tests use: those of the source, and tiny ones."""

from functools import cache
from typing import Any

import numpy as np

from scripts.common.storage import Arrays
from scripts.datasets.sum_of_sines import generate
from scripts.train import train

DEEP = {"kind": "perceptron", "hidden": [20, 20, 20, 20], "activation": "relu"}
SHALLOW = {"kind": "perceptron", "hidden": [20], "activation": "relu"}
TINY = {"kind": "perceptron", "hidden": [5, 4], "activation": "tanh"}

SOURCE: dict[str, tuple[dict[str, Any], dict[str, Any], int]] = {
    "shallow": (SHALLOW, {"kind": "torch_default", "seed": 100}, 150),
    "deep_small": (DEEP, {"kind": "uniform", "scale": 0.03, "seed": 200}, 250),
    "deep_large": (DEEP, {"kind": "uniform", "scale": 3.0, "seed": 300}, 350),
    "deep_he": (DEEP, {"kind": "he_normal", "seed": 600}, 650),
}
"""Network, initialization, and seed of the batches of the variants that the source trains on all data."""


@cache
def sines(seed: int = 10, high: float = 1.0) -> Arrays:
    """The data of the source."""
    return generate(
        coefficient_seed=0,
        coefficients=5,
        seed=seed,
        samples=1500,
        low=-1.0,
        high=high,
        noise=0.1,
        test_samples=500,
        grid_samples=1000,
        test_low=-1.0,
        test_high=1.0,
    )


def source_settings(variant: str, **changes: Any) -> dict[str, Any]:
    """The settings of a variant of the source, with 20 replicas."""
    network, initialization, batch_seed = SOURCE[variant]
    return {
        "network": network,
        "initialization": initialization,
        "optimizer": {"kind": "sgd", "learning_rate": 0.1, "momentum": 0.9},
        "batches": {"kind": "permutations", "size": 32, "seed": batch_seed},
        "loss": {"kind": "mse"},
        "steps": 468,
        "evaluate_every": 47,
        "precision": "float32",
        "replicas": 20,
        **changes,
    }


@cache
def source_run(variant: str) -> Arrays:
    """The training run of a variant of the source."""
    return train(sines(), **source_settings(variant))


def tiny_data(*, inputs: int = 2, outputs: int = 3, samples: int = 30, seed: int = 0) -> Arrays:
    """Random data; the targets are columns of probabilities, so that every loss takes them."""
    generator = np.random.default_rng(seed)
    found = {}
    for part, length in (("train", samples), ("test", 11), ("grid", 7)):
        found[f"{part}_x"] = generator.normal(size=(length, inputs))
        found[f"{part}_y"] = generator.dirichlet(np.ones(outputs), size=length)
    return found


def tiny_settings(**changes: Any) -> dict[str, Any]:
    """Settings of a short training in float64 on `tiny_data`."""
    return {
        "network": TINY,
        "initialization": {"kind": "torch_default", "seed": 1},
        "optimizer": {"kind": "sgd", "learning_rate": 0.2, "momentum": 0.9},
        "batches": {"kind": "permutations", "size": 8, "seed": 2},
        "loss": {"kind": "mse"},
        "steps": 25,
        "evaluate_every": 10,
        "precision": "float64",
        "replicas": 4,
        **changes,
    }


def tiny_run(**changes: Any) -> Arrays:
    """A short training on `tiny_data`."""
    return train(tiny_data(), **tiny_settings(**changes))
