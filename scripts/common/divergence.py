"""Replicas of a fully connected network that have diverged: a parameter, or the loss on all training samples, is not finite."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from scripts.common import perceptron
from scripts.common.engine import Task


def have_diverged(layers: Sequence[Tensor], task: Task) -> NDArray[np.bool_]:
    """Return which of the replicas with these `layers`, (R, outputs, inputs + 1) each, have diverged, (R,)."""
    finite = [layer.isfinite().flatten(1).all(dim=1).cpu().numpy() for layer in layers]
    loss = task.loss.value(perceptron.predict(layers, task.x, activation=perceptron.activation_of(task.network)), task.y)
    return np.asarray(~(np.all(finite, axis=0) & np.isfinite(loss.cpu().numpy())))


def watch(
    task: Task, buffer: Tensor, layers: Sequence[Tensor], widths: Sequence[int], diverged_at: NDArray[np.int64]
) -> Callable[[int], None]:
    """Return a function that looks after each step for replicas that have diverged, and fills in the step.

    Almost always one number tells that there are none: the squared norm of all parameters, which is not finite where one of them is not,
    and which bounds every value of a forward pass. Only where it is larger than safe, the norm of each replica is formed, and the full
    loss of those alone for which that is larger than safe too. Replicas that have diverged are left out of the norm from then on.

    Args:
        task: the task.
        buffer: all weights that the networks compute with, flat.
        layers: the same, as the layers of all replicas: views of `buffer`.
        widths: width of every layer, inputs and outputs included.
        diverged_at: where the step is filled in, (R,).
    """
    limit = perceptron.safe_norm(widths, task.x, task.y) ** 2 / 2  # rounding takes less than half off a sum of squares
    bits = torch.int32 if buffer.element_size() == 4 else torch.int64
    looked_at = buffer
    running: Tensor | None = None  # all bits set where a replica has not diverged, none where it has
    known = 0

    def look(step: int) -> None:
        nonlocal looked_at, running, known
        if running is not None:  # as `torch.where`, which takes seven times as long
            torch.bitwise_and(buffer.view(bits), running, out=looked_at.view(bits))
        if looked_at.dot(looked_at).item() <= limit:
            return
        norms = torch.stack([layer.double().square().sum(dim=(1, 2)) for layer in layers]).sum(dim=0).cpu().numpy()
        doubtful = np.flatnonzero(~(norms <= limit) & (diverged_at < 0))
        if len(doubtful):
            diverged_at[doubtful[have_diverged([layer[doubtful] for layer in layers], task)]] = step
        if (diverged_at > 0).sum() > known:
            known = (diverged_at > 0).sum()
            kept = -torch.as_tensor(diverged_at < 0, dtype=bits, device=buffer.device)
            running = torch.cat([kept.repeat_interleave(layer[0].numel()) for layer in layers])
            looked_at = torch.empty_like(buffer)

    return look
