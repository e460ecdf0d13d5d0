"""Levels of a setting, as a width or a condition number: how they are labeled, and the slope of a quantity against them."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray


def level_labels(levels: Sequence[float]) -> NDArray[np.str_]:
    """Return levels as the labels of an index axis: "32", "0.001"; a whole number has no point and no power of ten."""
    return np.array([f"{level:.0f}" if float(level).is_integer() else f"{level:.12g}" for level in levels])


def slopes(levels: ArrayLike, values: ArrayLike) -> NDArray[np.float64]:
    """Return the slope of log values (R, X) against log levels (X,) for each replica (R,), by least squares.

    Of a replica, values that are not positive and finite are left out; with fewer than two others its slope is nan.
    """
    along = np.log(np.asarray(levels, dtype=np.float64))
    found = []
    for row in np.asarray(values, dtype=np.float64):
        seen = np.isfinite(row) & (row > 0)
        off = along[seen] - along[seen].mean() if seen.any() else along[seen]
        square = float(off @ off)
        found.append(float(off @ np.log(row[seen])) / square if square > 0 else np.nan)
    return np.array(found)
