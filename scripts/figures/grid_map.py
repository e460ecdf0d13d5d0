"""A map of a quantity over two axes of a grid, a third one as panels: a color for each combination of levels, and theory over it."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LogNorm, Normalize, to_rgb
from matplotlib.patches import Patch
from numpy.typing import NDArray

from scripts.common import drawing, grid_figures
from scripts.common.drawing import Picture
from scripts.common.errors import UserError
from scripts.common.formatting import counted_range, listing, number, sentence
from scripts.common.grid_figures import Cell, Levels
from scripts.common.options import GridName, Moment, QuantityName

COLORS = ("#0072B2", "#DDDDDD", "#D55E00", "#F0E442", "#CC79A7")
"""Of the values of an index, as phases, in the order in which they are named."""
EDGE: dict[str, Any] = {"linestyle": drawing.LINES[0], "linewidth": 1.2}
LIMIT: dict[str, Any] = {"linestyle": drawing.LINES[1], "linewidth": 1.2}


def draw(
    numbers: pd.DataFrame,
    grids: Mapping[str, Mapping[str, Any]],
    *,
    grid: GridName,
    x: str,
    y: str,
    quantity: QuantityName,
    panels: str | None = None,
    only: list[str] | None = None,
    step: Moment | None = None,
    phases: list[str] | None = None,
    linear: list[str] | None = None,
    title: str | None = None,
    x_title: str | None = None,
    y_title: str | None = None,
    logarithmic: bool = False,
    edge: QuantityName | None = None,
    edge_title: str = "theory",
    limit: QuantityName | None = None,
    limit_title: str = "theory",
) -> Picture:
    """Draw a panel for each level of an axis: the median of a quantity as a color, or in which share of replicas each phase is.

    Args:
        numbers: the study's numbers, columns as in ``numbers.csv``.
        grids: axes and variants of the grid.
        grid: name of the grid.
        x: the axis along x.
        y: the axis along y.
        quantity: the quantity.
        panels: the axis whose levels are panels; a single panel if not given.
        only: of each other axis the level that is shown, as "width=64".
        step: the step at which the quantity is taken, of one with steps.
        phases: of a quantity whose index says what a replica is, as its phase, what it may say, at most five; a color then mixes those
            of the phases that replicas are in.
        linear: axes on a linear scale; others with positive levels are on a logarithmic one.
        title: what the quantity is called; its name if not given.
        x_title: what the axis along x is; its name if not given.
        y_title: what the axis along y is; its name if not given.
        logarithmic: whether colors go with the logarithm of the quantity.
        edge: a quantity of a simulation: a place along x, which is drawn as a line from bottom to top.
        edge_title: what that line is.
        limit: a quantity of a simulation whose index is a level along x: a place along y for each, which are drawn as a curve.
        limit_title: what that curve is.

    Raises:
        UserError: the grid has no such axes or levels, or there are no such numbers, or more phases than colors, or others.
    """
    if phases and len(phases) > len(COLORS):
        raise UserError(f"option 'phases' names {len(phases)}; at most {len(COLORS)} can be told apart: name fewer")
    known = grids[grid]
    across, up = (grid_figures.levels(known, axis, linear=linear or []) for axis in (x, y))
    beside = grid_figures.levels(known, panels) if panels else None
    by_point = grid_figures.variants(known, [across, up, *([beside] if beside else [])], only or [])
    cells = grid_figures.cells(numbers, list(by_point.values()), quantity, step=step)
    figure, axes, columns = grid_figures.panels(len(beside.known) if beside else 1)
    name = title or quantity.replace("_", " ")
    shape = (len(up.known), len(across.known))
    scale = _scale(list(cells.values()), logarithmic=logarithmic)
    told = []
    for place, panel in enumerate(axes):
        called = beside.called(place) if beside else name
        drawing.entitle(panel, called)
        at = {(j, i): cells.get(variant) for (i, j, *rest), variant in by_point.items() if rest in ([], [place])}
        if phases:
            words = _draw_phases(panel, across, up, _shares(at, shape, phases), phases)
        else:
            words = _draw_medians(panel, across, up, _medians(at, shape), scale=scale, name=name)
        told.append(f"{called}: {words}")
        _draw_theory(panel, numbers, up, edge=(edge, edge_title), limit=(limit, limit_title))
        grid_figures.mark(panel, x=across, y=up)
        panel.grid(visible=False)
    grid_figures.entitle_axes(axes, columns, x_title or x.replace("_", " "), y_title or y.replace("_", " "))
    keys: list[Artist] = [Patch(facecolor=color, edgecolor="none", label=one) for one, color in zip(phases or [], COLORS, strict=False)]
    keys += [drawing.line_key(edge_title, drawing.INK, **EDGE)] if edge else []
    keys += [drawing.line_key(limit_title, drawing.INK, **LIMIT)] if limit else []
    drawing.legend(figure, keys, columns=min(len(keys), 4))
    if not phases:
        figure.colorbar(scale, ax=axes, label=name, aspect=30, pad=0.02)
    counts = {cell.values.size for cell in cells.values()}
    shown = f"shares of {listing(phases)}" if phases else f"median {name}"
    alt = f"Map of {shown} over {x} and {y}{f', a panel for each {panels}' if panels else ''}. {' '.join(sentence(one) for one in told)}"
    note = f"n = {counted_range(counts, 'replica')} at each combination of levels" + (
        "; a color mixes those of the phases that the replicas are in." if phases else "; colors: median, white where it is not finite."
    )
    return Picture(figure, alt, note)


def _draw_phases(axes: Axes, across: Levels, up: Levels, shares: NDArray[np.float64], phases: Sequence[str]) -> str:
    """Draw the shares (phases, Y, X) of replicas in each phase, and return in words where most are in the first."""
    _fill(axes, across, up, _mixed(shares))
    for share, phase in zip(shares, phases, strict=True):
        _tell(axes, across, up, share, phase)
    return _where(across, up, shares[0], phases[0])


def _draw_medians(axes: Axes, across: Levels, up: Levels, middle: NDArray[np.float64], *, scale: ScalarMappable, name: str) -> str:
    """Draw medians (Y, X), white where one is not finite, and return in words what they are."""
    seen = np.isfinite(middle)
    colors = np.asarray(scale.to_rgba(np.where(seen, middle, 1.0)), dtype=np.float64)[..., :3]
    _fill(axes, across, up, np.where(seen[..., None], colors, 1.0))
    _tell(axes, across, up, middle, f"median {name}")
    return _ends(middle)


def _scale(cells: Sequence[Cell], *, logarithmic: bool) -> ScalarMappable:
    """Return the colors of the medians of a quantity, the same in all panels."""
    middle = np.array([_median(cell) for cell in cells])
    seen = middle[np.isfinite(middle) & ((middle > 0) | (not logarithmic))]
    low, high = (float(seen.min()), float(seen.max())) if seen.size else (0.5, 1.0)
    ends = (low, high) if high > low else (low, low + abs(low) + 1e-12)
    return ScalarMappable(LogNorm(*ends) if logarithmic else Normalize(*ends), cmap="viridis")


def _median(cell: Cell | None) -> float:
    return float(drawing.spread(cell.values).median) if cell is not None and cell.values.size else np.nan


def _medians(at: Mapping[tuple[int, int], Cell | None], shape: tuple[int, int]) -> NDArray[np.float64]:
    found = np.full(shape, np.nan)
    for place, cell in at.items():
        found[place] = _median(cell)
    return found


def _shares(at: Mapping[tuple[int, int], Cell | None], shape: tuple[int, int], phases: Sequence[str]) -> NDArray[np.float64]:
    """Return the share of replicas in each phase, (phases, *shape)."""
    found = np.zeros((len(phases), *shape))
    for place, cell in ((place, cell) for place, cell in at.items() if cell is not None):
        others = sorted(set(cell.indices.tolist()) - set(phases))
        if others:
            raise UserError(f"replicas are '{others[0]}', which is none of the phases {', '.join(phases)}; name it under 'phases'")
        for which, phase in enumerate(phases):
            found[which, *place] = np.mean(cell.indices == phase)
    return found


def _mixed(shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the colors of the phases mixed by their shares, (..., 3); white where there are none."""
    paints = np.array([to_rgb(color) for color in COLORS[: len(shares)]])
    return np.asarray(np.einsum("p...,pc->...c", shares, paints) + (1 - shares.sum(axis=0))[..., None], dtype=np.float64).clip(0, 1)


