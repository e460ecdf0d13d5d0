"""The compiled engine: one replica after another trained by a kernel of machine code, many updates in one call."""

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import torch
from numpy.random import PCG64, Generator
from numpy.typing import NDArray
from torch import Tensor

from scripts.common import divergence, perceptron, sampling
from scripts.common.activations import Activation
from scripts.common.engine import Engine, Task
from scripts.common.kernel import Kernel

STEPS_IN_MEMORY = 1024
"""Most updates of one call of the kernel: their random words are drawn before it."""


class Compiled(Engine):
    """Trains what `scripts.common.configuration` allows with this engine.

    Where the output layer alone is trained, all below it stays as it is: its outputs are computed once, for all training samples, and are
    the inputs of a network of one layer.
    """

    def __init__(self, task: Task) -> None:
        replicas = len(task.parameters)
        all_widths = perceptron.widths(task.network, inputs=len(task.x), outputs=len(task.y))
        _, layers = perceptron.empty_layers(all_widths, replicas, dtype=task.x.dtype)
        perceptron.set_parameters(layers, task.parameters)
        self._activation = perceptron.activation_of(task.network)
        fixed = layers[:-1] if task.trained == "output_layer" else []
        widths = all_widths[len(fixed) :]
        inputs = _outputs(fixed, task, self._activation) if fixed else task.x.expand(replicas, *task.x.shape)
        self._x = [np.ascontiguousarray(of_replica.numpy()) for of_replica in inputs]
        self._y = task.y.numpy()
        self._batch = sampling.subset_size(task.x.shape[1], task.batches["share"])
        momentum = task.optimizer.get("momentum", 0.0)
        self._kernel = Kernel(
            widths,
            samples=task.x.shape[1],
            batch=self._batch,
            dtype=self._y.dtype,
            learning_rate=task.optimizer["learning_rate"],
            momentum=momentum,
        )
        self._parameters, self._velocity = (self._kernel.parameters(replicas) for _ in range(2))
        trained, velocity = (self._tensors(array) for array in (self._parameters, self._velocity))
        for layer, start in zip(trained, layers[len(fixed) :], strict=True):
            layer.copy_(start)
        unchanged = [torch.zeros_like(layer) for layer in fixed]
        super().__init__(
            task,
            perceptron.FORM,
            [*fixed, *trained],
            [[*unchanged, *velocity]] if momentum else [],
            [Generator(PCG64(seed)) for seed in task.batch_seeds],
        )
        self._limit = perceptron.safe_norm(widths, inputs, task.y) ** 2 / 2  # rounding takes less than half off a sum of squares

    def advance(self, first: int, last: int, tell: Callable[[int], None]) -> None:
        """Make the updates from `first` + 1 to `last`."""
        for begin, end in pairwise([*range(first, last, STEPS_IN_MEMORY), last]):
            for replica in range(len(self.generators)):
                self._advance_replica(replica, begin, end)
            tell(end)

    def predict(self, x: Tensor) -> Tensor:
        """Return the predictions (R, C, N) of all replicas, as they are now, at the points x (D, N)."""
        return perceptron.predict(self.held, x, activation=self._activation)

    def _advance_replica(self, replica: int, step: int, last: int) -> None:
        """Make updates of one replica, after each of which the kernel may return because the norm of its parameters is not safe."""
        words = sampling.words(self.generators[replica], last - step, self._batch)
        parameters, velocity = self._parameters[replica], self._velocity[replica]
        while len(words):
            diverged = self.diverged_at[replica] > 0
            made = self._kernel.run(words, self._x[replica], self._y, parameters, velocity, limit=-1.0 if diverged else self._limit)
            step, words = step + made, words[made:]
            if not (diverged or (len(words) == 0 and self._is_safe(parameters))):
                of_replica = [layer[replica : replica + 1] for layer in self.held]
                if divergence.have_diverged(of_replica, self.task)[0]:
                    self.diverged_at[replica] = step

    def _is_safe(self, parameters: NDArray[np.floating]) -> bool:
        with np.errstate(over="ignore"):
            return bool(np.square(parameters, dtype=np.float64).sum() <= self._limit)

    def _tensors(self, array: NDArray[np.floating]) -> list[Tensor]:
        return [torch.from_numpy(layer) for layer in self._kernel.layers(array)]


def _outputs(layers: list[Tensor], task: Task, activation: Activation) -> Tensor:
    """Return what hidden layers pass on at all training samples, (R, width, N)."""
    values = perceptron.predict(layers, task.x, activation=activation)
    activation.apply(values, values)
    return values
