"""The stacked engine: all replicas of a variant trained together by PyTorch, as one computation on stacked tensors."""

from collections.abc import Callable, Iterator

import numpy as np
import torch
from numpy.random import PCG64, Generator, RandomState
from numpy.typing import NDArray
from torch import Tensor

from scripts.common import batches as batch_orders
from scripts.common import optimizers, parts, perceptron
from scripts.common.engine import Engine, Task

STEPS_IN_MEMORY = 256


class Stacked(Engine):
    """Trains by operations on the parameters of all replicas at once."""

    def __init__(self, task: Task) -> None:
        replicas = len(task.batch_seeds)
        gradient = torch.zeros_like(task.buffer)
        self._indices = np.stack([_batch_indices(task, seed) for seed in task.batch_seeds], axis=1)
        self._compute_gradient = perceptron.gradient_function(
            task.layers,
            perceptron.views(gradient, task.widths, replicas),
            samples=self._indices.shape[2],
            activation=task.activation,
            loss=task.loss,
        )
        optimizer = parts.call(optimizers, task.optimizer, task.buffer, gradient)
        self._update = optimizer.update
        super().__init__(task.layers, [perceptron.views(buffer, task.widths, replicas) for buffer in optimizer.memory])
        self._watch = _divergence_watch(task, self.diverged_at)
        self._task = task
        self._batches: Iterator[tuple[Tensor, Tensor]] | None = None

    def advance(self, first: int, last: int, tell: Callable[[int], None]) -> None:
        """Make the updates from `first` + 1 to `last`."""
        self._batches = self._batches or _batches(self._task.x, self._task.y, self._indices[first:])
        compute_gradient, update, watch = self._compute_gradient, self._update, self._watch
        for step, (x, y) in zip(range(first + 1, last + 1), self._batches, strict=False):
            compute_gradient(x, y)
            update(step)
            watch(step)
            tell(step)


def _batch_indices(task: Task, seed: int) -> NDArray[np.int64]:
    """Return the indices (steps, size) of the batches of one replica, drawn by numpy's legacy generator where the source does so."""
    generator = Generator(PCG64(seed)) if task.batches["kind"] == "subsets" else RandomState(seed)
    indices: NDArray[np.int64] = parts.call(batch_orders, task.batches, task.x.shape[1], task.steps, generator=generator)
    return indices


def _batches(x: Tensor, y: Tensor, indices: NDArray[np.int64]) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield inputs (R, D + 1, batch) and targets (R, C, batch) of each step, gathered for many steps at once."""
    x = perceptron.with_constant(x)
    for first in range(0, len(indices), STEPS_IN_MEMORY):
        chosen = torch.as_tensor(indices[first : first + STEPS_IN_MEMORY], device=x.device)  # (steps, R, batch)
        gathered = (values[:, chosen].permute(1, 2, 0, 3).contiguous() for values in (x, y))
        yield from zip(*(values.unbind() for values in gathered), strict=True)


def _divergence_watch(task: Task, diverged_at: NDArray[np.int64]) -> Callable[[int], None]:
    """Return a function that looks after each step for replicas that have diverged, and fills in the step.

    Almost always one number tells that there are none: the squared norm of all parameters, which is not finite where one of them is not,
    and which bounds every value of a forward pass. Only where it is larger than safe, the norm of each replica is formed, and the full
    loss of those alone for which that is larger than safe too. Replicas that have diverged are left out of the norm from then on.
    """
    parameters, layers = task.buffer, task.layers
    limit = perceptron.safe_norm(task.widths, task.x, task.y) ** 2 / 2  # rounding takes less than half off a sum of squares
    bits = torch.int32 if parameters.element_size() == 4 else torch.int64
    looked_at = parameters
    running: Tensor | None = None  # all bits set where a replica has not diverged, none where it has
    known = 0

    def watch(step: int) -> None:
        nonlocal looked_at, running, known
        if running is not None:  # as `torch.where`, which takes seven times as long
            torch.bitwise_and(parameters.view(bits), running, out=looked_at.view(bits))
        if looked_at.dot(looked_at).item() <= limit:
            return
        norms = torch.stack([layer.double().square().sum(dim=(1, 2)) for layer in layers]).sum(dim=0).cpu().numpy()
        doubtful = np.flatnonzero(~(norms <= limit) & (diverged_at < 0))
        if len(doubtful):
            diverged_at[doubtful[task.have_diverged([layer[doubtful] for layer in layers])]] = step
        if (diverged_at > 0).sum() > known:
            known = (diverged_at > 0).sum()
            kept = -torch.as_tensor(diverged_at < 0, dtype=bits, device=parameters.device)
            running = torch.cat([kept.repeat_interleave(layer[0].numel()) for layer in layers])
            looked_at = torch.empty_like(parameters)

    return watch
