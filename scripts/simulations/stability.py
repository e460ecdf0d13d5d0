"""Gradient descent on least squares with learning rates near 2 / lambda_max, the largest eigenvalue: where it oscillates and diverges."""

from collections.abc import Sequence

import numpy as np

from scripts.common.levels import level_labels
from scripts.common.options import Count, Positive
from scripts.common.quadratics import draw_problem
from scripts.common.storage import Array, Arrays, Kind

ROUNDING = 1e-10
"""A coordinate below this share of that at the start may be nothing but rounding."""

KIND = Kind(
    "stability",
    {
        "step": Array("S", "int64"),
        "fraction": Array("X", "float64"),
        "loss_ratio": Array("S R X", "float64"),
        "final_loss_ratio": Array("R X", "float64", quantity=True),
        "index_final_loss_ratio": Array("X", "str"),
        "extreme_coordinates": Array("S R X P", "float64"),
        "growth_factor": Array("R X", "float64", quantity=True),
        "index_growth_factor": Array("X", "str"),
        "turns": Array("R X", "int64", quantity=True),
        "index_turns": Array("X", "str"),
    },
)


def simulate(
    seeds: Sequence[int], *, fractions: list[Positive], condition: Positive = 100.0, dimension: Count = 10, steps: Count = 60
) -> Arrays:
    """Return the course of gradient descent on one least squares problem for each replica, by learning rate.

    The problem is that of `scripts.common.quadratics`. Along an eigenvector with eigenvalue l a step multiplies what differs from the
    solution by 1 - rate l: it changes its sign at each step where the rate is above 1 / l, and grows where it is above 2 / l.

    Args:
        seeds: seed of each replica, which draws directions and solution.
        fractions: the learning rates as shares of 2 / lambda_max.
        condition: the condition number.
        dimension: number of parameters, at least 2.
        steps: number of steps.

    Returns:
        By share, ``fraction`` (X,): at every step ``loss_ratio`` (S, R, X), the loss above its smallest value as a share of that at the
        start, which is ``final_loss_ratio`` (R, X) at the last one; ``extreme_coordinates`` (S, R, X, 2), what the point differs from
        the solution along the eigenvectors with the smallest and with the largest eigenvalue; ``growth_factor`` (R, X), by which the
        size of the latter coordinate is multiplied in a step, on (geometric) average; ``turns`` (R, X), how often it changes its sign.
        Both are counted as long as that coordinate is not lost in rounding.
    """
    problem = draw_problem(seeds, dimension=dimension, condition=condition)
    rates = 2 * np.array(fractions)[:, None] / problem.eigenvalues[-1]
    place = np.broadcast_to(problem.start[:, None], (len(seeds), len(fractions), dimension)).copy()  # (R, X, d)
    path = [place]
    for _ in range(steps):
        place = place - rates * (place @ problem.hessian)
        path.append(place)
    course = np.stack(path)  # (S, R, X, d)
    along = np.matmul(course, problem.vectors[:, :, [0, -1]])
    loss = np.einsum("srxd,rde,srxe->srx", course, problem.hessian, course)
    labels = level_labels(fractions)
    steep = along[..., 1]
    counted = np.abs(steep) >= ROUNDING * np.abs(steep[0])
    last = np.maximum(np.where(counted.all(axis=0), steps, counted.argmin(axis=0) - 1), 1)  # (R, X)
    growth = np.abs(np.take_along_axis(steep, last[None], axis=0)[0] / steep[0]) ** (1 / last)
    turned = (steep[1:] * steep[:-1] < 0) & counted[1:] & (np.arange(1, steps + 1)[:, None, None] <= last)
    return {
        "step": np.arange(steps + 1),
        "fraction": np.array(fractions, dtype=np.float64),
        "loss_ratio": loss / loss[0],
        "final_loss_ratio": loss[-1] / loss[0],
        "index_final_loss_ratio": labels,
        "extreme_coordinates": along,
        "growth_factor": growth,
        "index_growth_factor": labels,
        "turns": turned.sum(axis=0),
        "index_turns": labels,
    }
