"""The autograd engine: all replicas of any network trained together, with gradients by PyTorch's automatic differentiation."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.random import PCG64, Generator, SeedSequence
from numpy.typing import NDArray
from torch import Tensor

from scripts.common import augmentations, bounds, cuda_graphs, forward_pass, networks, optimizers, parts
from scripts.common.engine import BatchesOnGpu, Engine, Form, Task
from scripts.common.forward_pass import Mode
from scripts.common.stretches import Stretches, Update

NOISE = 1
"""The spawn key of the generator of masks and mixtures, beside that of the batches with the same seed."""


def _fill(held: Tensor, given: Tensor) -> None:
    held.copy_(given)


FORM = Form(Tensor.clone, _fill)
"""One tensor (R, P) as a form of parameters: it is stored as it is."""


class Autograd(Engine):
    """Trains by the forward pass of the network on stacked tensors, which are views of one buffer (R, P) that the optimizer updates.

    Running statistics stand in the same buffer. The forward pass brings them up to date; their gradient is zero, and so the optimizer
    leaves them as they are.
    """

    def __init__(self, task: Task) -> None:
        self._shapes = forward_pass.shapes(task.network, inputs=len(task.x), outputs=len(task.y))
        buffer = task.parameters.clone()
        self._gradient = torch.zeros_like(buffer)
        self._tensors = forward_pass.unflatten(buffer, self._shapes)
        self._trained = [place for place, name in enumerate(self._shapes) if networks.is_trained(name)]
        self._running = sorted(set(range(len(self._shapes))) - set(self._trained))
        gradients = forward_pass.unflatten(self._gradient, self._shapes)
        self._gradients = [gradients[place] for place in self._trained]
        for place in self._trained:
            self._tensors[place] = self._tensors[place].detach().requires_grad_()
        self._indices = None if task.batches["kind"] == "full" else task.batch_indices()
        self._optimizer = parts.call(optimizers, task.optimizer, buffer, self._gradient)
        draws = task.augmentation is not None or task.network.get("dropout") is not None
        noise = [Generator(PCG64(SeedSequence(seed, spawn_key=(NOISE,)))) for seed in task.batch_seeds]
        super().__init__(task, FORM, buffer, self._optimizer.memory, noise if draws else ())
        self._training = Mode(generators=noise)
        self._bound = partial(
            bounds.output_bound, task.network, inputs=len(task.x), outputs=len(task.y), largest_input=task.x.abs().max().item()
        )
        self._room = bounds.room(task.x.dtype, task.y)
        safe = bounds.safe_norm(lambda norm: self._bound(norm=lambda _layer: norm), task.x, task.y)
        self._limit = safe**2 / 2  # rounding takes less than half off a sum of squares
        self._stretches = self._on_gpu() if task.on_gpu() else None

    def advance(self, first: int, last: int, tell: Callable[[int], None]) -> None:
        """Make the updates from `first` + 1 to `last`."""
        if self._stretches is not None:
            self._stretches.advance(first, last, tell)
            return
        for step in range(first + 1, last + 1):
            self._form_gradient(*self._batch(step))
            self._optimizer.update(step)
            self._look(step)
            tell(step)

    def predict(self, x: Tensor) -> Tensor:
        """Return the predictions (R, C, N) of all replicas, as they are now, at the points x (D, N)."""
        return forward_pass.predict(self._tensors, x, network=self.task.network)

    def _on_gpu(self) -> Stretches:
        """Return what makes the updates on a GPU; where each draws random numbers, which are drawn by the processor, none is recorded."""
        batches, optimizer = BatchesOnGpu(self.task, self.task.x, self._indices), self._optimizer
        draws = bool(self.generators)

        def prepare(step: int) -> None:
            batches.choose(step)
            optimizer.prepare(step)

        def make() -> None:
            self._form_gradient(*self._augmented(*batches.chosen()))
            optimizer.repeat()

        running = torch.ones(len(self.held), dtype=torch.bool, device=self.held.device)

        def square() -> Tensor:
            return torch.where(running, self.held.square().sum(dim=1), 0.0).sum()

        def look(step: int) -> None:
            self._look(step)
            running.copy_(torch.as_tensor(self.diverged_at < 0))

        record = (lambda function: function) if draws else cuda_graphs.record
        return Stretches(Update(prepare, make, square, self._limit, look, [self.held, *self.memory], self.generators, record))

    def _form_gradient(self, x: Tensor, y: Tensor) -> None:
        """Write the gradient of the loss of every replica on a batch, and bring running statistics up to date."""
        # a forward pass may not write into the buffer, of which the backward pass reads the rest
        running = {place: self._tensors[place].clone() for place in self._running}
        tensors = [running.get(place, tensor) for place, tensor in enumerate(self._tensors)]
        prediction = forward_pass.forward(tensors, x, network=self.task.network, mode=self._training)
        of_prediction = torch.empty_like(prediction)
        self.task.loss.gradient(prediction.detach(), y, of_prediction)
        trained = [self._tensors[place] for place in self._trained]
        for held, found in zip(self._gradients, torch.autograd.grad(prediction, trained, of_prediction), strict=True):
            held.copy_(found)
        for place, statistics in running.items():
            self._tensors[place].copy_(statistics)

    def _batch(self, step: int) -> tuple[Tensor, Tensor]:
        """Return inputs and targets of a step, (R, D or C, batch), or (D or C, N) where all replicas take all samples as they are."""
        x, y = self.task.x, self.task.y
        if self._indices is not None:
            chosen = torch.as_tensor(self._indices[step - 1], device=x.device)  # (R, batch)
            x, y = x[:, chosen].transpose(0, 1), y[:, chosen].transpose(0, 1)
        return self._augmented(x, y)

    def _augmented(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """Return a batch as it is augmented, if it is."""
        if self.task.augmentation is None:
            return x, y
        replicas = len(self.held)
        x, y = (values.expand(replicas, *values.shape[-2:]) for values in (x, y))
        mixed: tuple[Tensor, Tensor] = parts.call(augmentations, self.task.augmentation, x, y, generators=self.generators)
        return mixed

    def _look(self, step: int) -> None:
        """Fill in the step for replicas that have diverged in it.

        The loss is formed only where neither the norm of all parameters nor those of the layers, one by one, tell that it is finite.
        """
        if self.diverged_at.max() < 0 and self.held.flatten().dot(self.held.flatten()).item() <= self._limit:
            return
        norms = self.held.double().square().sum(dim=1).cpu().numpy()
        doubtful = np.flatnonzero(~(norms <= self._limit) & (self.diverged_at < 0))
        if len(doubtful):
            doubtful = doubtful[~self._are_bounded(doubtful)]
        if len(doubtful):
            self.diverged_at[doubtful[self._have_diverged(doubtful)]] = step

    def _are_bounded(self, replicas: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return of which of the replicas the norms of the layers bound every prediction by what cannot overflow."""
        squares: dict[str, NDArray[np.float64]] = {}
        for name, tensor in zip(self._shapes, self._tensors, strict=True):
            number = name.partition(".")[0]
            of_tensor = tensor.detach()[replicas].double().square().flatten(1).sum(dim=1).cpu().numpy()
            squares[number] = squares.get(number, 0.0) + of_tensor
        norms = {int(number): np.sqrt(2 * values) for number, values in squares.items()}  # with room for rounding

        def bound(place: int) -> float:
            return self._bound(norm=lambda layer: float(norms[layer.number][place]))

        return np.array([bound(place) < self._room for place in range(len(replicas))])

    def _have_diverged(self, replicas: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return of which of the replicas a parameter, or the loss on all training samples, is not finite."""
        prediction = forward_pass.predict([tensor[replicas] for tensor in self._tensors], self.task.x, network=self.task.network)
        loss: NDArray[Any] = self.task.loss.value(prediction, self.task.y).cpu().numpy()
        return np.asarray(~(self.held[replicas].isfinite().all(dim=1).cpu().numpy() & np.isfinite(loss)))
