"""Where a network with two inputs and two classes changes from one class to the other, and how suddenly."""

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from scripts.common import calibration, forward_pass
from scripts.common.errors import UserError
from scripts.common.storage import Array, Arrays, Kind

KIND = Kind(
    "decision_boundary",
    {
        "probability_grid": Array("R G", "float64"),
        "boundary_length": Array("R", "float64", quantity=True),
        "exists_boundary_length": Array("R", "bool"),
        "boundary_slope": Array("R", "float64", quantity=True),
        "exists_boundary_slope": Array("R", "bool"),
    },
)


class Boundary(NamedTuple):
    """A line on which a function has a value.

    Attributes:
        length: its length.
        slope: the mean of the norm of the function's gradient along it; nan where there is no line.
    """

    length: float
    slope: float


def measure(data: Arrays, train: Arrays, network: Mapping[str, Any]) -> Arrays:
    """Return the probability of the second class on the grid of a data set after training, and length and slope of the boundary.

    The boundary is where the probability is a half, and the difference d of the two outputs is 0. It is found on the triangles into which
    the cells of the grid are cut, as if d were linear on each of them, which it nearly is with rectified linear units. The probability
    is 1 / (1 + exp(-d)), so that on the boundary its gradient is a quarter of that of d.

    Args:
        data: the data set, with two inputs and two classes; its grid is a square, row by row.
        train: the networks.
        network: ``kind`` and the options of the network.

    Returns:
        ``probability_grid`` (R, G); ``boundary_length`` (R,), in units of the inputs, 0 where there is no boundary; ``boundary_slope``
        (R,), the mean over the boundary of the norm of the probability's gradient, per unit of the inputs. Neither exists where an
        output is not finite, and no slope where there is no boundary.

    Raises:
        UserError: there are not two inputs and two outputs, or no grid.
    """
    grid = data["grid_x"]
    if grid.shape[1] != 2 or data["train_y"].shape[1] != 2 or len(grid) < 4:
        raise UserError("decision_boundary: takes data with two inputs, two classes and a square grid, as of two_moons")
    side = math.isqrt(len(grid))
    outputs = forward_pass.predict_all(train["parameters"][-1], grid, network=network, outputs=2)
    probability = calibration.softmax(np.swapaxes(outputs, 1, 2))[:, 1]  # (R, G)
    step = float(grid[1, 0] - grid[0, 0])
    found = [boundary((own[:, 1] - own[:, 0]).reshape(side, side), step) for own in outputs]
    length = np.array([one.length for one in found])
    slope = np.array([one.slope for one in found]) / 4
    return {
        "probability_grid": probability,
        "boundary_length": length,
        "exists_boundary_length": np.isfinite(length),
        "boundary_slope": slope,
        "exists_boundary_slope": np.isfinite(slope),
    }


def boundary(values: NDArray[np.float64], step: float) -> Boundary:
    """Return the line on which a function with these values (H, W) on a grid is 0, of points `step` apart; nan where one is not finite."""
    if not np.isfinite(values).all():
        return Boundary(math.nan, math.nan)
    here, right, below, across = values[:-1, :-1], values[:-1, 1:], values[1:, :-1], values[1:, 1:]
    lengths, slopes = [], []
    for corner, beside, other in ((here, right, below), (across, below, right)):  # the right angle first
        slope = np.hypot(beside - corner, other - corner) / step
        lengths.append(_crossing(corner, beside, other) * step)
        slopes.append(slope)
    length = float(np.sum(lengths))
    return Boundary(length, float(np.sum(np.array(lengths) * slopes)) / length if length else math.nan)


def _crossing(corner: NDArray[np.float64], beside: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how long the line is on which a linear function is 0, in triangles with legs of 1 and these values at their corners."""
    ends = []
    places = ((corner, 0.0, 0.0), (beside, 1.0, 0.0), (other, 0.0, 1.0))
    for (one, x, y), (two, to_x, to_y) in ((places[0], places[1]), (places[1], places[2]), (places[2], places[0])):
        crossed = (one >= 0) != (two >= 0)
        with np.errstate(invalid="ignore", divide="ignore"):
            share = np.where(crossed, one / (one - two), np.nan)
        ends.append(np.stack([x + share * (to_x - x), y + share * (to_y - y)]))
    gaps = [np.hypot(*(first - second)) for first, second in ((ends[0], ends[1]), (ends[1], ends[2]), (ends[2], ends[0]))]
    return np.asarray(np.nansum(gaps, axis=0))
