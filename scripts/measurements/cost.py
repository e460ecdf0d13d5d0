"""What training costs: the wall time of a step, as it was measured once and stands in the configuration."""

import numpy as np

from scripts.common.storage import Array, Arrays, Kind

KIND = Kind("cost", {"seconds_per_step": Array("R", "float64", quantity=True)})


def measure(train: Arrays, seconds_per_step: float) -> Arrays:
    """Return the wall time of one step of one replica in seconds, the same number for each replica (R,).

    Args:
        train: the training; only its number of replicas matters.
        seconds_per_step: the wall time that the configuration has.
    """
    return {"seconds_per_step": np.full(len(train["diverged_at"]), seconds_per_step)}
