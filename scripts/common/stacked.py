"""The stacked engine: all replicas of a variant trained together by PyTorch, as one computation on stacked tensors."""

from collections.abc import Callable, Iterator, Sequence
from itertools import repeat

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from scripts.common import divergence, optimizers, parametrization, parts, perceptron
from scripts.common.engine import Engine, Task

STEPS_IN_MEMORY = 256


class Stacked(Engine):
    """Trains by operations on the parameters of all replicas at once.

    Where the network's parametrization is not the standard one, the weights that it computes with are formed anew after each update, and
    the gradient with respect to them becomes that with respect to the parameters by a product with their scales.
    """

    def __init__(self, task: Task) -> None:
        replicas = len(task.parameters)
        widths = perceptron.widths(task.network, inputs=len(task.x), outputs=len(task.y))
        self._activation = perceptron.activation_of(task.network)
        buffer, layers = perceptron.empty_layers(widths, replicas, dtype=task.x.dtype, device=str(task.x.device))
        perceptron.set_parameters(layers, task.parameters)
        self._buffer, self._scales = buffer, _scales(task, widths, buffer)
        self._weights = buffer if self._scales is None else torch.empty_like(buffer)
        self._weight_layers = perceptron.views(self._weights, widths, replicas)
        self._form_weights()
        self._gradient = torch.zeros_like(buffer)
        self._indices = None if task.batches["kind"] == "full" else task.batch_indices()
        self._compute_gradient = perceptron.gradient_function(
            self._weight_layers,
            perceptron.views(self._gradient, widths, replicas),
            samples=task.x.shape[1] if self._indices is None else self._indices.shape[2],
            activation=self._activation,
            loss=task.loss,
        )
        optimizer = parts.call(optimizers, task.optimizer, buffer, self._gradient)
        self._update = optimizer.update
        memory = [perceptron.views(kept, widths, replicas) for kept in optimizer.memory]
        super().__init__(task, perceptron.FORM, layers, memory)
        self._look = divergence.watch(task, self._weights, self._weight_layers, widths, self.diverged_at)
        self._batches: Iterator[tuple[Tensor, Tensor]] | None = None

    def advance(self, first: int, last: int, tell: Callable[[int], None]) -> None:
        """Make the updates from `first` + 1 to `last`."""
        self._form_weights()  # after `restore` they are those of other parameters
        if self._batches is None:
            self._batches = _batches(self.task, None if self._indices is None else self._indices[first:])
        compute_gradient, update, look, scales = self._compute_gradient, self._update, self._look, self._scales
        for step, (x, y) in zip(range(first + 1, last + 1), self._batches, strict=False):
            compute_gradient(x, y)
            if scales is not None:
                self._gradient.mul_(scales)
            update(step)
            self._form_weights()
            look(step)
            tell(step)

    def predict(self, x: Tensor) -> Tensor:
        """Return the predictions (R, C, N) of all replicas, as they are now, at the points x (D, N)."""
        self._form_weights()
        return perceptron.predict(self._weight_layers, x, activation=self._activation)

    def _form_weights(self) -> None:
        if self._scales is not None:
            torch.mul(self._buffer, self._scales, out=self._weights)


def _scales(task: Task, widths: Sequence[int], buffer: Tensor) -> Tensor | None:
    """Return the scale of each parameter, in the form of `buffer`, or None where all are 1."""
    scales = parametrization.scales(task.network, inputs=len(task.x), outputs=len(task.y))
    if scales is None:
        return None
    found = torch.empty_like(buffer)
    replicas = len(task.parameters)
    perceptron.set_parameters(perceptron.views(found, widths, replicas), buffer.new_tensor(scales).expand(replicas, -1))
    return found


def _batches(task: Task, indices: NDArray[np.int64] | None) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield inputs (R, D + 1, batch) and targets (R, C, batch) of each step, gathered for many steps at once; all samples for None."""
    x, y = perceptron.with_constant(task.x), task.y
    if indices is None:
        everything = (values.expand(len(task.parameters), *values.shape).contiguous() for values in (x, y))
        yield from repeat((next(everything), next(everything)))
        return
    for first in range(0, len(indices), STEPS_IN_MEMORY):
        chosen = torch.as_tensor(indices[first : first + STEPS_IN_MEMORY], device=x.device)  # (steps, R, batch)
        gathered = (values[:, chosen].permute(1, 2, 0, 3).contiguous() for values in (x, y))
        yield from zip(*(values.unbind() for values in gathered), strict=True)
