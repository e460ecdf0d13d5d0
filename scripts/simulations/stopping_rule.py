"""The rule of early stopping on one sequence of validation scores, and on the same with noise: where it stops, by patience and change."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from scripts.common.levels import level_labels
from scripts.common.options import Count, NonNegative, Positive
from scripts.common.stopping import stops
from scripts.common.storage import Array, Arrays, Kind

KIND = Kind(
    "stopping_rule",
    {
        "score": Array("E R", "float64"),
        "stopped_by_patience": Array("R X", "float64", quantity=True),
        "index_stopped_by_patience": Array("X", "str"),
        "best_by_patience": Array("R X", "int64", quantity=True),
        "index_best_by_patience": Array("X", "str"),
        "lost_by_patience": Array("R X", "float64", quantity=True),
        "index_lost_by_patience": Array("X", "str"),
        "stopped_by_change": Array("R Y", "float64", quantity=True),
        "index_stopped_by_change": Array("Y", "str"),
        "best_by_change": Array("R Y", "int64", quantity=True),
        "index_best_by_change": Array("Y", "str"),
        "lost_by_change": Array("R Y", "float64", quantity=True),
        "index_lost_by_change": Array("Y", "str"),
    },
)


def simulate(
    seeds: Sequence[int],
    *,
    scores: list[float],
    patience: Count,
    patiences: list[Count],
    minimal_change: NonNegative,
    minimal_changes: list[Positive],
    mode: str = "min",
    noise: NonNegative = 0.0,
) -> Arrays:
    """Return where the rule of `scripts.common.stopping` stops on a sequence of scores, in replica 0 as it is, in the others with noise.

    Args:
        seeds: seed of each replica, which draws its noise.
        scores: the sequence, a score for each epoch, from epoch 0.
        patience: the patience with which the minimal change is swept.
        patiences: the levels of the patience.
        minimal_change: the minimal change with which the patience is swept.
        minimal_changes: the levels of the minimal change.
        mode: "min" where smaller scores are better, "max" where larger ones are.
        noise: standard deviation of the normal noise on each score.

    Returns:
        The sequences ``score`` (E, R), and by patience (R, X) and by minimal change (R, Y): ``stopped``, the epoch after which training
        stops, infinite where it goes on; ``best``, the epoch of the best score until then; and ``lost``, by how much the last score until
        then is worse than the best one, which is what keeping the last state instead of the best one costs.
    """
    drawn = [np.random.default_rng(seed).normal(0, noise, len(scores)) if place and noise else 0.0 for place, seed in enumerate(seeds)]
    course = np.stack([np.asarray(scores, dtype=np.float64) + one for one in drawn], axis=1)  # (E, R)
    by_patience = [stops(course, patience=level, minimal_change=minimal_change, mode=mode) for level in patiences]
    by_change = [stops(course, patience=patience, minimal_change=level, mode=mode) for level in minimal_changes]
    return {
        "score": course,
        **_as_arrays("patience", course, by_patience, level_labels(patiences), sign=1 if mode == "min" else -1),
        **_as_arrays("change", course, by_change, level_labels(minimal_changes), sign=1 if mode == "min" else -1),
    }


def _as_arrays(
    name: str, course: NDArray[np.float64], found: Sequence[tuple[NDArray[np.int64], ...]], labels: NDArray[np.str_], *, sign: int
) -> Arrays:
    stopped, best = (np.stack(one, axis=1) for one in zip(*found, strict=True))  # (R, X)
    replica = np.arange(course.shape[1])[:, None]
    kept = np.where(stopped < 0, len(course) - 1, stopped)
    return {
        f"stopped_by_{name}": np.where(stopped < 0, np.inf, stopped),
        f"best_by_{name}": best,
        f"lost_by_{name}": sign * (course[kept, replica] - course[best, replica]),
        **{f"index_{part}_by_{name}": labels for part in ("stopped", "best", "lost")},
    }
