"""The autograd engine: all replicas of any network trained together, with gradients by PyTorch's automatic differentiation."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from scripts.common import activations, convolutional, networks, optimizers, parts
from scripts.common.engine import Engine, Form, Task

SAMPLES_AT_ONCE = 64
"""Samples whose values are in memory together where many are predicted: they then fit into the cache."""


def _fill(held: Tensor, given: Tensor) -> None:
    held.copy_(given)


FORM = Form(Tensor.clone, _fill)
"""One tensor (R, P) as a form of parameters: it is stored as it is."""


class Autograd(Engine):
    """Trains by the forward pass of the network on stacked tensors, which are views of one buffer (R, P) that the optimizer updates."""

    def __init__(self, task: Task) -> None:
        self._shapes = networks.shapes(task.network, inputs=len(task.x), outputs=len(task.y))
        buffer = task.parameters.clone()
        self._gradient = torch.zeros_like(buffer)
        self._tensors = [view.detach().requires_grad_() for view in convolutional.unflatten(buffer, self._shapes)]
        self._indices = None if task.batches["kind"] == "full" else task.batch_indices()
        optimizer = parts.call(optimizers, task.optimizer, buffer, self._gradient)
        self._update = optimizer.update
        super().__init__(task, FORM, buffer, optimizer.memory)
        self._limit = safe_norm(self._shapes, task.x, task.y) ** 2 / 2  # rounding takes less than half off a sum of squares

    def advance(self, first: int, last: int, tell: Callable[[int], None]) -> None:
        """Make the updates from `first` + 1 to `last`."""
        for step in range(first + 1, last + 1):
            x, y = self._batch(step)
            prediction = forward(self._tensors, x, network=self.task.network)
            of_prediction = torch.empty_like(prediction)
            self.task.loss.gradient(prediction.detach(), y, of_prediction)
            gradients = torch.autograd.grad(prediction, self._tensors, of_prediction)
            torch.cat([gradient.flatten(1) for gradient in gradients], dim=1, out=self._gradient)
            self._update(step)
            self._look(step)
            tell(step)

    def predict(self, x: Tensor) -> Tensor:
        """Return the predictions (R, C, N) of all replicas, as they are now, at the points x (D, N)."""
        return predict(self._tensors, x, network=self.task.network)

    def _batch(self, step: int) -> tuple[Tensor, Tensor]:
        """Return inputs and targets of a step, (R, D or C, batch), or (D or C, N) where all replicas take all samples."""
        if self._indices is None:
            return self.task.x, self.task.y
        chosen = torch.as_tensor(self._indices[step - 1], device=self.task.x.device)  # (R, batch)
        return self.task.x[:, chosen].transpose(0, 1), self.task.y[:, chosen].transpose(0, 1)

    def _look(self, step: int) -> None:
        """Fill in the step for replicas that have diverged in it; the loss is formed only where the norm of parameters is not safe."""
        if self.diverged_at.max() < 0 and self.held.flatten().dot(self.held.flatten()).item() <= self._limit:
            return
        norms = self.held.double().square().sum(dim=1).cpu().numpy()
        doubtful = np.flatnonzero(~(norms <= self._limit) & (self.diverged_at < 0))
        if len(doubtful):
            self.diverged_at[doubtful[self._have_diverged(doubtful)]] = step

    def _have_diverged(self, replicas: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return of which of the replicas a parameter, or the loss on all training samples, is not finite."""
        prediction = predict([tensor[replicas] for tensor in self._tensors], self.task.x, network=self.task.network)
        loss: NDArray[Any] = self.task.loss.value(prediction, self.task.y).cpu().numpy()
        return np.asarray(~(self.held[replicas].isfinite().all(dim=1).cpu().numpy() & np.isfinite(loss)))


def forward(tensors: Sequence[Tensor], x: Tensor, *, network: Mapping[str, Any]) -> Tensor:
    """Return the predictions (R, C, N) of all replicas of a network, differentiable in all `tensors`.

    Args:
        tensors: the tensors of `networks.shapes`, of all replicas: (R, *shape) each.
        x: inputs (D, N) for all replicas, or (R, D, N).
        network: ``kind`` and the options of the network.
    """
    if network["kind"] == "convolutional":
        return convolutional.predict(tensors, x, network=network)
    activation = parts.call(activations, {"kind": network["activation"]})
    values = x.expand(len(tensors[0]), *x.shape[-2:])
    for place, (weight, bias) in enumerate(zip(tensors[::2], tensors[1::2], strict=True)):
        if place:
            values = convolutional.activate(values, activation)
        values = torch.baddbmm(bias[:, :, None], weight, values)
    return values


def predict(tensors: Sequence[Tensor], x: Tensor, *, network: Mapping[str, Any]) -> Tensor:
    """Return what `forward` does at many points x (D, N), some at a time, and not differentiable."""
    with torch.no_grad():
        return torch.cat([forward(tensors, some, network=network) for some in torch.split(x, SAMPLES_AT_ONCE, dim=1)], dim=2)


def safe_norm(shapes: Mapping[str, Sequence[int]], x: Tensor, y: Tensor) -> float:
    """Return a norm of all parameters together up to which no forward pass and no loss on (x, y) can overflow.

    A sum over n inputs of a unit is at most norm (sqrt(n) bound + 1), where the bound is that of the inputs; pooling takes one of its
    values, and for the activations |f(z)| <= max(|z|, 1). A loss is a mean of terms of at most (|prediction| + |target| + 1)^2: it is
    enough that their sum stays below the largest number.

    Args:
        shapes: the shapes of the tensors, weight and bias in turn.
        x: inputs, (D, N).
        y: targets, (C, N).
    """
    room = (torch.finfo(x.dtype).max / y.numel()) ** 0.5 / 2 - y.abs().max().item() - 1
    largest_input = x.abs().max().item()
    inputs = [math.prod(shape[1:]) for shape in list(shapes.values())[::2]]

    def bound(norm: float) -> float:
        value = largest_input
        for count in inputs:
            value = max(norm * (math.sqrt(count) * value + 1), 1.0)
        return value

    return next((norm for norm in (2.0**power for power in range(500, -1, -1)) if bound(norm) < room), 0.0)
