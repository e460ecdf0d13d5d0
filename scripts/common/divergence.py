"""Replicas of a fully connected network that have diverged: a parameter, or the loss on all training samples, is not finite."""

from collections.abc import Sequence

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


class Watch:
    """Looks after each step for replicas that have diverged.

    Almost always one number tells that there are none: the squared norm of all parameters, which is not finite where one of them is not,
    and which bounds every value of a forward pass. Only where it is larger than safe, the norm of each replica is formed, and the full
    loss of those alone for which that is larger than safe too. Replicas that have diverged are left out of the norm from then on.

    Attributes:
        limit: the squared norm up to which none can have diverged.
    """

    def __init__(
        self,
        task: Task,
        buffer: Tensor,
        layers: Sequence[Tensor],
        widths: Sequence[int],
        diverged_at: NDArray[np.int64],
    ) -> None:
        """Watch these weights.

        Args:
            task: the task.
            buffer: all weights that the networks compute with, flat.
            layers: the same, as the layers of all replicas: views of `buffer`.
            widths: width of every layer, inputs and outputs included.
            diverged_at: where the step is filled in, (R,).
        """
        self.limit = perceptron.safe_norm(widths, task.x, task.y) ** 2 / 2  # rounding takes less than half off a sum of squares
        self._task, self._buffer, self._layers, self._diverged_at = task, buffer, layers, diverged_at
        self._bits = torch.int32 if buffer.element_size() == 4 else torch.int64
        self._looked_at = buffer
        self._running: Tensor | None = None  # all bits set where a replica has not diverged, none where it has
        self._known = 0

    def square(self) -> Tensor:
        """Return the squared norm of the weights of all replicas that have not diverged, one number."""
        if self._running is not None:  # as `torch.where`, which takes seven times as long
            torch.bitwise_and(self._buffer.view(self._bits), self._running, out=self._looked_at.view(self._bits))
        return self._looked_at.dot(self._looked_at)

    def look(self, step: int) -> None:
        """Fill in the step for replicas that have diverged in it."""
        if self.square().item() <= self.limit:
            return
        norms = torch.stack([layer.double().square().sum(dim=(1, 2)) for layer in self._layers]).sum(dim=0).cpu().numpy()
        doubtful = np.flatnonzero(~(norms <= self.limit) & (self._diverged_at < 0))
        if len(doubtful):
            self._diverged_at[doubtful[have_diverged([layer[doubtful] for layer in self._layers], self._task)]] = step
        if (self._diverged_at > 0).sum() > self._known:
            self._known = (self._diverged_at > 0).sum()
            self.leave_out()

    def leave_out(self) -> None:
        """Leave replicas that have diverged out of the norm; from the first call on, all that it takes stays where it is in memory."""
        kept = -torch.as_tensor(self._diverged_at < 0, dtype=self._bits, device=self._buffer.device)
        running = torch.cat([kept.repeat_interleave(layer[0].numel()) for layer in self._layers])
        if self._running is None:
            self._running, self._looked_at = running, torch.empty_like(self._buffer)
        else:
            self._running.copy_(running)
