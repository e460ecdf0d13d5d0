"""Ensembles against the number of their members: accuracy, cross-entropy, calibration and variance, a line for each way to combine them."""

from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter
from numpy.typing import NDArray

from scripts.common import drawing
from scripts.common.drawing import Picture
from scripts.common.errors import UserError
from scripts.common.formatting import counted_range, number, sentence
from scripts.common.style import Style


class Way(NamedTuple):
    """A way to combine the members' predictions.

    Attributes:
        label: what it is called.
        color: its color.
    """

    label: str
    color: str


WAYS = {
    "member": Way("mean of the members", "#767676"),
    "average": Way("average of probabilities", "#0072B2"),
    "logits": Way("average of logits", "#009E73"),
    "vote": Way("majority vote", "#E69F00"),
    "stacked": Way("stacking", "#CC79A7"),
}
BANDS = ("member", "average")
"""The ways that have a band; those of all would hide each other."""
SCORES = {"accuracy": "test accuracy", "loss": "test cross-entropy", "calibration_error": "expected calibration error"}
VARIANCE = "prediction_variance"
MARKED = (1, 2, 3, 5, 10, 20, 50, 100)


def draw(numbers: pd.DataFrame, *, styles: dict[str, Style]) -> Picture:
    """Draw three scores of the first variant's ensembles, and the variance of their average's predictions, against their size.

    Args:
        numbers: the study's numbers, with the quantities of the measurement `ensemble`.
        styles: label by variant.

    Raises:
        UserError: there are no numbers of ensembles of this variant.
    """
    variant = next(iter(styles))
    own = numbers[(numbers["variant"] == variant) & numbers["quantity"].str.startswith((*(f"{way}_" for way in WAYS), VARIANCE))]
    if not (own["quantity"] == "average_accuracy").any():
        raise UserError(f"there are no numbers of ensembles of '{variant}'; make the measurement 'ensemble' of it")
    figure, panels = drawing.new_figure(2, 2, height=5.4)
    counts, found = set(), []
    for axes, (score, title) in zip(panels, SCORES.items(), strict=False):
        if score != "accuracy":
            axes.set_yscale("log")
        told = []
        for turn, way in enumerate(WAYS):
            sizes, values = _by_size(own, f"{way}_{score}")
            if sizes.size:
                counts.add(values.shape[0])
                told.append(f"{WAYS[way].label} {_line(axes, sizes, values, way, turn)} with {sizes[-1]:.0f}")
        drawing.entitle(axes, title)
        if not any(np.size(line.get_ydata()) for line in axes.lines):
            drawing.empty(axes, "not finite in any ensemble")
        elif score != "accuracy":
            drawing.log_ticks(axes)
        found.append(f"{title}: {'; '.join(told)}")
    found.append(_variance(panels[3], own))
    for axes in panels:
        _mark_sizes(axes, _by_size(own, "average_accuracy")[0])
    for axes in panels[2:]:
        axes.set_xlabel("members")
    keys = [
        drawing.line_key(label, color, linestyle=drawing.line_of(turn), marker=drawing.marker_of(turn))
        for turn, (label, color) in enumerate(WAYS.values())
    ]
    keys.append(drawing.line_key("one over the number of members", drawing.INK, linewidth=0.9, linestyle=drawing.LINES[2]))
    drawing.legend(figure, keys, columns=3)
    alt = (
        "Accuracy, cross-entropy and calibration error of ensembles, and the variance of their predictions, against the number of members. "
        f"Medians. {' '.join(sentence(words) for words in found)}"
    )
    note = (
        f"n = {counted_range(counts, 'ensemble')} of each size, which overlap; lines: median, bands: 5th to 95th percentile of the "
        "members' mean and of the average of probabilities. A vote has no cross-entropy."
    )
    return Picture(figure, alt, note)


def _line(axes: Axes, sizes: NDArray[np.float64], values: NDArray[np.float64], way: str, turn: int) -> str:
    """Draw the medians of values (R, X) of one way, and return the last one in words."""
    label, color = WAYS[way]
    found = drawing.spread(values)
    line, marker = drawing.line_of(turn), drawing.marker_of(turn)
    if way in BANDS:
        drawing.median_and_band(axes, sizes, found, color=color, line=line, marker=marker, label=label)
    else:
        seen = np.isfinite(found.median) & (found.median > (0 if axes.get_yscale() == "log" else -np.inf))
        axes.plot(sizes[seen], found.median[seen], color=color, linestyle=line, marker=marker, label=f"{label}, median")
    return number(float(found.median[-1]))


def _variance(axes: Axes, own: pd.DataFrame) -> str:
    """Draw the variance of the average's predictions and the line 1 / size, and return in words what it comes to."""
    title = "variance of the average's probabilities"
    sizes, values = _by_size(own, VARIANCE)
    if not sizes.size:
        drawing.entitle(axes, title)
        drawing.empty(axes, "too few replicas for two ensembles\nwithout a common member")
        return f"{title}: not available"
    middle = drawing.spread(values).median
    if not np.isfinite(middle[0]) or middle[0] <= 0:
        drawing.entitle(axes, title)
        drawing.empty(axes, "not finite in any ensemble")
        return f"{title}: not available"
    axes.set_yscale("log")
    color = WAYS["average"].color
    drawing.median_and_band(axes, sizes, drawing.spread(values), color=color, line="solid", label=WAYS["average"].label, marker="s")
    axes.plot(
        sizes, middle[0] / sizes, color=drawing.INK, linewidth=0.9, linestyle=drawing.LINES[2], label="one over the number of members"
    )
    drawing.entitle(axes, title)
    drawing.log_ticks(axes)
    return f"{title}: {number(float(middle[0]))} with 1, {number(float(middle[-1]))} with {sizes[-1]:.0f}"


def _by_size(own: pd.DataFrame, quantity: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the sizes (X,) of which there are numbers, and the numbers (R, X)."""
    rows = own[own["quantity"] == quantity]
    wide = rows.assign(size=rows["index"].astype(float)).pivot(index="replica", columns="size", values="value")
    return wide.columns.to_numpy(dtype=np.float64), wide.to_numpy(dtype=np.float64)


def _mark_sizes(axes: Axes, sizes: NDArray[np.float64]) -> None:
    if axes.get_xticks().size:
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(FixedLocator([size for size in MARKED if sizes.min() <= size <= sizes.max()]))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda size, _: f"{size:.0f}"))
        axes.xaxis.set_minor_formatter(NullFormatter())
