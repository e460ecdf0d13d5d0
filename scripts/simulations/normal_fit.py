"""A normal distribution fitted to a sample from a poor start by one rule of descent: its path, and its steps to a tolerance."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from scripts.common import descent, normal_model
from scripts.common.levels import level_labels
from scripts.common.normal_model import Points, Sample
from scripts.common.options import Coordinates, Count, DescentMethod, Positive, Share
from scripts.common.storage import Array, Arrays, Kind

FIRST_STEPS, LATER_STEPS = 200, 200
"""Of a path, all of the first steps are stored, and so many of the later ones, even on a logarithmic scale."""

KIND = Kind(
    "normal_fit",
    {
        "step": Array("S", "int64"),
        "path": Array("S R P", "float64"),
        "excess_loss": Array("S R", "float64"),
        "sample_mean": Array("R", "float64"),
        "sample_deviation": Array("R", "float64"),
        "sample_variance": Array("R", "float64", quantity=True),
        "steps_to_tolerance": Array("R", "float64", quantity=True),
        "steps_by_rate": Array("R X", "float64", quantity=True),
        "index_steps_by_rate": Array("X", "str"),
        "best_learning_rate": Array("R", "float64", quantity=True),
        "turns": Array("R", "int64", quantity=True),
    },
)


class Fit(NamedTuple):
    """How runs went, for L learning rates and R replicas.

    Attributes:
        steps: number of the first step within the tolerance (L, R), inf where there is none.
        excess_loss: the last excess loss (L, R), nan where the run broke off.
        turns: number of updates, up to that step, that point back against the one before (L, R).
        path: the points (mu, sigma) at the stored steps (S, L, R, 2).
    """

    steps: NDArray[np.float64]
    excess_loss: NDArray[np.float64]
    turns: NDArray[np.int64]
    path: Points


def simulate(
    seeds: Sequence[int],
    *,
    method: DescentMethod,
    learning_rates: list[Positive],
    coordinates: Coordinates = "deviation",
    samples: Count = 100,
    mean: float = 2.0,
    deviation: Positive = 0.5,
    start_mean: float = -1.0,
    start_deviation: Positive = 3.0,
    steps: Count = 10000,
    tolerance: Positive = 1e-6,
    momentum: Share = 0.9,
) -> Arrays:
    """Return how a rule of descent fits N(mu, sigma^2) to the sample of each replica, with the exact gradient of the loss.

    The loss is the mean negative log-likelihood of the sample. A point is within the tolerance where its loss is that little above the
    smallest one; this is the Kullback-Leibler divergence of the best fit from the point, and the same number in all coordinates. A run
    breaks off, and never gets there, where sigma is no longer positive or a number no longer finite.

    Args:
        seeds: seed of each replica, which draws its sample.
        method: the rule: gradient_descent, momentum, adam, or natural_gradient, with the exact Fisher information.
        learning_rates: the learning rates to try; the one with the smallest median number of steps over the replicas is the best.
        coordinates: what is descended in: deviation, (mu, sigma), or log_deviation, (mu, log sigma).
        samples: number of values in a sample.
        mean: mean of the distribution that they are drawn from.
        deviation: its standard deviation.
        start_mean: mu at the start.
        start_deviation: sigma at the start.
        steps: most steps of a run.
        tolerance: in nats.
        momentum: how much of its velocity the ball keeps, for the rule momentum.

    Returns:
        ``steps_by_rate`` (R, X) for each of the learning rates, inf where the tolerance was not reached, and of the best rate, which is
        ``best_learning_rate``: ``steps_to_tolerance`` (R); ``turns`` (R), the number of updates up to there that point back against
        the one before; ``path`` (S, R, 2), the points (mu, sigma) at the steps ``step``, until all replicas are within the tolerance,
        nan where a run broke off; and ``excess_loss`` (S, R) on it. ``sample_variance`` (R) is that of the sample, to which half the
        inverse of the largest eigenvalue of the Hessian at the best fit is equal in (mu, sigma).
    """
    sample = normal_model.draw_samples(seeds, samples=samples, mean=mean, deviation=deviation)
    start = np.tile([start_mean, start_deviation], (len(seeds), 1)).astype(np.float64)

    def fit(rates: list[float], most: int, stored: NDArray[np.int64]) -> Fit:
        return _fit(
            start,
            sample,
            method=method,
            rates=np.array(rates),
            coordinates=coordinates,
            steps=most,
            tolerance=tolerance,
            momentum=momentum,
            stored=stored,
        )

    every = fit(learning_rates, steps, np.array([], dtype=np.int64))
    best = descent.best_rate(every.steps, every.excess_loss)
    last = int(every.steps[best].max()) if np.isfinite(every.steps[best]).all() else steps
    step = _stored_steps(last)
    one = fit([learning_rates[best]], last, step)
    path = one.path[:, 0]
    return {
        "step": step,
        "path": path,
        "excess_loss": normal_model.excess_loss(path, sample),
        "sample_mean": sample.mean,
        "sample_deviation": np.sqrt(sample.variance),
        "sample_variance": sample.variance,
        "steps_to_tolerance": one.steps[0],
        "steps_by_rate": every.steps.T,
        "index_steps_by_rate": level_labels(learning_rates),
        "best_learning_rate": np.full(len(seeds), learning_rates[best]),
        "turns": one.turns[0],
    }


def _fit(
    start: Points,
    sample: Sample,
    *,
    method: str,
    rates: NDArray[np.float64],
    coordinates: str,
    steps: int,
    tolerance: float,
    momentum: float,
    stored: NDArray[np.int64],
) -> Fit:
    """Return how runs with `rates` (L,) from `start` (R, 2) go, each until all are within the tolerance or have broken off."""
    direction = normal_model.natural_gradient if method == descent.NATURAL_GRADIENT else normal_model.gradient
    points = np.broadcast_to(normal_model.from_plane(start, coordinates), (len(rates), *start.shape)).copy()
    plane = normal_model.to_plane(points, coordinates)
    memory, before = descent.empty_memory(points.shape), np.zeros_like(points)
    excess = normal_model.excess_loss(plane, sample)
    reached = np.where(excess <= tolerance, 0.0, np.inf)
    turns = np.zeros(reached.shape, dtype=np.int64)
    path = np.full((len(stored), *plane.shape), np.nan)
    path[stored == 0] = plane
    with np.errstate(all="ignore"):
        for count in range(1, steps + 1):
            going = np.isinf(reached) & np.isfinite(excess)
            if not going.any():
                break
            change, memory = descent.update(
                method,
                direction(points, sample, coordinates),
                memory,
                count=count,
                learning_rate=rates[:, None, None],
                momentum=momentum,
            )
            points = points + change
            plane = normal_model.to_plane(points, coordinates)
            points = np.where(np.isnan(plane), np.nan, points)  # a run that broke off does not come back
            excess = normal_model.excess_loss(plane, sample)
            turns += going & (np.sum(change * before, axis=-1) < 0)
            before = change
            reached[going & (excess <= tolerance)] = count
            path[stored == count] = plane
    return Fit(reached, excess, turns, path)


def _stored_steps(last: int) -> NDArray[np.int64]:
    """Return the steps from 0 to `last` at which a path is stored."""
    if last <= FIRST_STEPS:
        return np.arange(last + 1)
    later = np.geomspace(FIRST_STEPS, last, LATER_STEPS).round().astype(np.int64)
    return np.unique(np.concatenate([np.arange(FIRST_STEPS), later]))
