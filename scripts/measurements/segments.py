"""Number of linear pieces of each principal feature over the dense grid."""

import numpy as np
from numpy.typing import NDArray

from scripts.common.options import Positive
from scripts.common.storage import Array, Arrays, Kind

KIND = Kind(
    "segments",
    {
        "step": Array("S", "int64"),
        "segments": Array("S R F", "int64", quantity=True),
        "exists_segments": Array("S R F", "bool"),
    },
)


def measure(spectrum: Arrays, *, tolerance: Positive = 1e-6) -> Arrays:
    """Return the number of pieces of each principal feature; a feature beyond the rank of the Jacobian does not exist.

    Args:
        spectrum: the spectrum, whose ``feature_grid`` is on an even grid of one input.
        tolerance: see `count_pieces`.
    """
    ranks = np.arange(1, spectrum["feature_grid"].shape[3] + 1)
    exists = spectrum["available"][:, :, None] & (ranks <= spectrum["rank"][:, :, None])
    segments = np.zeros(exists.shape, dtype=np.int64)
    for step, replica, feature in np.argwhere(exists):
        segments[step, replica, feature] = count_pieces(spectrum["feature_grid"][step, replica, :, feature], tolerance=tolerance)
    return {"step": spectrum["step"], "segments": segments, "exists_segments": exists}


def count_pieces(values: NDArray[np.float64], *, tolerance: float) -> int:
    """Return the smallest number of linear pieces that explains the `values` (G,) of a function on an even grid.

    A kink and a jump both end a piece. The second difference at point i, f(i-1) - 2 f(i) + f(i+1), is zero but for rounding where its
    three points lie on one piece. A break between the points i and i + 1 shows in the second differences at i and i + 1, a kink at the
    point i in that at i alone. So a run of n consecutive ones that are not zero needs at least (n + 1) // 2 breaks; breaks closer to each
    other than three grid spacings may count as fewer.

    Args:
        values: the function on the grid.
        tolerance: a second difference counts as zero up to this times the largest magnitude of the function on the grid.
    """
    second = values[:-2] - 2 * values[1:-1] + values[2:]
    broken = np.abs(second) > tolerance * np.abs(values).max()
    edges = np.flatnonzero(np.diff(np.concatenate([[False], broken, [False]]).astype(np.int8)))
    lengths = edges[1::2] - edges[::2]
    return 1 + int(np.sum((lengths + 1) // 2))
