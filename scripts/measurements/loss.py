"""Loss and accuracy on all training, all test and all validation samples, at the steps where the training recorded them."""

import numpy as np

from scripts.common.options import Count
from scripts.common.runs import moments
from scripts.common.storage import Array, Arrays, Kind

QUANTITIES = ("train_loss", "test_loss", "train_accuracy", "test_accuracy", "validation_loss", "validation_accuracy")

KIND = Kind(
    "loss",
    {
        "step": Array("S", "int64"),
        "train_loss": Array("S R", "float64", quantity=True),
        "test_loss": Array("S R", "float64", quantity=True),
        "train_accuracy": Array("S R", "float64", quantity=True),
        "test_accuracy": Array("S R", "float64", quantity=True),
        "validation_loss": Array("S R", "float64", quantity=True),
        "validation_accuracy": Array("S R", "float64", quantity=True),
        **{f"exists_{key}": Array("S R", "bool") for key in QUANTITIES},
    },
    optional=frozenset({*QUANTITIES[2:], *(f"exists_{key}" for key in QUANTITIES)}),
)


def measure(train: Arrays, *, rows: Count | None = None) -> Arrays:
    """Return the recorded losses, and of networks with several outputs accuracies; losses are not finite where a replica has diverged.

    Args:
        train: the training.
        rows: at how many of the recorded steps, at most, they are numbers of the report: the first, the last, and others evenly on a log
            scale; at all of them where it is not given.
    """
    steps = train["evaluated_step"]
    told = np.isin(np.arange(len(steps)), moments(steps, rows))
    found = {key: train[key] for key in QUANTITIES if key in train}
    exists = {f"exists_{key}": np.broadcast_to(told[:, None], values.shape) for key, values in found.items()}
    return {"step": steps, **found, **(exists if rows else {})}
