"""What holds for the replicas of a training run as a whole."""

import numpy as np
from numpy.typing import NDArray

from scripts.common.storage import Arrays


def intact(train: Arrays) -> NDArray[np.bool_]:
    """Return which replicas have finite parameters and have not diverged, at each saved step, (S, R)."""
    diverged_at = np.where(train["diverged_at"] > 0, train["diverged_at"], np.inf)
    return np.asarray(np.isfinite(train["parameters"]).all(axis=2) & (train["step"][:, None] < diverged_at))
