"""What trains the replicas of a variant: the task that an engine is given, and what every engine can be asked for."""

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.random import Generator
from numpy.typing import NDArray
from torch import Tensor

from scripts.common import batches as batch_orders
from scripts.common import parts
from scripts.common.losses import Loss
from scripts.common.storage import Arrays

BYTES_OF_INDICES = 2**26
"""How much of the indices of batches is on a GPU at once."""


@dataclass(frozen=True)
class Task:
    """Networks to be trained, and how.

    Attributes:
        network: ``kind`` and the options of the network.
        parameters: the parameters of all replicas at initialization, (R, P), in the order in which they are stored.
        loss: loss of each replica.
        x: inputs of all training samples, (D, N).
        y: their targets, (C, N).
        optimizer: ``kind`` (a function of `scripts.common.optimizers`, or what the engine itself does) and its options.
        batches: ``kind`` (a function of `scripts.common.batches`) and its options.
        batch_seeds: seed of the batches of each replica.
        steps: number of updates.
        trained: which parameters are updated, "all" or those of the "output_layer".
        augmentation: how batches are mixed, ``kind`` (a function of `scripts.common.augmentations`) and its options, if they are.
    """

    network: Mapping[str, Any]
    parameters: Tensor
    loss: Loss
    x: Tensor
    y: Tensor
    optimizer: Mapping[str, Any]
    batches: Mapping[str, Any]
    batch_seeds: Sequence[int]
    steps: int
    trained: str
    augmentation: Mapping[str, Any] | None = None

    def batch_indices(self) -> NDArray[np.int64]:
        """Return the indices (steps, R, size) of all batches, drawn by numpy's legacy generator where the sources do so."""
        kind = self.batches["kind"]
        generators = [np.random.Generator(np.random.PCG64(s)) if kind == "subsets" else np.random.RandomState(s) for s in self.batch_seeds]
        samples = self.x.shape[1]
        return np.stack([parts.call(batch_orders, self.batches, samples, self.steps, generator=g) for g in generators], axis=1)

    def some(self, replicas: range, *, device: str) -> "Task":
        """Return the task of some of the replicas alone, on a device."""
        chosen = slice(replicas.start, replicas.stop)
        return replace(self, parameters=self.parameters[chosen].to(device), batch_seeds=self.batch_seeds[chosen])

    def on_gpu(self) -> bool:
        """Whether the networks are trained on a GPU."""
        return self.x.is_cuda


class BatchesOnGpu:
    """The batches of a task on a GPU, whose indices stand in one place, so that a recording of an update can read them."""

    def __init__(self, task: Task, x: Tensor, indices: NDArray[np.int64] | None) -> None:
        """Take inputs x (D, N) and the indices (steps, R, size) of all batches; all samples in each for None."""
        self._x, self._y, self._indices = x, task.y, indices
        self._replicas = len(task.parameters)
        self._block = range(0)
        self._of_block = x.new_empty(0, dtype=torch.int64)
        self._chosen = self._of_block if indices is None else torch.empty_like(torch.as_tensor(indices[0], device=x.device))

    def choose(self, step: int) -> None:
        """Make the batch of a step the one that `chosen` returns; indices go to the GPU many steps at a time."""
        if self._indices is None:
            return
        if step - 1 not in self._block:
            count = max(1, BYTES_OF_INDICES // self._indices[0].nbytes)
            self._block = range(step - 1, min(step - 1 + count, len(self._indices)))
            self._of_block = torch.as_tensor(self._indices[self._block.start : self._block.stop], device=self._x.device)
        self._chosen.copy_(self._of_block[step - 1 - self._block.start])

    def chosen(self) -> tuple[Tensor, Tensor]:
        """Return inputs (R, D, batch) and targets (R, C, batch) of the batch that was chosen."""
        if self._indices is None:
            x, y = (values.expand(self._replicas, *values.shape) for values in (self._x, self._y))
        else:
            x, y = (values[:, self._chosen].transpose(0, 1) for values in (self._x, self._y))
        return x, y


class Form(NamedTuple):
    """In what form an engine holds parameters, and what else has one number for each of them.

    Attributes:
        flat: returns what is held as one tensor (R, P), in the order in which parameters are stored.
        fill: writes such a tensor into what is held.
    """

    flat: Callable[[Any], Tensor]
    fill: Callable[[Any, Tensor], None]


class Engine(ABC):
    """Trains all replicas of a task.

    Attributes:
        held: the parameters as they are now, in the engine's own form.
        memory: what the optimizer keeps from one update to the next, each in the same form.
        generators: the generators that batches are drawn from as training goes on.
        diverged_at: number of updates after which each replica first had diverged, -1 where it has not, (R,).
    """

    def __init__(self, task: Task, form: Form, held: Any, memory: Sequence[Any], generators: Sequence[Generator] = ()) -> None:
        self.task = task
        self.form = form
        self.held = held
        self.memory = list(memory)
        self.generators = list(generators)
        self.diverged_at = np.full(len(task.parameters), -1)

    @abstractmethod
    def advance(self, first: int, last: int, tell: Callable[[int], None]) -> None:
        """Make the updates from `first` + 1 to `last`, and tell every so often which was the last; `first` is where the engine stands."""

    @abstractmethod
    def predict(self, x: Tensor) -> Tensor:
        """Return the predictions (R, C, N) of all replicas, as they are now, at the points x (D, N)."""

    def parameters(self) -> NDArray[Any]:
        """Return the parameters (R, P) as they are now."""
        return self._flat(self.held)

    def losses(self, x: Tensor, y: Tensor) -> NDArray[Any]:
        """Return the losses (R,) of all replicas, as they are now, on x (D, N), y (C, N)."""
        value: Tensor = self.task.loss.value(self.predict(x), y)
        return value.cpu().numpy()

    def state(self) -> Arrays:
        """Return all that the updates to come depend on, but for the task itself."""
        state = {"parameters": self.parameters(), "diverged_at": self.diverged_at}
        if self.memory:
            state["memory"] = np.stack([self._flat(values) for values in self.memory])
        if self.generators:
            state["generator"] = np.array([json.dumps(generator.bit_generator.state) for generator in self.generators])
        return state

    def restore(self, state: Arrays) -> None:
        """Take over what `state` returned."""
        for values, kept in zip([self.held, *self.memory], [state["parameters"], *state.get("memory", ())], strict=True):
            self.form.fill(values, torch.as_tensor(kept))
        self.diverged_at[:] = state["diverged_at"]
        for generator, text in zip(self.generators, state.get("generator", ()), strict=True):
            generator.bit_generator.state = json.loads(str(text))

    def put(self, replicas: NDArray[np.bool_], parameters: NDArray[Any]) -> None:
        """Give the chosen `replicas` (R,) the parameters that they have in `parameters` (R, P)."""
        self.form.fill(self.held, torch.as_tensor(np.where(replicas[:, None], parameters, self.parameters())))

    def _flat(self, values: Any) -> NDArray[Any]:
        found: NDArray[Any] = self.form.flat(values).cpu().numpy()
        return found
