"""Long training by the compiled engine, per step and replica, against the source's plain loop, against JAX, and against stacked PyTorch.

Ours is timed with all that belongs to it: drawing and compiling at the start, random subsets, losses and checkpoints every 1,000 steps.
"""

import time
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import torch
from torch import nn

from benchmarks.comparison import Comparison, compare
from scripts.common.training import train
from scripts.datasets.piecewise_linear import generate

Layers = list[tuple[jax.Array, jax.Array]]

REPLICAS = 8
STEPS = 30_000
STEPS_OF_OTHERS = 3_000
STEPS_OF_STUDY = 150_000
SHARE = 0.2
LEARNING_RATE = 0.02

ONE: list[tuple[int, ...]] = [(width,) for width in (10, 20, 40, 80, 160)]
TWO: list[tuple[int, ...]] = [(width, width) for width in (10, 20, 40)]
WIDEST: dict[tuple[int, ...], float] = {(40,): 25, (40, 40): 12}
"""The widest networks of the source, and how many times faster than its loop they are to be trained."""
MAIN: list[tuple[int, ...]] = [*ONE[:3], *TWO, (40, 40)]
"""The seven networks of the study: the last once more with other biases."""
DATA = generate(seed=1, samples=200, noise=0.1, test_samples=1000, grid_samples=2)


def comparisons() -> list[Comparison]:
    """Time 30,000 steps of 8 replicas, and what others do of that in 3,000 steps; then all main trainings of the study, once each."""
    torch.set_num_threads(1)
    lines = []
    for hidden, at_least in WIDEST.items():
        lines += _compared(hidden, "PyTorch loop, one network", _plain_loop(hidden), at_least, replicas=1)
    for hidden in (*ONE, *TWO):
        lines += _compared(hidden, "JAX, jit of vmap of scan", _jax_run(hidden), 1.5, replicas=REPLICAS)
    for hidden in WIDEST:
        lines += _compared(hidden, "stacked engine, PyTorch", _our_run(hidden, STEPS_OF_OTHERS, engine="stacked"), 1, replicas=REPLICAS)
    return [*lines, _whole_study()]


def _compared(hidden: tuple[int, ...], name: str, plain: Callable[[], object], at_least: float, *, replicas: int) -> list[Comparison]:
    share = STEPS_OF_OTHERS * replicas / (STEPS * REPLICAS)
    work = f"{REPLICAS} x {STEPS:,} steps, hidden layers {'-'.join(map(str, hidden))}"
    return compare(work, plain={name: (plain, at_least)}, ours=_our_run(hidden, STEPS), runs=3, plain_share=share)


def _whole_study() -> Comparison:
    """Time all steps of the seven networks under both ways to train, against the source's loop over its six networks, each once."""
    ours = [_our_run(hidden, STEPS_OF_STUDY, trained=trained) for trained in ("all", "output_layer") for hidden in MAIN]
    plain = [_plain_loop(hidden) for hidden in MAIN[:6]]
    our_seconds, plain_seconds = (_seconds(functions) for functions in (ours, plain))
    share = STEPS_OF_OTHERS / STEPS_OF_STUDY
    return Comparison("14 main trainings, 8 replicas", "PyTorch loop, its six networks once", plain_seconds, our_seconds, 1, share)


def _seconds(functions: list[Callable[[], object]]) -> float:
    started = time.perf_counter()
    for function in functions:
        function()
    return time.perf_counter() - started


def _our_run(hidden: tuple[int, ...], steps: int, *, engine: str = "compiled", trained: str = "all") -> Callable[[], object]:
    settings: dict[str, Any] = {
        "network": {"kind": "perceptron", "hidden": list(hidden), "activation": "relu"},
        "initialization": {"kind": "elbows_inside", "seed": 0},
        "optimizer": {"kind": "sgd", "learning_rate": LEARNING_RATE if trained == "all" else 0.2},
        "batches": {"kind": "subsets", "share": SHARE, "seed": 0},
        "loss": {"kind": "mse"},
        "steps": steps,
        "evaluate_every": 1000,
        "save_every": 1000,
        "replicas": REPLICAS,
        "engine": engine,
        "trained": trained,
    }

    def run() -> None:
        loss = train(DATA, **settings)["train_loss"]
        assert (loss[-1] < loss[0]).all()

    return run


def _plain_loop(hidden: tuple[int, ...]) -> Callable[[], object]:
    """Return the source's training of one network."""
    modules = [module for pair in pairwise([1, *hidden, 1]) for module in (nn.Linear(*pair), nn.ReLU())]
    net = nn.Sequential(*modules[:-1])
    x, y = (torch.as_tensor(DATA[key], dtype=torch.float32) for key in ("train_x", "train_y"))
    loss = nn.MSELoss()

    def run() -> None:
        optimizer = torch.optim.SGD(net.parameters(), lr=LEARNING_RATE)
        for _ in range(STEPS_OF_OTHERS):
            subsample = torch.randperm(len(y))[: len(y) // 5]
            step_loss = loss(y[subsample], net(x[subsample, :]))
            optimizer.zero_grad()
            step_loss.backward()
            optimizer.step()

    return run


def _jax_run(hidden: tuple[int, ...]) -> Callable[[], object]:
    x, y = (jnp.asarray(DATA[key], dtype=jnp.float32) for key in ("train_x", "train_y"))
    generator = np.random.default_rng(0)
    shapes = list(pairwise([1, *hidden, 1]))
    start = [
        (
            jnp.asarray(generator.uniform(-1, 1, (REPLICAS, fan_in, fan_out)) / np.sqrt(fan_in), dtype=jnp.float32),
            jnp.asarray(generator.uniform(-1, 1, (REPLICAS, fan_out)) / np.sqrt(fan_in), dtype=jnp.float32),
        )
        for fan_in, fan_out in shapes
    ]
    keys = jax.vmap(jax.random.key)(jnp.arange(REPLICAS, dtype=jnp.uint32))
    train_all = jax.jit(jax.vmap(_train_in_jax, in_axes=(0, 0, None, None)))
    return lambda: [array.block_until_ready() for array in jax.tree.leaves(train_all(start, keys, x, y))]


def _loss_in_jax(layers: Layers, x: jax.Array, y: jax.Array) -> jax.Array:
    for weight, bias in layers[:-1]:
        x = jax.nn.relu(x @ weight + bias)
    weight, bias = layers[-1]
    return jnp.mean((x @ weight + bias - y) ** 2)


def _train_in_jax(layers: Layers, key: jax.Array, x: jax.Array, y: jax.Array) -> Layers:
    def step(layers: Layers, key: jax.Array) -> tuple[Layers, None]:
        subset = jax.random.permutation(key, len(x))[: round(SHARE * len(x))]
        gradient = jax.grad(_loss_in_jax)(layers, x[subset], y[subset])
        return jax.tree.map(lambda p, g: p - LEARNING_RATE * g, layers, gradient), None

    layers, _ = jax.lax.scan(step, layers, jax.random.split(key, STEPS_OF_OTHERS))
    return layers
