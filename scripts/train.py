"""Trains all replicas of a variant in one job: data set in, parameters and losses out."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from scripts.common import initializations, job, losses, networks, parts, storage
from scripts.common.autograd import Autograd
from scripts.common.compiled import Compiled
from scripts.common.engine import Engine, Task
from scripts.common.gauss_newton import GaussNewton
from scripts.common.resume import Resume
from scripts.common.seeds import replica_seeds
from scripts.common.stacked import Stacked
from scripts.common.storage import Arrays

SECONDS_BETWEEN_REPORTS = 2.0

ENGINES: dict[str, Callable[[Task], Engine]] = {"stacked": Stacked, "compiled": Compiled, "autograd": Autograd, "gauss_newton": GaussNewton}


def train(
    data: Arrays,
    *,
    network: Mapping[str, Any],
    initialization: Mapping[str, Any],
    optimizer: Mapping[str, Any],
    batches: Mapping[str, Any],
    loss: Mapping[str, Any],
    steps: int,
    evaluate_every: int,
    save_every: int | None = None,
    save_at: Sequence[int] = (),
    precision: str = "float32",
    replicas: int = 1,
    engine: str = "stacked",
    trained: str = "all",
    device: str = "cpu",
    report: Callable[[str], None] | None = None,
    keep: Resume | None = None,
) -> Arrays:
    """Train `replicas` networks on the same data and return their parameters and losses.

    Replica r is the same network whatever the others are: it has its own generators, seeded by `replica_seeds`, one for the
    initialization and one for the batches.

    Args:
        data: arrays of `scripts.common.storage.DATA`.
        network: ``kind`` and the options of the network.
        initialization: ``kind`` (a function of `scripts.common.initializations`), ``seed``, and its options.
        optimizer: ``kind`` (a function of `scripts.common.optimizers`) and its options.
        batches: ``kind`` (a function of `scripts.common.batches`), ``seed``, and its options.
        loss: ``kind`` (a function of `scripts.common.losses`).
        steps: number of updates.
        evaluate_every: the full losses are recorded at step 0, at each multiple of this, and at the last step.
        save_every: the parameters are saved at step 0, at each multiple of this if it is given, and at the last step.
        save_at: further steps at which the parameters are saved and the full losses recorded; those beyond the last are ignored.
        precision: "float32" or "float64".
        replicas: number of networks, R.
        engine: one of `ENGINES`.
        trained: which parameters are updated, "all" or those of the "output_layer".
        device: where PyTorch computes.
        report: given a line on the progress, with the time left, every few seconds.
        keep: where what is reached is kept whenever parameters are saved, and where the training goes on from what is there.

    Returns:
        The arrays of `scripts.common.storage.TRAIN`, the parameters in `precision`; accuracies where the network has several outputs.
        ``diverged_at`` is the number of updates after which a parameter or the loss on all training samples first is not finite, -1 where
        there is none. A replica that has diverged goes on computing, and what it yields is stored.
    """
    dtype = getattr(torch, precision)
    train_x, train_y, test_x, test_y = (
        torch.as_tensor(np.ascontiguousarray(data[key].T), dtype=dtype, device=device) for key in ("train_x", "train_y", "test_x", "test_y")
    )  # (D or C, N)
    shapes = networks.shapes(network, inputs=len(train_x), outputs=len(train_y))
    initialization_seeds, batch_seeds = (replica_seeds(part["seed"], replicas) for part in (initialization, batches))
    task = Task(
        network=network,
        parameters=_initial(shapes, initialization, initialization_seeds).to(dtype=dtype, device=device),
        loss=parts.call(losses, loss),
        x=train_x,
        y=train_y,
        optimizer=optimizer,
        batches=batches,
        batch_seeds=batch_seeds,
        steps=steps,
        trained=trained,
    )
    working = ENGINES[engine](task)

    evaluated, saved = _marks(steps, evaluate_every, save_at), _marks(steps, save_every, save_at)
    scores = ("train_loss", "test_loss") if len(train_y) == 1 else ("train_loss", "test_loss", "train_accuracy", "test_accuracy")
    scores_at = np.empty((len(scores), len(evaluated), replicas))
    checkpoints = np.empty((len(saved), *task.parameters.shape), dtype=precision)

    def record(step: int) -> None:
        if step in evaluated:
            for place, (x, y) in enumerate(((train_x, train_y), (test_x, test_y))):
                prediction = working.predict(x)
                scores_at[place, evaluated[step]] = task.loss.value(prediction, y).cpu().numpy()
                if len(scores) > 2:
                    scores_at[2 + place, evaluated[step]] = (prediction.argmax(1) == y.argmax(0)).double().mean(1).cpu().numpy()
        if step in saved:
            checkpoints[saved[step]] = working.parameters()

    def scores_to(step: int) -> NDArray[np.float64]:
        """Return a view of the scores recorded after the step saved before this one."""
        before = list(saved)[saved[step] - 1]
        return scores_at[:, slice(*np.searchsorted(list(evaluated), [before, step], side="right"))]

    record(0)
    begin = 0
    for step, kept in keep.load(list(saved)[1:-1]) if keep else ():
        checkpoints[saved[step]] = kept["parameters"]
        scores_to(step)[:] = kept["scores"]
        working.restore(kept)
        begin = step
    if begin and report:
        report(f"goes on from step {begin} of {steps}, which was reached before")
    tell = _progress(begin, steps, report)
    with _denormals_as_zero():
        for first, last in pairwise(step for step in sorted({*evaluated, *saved}) if step >= begin):
            working.advance(first, last, tell)
            record(last)
            if keep and last in saved and last < steps:
                keep.save(last, working.state() | {"scores": scores_to(last)})

    return {
        "step": np.array(list(saved)),
        "parameters": checkpoints,
        "parameter_name": np.array(list(shapes)),
        "evaluated_step": np.array(list(evaluated)),
        **dict(zip(scores, scores_at, strict=True)),
        "diverged_at": working.diverged_at,
        "initialization_seed": np.array(initialization_seeds),
        "batch_seed": np.array(batch_seeds),
    }


def _initial(shapes: Mapping[str, Sequence[int]], initialization: Mapping[str, Any], seeds: Sequence[int]) -> Tensor:
    """Return the parameters (R, P) at initialization, in float32 as PyTorch draws its numbers there."""
    drawn = []
    for seed in seeds:
        tensors = [torch.empty(*shape) for shape in shapes.values()]
        layers = list(zip(tensors[::2], tensors[1::2], strict=True))  # weight and bias of each
        parts.call(initializations, initialization, layers, generator=torch.Generator().manual_seed(seed))
        drawn.append(torch.cat([tensor.flatten() for tensor in tensors]))
    return torch.stack(drawn)


def _marks(steps: int, every: int | None, further: Sequence[int]) -> dict[int, int]:
    """Return the position of each step that is recorded: 0, the multiples of `every`, the `further` ones that there are, and the last."""
    recorded = {0, steps, *range(0, steps, every or steps), *(step for step in further if step < steps)}
    return {step: position for position, step in enumerate(sorted(recorded))}


@contextmanager
def _denormals_as_zero() -> Iterator[None]:
    """Let numbers below the smallest normal one be zero: the momentum of a dead unit fades to such, and they are a hundred times slower."""
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(False)


def _progress(begin: int, steps: int, report: Callable[[str], None] | None) -> Callable[[int], None]:
    """Return a function of the step that tells `report` how far the training from `begin` is, every few seconds and at the end."""
    started = told = time.monotonic()

    def tell(step: int) -> None:
        nonlocal told
        now = time.monotonic()
        if report and (now - told >= SECONDS_BETWEEN_REPORTS or step == steps):
            told = now
            report(f"step {step} of {steps}, {(now - started) / (step - begin) * (steps - step):.0f} s left")

    return tell


if __name__ == "__main__":
    with job.run(snakemake) as running:
        started = time.perf_counter()
        keep = Resume(Path(snakemake.output[0]), digest=running.digest, say=running.say)
        arrays = train(running.load("data"), report=running.say, keep=keep, **running.settings)
        running.save(snakemake.output[0], arrays, storage.TRAIN)
        keep.remove()
        running.record_time(time.perf_counter() - started)
