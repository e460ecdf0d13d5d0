"""How the training of each replica ended: fine, diverged, blown up, or collapsed to a constant."""

import numpy as np

from scripts.common.storage import Array, Arrays, Kind

FATES = ("fine", "diverged", "blown up", "collapsed")
BLOWN_UP = 10.0
"""A run is blown up if its last train loss exceeds this times the variance of the training targets."""
COLLAPSED = 1e-3
"""A run is collapsed if its last prediction varies less than this times the standard deviation of the training targets."""

KIND = Kind(
    "fate",
    {
        "step": Array("S", "int64"),
        "fate": Array("R X", "int64", quantity=True),
        "index_fate": Array("X", "str"),
        "exists_fate": Array("R X", "bool"),
        "diverged_at": Array("R", "int64", quantity=True),
        "exists_diverged_at": Array("R", "bool"),
    },
)


def measure(data: Arrays, train: Arrays, prediction: Arrays) -> Arrays:
    """Return the fate of each replica after the last step.

    A replica is *diverged* where `diverged_at` says so; otherwise *blown up* where its last train loss exceeds 10 times the variance of
    the training targets; otherwise *collapsed* where its last ``prediction_std`` is below 1e-3 of their standard deviation; otherwise
    *fine*. ``fate`` is 1 for the one that holds, which alone exists.
    """
    diverged = train["diverged_at"] > 0
    blown_up = ~diverged & (train["train_loss"][-1] > BLOWN_UP * data["train_y"].var())
    flat = prediction["prediction_std"][-1] < COLLAPSED * data["train_y"].std()
    collapsed = ~diverged & ~blown_up & flat
    holds = np.stack([~(diverged | blown_up | collapsed), diverged, blown_up, collapsed], axis=1)
    return {
        "step": train["step"][-1:],
        "fate": holds.astype(np.int64),
        "index_fate": np.array(FATES),
        "exists_fate": holds,
        "diverged_at": train["diverged_at"],
        "exists_diverged_at": diverged,
    }
