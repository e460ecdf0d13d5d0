"""Trains all replicas of a variant as one stacked computation: data set in, parameters and losses out."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from scripts.common import batches as batch_orders
from scripts.common import initializations, job, losses, optimizers, parts, perceptron, storage
from scripts.common.losses import Loss
from scripts.common.seeds import replica_seeds
from scripts.common.storage import Arrays

STEPS_IN_MEMORY = 256
SECONDS_BETWEEN_REPORTS = 2.0


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
    precision: str = "float32",
    replicas: int = 1,
    device: str = "cpu",
    report: Callable[[str], None] | None = None,
) -> Arrays:
    """Train `replicas` networks on the same data and return their parameters and losses.

    Replica r is the same network whatever the others are: it has its own generators, seeded by `replica_seeds`, one for the
    initialization and one for the batches.

    Args:
        data: arrays of `scripts.common.storage.DATA`.
        network: ``kind``, ``hidden`` (widths) and ``activation``.
        initialization: ``kind`` (a function of `scripts.common.initializations`), ``seed``, and its options.
        optimizer: ``kind`` (a function of `scripts.common.optimizers`) and its options.
        batches: ``kind`` (a function of `scripts.common.batches`), ``seed``, and its options.
        loss: ``kind`` (a function of `scripts.common.losses`).
        steps: number of updates.
        evaluate_every: the full losses are recorded at step 0, at each multiple of this, and at the last step.
        save_every: the parameters are saved at step 0, at each multiple of this if it is given, and at the last step.
        precision: "float32" or "float64".
        replicas: number of networks, R.
        device: where PyTorch computes.
        report: given a line on the progress, with the time left, every few seconds.

    Returns:
        The arrays of `scripts.common.storage.TRAIN`, the parameters in `precision`. ``diverged_at`` is the number of updates after which a
        parameter or the loss on all training samples first is not finite, -1 where there is none. A replica that has diverged goes on
        computing, and what it yields is stored.
    """
    dtype = getattr(torch, precision)
    train_x, train_y, test_x, test_y = (
        torch.as_tensor(np.ascontiguousarray(data[key].T), dtype=dtype, device=device) for key in ("train_x", "train_y", "test_x", "test_y")
    )  # (D or C, N)
    widths = perceptron.widths(network, inputs=len(train_x), outputs=len(train_y))
    activation = perceptron.activation_of(network)
    chosen_loss: Loss = parts.call(losses, loss)
    initialization_seeds, batch_seeds = (replica_seeds(part["seed"], replicas) for part in (initialization, batches))

    parameters, layers = perceptron.empty_layers(widths, replicas, dtype=dtype, device=device)
    gradient, gradient_layers = perceptron.empty_layers(widths, replicas, dtype=dtype, device=device)
    _initialize(layers, initialization, initialization_seeds)
    indices = np.stack([_batch_indices(batches, seed, train_x.shape[1], steps) for seed in batch_seeds], axis=1)
    compute_gradient = perceptron.gradient_function(
        layers, gradient_layers, samples=indices.shape[2], activation=activation, loss=chosen_loss
    )
    update = parts.call(optimizers, optimizer, parameters, gradient)

    def full_loss(of: Sequence[Tensor], x: Tensor, y: Tensor) -> NDArray[Any]:
        value: Tensor = chosen_loss.value(perceptron.predict(of, x, activation=activation), y)
        return value.cpu().numpy()

    evaluated, saved = _marks(steps, evaluate_every), _marks(steps, save_every)
    train_loss, test_loss = (np.empty((len(evaluated), replicas)) for _ in range(2))
    checkpoints = np.empty((len(saved), replicas, parameters.numel() // replicas), dtype=precision)

    def record(step: int) -> None:
        if step in evaluated:
            train_loss[evaluated[step]] = full_loss(layers, train_x, train_y)
            test_loss[evaluated[step]] = full_loss(layers, test_x, test_y)
        if step in saved:
            checkpoints[saved[step]] = perceptron.to_parameters(layers).cpu().numpy()

    watch, diverged_at = _divergence_watch(
        parameters,
        layers,
        safe_norm=_safe_norm(widths, train_x, train_y),
        full_loss=lambda of: full_loss(of, train_x, train_y),
    )
    tell = _progress(steps, report)
    record(0)
    with _denormals_as_zero():
        for step, (x, y) in enumerate(_batches(train_x, train_y, indices), start=1):
            compute_gradient(x, y)
            update()
            watch(step)
            record(step)
            tell(step)

    return {
        "step": np.array(list(saved)),
        "parameters": checkpoints,
        "parameter_name": np.array(perceptron.parameter_names(widths)),
        "evaluated_step": np.array(list(evaluated)),
        "train_loss": train_loss,
        "test_loss": test_loss,
        "diverged_at": diverged_at,
        "initialization_seed": np.array(initialization_seeds),
        "batch_seed": np.array(batch_seeds),
    }


def _initialize(layers: Sequence[Tensor], initialization: Mapping[str, Any], seeds: Sequence[int]) -> None:
    """Fill `layers`, one replica after another, in float32 as PyTorch draws its numbers there."""
    for replica, seed in enumerate(seeds):
        generator = torch.Generator().manual_seed(seed)
        for layer in layers:
            weight, bias = torch.empty(layer.shape[1], layer.shape[2] - 1), torch.empty(layer.shape[1])
            parts.call(initializations, initialization, weight, bias, generator=generator)
            layer[replica] = torch.column_stack([weight, bias])


def _batch_indices(batches: Mapping[str, Any], seed: int, samples: int, steps: int) -> NDArray[np.int64]:
    indices: NDArray[np.int64] = parts.call(batch_orders, batches, samples, steps, generator=np.random.RandomState(seed))
    return indices


def _batches(x: Tensor, y: Tensor, indices: NDArray[np.int64]) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield inputs (R, D + 1, batch) and targets (R, C, batch) of each step, gathered for many steps at once."""
    x = perceptron.with_constant(x)
    for first in range(0, len(indices), STEPS_IN_MEMORY):
        chosen = torch.as_tensor(indices[first : first + STEPS_IN_MEMORY], device=x.device)  # (steps, R, batch)
        gathered = (values[:, chosen].permute(1, 2, 0, 3).contiguous() for values in (x, y))
        yield from zip(*(values.unbind() for values in gathered), strict=True)


