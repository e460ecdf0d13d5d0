"""What holds for the replicas of a training run as a whole, and which of its saved steps are looked at."""

import numpy as np
from numpy.typing import NDArray

from scripts.common.storage import Arrays


def intact(train: Arrays) -> NDArray[np.bool_]:
    """Return which replicas have finite parameters and have not diverged, at each saved step, (S, R)."""
    diverged_at = np.where(train["diverged_at"] > 0, train["diverged_at"], np.inf)
    return np.asarray(np.isfinite(train["parameters"]).all(axis=2) & (train["step"][:, None] < diverged_at))


def moments(step: NDArray[np.int64], count: int | None) -> NDArray[np.int64]:
    """Return the positions of at most `count` of the saved steps (S,): the first and the last, the others evenly on a log scale.

    Each is the saved step that is nearest to one of as many points, even on that scale, as give no more than `count` different ones.
    All positions are returned where `count` is None.
    """
    everything = np.arange(len(step))
    if count is None or len(step) <= count:
        return everything
    first, *_, last = everything
    if count == 2:
        return np.array([first, last])
    later = np.log(step[1:])
    halfway = (later[1:] + later[:-1]) / 2
    found = everything[[first, last]]
    for points in range(2, int(step[-1]) + 2):
        wanted = np.linspace(later[0], later[-1], points)
        nearest = np.searchsorted(halfway, wanted) + 1
        chosen = np.unique([first, *nearest, last])
        if len(chosen) > count:
            break
        found = chosen
    return found


def at_moments(train: Arrays, count: int | None) -> Arrays:
    """Return the arrays of `scripts.common.storage.TRAIN` with at most `count` of the saved steps; the losses stay as they are."""
    chosen = moments(train["step"], count)
    return {**train, "step": train["step"][chosen], "parameters": train["parameters"][chosen]}
