"""Rules of descent for simulations that know their gradients exactly: what each rule adds to the parameters, for many runs at once."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

GRADIENT_DESCENT, MOMENTUM, ADAM, NATURAL_GRADIENT = "gradient_descent", "momentum", "adam", "natural_gradient"

FIRST_DECAY, SECOND_DECAY, SMALL = 0.9, 0.999, 1e-8
"""Settings of Adam: those of Kingma and Ba (2015), algorithm 1."""


class Memory(NamedTuple):
    """What a rule keeps from update to update: running means of the gradient and of its square, in the gradient's shape."""

    first: NDArray[np.float64]
    second: NDArray[np.float64]


def empty_memory(shape: tuple[int, ...]) -> Memory:
    """Return the memory before the first update."""
    return Memory(np.zeros(shape), np.zeros(shape))


def update(
    method: str, gradient: NDArray[np.float64], memory: Memory, *, count: int, learning_rate: NDArray[np.float64] | float, momentum: float
) -> tuple[NDArray[np.float64], Memory]:
    """Return what update number `count` (from 1) adds to the parameters, and the memory after it.

    Args:
        method: "gradient_descent", "momentum" (Polyak 1964, the ball's velocity being memory.first), "adam", or "natural_gradient",
            which is gradient descent along a `gradient` that is already the natural one.
        gradient: the gradient, any shape.
        memory: the memory before it, of the same shape.
        count: number of the update.
        learning_rate: a number, or an array that broadcasts to the gradient.
        momentum: how much of its velocity the ball keeps; for momentum alone.
    """
    if method == MOMENTUM:
        velocity = momentum * memory.first + gradient
        return -learning_rate * velocity, Memory(velocity, memory.second)
    if method == ADAM:
        first = FIRST_DECAY * memory.first + (1 - FIRST_DECAY) * gradient
        second = SECOND_DECAY * memory.second + (1 - SECOND_DECAY) * gradient**2
        mean, square = first / (1 - FIRST_DECAY**count), second / (1 - SECOND_DECAY**count)
        return -learning_rate * mean / (np.sqrt(square) + SMALL), Memory(first, second)
    return -learning_rate * gradient, memory


def best_rate(steps: NDArray[np.float64], ends: NDArray[np.float64]) -> int:
    """Return the place of the learning rate with the smallest median number of steps.

    Args:
        steps: number of steps of each rate and replica (L, R), inf where the tolerance was not reached.
        ends: what is left in the end, (L, R), nan where a run broke off; its median decides where medians of steps are equal.
    """
    left = np.median(np.where(np.isnan(ends), np.inf, ends), axis=1)
    return int(np.lexsort((left, np.median(steps, axis=1)))[0])
