"""Early stopping (Prechelt 1998): the score at which training stops and the best one so far, from the course of a validation score."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

MODES = ("min", "max")


def stops(scores: ArrayLike, *, patience: int, minimal_change: float, mode: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return where training stops and where its best score is, for each replica.

    A score is an improvement where it is better than the best one so far by more than `minimal_change`; then it is the best one. Training
    stops at the score that is the `patience`-th in a row without an improvement. What would come after it is not looked at. The first
    score is the best one so far and does not count as one without an improvement. A score that is not finite is never an improvement,
    and any finite score is one over it.

    Args:
        scores: the validation scores (E, R), one after another.
        patience: number of scores in a row without an improvement that ends training, at least 1.
        minimal_change: what a score has to be better by, not negative.
        mode: "min" where smaller scores are better, "max" where larger ones are.

    Returns:
        The position of the score at which training stops, (R,), -1 where it goes on, and the position of the best score until there,
        (R,), 0 where no score is finite.

    Raises:
        ValueError: an argument is not among what is allowed.
    """
    if mode not in MODES:
        raise ValueError(f"mode is '{mode}'; known: {', '.join(MODES)}")
    if patience < 1 or not minimal_change >= 0:
        raise ValueError(f"patience is {patience} and has to be at least 1; minimal_change is {minimal_change} and must not be negative")
    course = np.asarray(scores, dtype=np.float64)  # (E, R)
    if course.ndim != 2:
        raise ValueError(f"scores have the shape {course.shape}, not (E, R)")
    replicas = course.shape[1]
    worst = np.inf if mode == "min" else -np.inf
    best_score = np.full(replicas, worst)
    best, stopped, waited = np.zeros(replicas, np.int64), np.full(replicas, -1), np.zeros(replicas, np.int64)
    for position, score in enumerate(course):
        better = score < best_score - minimal_change if mode == "min" else score > best_score + minimal_change
        improved = better & np.isfinite(score) & (stopped < 0)
        best_score = np.where(improved, score, best_score)
        best = np.where(improved, position, best)
        waited = np.where(improved | (position == 0), 0, waited + 1)
        stopped = np.where((stopped < 0) & (waited >= patience), position, stopped)
    return stopped.astype(np.int64), best.astype(np.int64)