def _marks(steps: int, every: int | None) -> dict[int, int]:
    """Return the position of each step that is recorded: 0, the multiples of `every`, and the last."""
    return {step: position for position, step in enumerate(sorted({0, steps, *range(0, steps, every or steps)}))}


def _safe_norm(widths: Sequence[int], x: Tensor, y: Tensor) -> float:
    """Return a norm of all parameters together up to which no forward pass and no loss on (x, y) can overflow.

    A loss is a mean of terms of at most (|prediction| + |target| + 1)^2: it is enough that their sum stays below the largest number.
    """
    room = (torch.finfo(x.dtype).max / y.numel()) ** 0.5 / 2 - y.abs().max().item() - 1
    largest_input = x.abs().max().item()
    norms = (2.0**power for power in range(500, -1, -1))
    return next((norm for norm in norms if perceptron.output_bound(widths, norm=norm, largest_input=largest_input) < room), 0.0)


def _divergence_watch(
    parameters: Tensor,
    layers: Sequence[Tensor],
    *,
    safe_norm: float,
    full_loss: Callable[[Sequence[Tensor]], NDArray[Any]],
) -> tuple[Callable[[int], None], NDArray[np.int64]]:
    """Return a function that looks after each step for replicas that have diverged, and the steps that it fills in.

    Almost always one number tells that there are none: the squared norm of all parameters, which is not finite where one of them is not,
    and which bounds every value of a forward pass. Only where it is larger than safe, the norm of each replica is formed, and the full
    loss of those alone for which that is larger than safe too. Replicas that have diverged are left out of the norm from then on.
    """
    diverged_at = np.full(layers[0].shape[0], -1)
    limit = safe_norm**2 / 2  # rounding takes less than half off a sum of squares
    bits = torch.int32 if parameters.element_size() == 4 else torch.int64
    looked_at = parameters
    running: Tensor | None = None  # all bits set where a replica has not diverged, none where it has

    def watch(step: int) -> None:
        nonlocal looked_at, running
        if running is not None:  # as `torch.where`, which takes seven times as long
            torch.bitwise_and(parameters.view(bits), running, out=looked_at.view(bits))
        if looked_at.dot(looked_at).item() <= limit:
            return
        norms = torch.stack([layer.double().square().sum(dim=(1, 2)) for layer in layers]).sum(dim=0).cpu().numpy()
        doubtful = np.flatnonzero(~(norms <= limit) & (diverged_at < 0))
        if not len(doubtful):
            return
        chosen = [layer[doubtful] for layer in layers]
        finite = torch.stack([layer.isfinite().flatten(1).all(dim=1) for layer in chosen]).all(dim=0).cpu().numpy()
        diverged = doubtful[~(finite & np.isfinite(full_loss(chosen)))]
        if len(diverged):
            diverged_at[diverged] = step
            kept = -torch.as_tensor(diverged_at < 0, dtype=bits, device=parameters.device)
            running = torch.cat([kept.repeat_interleave(layer[0].numel()) for layer in layers])
            looked_at = torch.empty_like(parameters)

    return watch, diverged_at


@contextmanager
def _denormals_as_zero() -> Iterator[None]:
    """Let numbers below the smallest normal one be zero: the momentum of a dead unit fades to such, and they are a hundred times slower."""
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(False)


def _progress(steps: int, report: Callable[[str], None] | None) -> Callable[[int], None]:
    """Return a function of the step that tells `report` how far the training is, every few seconds and at the end."""
    started = told = time.monotonic()

    def tell(step: int) -> None:
        nonlocal told
        now = time.monotonic()
        if report and (now - told >= SECONDS_BETWEEN_REPORTS or step == steps):
            told = now
            report(f"step {step} of {steps}, {(now - started) / step * (steps - step):.0f} s left")

    return tell


if __name__ == "__main__":
    with job.run(snakemake) as running:
        started = time.perf_counter()
        running.save(snakemake.output[0], train(running.load("data"), report=running.say, **running.settings), storage.TRAIN)
        running.record_time(time.perf_counter() - started)
