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
    """

    update: Callable[[int], None]
    memory: tuple[Tensor, ...]


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

    def update(_number: int) -> None:
        torch.add(gradient, velocity, alpha=momentum, out=velocity)
        parameters.add_(velocity, alpha=-learning_rate)

    return Optimizer(update, (velocity,))


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

    def update(number: int) -> None:
        first.lerp_(gradient, 1 - beta1)
        second.mul_(beta2).addcmul_(gradient, gradient, value=1 - beta2)
        torch.sqrt(second, out=scale).div_((1 - beta2**number) ** 0.5).add_(epsilon)
        parameters.addcdiv_(first, scale, value=-learning_rate / (1 - beta1**number))

    return Optimizer(update, (first, second))


def natural_gradient(
    *, damping: Positive = 1.0, lower: Share = 1 / 3, higher: Positive = 2.0, good: Share = 0.75, poor: Share = 0.25
) -> Damping:
    """Natural gradient descent with damping by the rule of Levenberg and Marquardt; see `scripts.common.gauss_newton`."""
    return Damping(damping, lower, higher, good, poor)
