"""A quantity along one axis of a grid, a second one as lines and a third one as panels: medians with bands of their intervals."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from numpy.typing import NDArray

from scripts.common import drawing, grid_figures
from scripts.common.drawing import Picture
from scripts.common.formatting import counted_range, number, sentence
from scripts.common.grid_figures import Cell
from scripts.common.options import GridName, Moment, QuantityName
from scripts.common.statistics import median_interval

SHARE = 0.85
"""Lines are colored along so much of the color map: its end is too light on white."""


def draw(
    numbers: pd.DataFrame,
    grids: Mapping[str, Mapping[str, Any]],
    *,
    bootstrap: Mapping[str, int],
    grid: GridName,
    x: str,
    quantity: QuantityName,
    lines: str | None = None,
    panels: str | None = None,
    only: list[str] | None = None,
    step: Moment | None = None,
    linear: list[str] | None = None,
    title: str | None = None,
    x_title: str | None = None,
    logarithmic: bool = False,
) -> Picture:
    """Draw the median over replicas at each level as a line, and its interval as a band.

    Args:
        numbers: the study's numbers, columns as in ``numbers.csv``.
        grids: axes and variants of the grid.
        bootstrap: seed and number of resamples of the intervals.
        grid: name of the grid.
        x: the axis along x.
        quantity: the quantity.
        lines: the axis whose levels are lines; a single line if not given.
        panels: the axis whose levels are panels; a single panel if not given.
        only: of each other axis the level that is shown, as "width=64".
        step: the step at which the quantity is taken, of one with steps.
        linear: axes on a linear scale; others with positive levels are on a logarithmic one.
        title: what the quantity is called; its name if not given.
        x_title: what the axis along x is; its name if not given.
        logarithmic: whether the quantity stands on a logarithmic axis.

    Raises:
        UserError: the grid has no such axes or levels, or there are no such numbers.
    """
    known = grids[grid]
    across = grid_figures.levels(known, x, linear=linear or [])
    turns = grid_figures.levels(known, lines) if lines else None
    beside = grid_figures.levels(known, panels) if panels else None
    by_point = grid_figures.variants(known, [across, *(one for one in (turns, beside) if one)], only or [])
    cells = grid_figures.cells(numbers, list(by_point.values()), quantity, step=step)
    figure, axes, columns = grid_figures.panels(len(beside.known) if beside else 1)
    name = title or quantity.replace("_", " ")
    labels = [turns.called(turn) for turn in range(len(turns.known))] if turns else [name]
    paints = [to_hex(color) for color in colormaps["viridis"](np.linspace(0, SHARE, len(labels)))]
    told = []
    for place, panel in enumerate(axes):
        called = beside.called(place) if beside else name
        drawing.entitle(panel, called)
        if logarithmic:
            panel.set_yscale("log")
        reached = []
        for turn, (label, color) in enumerate(zip(labels, paints, strict=True)):
            rest = (*((turn,) if turns else ()), *((place,) if beside else ()))
            own = [cells.get(by_point[along, *rest]) for along in range(len(across.known))]
            middle = _draw_line(panel, across.places, own, bootstrap, label=label, color=color, turn=turn, logarithmic=logarithmic)
            reached.append(f"{label} {_course(middle)}")
        told.append(f"{called}: {'; '.join(reached)}")
        if not any(np.isfinite(np.asarray(line.get_ydata(), dtype=np.float64)).any() for line in panel.lines):
            drawing.empty(panel, "not finite at any level")
            continue
        grid_figures.mark(panel, x=across)
        if logarithmic:
            drawing.log_ticks(panel)
    grid_figures.entitle_axes(axes, columns, x_title or x.replace("_", " "), name)
    keys = [
        drawing.line_key(label, color, linestyle=drawing.line_of(turn))
        for turn, (label, color) in enumerate(zip(labels, paints, strict=True))
    ]
    drawing.legend(figure, [*keys, drawing.band_key("95 % interval of the median", drawing.SOFT)], columns=min(len(keys) + 1, 4))
    counts = {cell.values.size for cell in cells.values()}
    alt = f"{name} against {x}, medians as lines with their intervals. {' '.join(sentence(one) for one in told)}"
    note = (
        f"n = {counted_range(counts, 'replica')}; lines: median, a value that is not finite counting as infinite; "
        "bands: its 95 % bootstrap interval."
    )
    return Picture(figure, alt[:1].upper() + alt[1:], note)


def _draw_line(
    axes: Axes,
    places: NDArray[np.float64],
    cells: list[Cell | None],
    bootstrap: Mapping[str, int],
    *,
    label: str,
    color: str,
    turn: int,
    logarithmic: bool,
) -> NDArray[np.float64]:
    """Draw one line with its band, and return its medians, nan where there is no number."""
    nothing = (np.nan,) * 3
    found = [median_interval(cell.values, **bootstrap) if cell is not None and cell.values.size else nothing for cell in cells]
    middle, low, high = np.array(found, dtype=np.float64).reshape(-1, 3).T
    lowest = 0.0 if logarithmic else -np.inf
    solid = np.isfinite(high) & (low > lowest)
    axes.fill_between(places, low, high, where=solid, color=color, alpha=0.22, linewidth=0, label=f"{label}, interval")
    drawn = np.isfinite(middle) & (middle > lowest)
    line = np.where(drawn, middle, np.nan)
    axes.plot(places, np.ma.masked_invalid(line), color=color, linestyle=drawing.line_of(turn), label=f"{label}, median")
    return np.asarray(middle)


def _course(middle: NDArray[np.float64]) -> str:
    """Return in words where a line begins, is lowest and highest, and ends."""
    seen = middle[np.isfinite(middle)]
    if not seen.size:
        return "no finite median"
    first, last, low, high = (number(float(value)) for value in (seen[0], seen[-1], seen.min(), seen.max()))
    return f"from {first} to {last}, at least {low}, at most {high}"
