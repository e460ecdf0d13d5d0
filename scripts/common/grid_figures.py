"""What figures of grids share: the numbers of a quantity at each combination of levels, and the axes that levels stand on."""

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import FixedFormatter, FixedLocator, LogLocator, NullFormatter
from numpy.typing import NDArray

from scripts.common import drawing
from scripts.common.errors import UserError
from scripts.common.formatting import check_known

MOST_MARKS = {"x": 6, "y": 10}
"""More levels than these along an axis are marked at powers of ten, or as matplotlib has it."""


class Levels(NamedTuple):
    """The levels of an axis of a grid, in order.

    Attributes:
        name: the axis.
        known: the levels, numbers ascending or names.
        places: where they stand on an axis of a figure, (X,).
        edges: between which edges the cell of each lies, (X + 1,).
        scale: "log" or "linear".
    """

    name: str
    known: list[Any]
    places: NDArray[np.float64]
    edges: NDArray[np.float64]
    scale: str

    def called(self, place: int) -> str:
        """Return in words the level at a place, as "depth 8"."""
        return f"{self.name.replace('_', ' ')} {plain(self.known[place])}"


def plain(level: Any) -> str:
    """Return a level in words."""
    return level if isinstance(level, str) else f"{level:,.0f}" if float(level).is_integer() else f"{level:.3g}"


def levels(grid: Mapping[str, Any], axis: str, *, linear: Sequence[str] = ()) -> Levels:
    """Return the levels of an axis of a grid: positive numbers on a logarithmic axis but where it is to be `linear`, names side by side.

    Raises:
        UserError: the grid has no such axis.
    """
    check_known(axis, grid["axes"], "axis of the grid")
    known = list(grid["axes"][axis])
    if any(isinstance(level, str) for level in known):
        return Levels(axis, known, np.arange(len(known), dtype=np.float64), np.arange(len(known) + 1, dtype=np.float64) - 0.5, "linear")
    known = sorted(known)
    places = np.array(known, dtype=np.float64)
    logarithmic = axis not in linear and bool((places > 0).all())
    along = np.log(places) if logarithmic else places
    steps = np.diff(along) if along.size > 1 else np.ones(1)
    edges = np.concatenate([[along[0] - steps[0] / 2], (along[1:] + along[:-1]) / 2, [along[-1] + steps[-1] / 2]])
    return Levels(
        axis, known, places, np.asarray(np.exp(edges) if logarithmic else edges, dtype=np.float64), "log" if logarithmic else "linear"
    )


