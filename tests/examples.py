"""Data sets and settings that several tests use: those of the source, and tiny ones."""

from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np

from scripts.common.storage import Arrays
from scripts.common.training import train
from scripts.datasets import piecewise_linear
from scripts.datasets.sum_of_sines import generate

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


@cache
def pieces(*, samples: int = 200, noise: float = 0.1, multiplier: int = 12345) -> Arrays:
    """The piecewise linear data of the source on features from the local linearization."""
    return piecewise_linear.generate(seed=1, samples=samples, noise=noise, test_samples=1000, grid_samples=1000, multiplier=multiplier)


def pieces_settings(*hidden: int, **changes: Any) -> dict[str, Any]:
    """The settings of that source for a network with these hidden layers, but for the number of steps."""
    return {
        "network": {"kind": "perceptron", "hidden": list(hidden), "activation": "relu"},
        "initialization": {"kind": "elbows_inside", "seed": 0},
        "optimizer": {"kind": "sgd", "learning_rate": 0.02},
        "batches": {"kind": "subsets", "share": 0.2, "seed": 0},
        "loss": {"kind": "mse"},
        "steps": 100,
        "evaluate_every": 50,
        "engine": "compiled",
        "replicas": 2,
        **changes,
    }


def tiny_data(*, inputs: int = 2, outputs: int = 3, samples: int = 30, seed: int = 0) -> Arrays:
    """Random data; the targets are columns of probabilities, so that every loss takes them."""
    generator = np.random.default_rng(seed)
    found = {}
    for part, length in (("train", samples), ("test", 11), ("grid", 7)):
        found[f"{part}_x"] = generator.normal(size=(length, inputs))
        found[f"{part}_y"] = generator.dirichlet(np.ones(outputs), size=length)
    return found


def validated() -> Arrays:
    """Random data that cannot be learned, so that the loss on validation samples soon rises."""
    data = tiny_data(samples=20)
    generator = np.random.default_rng(5)
    return data | {"validation_x": generator.normal(size=(15, 2)), "validation_y": generator.dirichlet(np.ones(3), size=15)}


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


def wave(samples: int = 30, *, noise: float = 0.1, seed: int = 0) -> Arrays:
    """A noisy sine wave of one input, on sorted random points in [0, 1]; tested without noise on an even grid."""
    generator = np.random.default_rng(seed)
    points = {"train": np.sort(generator.uniform(size=samples)), "test": np.linspace(0, 1, 41), "grid": np.linspace(0, 1, 101)}
    found = {f"{part}_x": x[:, None] for part, x in points.items()} | {f"{part}_y": np.sin(7 * x)[:, None] for part, x in points.items()}
    found["train_y"] += noise * generator.normal(size=(samples, 1))
    return found


def bending(hidden: list[int], *, moments: int = 3, replicas: int = 2, seed: int = 0) -> tuple[dict[str, Any], Arrays]:
    """A network of one input whose elbows lie in [0, 1], and a made-up run of it in float64 that moves a little at each moment."""
    generator = np.random.default_rng(seed)
    tensors: dict[str, list[Any]] = {}
    for layer, (fan_in, fan_out) in enumerate(pairwise([1, *hidden, 1])):
        tensors[f"{2 * layer}.weight"] = [generator.normal(size=(fan_out, fan_in)) / np.sqrt(fan_in) for _ in range(replicas)]
        tensors[f"{2 * layer}.bias"] = [0.3 * generator.normal(size=fan_out) for _ in range(replicas)]
    tensors["0.bias"] = [-generator.uniform(size=hidden[0]) * weight[:, 0] for weight in tensors["0.weight"]]
    initial = np.array([np.concatenate([values[r].ravel() for values in tensors.values()]) for r in range(replicas)])
    moves = 0.1 * generator.normal(size=(moments - 1, *initial.shape))
    run = {
        "step": 10 * np.arange(moments),
        "parameters": initial + np.concatenate([np.zeros((1, *initial.shape)), np.cumsum(moves, axis=0)]),
        "parameter_name": np.array(list(tensors)),
        "diverged_at": np.full(replicas, -1),
    }
    return {"kind": "perceptron", "hidden": hidden, "activation": "relu"}, run
