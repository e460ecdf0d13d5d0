"""Times the tangent kernel by neural-tangents: ``python neural_tangents_kernel.py folder runs``, by a Python that has it.

The folder holds the network and the points (``network.npz``), and is given the kernel (``kernel.npy``); the median time is printed.
"""

import os
import statistics
import sys
import time
from pathlib import Path
from typing import Any

os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"

import jax
import neural_tangents
import numpy as np


def main(folder: Path, runs: int) -> float:
    """Return the median of the times of `runs` runs, after one that does not count."""
    with np.load(folder / "network.npz") as stored:
        depth = sum(name.startswith("w") for name in stored.files)
        layers = [(jax.numpy.asarray(stored[f"w{layer}"]), jax.numpy.asarray(stored[f"b{layer}"])) for layer in range(depth)]
        x = jax.numpy.asarray(stored["points"])
    structured = neural_tangents.NtkImplementation.STRUCTURED_DERIVATIVES
    kernel = jax.jit(neural_tangents.empirical_ntk_fn(_output, trace_axes=(-1,), vmap_axes=0, implementation=structured))
    seconds = []
    for _ in range(runs + 1):
        started = time.perf_counter()
        found = np.asarray(kernel(x, None, layers))
        seconds.append(time.perf_counter() - started)
    np.save(folder / "kernel.npy", found)
    return statistics.median(seconds[1:])


def _output(layers: Any, inputs: Any) -> Any:
    for weight, bias in layers[:-1]:
        inputs = jax.nn.relu(inputs @ weight.T + bias)
    weight, bias = layers[-1]
    return inputs @ weight.T + bias


if __name__ == "__main__":
    print(main(Path(sys.argv[1]), int(sys.argv[2])))
