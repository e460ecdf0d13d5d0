"""Ill-conditioned least squares: steps to the solution by one rule of descent against the condition number, and the theory's line."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from scripts.common import descent
from scripts.common.errors import UserError
from scripts.common.levels import level_labels
from scripts.common.options import Count, DescentMethod, Positive
from scripts.common.quadratics import Problem, draw_problem
from scripts.common.storage import Array, Arrays, Kind

BLOCK = 64
"""So many iterates of a linear rule come from one product: fewer take longer, and more need memory that is slower."""

KIND = Kind(
    "least_squares",
    {
        "steps_to_tolerance": Array("R X", "float64", quantity=True),
        "index_steps_to_tolerance": Array("X", "str"),
        "predicted_steps": Array("R X", "float64", quantity=True),
        "index_predicted_steps": Array("X", "str"),
        "exists_predicted_steps": Array("R X", "bool"),
        "best_learning_rate": Array("R X", "float64", quantity=True),
        "index_best_learning_rate": Array("X", "str"),
    },
)


def simulate(
    seeds: Sequence[int],
    *,
    method: DescentMethod,
    conditions: list[Positive],
    learning_rates: list[Positive] | None = None,
    dimension: Count = 10,
    tolerance: Positive = 1e-3,
    steps: Count = 5000000,
) -> Arrays:
    """Return in how many steps a rule of descent comes near the solution of least squares problems.

    The problem of a replica and a condition number is that of `scripts.common.quadratics`: a Hessian with eigenvalues from 1 / condition
    to 1, which for noise of variance 1 is the Fisher information too. A point is within the tolerance where its distance from the
    solution is that share of the distance at the start. Distances and gradients of all steps are computed.

    Args:
        seeds: seed of each replica, which draws directions and solution.
        method: the rule. With H the Hessian, l and L its smallest and largest eigenvalue and k = L / l: gradient_descent has the learning
            rate 2 / (l + L), the best one (Nesterov 2004, theorem 2.1.15); momentum has 4 / (sqrt(l) + sqrt(L))^2 and keeps
            ((sqrt(k) - 1) / (sqrt(k) + 1))^2 of its velocity, the best ones (Polyak 1964); natural_gradient has 1; adam has the best
            of `learning_rates`, that with the smallest median number of steps, at each condition number anew.
        conditions: the condition numbers, each at least 1.
        learning_rates: the learning rates that adam tries; for the others none.
        dimension: number of parameters.
        tolerance: share of the distance at the start.
        steps: most steps.

    Returns:
        By condition number ``steps_to_tolerance`` (R, X), inf where the tolerance was not reached; ``best_learning_rate`` (R, X); and
        ``predicted_steps`` (R, X), what theory says for the worst start: the smallest n with p(n) at most the tolerance, where p(n) is
        ((k - 1) / (k + 1))^n for gradient_descent, (1 + n (1 + q)) q^n with q = (sqrt(k) - 1) / (sqrt(k) + 1) for momentum, and 0 for
        natural_gradient; for adam there is none.

    Raises:
        UserError: a condition number below 1, or learning rates for a rule that has its own, or none for adam.
    """
    if min(conditions) < 1:
        raise UserError(f"a condition number is at least 1, not {min(conditions):g}")
    if (method == descent.ADAM) != bool(learning_rates):
        raise UserError(f"'learning_rates' are for adam and needed there; the method is {method}")
    found, rates, predicted = [], [], []
    for condition in conditions:
        problem = draw_problem(seeds, dimension=dimension, condition=condition)
        if method == descent.ADAM:
            own_steps, rate = _adam(problem, np.array(learning_rates), tolerance=tolerance, steps=steps)
        else:
            rate, momentum = optimal_settings(method, condition)
            own_steps = _linear(problem, method, rate=rate, momentum=momentum, tolerance=tolerance, steps=steps)
        found.append(own_steps)
        rates.append(np.full(len(seeds), rate))
        predicted.append(np.full(len(seeds), predicted_steps(method, condition, tolerance=tolerance)))
    labels, theory = level_labels(conditions), np.stack(predicted, axis=1)
    return {
        "steps_to_tolerance": np.stack(found, axis=1),
        "index_steps_to_tolerance": labels,
        "predicted_steps": theory,
        "index_predicted_steps": labels,
        "exists_predicted_steps": np.isfinite(theory),
        "best_learning_rate": np.stack(rates, axis=1),
        "index_best_learning_rate": labels,
    }


def optimal_settings(method: str, condition: float) -> tuple[float, float]:
    """Return the best learning rate and momentum of a linear rule for eigenvalues from 1 / `condition` to 1."""
    if method == descent.NATURAL_GRADIENT:
        return 1.0, 0.0
    if method == descent.MOMENTUM:
        root = np.sqrt(condition)
        return float(4 / (1 + 1 / root) ** 2), float(((root - 1) / (root + 1)) ** 2)
    return 2 / (1 + 1 / condition), 0.0


def predicted_steps(method: str, condition: float, *, tolerance: float) -> float:
    """Return in how many steps theory has a rule within the tolerance from the worst start; nan for adam."""
    if method == descent.ADAM:
        return np.nan
    root = np.sqrt(condition) if method == descent.MOMENTUM else condition
    share = (root - 1) / (root + 1)
    if method == descent.NATURAL_GRADIENT or share == 0:
        return 1.0
    if method == descent.GRADIENT_DESCENT:
        return float(np.ceil(np.log(tolerance) / np.log(share)))
    low, high = 0, 1
    while _ball(high, share) > tolerance:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if _ball(middle, share) > tolerance else (low, middle)
    return float(high)


def _ball(count: int, share: float) -> float:
    """Return what the best heavy ball leaves of the start after so many steps along the eigenvector with the largest eigenvalue.

    There e(n + 1) = -2 q e(n) - q^2 e(n - 1) with the double root -q, and e(1) = -(2 q + q^2) e(0).
    """
    return float((1 + count * (1 + share)) * share**count)


def _linear(problem: Problem, method: str, *, rate: float, momentum: float, tolerance: float, steps: int) -> NDArray[np.float64]:
    """Return the first step within the tolerance (R,) of a rule that is linear in what differs from the solution, and in its velocity.

    The state z (R, 2 d) is that difference and the velocity, and one step is z T. The powers T, T^2, ..., T^64 side by side give a
    block of 64 iterates in one product. Replicas that are done leave.
    """
    hessian, size = problem.hessian, problem.start.shape[1]
    gradient = np.linalg.solve(hessian, hessian) if method == descent.NATURAL_GRADIENT else hessian
    step = np.zeros((len(hessian), 2 * size, 2 * size))  # velocity <- momentum velocity + gradient, then difference <- - rate velocity
    step[:, size:, size:] = momentum * np.eye(size)
    step[:, :size, size:] = gradient
    step[:, :, :size] = -rate * step[:, :, size:]
    step[:, :size, :size] += np.eye(size)
    if momentum == 0:
        step = step[:, :size, :size]
    powers = [step]
    for _ in range(BLOCK - 1):
        powers.append(powers[-1] @ step)
    every = np.stack([power[:, :, :size] for power in powers], axis=2).reshape(len(step), step.shape[1], BLOCK * size)
    state = np.zeros((len(step), 1, step.shape[1]))
    state[:, 0, :size] = problem.start
    reached, here = np.full(len(step), np.inf), np.arange(len(step))
    bound = tolerance**2 * np.sum(problem.start**2, axis=1)
    jump = powers[-1]
    for begin in range(0, steps, BLOCK):
        block = (state @ every).reshape(len(here), BLOCK, size)
        near = np.einsum("rbd,rbd->rb", block, block) <= bound[here, None]
        near &= begin + 1 + np.arange(BLOCK) <= steps
        done = near.any(axis=1)
        state = state @ jump
        if done.any():
            reached[here[done]] = begin + 1 + near[done].argmax(axis=1)
            here, every, jump, state = here[~done], every[~done], jump[~done], state[~done]
        if not len(here):
            break
    return reached


def _adam(problem: Problem, rates: NDArray[np.float64], *, tolerance: float, steps: int) -> tuple[NDArray[np.float64], float]:
    """Return the first step within the tolerance (R,) of Adam with the best of the learning rates (L,), and that rate."""
    replicas, size = problem.start.shape
    place = np.broadcast_to(problem.start[:, None], (replicas, len(rates), size)).copy()  # (R, L, d): the difference from the solution
    bound = tolerance**2 * np.sum(problem.start**2, axis=1)[:, None]
    memory = descent.empty_memory(place.shape)
    reached = np.full((replicas, len(rates)), np.inf)
    left = np.sum(place**2, axis=-1)
    for count in range(1, steps + 1):
        gradient = place @ problem.hessian
        change, memory = descent.update(descent.ADAM, gradient, memory, count=count, learning_rate=rates[:, None], momentum=0.0)
        place += change
        left = np.einsum("rld,rld->rl", place, place)
        near = (left <= bound) & np.isinf(reached)
        if near.any():
            reached[near] = count
            # no rate that takes longer can have a smaller median; the best one goes on until all replicas are there
            if np.isfinite(reached[:, descent.best_rate(reached.T, left.T)]).all():
                break
    best = descent.best_rate(reached.T, left.T)
    return reached[:, best], float(rates[best])
