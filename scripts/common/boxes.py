"""Boxes: three axes drawn as a box that is looked at from outside, without perspective, in a panel with two.

Along each axis places are scaled to run from -1 to 1. The eye stands at an azimuth a around the upright axis and an elevation e above the
floor; a point (x, y, z) is seen at (-x sin a + y cos a, -(x cos a + y sin a) sin e + z cos e). ``templates/explorer.js`` does the same.
"""

from collections.abc import Sequence
from itertools import product
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from scripts.common import drawing

SEEN = 1.6
"""How much is seen of a box, in half sides, from its middle to every side."""


class Eye(NamedTuple):
    """From where a box is looked at.

    Attributes:
        azimuth: angle around the upright axis, in degrees, from the first axis to the second.
        elevation: angle above the floor, in degrees.
    """

    azimuth: float
    elevation: float


def scaled(points: NDArray[np.float64], limits: Sequence[tuple[float, float]]) -> NDArray[np.float64]:
    """Return points (n, 3) with each coordinate scaled so that its limits are -1 and 1."""
    low, high = np.array(limits, dtype=np.float64).T
    return np.asarray(2 * (points - low) / (high - low) - 1)


def seen(points: NDArray[np.float64], eye: Eye) -> NDArray[np.float64]:
    """Return where scaled points (n, 3) are seen, to the right and up, (n, 2)."""
    around, above = np.radians(eye)
    right = [-np.sin(around), np.cos(around), 0.0]
    up = [-np.sin(above) * np.cos(around), -np.sin(above) * np.sin(around), np.cos(above)]
    return np.asarray(points @ np.array([right, up]).T)


def draw_box(axes: Axes, titles: Sequence[str], eye: Eye) -> None:
    """Draw the edges of a box, dotted where the box itself would hide them, with the titles of its three axes, in a panel of its own."""
    axes.set(xlim=(-SEEN, SEEN), ylim=(-SEEN, SEEN), xticks=[], yticks=[], aspect="equal")
    axes.spines[:].set_visible(False)
    around, above = np.radians(eye)
    near = np.where(np.array([np.cos(above) * np.cos(around), np.cos(above) * np.sin(around), np.sin(above)]) < 0, -1.0, 1.0)
    corners = np.array(list(product([-1.0, 1.0], repeat=3)))
    for axis in range(3):
        for corner in corners[corners[:, axis] < 0]:
            ends = np.stack([corner, corner * np.where(np.arange(3) == axis, -1.0, 1.0)])
            others = np.arange(3) != axis
            hidden = bool((corner[others] == -near[others]).all())
            line = seen(ends, eye)
            style = drawing.LINES[2] if hidden else "solid"
            axes.plot(*line.T, color=drawing.FAINT, linewidth=0.6, linestyle=style, label="_edge", zorder=1)
    upright = corners[corners[:, 2] < 0] * [1, 1, 0]
    left = upright[np.argmin(seen(upright, eye)[:, 0])]
    places = seen(np.array([[0, 1.15 * near[1], -1.15], [1.15 * near[0], 0, -1.15], left]), eye) - [[0, 0], [0, 0], [0.15, 0]]
    for place, title, turned in zip(places, titles, (0, 0, 90), strict=True):
        axes.text(float(place[0]), float(place[1]), title, fontsize=7.5, ha="center", va="center", rotation=turned)
