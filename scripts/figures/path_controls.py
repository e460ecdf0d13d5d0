"""A path of training and its controls, component by component: coordinates against the step, and shares of the variance."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from scripts.common import drawing
from scripts.common.drawing import Picture
from scripts.common.formatting import check_replica, counted, listing, number, seeds_of
from scripts.common.options import Natural
from scripts.common.storage import Arrays
from scripts.common.style import Style, the_only

NAMES = {"path": "path of training", "walk": "random walk", "shuffled": "shuffled steps"}
COLORS = {"path": drawing.FIRST, "walk": drawing.SECOND, "shuffled": "#009E73"}


def draw(path: dict[str, Arrays], *, styles: dict[str, Style], replica: Natural = 0) -> Picture:
    """Draw a row of four panels for the path of one replica and each control, a panel for each component, and one of shares of variance.

    Args:
        path: the measurement of one variant: coordinates (S, R, F) and shares of variance (R, X) of the path and of both controls.
        styles: label and color of the variant.
        replica: whose coordinates are drawn; the shares are those of all replicas.

    Raises:
        UserError: there are several variants, or there is no such replica.
    """
    variant, style = the_only(styles, "one path")
    measured = path[variant]
    check_replica(replica, measured["path_coordinate"].shape[1])
    step, components = measured["step"], measured["path_coordinate"].shape[2]
    figure, panels = drawing.new_figure(len(NAMES) + 1, components, height=5.4, sharex=False)
    for row, (kind, name) in enumerate(NAMES.items()):
        for rank in range(components):
            axes = panels[row * components + rank]
            axes.set_label(f"{name}, component {rank + 1}")
            coordinate = measured[f"{kind}_coordinate"][:, replica, rank]
            _draw_coordinate(axes, step, coordinate, color=COLORS[kind], line=drawing.line_of(row))
            if row == 0:
                axes.set_title(f"component {rank + 1}")
            if row == len(NAMES) - 1:
                axes.set_xlabel("updates")
        panels[row * components].set_ylabel("coordinate")
    shares, *spare = panels[len(NAMES) * components :]
    for axes in spare:
        axes.remove()
    place = shares.get_subplotspec()
    if place is not None:  # as it always is in a grid
        shares.set_subplotspec(place.get_gridspec()[len(NAMES), :])
    shares.set_label("share of the variance")
    for turn, (kind, name) in enumerate(NAMES.items()):
        _draw_shares(shares, measured[f"{kind}_variance"], turn, label=name, color=COLORS[kind])
    if np.isfinite(measured["path_variance"]).any():
        shares.set_yscale("log")
        drawing.ranks(shares, measured["path_variance"].shape[1])
        drawing.log_ticks(shares)
        shares.set(xlabel="component", ylabel="share of variance")
    else:
        drawing.empty(shares, "no path: every network diverged")
    keys = [
        drawing.line_key(name, COLORS[kind], linestyle=drawing.line_of(turn), marker=drawing.marker_of(turn))
        for turn, (kind, name) in enumerate(NAMES.items())
    ]
    drawing.legend(figure, keys)
    told = []
    for kind, name in NAMES.items():
        middle = drawing.spread_of_existing(measured[f"{kind}_variance"]).median
        some = [number(100 * float(share), 2) for share in middle[:3] if np.isfinite(share)]
        told.append(f"{name} {listing(some)} %" if some else f"{name} none")
    alt = (
        f"Coordinates of a path of training ({style.label}), of a random walk with the same step lengths and of the same steps in random "
        f"order along their first {components} principal components against the training step, and below the shares of the variance along "
        f"the first {measured['path_variance'].shape[1]}. Median shares of the first three: {'; '.join(told)}."
    )
    count = measured["path_variance"].shape[0]
    note = (
        f"Coordinates: replica {replica} ({seeds_of(replica)}); each panel has a scale of its own. Shares: n = {counted(count, 'replica')}"
        "; dots: replicas, line: their medians."
    )
    return Picture(figure, alt, note)


def _draw_coordinate(axes: Axes, step: NDArray[np.int64], coordinate: NDArray[np.float64], *, color: str, line: Any) -> None:
    if np.isnan(coordinate).all():
        drawing.empty(axes, "none")
        return
    some = drawing.thinned(len(step), 160)
    axes.axhline(0, color=drawing.FAINT, linewidth=0.6, label="_zero")
    axes.plot(step[some], coordinate[some], color=color, linestyle=line, label="coordinate")
    axes.set_xlim(0, step[-1])
    axes.locator_params(axis="x", nbins=2)
    axes.locator_params(axis="y", nbins=3)


def _draw_shares(axes: Axes, share: NDArray[np.float64], turn: int, *, label: str, color: str) -> None:
    """Draw the shares (R, X) of all replicas, beside those of the other paths, and the line of their medians."""
    place = np.arange(1, share.shape[1] + 1) + 0.16 * (turn - 1)
    along = np.broadcast_to(place, share.shape)
    seen = np.isfinite(share) & (share > 0)
    drawing.dots(axes, along[seen], share[seen], color=color, size=5, marker=drawing.marker_of(turn), label=f"{label}, replicas")
    middle = drawing.spread_of_existing(share).median
    drawn = np.isfinite(middle) & (middle > 0)
    axes.plot(place[drawn], middle[drawn], color=color, markersize=3.5, **drawing.edged(turn), label=f"{label}, median")
