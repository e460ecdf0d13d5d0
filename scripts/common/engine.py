"""What trains the replicas of a variant: the task that an engine is given, and what every engine can be asked for."""

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.random import Generator
from numpy.typing import NDArray
from torch import Tensor

from scripts.common import perceptron
from scripts.common.activations import Activation
from scripts.common.losses import Loss
from scripts.common.storage import Arrays


@dataclass(frozen=True)
class Task:
    """Networks to be trained, and how.

    Attributes:
        layers: the layers of all replicas at initialization, (R, outputs, inputs + 1) each, views of `buffer`.
        buffer: all parameters, flat.
        widths: width of every layer, inputs and outputs included.
        activation: activation between the layers.
        loss: loss of each replica.
        x: inputs of all training samples, (D, N).
        y: their targets, (C, N).
        optimizer: ``kind`` (a function of `scripts.common.optimizers`) and its options.
        batches: ``kind`` (a function of `scripts.common.batches`) and its options.
        batch_seeds: seed of the batches of each replica.
        steps: number of updates.
        trained: which parameters are updated, "all" or those of the "output_layer".
    """

    layers: list[Tensor]
    buffer: Tensor
    widths: list[int]
    activation: Activation
    loss: Loss
    x: Tensor
    y: Tensor
    optimizer: Mapping[str, Any]
    batches: Mapping[str, Any]
    batch_seeds: Sequence[int]
    steps: int
    trained: str

    def loss_of(self, layers: Sequence[Tensor], x: Tensor, y: Tensor) -> NDArray[Any]:
        """Return the losses (R,) on x (D, N), y (C, N) of the replicas with these `layers`."""
        value: Tensor = self.loss.value(perceptron.predict(layers, x, activation=self.activation), y)
        return value.cpu().numpy()

    def have_diverged(self, layers: Sequence[Tensor]) -> NDArray[np.bool_]:
        """Return of which replicas with these `layers` a parameter, or the loss on all training samples, is not finite, (R,)."""
        finite = [layer.isfinite().flatten(1).all(dim=1).cpu().numpy() for layer in layers]
        return np.asarray(~(np.all(finite, axis=0) & np.isfinite(self.loss_of(layers, self.x, self.y))))


class Engine(ABC):
    """Trains all replicas of a task.

    Attributes:
        layers: the layers as they are now, (R, outputs, inputs + 1) each.
        memory: what the optimizer keeps from one update to the next, each in the form of `layers`.
        generators: the generators that batches are drawn from as training goes on.
        diverged_at: number of updates after which each replica first had diverged, -1 where it has not, (R,).
    """

    def __init__(self, layers: list[Tensor], memory: Sequence[list[Tensor]], generators: Sequence[Generator] = ()) -> None:
        self.layers = layers
        self.memory = list(memory)
        self.generators = list(generators)
        self.diverged_at = np.full(layers[0].shape[0], -1)

    @abstractmethod
    def advance(self, first: int, last: int, tell: Callable[[int], None]) -> None:
        """Make the updates from `first` + 1 to `last`, and tell every so often which was the last; `first` is where the engine stands."""

    def state(self) -> Arrays:
        """Return all that the updates to come depend on, but for the task itself."""
        state = {"parameters": _flat(self.layers), "diverged_at": self.diverged_at}
        if self.memory:
            state["memory"] = np.stack([_flat(layers) for layers in self.memory])
        if self.generators:
            state["generator"] = np.array([json.dumps(generator.bit_generator.state) for generator in self.generators])
        return state

    def restore(self, state: Arrays) -> None:
        """Take over what `state` returned."""
        perceptron.set_parameters(self.layers, torch.as_tensor(state["parameters"]))
        self.diverged_at[:] = state["diverged_at"]
        for layers, kept in zip(self.memory, state.get("memory", ()), strict=True):
            perceptron.set_parameters(layers, torch.as_tensor(kept))
        for generator, text in zip(self.generators, state.get("generator", ()), strict=True):
            generator.bit_generator.state = json.loads(str(text))


def _flat(layers: Sequence[Tensor]) -> NDArray[Any]:
    """Return the flat parameters (R, P) of `layers`."""
    found: NDArray[Any] = perceptron.to_parameters(layers).cpu().numpy()
    return found