def panels(count: int) -> tuple[Figure, list[Axes], int]:
    """Return a figure with `count` panels, two side by side, which share both axes; the panels, and how many are in a row."""
    columns = min(count, 2)
    rows = -(-count // columns)
    figure, axes = drawing.new_figure(rows, columns, height=1.9 * rows + 0.9, sharex=True, sharey=True)
    for spare in axes[count:]:
        spare.remove()
    return figure, axes[:count], columns


def entitle_axes(axes: Sequence[Axes], columns: int, x_title: str, y_title: str) -> None:
    """Say what the axes are: below the lowest panel of each column, and beside the first of each row."""
    for panel in axes[-columns:]:
        panel.set_xlabel(x_title)
        panel.tick_params(labelbottom=True)
    for panel in axes[::columns]:
        panel.set_ylabel(y_title)


def mark(axes: Axes, *, x: Levels, y: Levels | None = None) -> None:
    """Give the axes of a panel the scales and the limits of levels; mark them at these, or at powers of ten where they are many."""
    axes.set(xscale=x.scale, xlim=(x.edges[0], x.edges[-1]))
    _mark(axes.xaxis, x, MOST_MARKS["x"])
    if y is not None:
        axes.set(yscale=y.scale, ylim=(y.edges[0], y.edges[-1]))
        _mark(axes.yaxis, y, MOST_MARKS["y"])


def _mark(axis: Axis, shown: Levels, most: int) -> None:
    axis.set_minor_formatter(NullFormatter())
    if len(shown.known) <= most:
        axis.set_major_locator(FixedLocator(shown.places.tolist()))
        axis.set_major_formatter(FixedFormatter([plain(level) for level in shown.known]))
        axis.set_minor_locator(FixedLocator([]))
    elif shown.scale == "log":
        axis.set_major_locator(LogLocator(numticks=8))


def variants(grid: Mapping[str, Any], axes: Sequence[Levels], only: Sequence[str] = ()) -> dict[tuple[int, ...], str]:
    """Return the variant at each combination of places on some axes of a grid, all others being at the levels that `only` says.

    Args:
        grid: the grid as `scripts.common.grids.described` has it.
        axes: the axes.
        only: the level of each other axis, as "width=64"; an axis with a single level needs none.

    Raises:
        UserError: an axis is used twice or not known, or the level of one is open.
    """
    shown = [one.name for one in axes]
    if len(set(shown)) < len(shown):
        raise UserError(f"an axis of a grid is shown twice: {', '.join(shown)}; name different ones")
    rest = {name: own for name, own in grid["axes"].items() if name not in shown}
    chosen = {name: own[0] for name, own in rest.items() if len(own) == 1}
    for given in only:
        name, _, level = given.partition("=")
        check_known(name, rest, "axis of the grid, not shown otherwise,")
        by_word = {f"{own:g}" if not isinstance(own, str) else own: own for own in rest[name]}
        check_known(level, by_word, f"level of axis '{name}'")
        chosen[name] = by_word[level]
    if chosen.keys() < rest.keys():
        open_ones = ", ".join(name for name in rest if name not in chosen)
        raise UserError(
            f"axes of the grid are neither shown nor at one level: {open_ones}; show them, or give 'only', as [{open_ones}=...]"
        )
    at = {tuple(own[name] for name in [*shown, *chosen]): variant for variant, own in grid["variants"].items()}
    places = product(*(range(len(one.known)) for one in axes))
    return {point: at[(*(one.known[place] for one, place in zip(axes, point, strict=True)), *chosen.values())] for point in places}


class Cell(NamedTuple):
    """The numbers of a quantity of one variant.

    Attributes:
        values: of each replica, (R,); nan where there is none.
        indices: of each replica the index of its number, (R,), "" where there is none.
    """

    values: NDArray[np.float64]
    indices: NDArray[np.str_]


def cells(numbers: pd.DataFrame, names: Sequence[str], quantity: str, *, step: str | None = None) -> dict[str, Cell]:
    """Return the numbers of a quantity by variant, those without any left out.

    Args:
        numbers: the study's numbers, columns as in ``numbers.csv``.
        names: the variants.
        quantity: the quantity; with an index where one element alone exists of each replica, as the phase that it is in.
        step: "first", "last" or a step in digits, for a quantity with steps; else None.

    Raises:
        UserError: no variant has such numbers, or replicas have several of them.
    """
    wanted = frozenset(names)
    replicas = numbers[numbers["variant"].isin(wanted)].groupby("variant")["replica"].nunique()
    rows = numbers[(numbers["quantity"] == quantity) & numbers["variant"].isin(wanted)]
    if step is not None and len(rows):
        at = {"first": rows["step"].min(), "last": rows["step"].max()}.get(step)
        rows = rows[rows["step"] == (int(step) if at is None else at)]
    if not len(rows):
        raise UserError(f"there are no numbers of quantity '{quantity}'{'' if step is None else f' at step {step}'} of the grid")
    if rows.duplicated(["variant", "replica"]).any():
        raise UserError(f"quantity '{quantity}' has several numbers of a replica; give its step, or choose a quantity with one")
    found = {}
    for name, own in rows.groupby("variant", sort=False):
        values, indices = np.full(int(replicas[name]), np.nan), np.full(int(replicas[name]), "", dtype=object)
        place = own["replica"].to_numpy()
        values[place], indices[place] = own["value"].to_numpy(), own["index"].to_numpy()
        found[str(name)] = Cell(values, indices.astype(np.str_))
    return found
