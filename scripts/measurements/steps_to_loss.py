"""How many steps, and how much time, the training of each replica takes to bring the train loss down to given values."""

import numpy as np

from scripts.common.options import Positive
from scripts.common.storage import Array, Arrays, Kind

KIND = Kind(
    "steps_to_loss",
    {
        "steps_to_loss": Array("R X", "float64", quantity=True),
        "index_steps_to_loss": Array("X", "str"),
        "seconds_to_loss": Array("R X", "float64", quantity=True),
        "index_seconds_to_loss": Array("X", "str"),
        "exists_seconds_to_loss": Array("R X", "bool"),
        "seconds_per_step": Array("", "float64"),
    },
)


def measure(train: Arrays, seconds_per_step: float | None, *, losses: list[Positive]) -> Arrays:
    """Return the first step at which the loss on all training samples was found at or below each of `losses`, infinite where it never was.

    Args:
        train: the training; its losses are known at the steps where they were recorded.
        seconds_per_step: wall time of one step of one replica, as it was measured once; nan is stored, and no seconds exist, without.
        losses: the losses to be reached; their text is the index of both quantities.
    """
    reached = train["train_loss"][:, :, None] <= np.array(losses)  # (E, R, X)
    first = train["evaluated_step"][reached.argmax(axis=0)]
    steps = np.where(reached.any(axis=0), first, np.inf)
    pace = np.nan if seconds_per_step is None else seconds_per_step
    labels = np.array([f"{loss:g}" for loss in losses])
    return {
        "steps_to_loss": steps,
        "index_steps_to_loss": labels,
        "seconds_to_loss": steps * pace,
        "index_seconds_to_loss": labels,
        "exists_seconds_to_loss": np.full(steps.shape, seconds_per_step is not None),
        "seconds_per_step": np.array(pace),
    }
