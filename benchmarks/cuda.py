"""Stacked training on a GPU against one core, in updates of one replica per second: ``python -m benchmarks.cuda [replicas ...]``.

It needs numpy and PyTorch alone, and the repository as its working directory; without a GPU there is the column of the core. The share
of the copy bandwidth is that of the bytes that an update cannot do without, the parameters and their velocities read once and written
once, over what a copy of a large array moves in the same time.
"""

import statistics
import sys
import time
from contextlib import nullcontext
from unittest.mock import patch

import torch

from benchmarks.__main__ import use_one_core

REPLICAS = (1, 20, 1_000, 20_000)
STEPS = {1: 4096, 20: 4096, 1_000: 1024, 20_000: 128}
SECONDS = 2.0
"""How long an engine is timed, if there are steps enough."""
TENSORS = 4
"""How many numbers of each parameter an update reads or writes at least."""


def updates_per_second(device: str, replicas: int, *, graphs: bool = True) -> float:
    """Return how many updates of one replica are made in a second, with all that belongs to them but the drawing of the batches.

    Args:
        device: "cpu" or "cuda".
        replicas: number of networks that are trained together.
        graphs: whether an update is recorded as a CUDA graph.
    """
    from benchmarks import example  # noqa: PLC0415 - PyTorch has to be told of its one core before
    from scripts.common import cuda_graphs, losses, networks, parts  # noqa: PLC0415
    from scripts.common.engine import Task  # noqa: PLC0415
    from scripts.common.exactness import exact_on  # noqa: PLC0415
    from scripts.common.stacked import Stacked  # noqa: PLC0415
    from scripts.common.stretches import LENGTH  # noqa: PLC0415

    data, steps = example.data(), STEPS.get(replicas, 256)
    size = sum(networks.sizes(example.NETWORK, inputs=1, outputs=1).values())
    x, y = (torch.as_tensor(data[key].T, dtype=torch.float32, device=device).contiguous() for key in ("train_x", "train_y"))
    task = Task(
        network=example.NETWORK,
        parameters=(0.2 * torch.randn(replicas, size, generator=torch.Generator().manual_seed(0))).to(device),
        loss=parts.call(losses, example.SETTINGS["loss"]),
        x=x,
        y=y,
        optimizer={"kind": "sgd", "learning_rate": 0.01, "momentum": 0.9},
        batches=example.SETTINGS["batches"],
        batch_seeds=range(replicas),
        steps=steps,
        trained="all",
    )
    at_once = LENGTH if device == "cuda" else 16
    plain = patch.object(cuda_graphs, "record", lambda function: function)
    with exact_on(device), nullcontext() if graphs else plain:
        engine = Stacked(task)
        engine.advance(0, at_once, lambda _step: None)
        started, made = time.perf_counter(), at_once
        while made < steps and time.perf_counter() - started < SECONDS:
            last = min(made + at_once, steps)
            engine.advance(made, last, lambda _step: None)  # ends with a number that the processor waits for
            made = last
        return (made - at_once) * replicas / (time.perf_counter() - started)


def copy_bandwidth(device: str) -> float:
    """Return how many bytes a copy of a large array reads and writes in a second, the median of some copies."""
    source = torch.ones(2**28 if device == "cuda" else 2**26, device=device)
    target = torch.empty_like(source)
    seconds = []
    for _ in range(9):
        _wait(device)
        started = time.perf_counter()
        target.copy_(source)
        _wait(device)
        seconds.append(time.perf_counter() - started)
    return 2 * source.nbytes / statistics.median(seconds)


def table(counts: list[int]) -> str:
    """Return the speeds with so many replicas as a table in Markdown; what a machine does not have has no column."""
    from benchmarks import example  # noqa: PLC0415
    from scripts.common import networks  # noqa: PLC0415

    size = sum(networks.sizes(example.NETWORK, inputs=1, outputs=1).values())
    least = 4 * TENSORS * size
    has_gpu = torch.cuda.is_available()
    header = [
        "replicas",
        "one core",
        *(["GPU, each operation launched", "GPU, CUDA graph", "ratio", "share of its copy bandwidth"] * has_gpu),
    ]
    lines = [header, ["---:"] * len(header)]
    bandwidth = copy_bandwidth("cuda") if has_gpu else 0.0
    for replicas in counts:
        core = updates_per_second("cpu", replicas)
        row = [f"{replicas:,}", f"{core:,.0f}"]
        if has_gpu:
            plain, recorded = (updates_per_second("cuda", replicas, graphs=graphs) for graphs in (False, True))
            best = max(plain, recorded)
            row += [f"{plain:,.0f}", f"{recorded:,.0f}", f"{best / core:.1f}", f"{best * least / bandwidth:.1%}"]
        lines.append(row)
    told = [f"PyTorch {torch.__version__}; {size:,} parameters a replica, batches of {example.BATCH}; updates of one replica per second"]
    if has_gpu:
        told.append(f"{torch.cuda.get_device_name()}, copies at {bandwidth / 1e9:,.0f} GB/s")
    else:
        told.append("no CUDA GPU is visible here: the columns of a GPU are left out")
    return "\n".join([*told, "", *("| " + " | ".join(line) + " |" for line in lines)])


def _wait(device: str) -> None:
    if device == "cuda":
        torch.cuda.synchronize()


if __name__ == "__main__":
    use_one_core()
    torch.set_num_threads(1)
    print(table([int(count) for count in sys.argv[1:]] or list(REPLICAS)))
