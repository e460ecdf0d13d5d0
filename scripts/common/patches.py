"""Boxes of pixels in square images."""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray


def box(side: int, share: float, center: ArrayLike) -> NDArray[np.bool_]:
    """Return which pixels (side, side) of an image are in a square box; its edges are rounded to whole pixels and cut at the border.

    Args:
        side: height and width of the image, in pixels.
        share: area of the box as a share of the image, before its edges are rounded and cut.
        center: row and column of its center, (2,), in pixels from the upper left corner.
    """
    half = side * math.sqrt(share) / 2
    rows, columns = (np.clip(np.rint([middle - half, middle + half]), 0, side).astype(np.int64) for middle in np.asarray(center))
    inside = np.zeros((side, side), dtype=np.bool_)
    inside[slice(*rows), slice(*columns)] = True
    return inside
