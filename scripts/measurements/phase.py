"""In which phase the training of each replica ended: it trains, it stays constant, it diverges, or none of these."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scripts.common import linearization
from scripts.common.options import Positive
from scripts.common.runs import intact
from scripts.common.storage import Array, Arrays, Kind

PHASES = ("trains", "constant", "diverges", "undecided")

KIND = Kind(
    "phase",
    {
        "phase": Array("R X", "int64", quantity=True),
        "index_phase": Array("X", "str"),
        "exists_phase": Array("R X", "bool"),
        "trained": Array("R", "int64", quantity=True),
        "relative_loss": Array("R", "float64", quantity=True),
        "output_spread": Array("R", "float64", quantity=True),
        "exists_output_spread": Array("R", "bool"),
    },
)


def measure(
    data: Arrays, train: Arrays, network: Mapping[str, Any], *, learned: Positive = 0.5, worse: Positive = 1.25, flat: Positive = 0.1
) -> Arrays:
    """Return the phase of each replica after the last step, from its losses and from how much its outputs vary over the inputs.

    A replica *trains* where its last train loss is below a share of the loss of the best constant, which is the variance of the training
    targets. One that does not *diverges* where a parameter or a loss is not finite, where its last loss is worse than that of the best
    constant, or where a recorded loss is above both that of the best constant and that at the start. What is left is *constant* where
    its outputs vary little, and *undecided* where they vary.

    Args:
        data: the data set.
        train: the training with a mean squared error.
        network: the network.
        learned: the share of the best constant's loss below which a replica trains.
        worse: how many times as high as what it is held against a loss has to be to be above it.
        flat: the standard deviation of the outputs over the test points, as a share of that of the training targets, below which they
            are constant.

    Returns:
        ``phase`` (R, X), 1 for the one that holds, which alone exists; ``trained`` (R,), 1 where a replica trains, else 0;
        ``relative_loss`` (R,), the last train loss over that of the best constant; and ``output_spread`` (R,), the standard deviation
        that `flat` is held against, which exists where the parameters are finite.
    """
    targets = data["train_y"]
    best = float(targets.var(axis=0).mean())
    losses = train["train_loss"] / best  # (E, R)
    finite = intact(train)[-1] & np.isfinite(losses).all(axis=0)
    spread = _spread(data["test_x"], train["parameters"][-1], network) / float(np.sqrt(best))
    highest = np.where(np.isfinite(losses), losses, np.inf).max(axis=0)
    trains = finite & (losses[-1] < learned)
    diverges = ~trains & (~finite | (losses[-1] > worse) | (highest > worse * np.maximum(losses[0], 1)))
    constant = ~trains & ~diverges & (spread < flat)
    holds = np.stack([trains, constant, diverges, ~(trains | constant | diverges)], axis=1)
    return {
        "phase": holds.astype(np.int64),
        "index_phase": np.array(PHASES),
        "exists_phase": holds,
        "trained": trains.astype(np.int64),
        "relative_loss": losses[-1],
        "output_spread": spread,
        "exists_output_spread": np.isfinite(spread),
    }


def _spread(x: NDArray[np.float64], parameters: NDArray[np.floating[Any]], network: Mapping[str, Any]) -> NDArray[np.float64]:
    """Return how much outputs vary over the inputs x (M, D), as a standard deviation, root mean square over outputs, (R,).

    It is nan for a replica whose parameters (R, P) are not finite.
    """
    found = np.full(len(parameters), np.nan)
    for replica, own in enumerate(parameters):
        if np.isfinite(own).all():
            found[replica] = np.sqrt(linearization.predict(own, x, network=network).var(axis=0).mean())
    return found
