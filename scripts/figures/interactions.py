"""A factorial experiment of three factors: for each two of them the means over the third, a line for each level of the one."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from numpy.typing import NDArray

from scripts.common import drawing, factorial
from scripts.common.drawing import Picture
from scripts.common.formatting import counted, number, sentence
from scripts.common.options import QuantityName
from scripts.common.statistics import median_interval
from scripts.common.style import Style

PAIRS = ((0, 1), (1, 2), (0, 2))
"""Of each panel in a row the factor whose levels are lines, and that along x."""
COLORS = ("#222222", "#D55E00", "#009E73", "#CC79A7", "#56B4E9")
"""Of the levels of the second factor."""


class Level(NamedTuple):
    """A level of a factor: its name, and the color of its line."""

    name: str
    color: str


def draw(
    numbers: pd.DataFrame,
    *,
    styles: dict[str, Style],
    bootstrap: Mapping[str, int],
    factors: list[str],
    second: list[str],
    third: list[str],
    quantities: list[QuantityName],
    titles: list[str] | None = None,
) -> Picture:
    """Draw a row of panels for each quantity, one for each pair of factors: medians over replicas with their intervals.

    Args:
        numbers: the study's numbers, columns as in ``numbers.csv``.
        styles: label and color of each sweep; the sweeps are the levels of the first factor.
        bootstrap: seed and number of resamples of the intervals.
        factors: the names of the three factors.
        second: the levels of the second factor, as they stand in the index of the sweeps' quantities.
        third: those of the third, behind a "/" there.
        quantities: the quantities.
        titles: what these are called; their names if not given.

    Raises:
        UserError: there are not three factors, or not as many titles as quantities.
    """
    found = factorial.read_titled(
        numbers, list(styles), bootstrap=bootstrap, factors=factors, second=second, third=third, quantities=quantities, titles=titles
    )
    levels = [
        [Level(style.label, style.color) for style in styles.values()],
        [Level(name, color) for name, color in zip(second, COLORS, strict=False)],
        [Level(name, drawing.SOFT) for name in third],
    ]
    figure, panels = drawing.new_figure(len(quantities), len(PAIRS), height=2.25 * len(quantities) + 0.9, sharey="row")
    told = []
    for row, (title, values) in enumerate(found):
        for column, (lines, along) in enumerate(PAIRS):
            axes = panels[row * len(PAIRS) + column]
            axes.set_label(f"{title}, {factors[lines]} by {factors[along]}")
            _draw_panel(
                axes, values, lines=levels[lines], places=[level.name for level in levels[along]], pair=(lines, along), bootstrap=bootstrap
            )
            if row == len(quantities) - 1:
                axes.set_xlabel(factors[along])
            if column == 0:
                axes.set_ylabel(title)
        cells = drawing.spread(values).median
        told.append(f"{title}: {number(float(cells.min()))} to {number(float(cells.max()))} over all {cells.size} combinations")
    keys = [
        drawing.line_key(f"{factors[factor]}: {level.name}", level.color, **drawing.edged(turn + 3 * factor))
        for factor in (0, 1)
        for turn, level in enumerate(levels[factor])
    ]
    drawing.legend(figure, keys, columns=2)
    shown = " and ".join(title for title, _ in found)
    alt = (
        f"{shown} by {factors[0]}, {factors[1]} and {factors[2]}, for each two of them, as means over the third. "
        f"Medians. {' '.join(sentence(words) for words in told)}"
    )
    note = (
        f"n = {counted(len(values), 'replica')}; points: median over replicas of the mean over the levels of the third factor, "
        "bars: its 95 % bootstrap interval. Lines that are not parallel are an interaction."
    )
    return Picture(figure, alt[:1].upper() + alt[1:], note)


def _draw_panel(
    axes: Axes,
    values: NDArray[np.float64],
    *,
    lines: Sequence[Level],
    places: Sequence[str],
    pair: tuple[int, int],
    bootstrap: Mapping[str, int],
) -> None:
    rest = next(axis + 1 for axis in range(factorial.FACTORS) if axis not in pair)
    means = values.mean(axis=rest)  # (R, ...), the lower factor first
    means = means if pair[0] < pair[1] else means.swapaxes(1, 2)
    for turn, level in enumerate(lines):
        x = np.arange(len(places)) + 0.12 * (turn - (len(lines) - 1) / 2)
        intervals = [median_interval(means[:, turn, place], **bootstrap) for place in range(len(places))]
        middle, low, high = np.array(intervals, dtype=np.float64).T
        seen = np.isfinite(middle) & np.isfinite(high)
        axes.vlines(x[seen], low[seen], high[seen], color=level.color, linewidth=1.0, label=f"{level.name}, interval")
        look = drawing.edged(turn + 3 * pair[0])
        axes.plot(x[seen], middle[seen], color=level.color, markersize=4.5, **look, label=f"{level.name}, median")
    if not any(np.size(line.get_ydata()) for line in axes.lines):
        drawing.empty(axes, "not finite at any level")
        return
    axes.set_xticks(range(len(places)), labels=list(places))
    axes.set_xlim(-0.4, len(places) - 0.6)
