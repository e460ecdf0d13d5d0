"""Optimizers over flat buffers: each makes updates of `parameters` from `gradient`, in place.

They compute what those of ``torch.optim`` do, up to rounding. Natural gradient descent needs more than a gradient: its engine
(`scripts.common.gauss_newton`) makes the updates, and the function here says how it damps them.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from scripts.common.options import Positive, Share


class Optimizer(NamedTuple):
    """An optimizer of one buffer of parameters.

    Attributes:
        update: makes one update; takes its number, 1 for the first.
        memory: all that it keeps from one update to the next, buffers like that of the parameters.
        prepare: writes what depends on the number of an update to tensors, for `repeat`.
        repeat: makes the update that was prepared, by the same operations each time, as a recording on a GPU has to have them.
    """

    update: Callable[[int], None]
    memory: tuple[Tensor, ...]
    prepare: Callable[[int], None]
    repeat: Callable[[], None]


class Damping(NamedTuple):
    """How natural gradient descent damps its steps.

    Attributes:
        damping: the damping of the first step.
        lower: the damping is multiplied by this after a step that gains more than `good` of what it promised.
        higher: and by this after one that gains less than `poor`.
        good: share of the promised gain, in the quadratic model of the loss.
        poor: share of the promised gain.
    """

    damping: float
    lower: float
    higher: float
    good: float
    poor: float


def sgd(parameters: Tensor, gradient: Tensor, *, learning_rate: Positive, momentum: Share = 0.0) -> Optimizer:
    """Gradient descent with momentum as in ``torch.optim.SGD``: v = momentum v + gradient; parameters -= learning_rate v."""
    velocity = torch.zeros_like(gradient)

    def repeat() -> None:
        torch.add(gradient, velocity, alpha=momentum, out=velocity)
        parameters.add_(velocity, alpha=-learning_rate)

    return Optimizer(lambda _number: repeat(), (velocity,), lambda _number: None, repeat)


def adam(
    parameters: Tensor,
    gradient: Tensor,
    *,
    learning_rate: Positive = 1e-3,
    beta1: Share = 0.9,
    beta2: Share = 0.999,
    epsilon: Positive = 1e-8,
) -> Optimizer:
    """Adam (Kingma and Ba 2015, algorithm 1) as in ``torch.optim.Adam``."""
    first, second, scale = (torch.zeros_like(gradient) for _ in range(3))
    root, rate = (gradient.new_empty(()) for _ in range(2))

    def factors(number: int) -> tuple[float, float]:
        return (1 - beta2**number) ** 0.5, -learning_rate / (1 - beta1**number)

    def average() -> None:
        first.lerp_(gradient, 1 - beta1)
        second.mul_(beta2).addcmul_(gradient, gradient, value=1 - beta2)

    def update(number: int) -> None:
        by, along = factors(number)
        average()
        torch.sqrt(second, out=scale).div_(by).add_(epsilon)
        parameters.addcdiv_(first, scale, value=along)

    def prepare(number: int) -> None:
        for held, factor in zip((root, rate), factors(number), strict=True):
            held.fill_(factor)

    def repeat() -> None:
        average()
        torch.sqrt(second, out=scale).div_(root).add_(epsilon)
        parameters.addcmul_(torch.div(first, scale, out=scale), rate)

    return Optimizer(update, (first, second), prepare, repeat)


def natural_gradient(
    *, damping: Positive = 1.0, lower: Share = 1 / 3, higher: Positive = 2.0, good: Share = 0.75, poor: Share = 0.25
) -> Damping:
    """Natural gradient descent with damping by the rule of Levenberg and Marquardt; see `scripts.common.gauss_newton`."""
    return Damping(damping, lower, higher, good, poor)
