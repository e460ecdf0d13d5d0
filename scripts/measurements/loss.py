"""Loss on all training and on all test samples, at the steps where the training recorded it."""

from scripts.common.storage import Array, Arrays, Kind

KIND = Kind(
    "loss",
    {
        "step": Array("S", "int64"),
        "train_loss": Array("S R", "float64", quantity=True),
        "test_loss": Array("S R", "float64", quantity=True),
    },
)


def measure(train: Arrays) -> Arrays:
    """Return the recorded losses; they are not finite where a replica has diverged."""
    return {"step": train["evaluated_step"], "train_loss": train["train_loss"], "test_loss": train["test_loss"]}
