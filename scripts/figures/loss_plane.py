"""Test loss on the plane of a path's first two principal components, with the path on it, and the train loss on lines to its end."""

from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.ticker import LogLocator

from scripts.common import drawing
from scripts.common.drawing import Picture
from scripts.common.formatting import counted, number, seeds_of
from scripts.common.storage import Arrays
from scripts.common.style import Style, the_only

LEVELS = 14
REPLICA = 0
"""The one replica whose plane is measured."""


def draw(loss_plane: dict[str, Arrays], *, styles: dict[str, Style]) -> Picture:
    """Draw contours of the test loss with the path, and by how much the train loss rises on lines from saved points to the end.

    Args:
        loss_plane: the measurement of one variant: `plane_test_loss` (H, G) on `plane_first` (G,) and `plane_second` (H,), `plane_path`
            (T, 2) at `plane_step` (T,), and `barrier` and `line_bend` (S, R) at `step` (S,).
        styles: label and color of the variant.

    Raises:
        UserError: there are several variants.
    """
    variant, style = the_only(styles, "one path")
    measured = loss_plane[variant]
    figure, (left, right) = drawing.new_figure(1, 2, height=3.2, width_ratios=[1.7, 1])
    left.set_label("test loss on the plane")
    right.set_label("rise of the loss on lines to the end")
    loss = measured["plane_test_loss"]
    if np.isfinite(loss).all():
        _draw_plane(left, measured)
        ends = {name: number(float(loss_at)) for name, loss_at in (("lowest", loss.min()), ("highest", loss.max()))}
        told = f"The test loss there is {ends['lowest']} at its lowest and {ends['highest']} at its highest."
    else:
        drawing.empty(left, "no plane: the network diverged,\nor its path has one direction")
        told = "There is no plane."
    (start, end), (above, bend) = _end_keys(), _draw_rises(right, measured, color=style.color)
    keys = [drawing.line_key("path, projected", drawing.INK, linewidth=1), above, start, bend, end]
    drawing.legend(figure, keys, columns=3)
    highest = drawing.existing(measured, "barrier")
    some = highest[np.isfinite(highest)]
    rises = f"at most {number(float(some.max()))}" if some.size else "not available"
    alt = (
        f"Left: contours of the test loss of one network {style.label} on the plane through the end of its path along the first two "
        f"principal components, with the path projected on it. {told} Right: by how much the train loss on the straight line from the "
        f"network at a step to the one at the end rises above that at both ends ({rises}), and above the straight line between them."
    )
    off = measured["plane_distance"]
    away = f"; the path runs up to {number(float(off.max()))} off the plane" if np.isfinite(off).all() else ""
    note = (
        f"Left: replica {REPLICA} ({seeds_of(REPLICA)}){away}. Right: n = {counted(highest.shape[1], 'replica')}; "
        "lines: median, bands: 5th to 95th percentile."
    )
    return Picture(figure, alt, note)


def _draw_plane(axes: Axes, measured: Arrays) -> None:
    x, y, loss = measured["plane_first"], measured["plane_second"], measured["plane_test_loss"]
    low, high = float(loss.min()), float(loss.max())
    levels = np.geomspace(low, max(high, 1.001 * low), LEVELS)
    filled = axes.contourf(x, y, loss, levels=levels, norm=LogNorm(levels[0], levels[-1]), cmap="Blues")
    filled.set_label("_loss")
    axes.contour(x, y, loss, levels=levels, colors="white", linewidths=0.4).set_label("_contours")
    bar = axes.figure.colorbar(filled, ax=axes, label="test loss", aspect=30, pad=0.02)
    bar.ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    bar.ax.yaxis.set_major_formatter("{x:g}")
    bar.ax.minorticks_off()
    path = measured["plane_path"]
    axes.plot(*path.T, color=drawing.INK, linewidth=1, label="path")
    for (name, marker), end in zip((("start", "s"), ("end", "o")), (path[0], path[-1]), strict=True):
        axes.plot(*end, color=drawing.INK, marker=marker, markersize=4.5, markerfacecolor="white", linestyle="none", label=name)
    axes.grid(visible=False)
    axes.set(xlabel="component 1", ylabel="component 2", xlim=(x[0], x[-1]), ylim=(y[0], y[-1]))


def _end_keys() -> list[Artist]:
    hollow: dict[str, Any] = {"markersize": 4.5, "markerfacecolor": "white", "linestyle": "none"}
    return [drawing.line_key(name, drawing.INK, marker=marker, **hollow) for name, marker in (("start", "s"), ("end", "o"))]


def _draw_rises(axes: Axes, measured: Arrays, *, color: str) -> list[Artist]:
    """Draw the rises of the loss on lines to the end, and return the legend entries."""
    keys: list[Artist] = []
    names = {"barrier": "rise above both ends", "line_bend": "rise above the straight line"}
    for turn, (quantity, name) in enumerate(names.items()):
        values = drawing.spread_of_existing(drawing.existing(measured, quantity).T)
        paint = drawing.INK if turn == 0 else color
        drawing.median_and_band(axes, measured["step"], values, color=paint, line=drawing.line_of(turn), label=name)
        keys.append(drawing.line_key(name, paint, linestyle=drawing.line_of(turn)))
    drawing.step_axis(axes, int(measured["step"][-1]), linear_to=1)
    axes.set_ylabel("rise of the train loss")
    axes.set_ylim(min(0.0, axes.get_ylim()[0]), None)
    return keys
