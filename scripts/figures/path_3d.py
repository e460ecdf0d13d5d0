"""A path of training in its first three principal components, from two sides, beside its controls; its explorer turns all of them."""

from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize, to_hex
from numpy.typing import NDArray

from scripts.common import boxes, drawing, explorer
from scripts.common.boxes import Eye
from scripts.common.drawing import Picture
from scripts.common.explorer import Axis, Explorer, Key, Panel, Trace, View
from scripts.common.formatting import check_replica, listing, number, seeds_of
from scripts.common.options import Natural
from scripts.common.storage import Arrays
from scripts.common.style import Style, the_only

NAMES = {"path": "path of training", "walk": "random walk", "shuffled": "shuffled steps"}
VIEWS = (Eye(-60.0, 22.0), Eye(30.0, 22.0))
STOPS = 60
"""Stops of the slider, all around."""
ENDS = {"start": "s", "end": "o"}
"""Markers of the ends of a path."""
HOLLOW: dict[str, Any] = {"markersize": 4.5, "markerfacecolor": "white", "linestyle": "none"}
ROOM = 0.06
"""Room around a path in its box, as a share of its extent."""


def draw(path: dict[str, Arrays], *, styles: dict[str, Style], replica: Natural = 0) -> Picture:
    """Draw a row of three boxes for each of two views: the path of one replica, the random walk, and the shuffled steps.

    Args:
        path: the measurement of one variant: `path_coordinate`, `walk_coordinate` and `shuffled_coordinate` (S, R, F), and the shares of
            variance (R, X) of each.
        styles: label and color of the variant.
        replica: which replica.

    Raises:
        UserError: there are several variants, or there is no such replica.
    """
    variant, style = the_only(styles, "one path")
    measured = path[variant]
    check_replica(replica, measured["path_coordinate"].shape[1])
    step = measured["step"]
    points = {kind: measured[f"{kind}_coordinate"][:, replica, :3] for kind in NAMES}
    shares = {kind: measured[f"{kind}_variance"][replica, :3] for kind in NAMES}
    whole = {kind: bool(np.isfinite(places).all()) for kind, places in points.items()}
    limits = {kind: _limits(places) for kind, places in points.items() if whole[kind]}
    figure, panels = drawing.new_figure(len(VIEWS), len(NAMES), height=4.6)
    for place, axes in enumerate(panels):
        view, column = divmod(place, len(NAMES))
        kind = list(NAMES)[column]
        axes.grid(visible=False)
        if view == 0:
            drawing.entitle(axes, NAMES[kind], f"variance {_shares(shares[kind])}")
        axes.set_label(f"{NAMES[kind]}, view {view + 1}")
        if not whole[kind]:
            drawing.empty(axes, "no path in three directions")
            continue
        boxes.draw_box(axes, [f"component {rank + 1}" for rank in range(3)], VIEWS[view])
        seen = boxes.seen(boxes.scaled(points[kind], limits[kind]), VIEWS[view])
        axes.plot(*seen.T, color=drawing.SOFT, linewidth=0.5, label="_line", zorder=2)
        axes.scatter(
            seen[:, 0], seen[:, 1], c=step, s=7, cmap="viridis", linewidths=0, rasterized=True, label="saved points, as seen", zorder=3
        )
        for (name, marker), end in zip(ENDS.items(), (seen[0], seen[-1]), strict=True):
            axes.plot(*end, color=drawing.INK, **HOLLOW, marker=marker, label=name, zorder=4)
    shades = ScalarMappable(Normalize(0, int(step[-1])), "viridis")
    bar = figure.colorbar(shades, ax=panels, location="bottom", label="updates", shrink=0.5, aspect=40, pad=0.01)
    bar.ax.tick_params(length=0)
    drawing.legend(figure, [drawing.line_key(name, drawing.INK, **HOLLOW, marker=marker) for name, marker in ENDS.items()])
    told = "; ".join(f"{name}: {_shares(shares[kind])}" for kind, name in NAMES.items())
    alt = (
        f"Three boxes from two sides: the path of one network {style.label} in its first three principal components, a random walk with "
        f"the same step lengths, and the same steps in random order, each a curve from start to end colored by step. "
        f"Shares of the variance along the three components: {told}."
    )
    note = f"One network, replica {replica} ({seeds_of(replica)}), {len(step)} saved points. Each axis has a scale of its own."
    return Picture(figure, alt, note, _explorer(step, points, shares, limits) if all(whole.values()) else None)


def _limits(points: NDArray[np.float64]) -> list[tuple[float, float]]:
    """Return the limits of the box around points (n, 3)."""
    low, high = points.min(axis=0), points.max(axis=0)
    room = ROOM * (high - low)
    return [(float(one), float(other)) for one, other in zip(low - room, high + room, strict=True)]


def _shares(share: NDArray[np.float64]) -> str:
    """Return shares of variance (3,) in words."""
    return f"{listing([number(100 * one, 2) for one in share[np.isfinite(share)]])} %" if np.isfinite(share).any() else "none"


def _explorer(
    step: NDArray[np.int64],
    points: dict[str, NDArray[np.float64]],
    shares: dict[str, NDArray[np.float64]],
    limits: dict[str, list[tuple[float, float]]],
) -> dict[str, Any]:
    start = VIEWS[0]
    angles = [round(360 * stop / STOPS) for stop in range(STOPS)]
    last = int(step[-1])
    colors = [to_hex(colormaps["viridis"](share)) for share in (0.0, 0.5, 1.0)]
    told = "step %{marker.color}" + "".join(f"<br>component {rank + 1}: %{{customdata[{rank}]:.3~g}}" for rank in range(3))
    panels = []
    for kind, name in NAMES.items():
        axes = [Axis(f"component {rank + 1}", *ends) for rank, ends in enumerate(limits[kind])]
        x, y, z = points[kind].T
        traces = [
            Trace("saved points", "dots", "rest", x, y, told, shades=step.astype(np.float64), z=z),
            Trace("path", "line", "rest", x, y, z=z),
        ]
        panels.append(Panel(f"{name[:1].upper()}{name[1:]}, {_shares(shares[kind])} of the variance", axes[0], axes[1], traces, z=axes[2]))
    made = Explorer(
        slider="Turn",
        stops=[f"{angle} degrees" for angle in angles],
        readout=[f"Turned by {angle} of 360 degrees. Drag a box to turn all three." for angle in angles],
        panels=panels,
        columns=3,
        key=[Key(f"step {number(share)}", "dots", color) for share, color in zip((0, last // 2, last), colors, strict=True)],
        view=View(start.azimuth, start.elevation),
    )
    return explorer.pack(made)
