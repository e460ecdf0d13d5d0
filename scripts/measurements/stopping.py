"""What early stopping makes of a training: when it stops, by patience, what that saves, and what it costs."""

import numpy as np
from numpy.typing import NDArray

from scripts.common.levels import level_labels
from scripts.common.options import Count, NonNegative
from scripts.common.stopping import stops
from scripts.common.storage import Array, Arrays, Kind

BY_PATIENCE = (
    "stopped_at",
    "best_step",
    "steps_saved",
    "stopped_test_loss",
    "restored_test_loss",
    "stopped_test_accuracy",
    "restored_test_accuracy",
)
COURSES = ("train_loss", "validation_loss", "test_loss", "test_accuracy")

KIND = Kind(
    "stopping",
    {
        "step": Array("E", "int64"),
        **{f"course_{key}": Array("E R", "float64") for key in COURSES},
        "stopped_at": Array("R X", "float64", quantity=True),
        "best_step": Array("R X", "float64", quantity=True),
        "steps_saved": Array("R X", "float64", quantity=True),
        "stopped_test_loss": Array("R X", "float64", quantity=True),
        "restored_test_loss": Array("R X", "float64", quantity=True),
        "stopped_test_accuracy": Array("R X", "float64", quantity=True),
        "restored_test_accuracy": Array("R X", "float64", quantity=True),
        **{f"exists_{key}": Array("R X", "bool") for key in BY_PATIENCE},
        **{f"index_{key}": Array("X", "str") for key in BY_PATIENCE},
        "last_test_loss": Array("R", "float64", quantity=True),
        "lowest_test_loss": Array("R", "float64", quantity=True),
        "lowest_test_loss_step": Array("R", "float64", quantity=True),
        "last_test_accuracy": Array("R", "float64", quantity=True),
        "highest_test_accuracy": Array("R", "float64", quantity=True),
        "training_stopped_at": Array("R", "float64", quantity=True),
    },
    optional=frozenset({"training_stopped_at"}),
)


def measure(
    train: Arrays, *, score: str = "validation_loss", patiences: list[Count], minimal_change: NonNegative, mode: str = "min"
) -> Arrays:
    """Return where the rule of `scripts.common.stopping` stops a training with validation scores, by patience.

    A training does not depend on what comes after, so that one that was not stopped tells what any patience would have made of it. Of one
    that was stopped only those patiences have numbers that would not have led beyond its end.

    Args:
        train: the training, with losses and accuracies on validation samples.
        score: the score that is watched, validation_loss or validation_accuracy.
        patiences: the levels of the patience, in evaluations.
        minimal_change: by how much a score has to be better.
        mode: "min" where smaller scores are better, "max" where larger ones are.

    Returns:
        By patience (R, X): ``stopped_at``, the step at which training stops, infinite where it never does; ``best_step``, that of the best
        score until then; ``steps_saved``, the share of all steps that is not made; test loss and accuracy of the state at the stop, or the
        last one (``stopped_...``), and of the best one (``restored_...``).

        Of the run (R,): test loss and accuracy at its end, the best ones that it ever had, and the step with the lowest test loss. A
        network whose loss is no number has an infinite one. ``training_stopped_at`` is where training was stopped itself, infinite where
        it was not; missing where that was not asked for.
    """
    step, course = train["evaluated_step"], np.asarray(train[score], dtype=np.float64)
    loss, accuracy = (np.asarray(train[f"test_{part}"], dtype=np.float64) for part in ("loss", "accuracy"))
    loss = np.where(np.isnan(loss), np.inf, loss)
    found = [stops(course, patience=patience, minimal_change=minimal_change, mode=mode) for patience in patiences]
    stopped, best = (np.stack(one, axis=1) for one in zip(*found, strict=True))  # (R, X)
    own = np.where(train["stopped_at"] < 0, np.inf, train["stopped_at"]) if "stopped_at" in train else None
    end = _positions(step, own if own is not None else np.full(course.shape[1], np.inf))  # (R,)
    kept = np.where(stopped < 0, len(step) - 1, stopped)
    exists = (end[:, None] == len(step) - 1) | ((stopped >= 0) & (stopped <= end[:, None]))
    replica = np.arange(course.shape[1])[:, None]
    by_patience = {
        "stopped_at": np.where(stopped < 0, np.inf, step[kept]),
        "best_step": step[best].astype(np.float64),
        "steps_saved": 1 - step[kept] / step[-1],
        "stopped_test_loss": loss[kept, replica],
        "restored_test_loss": loss[best, replica],
        "stopped_test_accuracy": accuracy[kept, replica],
        "restored_test_accuracy": accuracy[best, replica],
    }
    labels = level_labels(patiences)
    return {
        "step": step,
        **{f"course_{key}": np.asarray(train[key], dtype=np.float64) for key in COURSES},
        **by_patience,
        **{f"exists_{key}": exists for key in BY_PATIENCE},
        **{f"index_{key}": labels for key in BY_PATIENCE},
        "last_test_loss": loss[-1],
        "lowest_test_loss": loss.min(axis=0),
        "lowest_test_loss_step": step[loss.argmin(axis=0)].astype(np.float64),
        "last_test_accuracy": accuracy[-1],
        "highest_test_accuracy": accuracy.max(axis=0),
        **({} if own is None else {"training_stopped_at": own}),
    }


def _positions(step: NDArray[np.int64], stopped: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the position of the step at which each replica was stopped, the last one where it never was."""
    return np.minimum(np.searchsorted(step, stopped), len(step) - 1)
