"""What trains the replicas of a variant: the task that an engine is given, and what every engine can be asked for."""

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
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
