"""The probability of a class over the plane of two inputs, and where it is a half: a panel for each variant."""

import math

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import BoundaryNorm, ListedColormap
from numpy.typing import NDArray

from scripts.common import drawing
from scripts.common.drawing import Picture
from scripts.common.formatting import check_known, check_replica, counted_range, listing, number, seeds_of, sentence
from scripts.common.options import DataSetName, Natural
from scripts.common.storage import Arrays
from scripts.common.style import Style

LEVELS = np.linspace(0, 1, 11)
COLORS = matplotlib.colormaps["RdBu"]((LEVELS[:-1] + LEVELS[1:]) / 2)
"""From the first class to the second, nearly white around a half."""
SHEER = 0.55
"""How much these cover, so that points stand out."""
CLASSES = ((drawing.SECOND, "o"), (drawing.FIRST, "s"))
"""Color and marker of the training points of each class."""


def draw(
    datasets: dict[str, Arrays],
    decision_boundary: dict[str, Arrays],
    *,
    styles: dict[str, Style],
    data_set: DataSetName,
    replica: Natural = 0,
) -> Picture:
    """Draw one replica's probability in color with its boundary as a thick line, the other replicas' boundaries as thin ones.

    Args:
        datasets: arrays of storage.DATA by name of the data set.
        decision_boundary: the measurement by variant: `probability_grid` (R, G) on the grid of the data set.
        styles: label and color by variant, in order.
        data_set: which data set the variants were trained on; two inputs, two classes, a square grid.
        replica: the replica that is shown in color.

    Raises:
        UserError: there is no such data set or replica.
    """
    check_known(data_set, datasets, "data set")
    data = datasets[data_set]
    columns = len(styles)
    figure, panels = drawing.new_figure(1, columns, height=4.9 / columns + 1.1, sharex=True, sharey=True)
    found, counts = [], []
    for axes, (variant, style) in zip(panels, styles.items(), strict=True):
        measured = decision_boundary[variant]
        counts.append(len(measured["probability_grid"]))
        check_replica(replica, counts[-1])
        _draw_plane(axes, data, measured["probability_grid"], replica)
        lengths, slopes = (drawing.existing(measured, f"boundary_{of}") for of in ("length", "slope"))
        lost = int(np.sum(~np.isfinite(lengths)))
        drawing.entitle(axes, style.label, f"not finite in {lost} of {counts[-1]} replicas" if lost else "")
        length, slope = (float(drawing.spread(values).median) for values in (lengths, slopes))
        found.append(f"{style.label}: a boundary {number(length)} long, with a slope of {number(slope)}")
        _draw_points(axes, data)
        axes.set(xlabel="input 1", aspect="equal")
        axes.grid(visible=False)
    panels[0].set_ylabel("input 2")
    colors = ScalarMappable(BoundaryNorm(LEVELS, len(COLORS)), ListedColormap(COLORS))
    figure.colorbar(colors, ax=panels, label="probability of class 2", aspect=30, pad=0.02, ticks=[0, 0.5, 1], alpha=SHEER)
    drawing.legend(
        figure,
        [
            drawing.line_key(f"boundary, replica {replica}", drawing.INK, linewidth=1.6),
            drawing.line_key("other replicas", drawing.INK, linewidth=0.5),
            *(
                drawing.line_key(f"class {place + 1}", color, marker=marker, linestyle="none", markeredgecolor="white", markeredgewidth=0.4)
                for place, (color, marker) in enumerate(CLASSES)
            ),
        ],
    )
    alt = (
        f"The plane of two inputs with training points of two classes, colored by the probability of the second class, for "
        f"{listing([style.label for style in styles.values()])}, and the lines where it is a half. Medians over replicas. "
        f"{' '.join(sentence(words) for words in found)}"
    )
    note = (
        f"n = {counted_range(counts, 'replica')}; in color and thick: replica {replica} ({seeds_of(replica)}); "
        "thin: the boundaries of the others; points: the training samples."
    )
    return Picture(figure, alt, note)


def _draw_plane(axes: Axes, data: Arrays, probability: NDArray[np.float64], replica: int) -> None:
    """Draw probabilities (R, G) on the grid, as far as they are finite."""
    side = math.isqrt(len(data["grid_x"]))
    x, y = data["grid_x"][:side, 0], data["grid_x"][::side, 1]
    for place, values in enumerate(probability):
        if not np.isfinite(values).all():
            continue
        on_grid = values.reshape(side, side)
        if place == replica:
            filled = axes.contourf(x, y, on_grid, levels=LEVELS, colors=COLORS, alpha=SHEER)
            filled.set_label("_probability")
        width = 1.6 if place == replica else 0.5
        if values.min() < 0.5 < values.max():
            lines = axes.contour(x, y, on_grid, levels=[0.5], colors=drawing.INK, linewidths=width, alpha=1.0 if place == replica else 0.7)
            lines.set_label("_boundary")
    axes.set(xlim=(x[0], x[-1]), ylim=(y[0], y[-1]))


def _draw_points(axes: Axes, data: Arrays) -> None:
    for place, (color, marker) in enumerate(CLASSES):
        points = data["train_x"][data["train_y"].argmax(axis=1) == place]
        axes.scatter(
            points[:, 0],
            points[:, 1],
            s=12,
            color=color,
            marker=marker,
            edgecolors="white",
            linewidths=0.4,
            zorder=3,
            label=f"class {place + 1}",
        )
