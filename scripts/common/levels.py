"""Levels of a setting, as a width or a learning rate: their labels, the slope of a quantity against them, the largest stable one."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray


def level_labels(levels: Sequence[float]) -> NDArray[np.str_]:
    """Return levels as the labels of an index axis: "32", "0.001"; a whole number has no point and no power of ten."""
    return np.array([f"{level:.0f}" if float(level).is_integer() else f"{level:.12g}" for level in levels])


def slopes(levels: ArrayLike, values: ArrayLike) -> NDArray[np.float64]:
    """Return the slope of log values (R, X) against log levels (X,) for each replica (R,), by least squares.

    Of a replica, values that are not positive and finite are left out; with fewer than two others its slope is nan.
    """
    along = np.log(np.asarray(levels, dtype=np.float64))
    found = []
    for row in np.asarray(values, dtype=np.float64):
        seen = np.isfinite(row) & (row > 0)
        off = along[seen] - along[seen].mean() if seen.any() else along[seen]
        square = float(off @ off)
        found.append(float(off @ np.log(row[seen])) / square if square > 0 else np.nan)
    return np.array(found)


def largest_stable(levels: ArrayLike, losses: ArrayLike, *, limit: float) -> NDArray[np.float64]:
    """Return the largest level of each replica, (R,), at which training is stable; 0 where it is so at no level.

    It is stable at a level where the loss at its end is finite and below `limit`. Levels that are too small to come below it in the time
    that there is are slow and not unstable, and say nothing of larger ones.

    Args:
        levels: the levels (X,), positive and in ascending order.
        losses: the losses (R, X).
        limit: what a loss has to be below.

    Raises:
        ValueError: the levels are not positive and ascending, or not as many as the losses.
    """
    along, found = np.asarray(levels, dtype=np.float64), np.asarray(losses, dtype=np.float64)
    if along.ndim != 1 or (np.diff(along, prepend=0.0) <= 0).any() or found.ndim != 2 or found.shape[1] != len(along):
        raise ValueError(f"levels have to be positive and ascending, as many as losses: {along.tolist()} for losses {found.shape}")
    stable = np.isfinite(found) & (found < limit)
    return np.asarray(np.where(stable, along, 0.0).max(axis=1))
