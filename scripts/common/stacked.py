"""The stacked engine: all replicas of a variant trained together by PyTorch, as one computation on stacked tensors."""

from collections.abc import Callable, Iterator, Sequence
from itertools import repeat

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from scripts.common import cuda_graphs, optimizers, parametrization, parts, perceptron
from scripts.common.divergence import Watch
from scripts.common.engine import BatchesOnGpu, Engine, Task
from scripts.common.stretches import Stretches, Update

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
        self._optimizer = parts.call(optimizers, task.optimizer, buffer, self._gradient)
        memory = [perceptron.views(kept, widths, replicas) for kept in self._optimizer.memory]
        super().__init__(task, perceptron.FORM, layers, memory)
        self._watch = Watch(task, self._weights, self._weight_layers, widths, self.diverged_at)
        self._stretches = self._on_gpu() if task.on_gpu() else None
        self._batches: Iterator[tuple[Tensor, Tensor]] | None = None

    def advance(self, first: int, last: int, tell: Callable[[int], None]) -> None:
        """Make the updates from `first` + 1 to `last`."""
        self._form_weights()  # after `restore` they are those of other parameters
        if self._stretches is not None:
            self._stretches.advance(first, last, tell)
            return
        if self._batches is None:
            self._batches = _batches(self.task, None if self._indices is None else self._indices[first:])
        update, look = self._optimizer.update, self._watch.look
        for step, (x, y) in zip(range(first + 1, last + 1), self._batches, strict=False):
            self._form_gradient(x, y)
            update(step)
            self._form_weights()
            look(step)
            tell(step)

    def predict(self, x: Tensor) -> Tensor:
        """Return the predictions (R, C, N) of all replicas, as they are now, at the points x (D, N)."""
        self._form_weights()
        return perceptron.predict(self._weight_layers, x, activation=self._activation)

    def _on_gpu(self) -> Stretches:
        """Return what makes the updates on a GPU: batches are gathered within the update, whose indices alone come from outside."""
        batches, optimizer = BatchesOnGpu(self.task, perceptron.with_constant(self.task.x), self._indices), self._optimizer
        self._watch.leave_out()
        everything = tuple(values.contiguous() for values in batches.chosen()) if self._indices is None else None

        def prepare(step: int) -> None:
            batches.choose(step)
            optimizer.prepare(step)

        def make() -> None:
            self._form_gradient(*(everything or (values.contiguous() for values in batches.chosen())))
            optimizer.repeat()
            self._form_weights()

        changes = [self._buffer, *([self._weights] if self._scales is not None else []), *optimizer.memory]
        return Stretches(Update(prepare, make, self._watch.square, self._watch.limit, self._watch.look, changes, (), cuda_graphs.record))

    def _form_gradient(self, x: Tensor, y: Tensor) -> None:
        self._compute_gradient(x, y)
        if self._scales is not None:
            self._gradient.mul_(self._scales)

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
