"""Empirical tangent kernel of a network of width 1,024 with three hidden layers at 500 points, against the ways of PyTorch and of JAX.

PyTorch makes the Jacobian by ``torch.func.jacrev`` and multiplies it by itself, in float32, which halves its time and memory: 500 rows of
2,111,489 derivatives take 4 GiB. Ours is in float64. Google's neural-tangents (Novak et al. 2020, 2022), in float32 too, needs libraries
older than the project's, and so an environment of its own, see requirements_neural_tangents.txt: its Python is named by the environment
variable NEURAL_TANGENTS_PYTHON.
"""

import os
import subprocess
import tempfile
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from benchmarks.comparison import Comparison, compare
from scripts.common import linearization
from scripts.common.gram import GIBIBYTE, gram

POINTS, INPUTS, WIDTH, DEPTH = 500, 10, 1024, 3
NETWORK: dict[str, Any] = {"hidden": [WIDTH] * DEPTH, "activation": "relu"}
WIDTHS = [INPUTS, *NETWORK["hidden"], 1]
ROWS = 50
"""Points whose Jacobian PyTorch holds at once."""
BUDGET = 2 * GIBIBYTE
PYTHON = "NEURAL_TANGENTS_PYTHON"
"""Environment variable with the Python that has neural-tangents."""
RUNS = 3
POINTS_OF_NEURAL_TANGENTS = 100
"""It is timed at these, and counted as if its time grew no faster than their number."""


def comparisons() -> list[Comparison]:
    """Time the kernel, (500, 500)."""
    torch.set_num_threads(1)
    generator = np.random.default_rng(0)
    parameters = _parameters(generator, WIDTHS)
    points = generator.standard_normal((POINTS, INPUTS))

    def ours() -> NDArray[np.float64]:
        return gram(parameters, points, network=NETWORK, memory=BUDGET)

    _check(ours(), parameters, points)
    work = f"tangent kernel, {POINTS} points, {len(parameters):,} parameters"
    lines = compare(work, plain={"torch.func.jacrev, then a product": (_jacrev(parameters, points), 1)}, ours=ours, runs=RUNS)
    if PYTHON not in os.environ:
        print(f"neural-tangents is left out: {PYTHON} names no Python that has it; see benchmarks/requirements_neural_tangents.txt")
        return lines
    some = slice(POINTS_OF_NEURAL_TANGENTS)
    theirs = _neural_tangents(parameters, points[some], ours()[some, some])
    share = POINTS_OF_NEURAL_TANGENTS / POINTS
    return [
        *lines,
        Comparison(work, "neural-tangents, structured derivatives", theirs, lines[0].our_seconds, at_least=1, plain_share=share),
    ]


def _parameters(generator: np.random.Generator, widths: list[int]) -> NDArray[np.float64]:
    """Return parameters with weights of variance 2 / inputs and biases of variance 0.01."""
    drawn = []
    for fan_in, fan_out in pairwise(widths):
        drawn += [generator.standard_normal(fan_in * fan_out) * (2 / fan_in) ** 0.5, generator.standard_normal(fan_out) * 0.1]
    return np.concatenate(drawn)


def _check(kernel: NDArray[np.float64], parameters: NDArray[np.float64], points: NDArray[np.float64]) -> None:
    some = linearization.jacobian(parameters, points[:20], network=NETWORK)[:, 0]
    np.testing.assert_allclose(kernel[:20, :20], some @ some.T, rtol=1e-9)


def _layers(parameters: NDArray[np.float64]) -> list[tuple[NDArray[np.float32], NDArray[np.float32]]]:
    """Return weight (outputs, inputs) and bias of each layer in float32."""
    tensors = linearization.slices(NETWORK, inputs=INPUTS, outputs=1)
    flat = [parameters[place].astype(np.float32) for place in tensors.values()]
    return [(flat[2 * layer].reshape(fan_out, fan_in), flat[2 * layer + 1]) for layer, (fan_in, fan_out) in enumerate(pairwise(WIDTHS))]


def _jacrev(parameters: NDArray[np.float64], points: NDArray[np.float64]) -> Callable[[], object]:
    weights = tuple(torch.as_tensor(part) for layer in _layers(parameters) for part in layer)
    x = torch.as_tensor(points, dtype=torch.float32)

    def output(tensors: tuple[Tensor, ...], point: Tensor) -> Tensor:
        for layer in range(DEPTH):
            point = torch.relu(tensors[2 * layer] @ point + tensors[2 * layer + 1])
        return (tensors[-2] @ point + tensors[-1])[0]

    per_sample = torch.func.vmap(torch.func.jacrev(output), in_dims=(None, 0))

    def run() -> Tensor:
        jacobian = torch.empty(POINTS, len(parameters))
        for begin in range(0, POINTS, ROWS):
            rows = per_sample(weights, x[begin : begin + ROWS])
            torch.cat([part.flatten(1) for part in rows], dim=1, out=jacobian[begin : begin + ROWS])
        return jacobian @ jacobian.T

    return run


def _neural_tangents(parameters: NDArray[np.float64], points: NDArray[np.float64], kernel: NDArray[np.float64]) -> float:
    """Return the median time of neural-tangents, run by its own Python; what it yields is held against our `kernel`."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        layers = {f"{kind}{depth}": part for depth, layer in enumerate(_layers(parameters)) for kind, part in zip("wb", layer, strict=True)}
        np.savez(place / "network.npz", allow_pickle=False, points=points.astype(np.float32), **layers)
        command = [os.environ[PYTHON], str(Path(__file__).with_name("neural_tangents_kernel.py")), str(place), str(RUNS)]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        found = np.load(place / "kernel.npy")
    np.testing.assert_allclose(found, kernel, rtol=1e-3, atol=1e-3 * float(kernel.max()))
    return float(done.stdout.split()[-1])