def _fill(axes: Axes, across: Levels, up: Levels, colors: NDArray[np.float64]) -> None:
    mesh = axes.pcolormesh(across.edges, up.edges, colors, rasterized=True)
    mesh.set_label("_cells")


def _tell(axes: Axes, across: Levels, up: Levels, values: NDArray[np.float64], label: str) -> None:
    """Put the numbers behind the colors into the CSV file: lines that are not drawn, one for each level along y."""
    for place in range(len(up.known)):
        axes.plot(across.places, values[place], linestyle="none", label=f"{label}, {up.called(place)}", visible=False)


def _draw_theory(axes: Axes, numbers: pd.DataFrame, up: Levels, *, edge: tuple[str | None, str], limit: tuple[str | None, str]) -> None:
    if edge[0]:
        at = float(np.median(_rows(numbers, edge[0])["value"]))
        axes.plot([at, at], up.edges[[0, -1]], color=drawing.INK, **EDGE, label=edge[1])
    if limit[0]:
        middle = _rows(numbers, limit[0]).groupby("index", sort=False)["value"].median()
        along = np.array([float(index) for index in middle.index])
        order = np.argsort(along)
        axes.plot(along[order], middle.to_numpy()[order].clip(0, 1e6), color=drawing.INK, **LIMIT, label=limit[1])


def _rows(numbers: pd.DataFrame, quantity: str) -> pd.DataFrame:
    rows = numbers[numbers["quantity"] == quantity]
    if not len(rows):
        raise UserError(f"there are no numbers of quantity '{quantity}'")
    return rows


def _where(across: Levels, up: Levels, share: NDArray[np.float64], phase: str) -> str:
    """Return in words between which levels along x most replicas are in a phase, for each level along y."""
    told = []
    for place in range(len(up.known)):
        most = np.flatnonzero(share[place] > 0.5)
        ends = [grid_figures.plain(across.known[end]) for end in (most[[0, -1]] if most.size else [])]
        told.append(f"{up.called(place)} {f'from {ends[0]} to {ends[1]}' if ends else 'nowhere'}")
    return f"most replicas are in phase {phase} at {', '.join(told)}"


def _ends(middle: NDArray[np.float64]) -> str:
    seen = middle[np.isfinite(middle)]
    gone = f", not finite at {middle.size - seen.size} of {middle.size} combinations" if seen.size < middle.size else ""
    return (f"{number(float(seen.min()))} to {number(float(seen.max()))}" if seen.size else "no finite median") + gone
