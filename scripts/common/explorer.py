"""Explorers: figures that move, which the HTML report shows in place of their pictures wherever scripts run.

An explorer is some panels with traces, and one slider with its stops. Where the stops are the moments of a training, a trace with one
row of values for each stop moves with the slider, and the slider plays. Where they are the points of `linked` panels, the slider marks
one point in all of them, and so does pointing at that point in one. Where they are angles of a `View`, the slider turns all panels with a
third axis, and so does dragging one of them.

`pack` makes of it what a figure's JSON stores and ``templates/explorer.js`` draws: words, and arrays of float32 (little-endian, row by
row) in base64, each of them once.
"""

import base64
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from scripts.common import drawing

MOST_STOPS = 60
"""Stops of a slider over the moments of a training."""
MOST_POINTS = 300
"""Points along x of a curve; more make the page larger and the curve no finer."""

LineKind = Literal["line", "dashed", "dotted", "dashdotted"]
TraceKind = LineKind | Literal["dots", "triangles", "ticks", "bars"]
LINES: tuple[LineKind, ...] = ("line", "dashed", "dotted", "dashdotted")
"""The kinds of lines, in the order of `drawing.LINES`."""


class Axis(NamedTuple):
    """An axis of a panel, the same for all stops, so that what moves is the curve.

    Attributes:
        title: its title; may hold <i>, <sub> and <sup>; what a study says in it is escaped by `escaping.plotly_text`.
        low: where it begins.
        high: where it ends.
        logarithmic: whether it is logarithmic.
    """

    title: str
    low: float
    high: float
    logarithmic: bool = False


class Trace(NamedTuple):
    """A curve, or a row of dots, marks or bars.

    Attributes:
        name: what it is.
        kind: how it is drawn.
        color: one of the page's own colors ("ink", "quiet", "rest"), or "#rrggbb", which the page makes lighter where it is dark; of
            bars a list with one for each.
        x: places (n,), or (S, n) with a row for each stop.
        y: heights, (n,) or (S, n); what is not finite is not drawn.
        told: what is said of the point that the reader points at, with %{x}, %{y} and %{marker.color} for its values and Plotly's
            formats of numbers, and with tags as in titles of axes; the reader cannot point at a trace without.
        shades: of dots a value (n,) that gives each its color, with a scale beside the panel.
        shades_title: what these values are; there is no scale where it is empty.
        z: in a panel with a third axis, the places along it, (n,), as those of x and y.
    """

    name: str
    kind: TraceKind
    color: str | list[str]
    x: NDArray[np.floating]
    y: NDArray[np.floating]
    told: str = ""
    shades: NDArray[np.floating] | None = None
    shades_title: str = ""
    z: NDArray[np.floating] | None = None


class Panel(NamedTuple):
    """A panel.

    Attributes:
        title: its title, in plain words.
        x: its horizontal axis.
        y: its vertical axis.
        traces: what it shows; where it has none, there is nothing to show.
        span: how many columns it is wide.
        linked: how many of its traces, from the first on, show the point that is marked in all linked panels; 0 where it is not linked.
        message: why there is nothing to show.
        z: its third axis, upright; None where it has two. With three, all of them linear, it is a box that is looked at from outside.
    """

    title: str
    x: Axis
    y: Axis
    traces: Sequence[Trace] = ()
    span: int = 1
    linked: int = 0
    message: str = ""
    z: Axis | None = None


class Key(NamedTuple):
    """An entry of the key below the panels: words, and the color and kind of the traces that they are for."""

    words: str
    kind: TraceKind
    color: str


class View(NamedTuple):
    """From where boxes are looked at: at the first stop, and in even turns from there, all around, at the others.

    Attributes:
        azimuth: angle of the eye around the upright axis, in degrees, from the axis of x to that of y.
        elevation: its angle above the floor, in degrees.
    """

    azimuth: float
    elevation: float


class Explorer(NamedTuple):
    """An explorer.

    Attributes:
        slider: what the slider moves along, as "training step".
        stops: what each stop is called, S of them.
        readout: what is said at each stop, S of them.
        panels: the panels, row by row.
        columns: how many columns they stand in on a wide screen.
        key: what the colors mean.
        hint: what is said before the slider was first moved; where it is empty, the explorer begins at the first stop.
        view: from where panels with a third axis are looked at, where the slider turns them.
    """

    slider: str
    stops: list[str]
    readout: list[str]
    panels: list[Panel]
    columns: int
    key: list[Key]
    hint: str = ""
    view: View | None = None


def line_kind(place: int) -> LineKind:
    """Return the kind of line number `place` of a panel that holds several: color alone does not tell them apart."""
    return LINES[place % len(LINES)]


def singular_values(title: str, sigma: NDArray[np.float64], colors: list[str], *, logarithmic: bool = True, span: int = 1) -> Panel:
    """Return the panel of singular values as bars; those that are zero to rounding have none.

    Args:
        title: its title.
        sigma: the first K singular values, (K,), or (S, K) with a row for each stop.
        colors: the color of each of the K bars.
        logarithmic: whether they stand on a logarithmic axis.
        span: how many columns it is wide.
    """
    shown, count = drawing.above_rounding(sigma), sigma.shape[-1]
    finite = shown[np.isfinite(shown)]
    low, high = drawing.decades(finite) if logarithmic else (0.0, 1.05 * float(finite.max()))
    return Panel(
        title,
        Axis("rank <i>k</i>", 0.2, count + 0.8),
        Axis("singular value <i>σ<sub>k</sub></i>", low, high, logarithmic=logarithmic),
        [Trace("singular values", "bars", colors, np.arange(1.0, count + 1), shown, "singular value %{x}: %{y:.3~g}")],
        span=span,
    )


def pack(explorer: Explorer) -> dict[str, Any]:
    """Return an explorer as JSON content.

    Raises:
        ValueError: the lists and arrays do not fit each other, or there is a third axis here and none there.
    """
    stops = len(explorer.stops)
    for panel in explorer.panels:
        flat = [trace.name for trace in panel.traces if (trace.z is None) != (panel.z is None)]
        if flat or (panel.z is not None and explorer.view is None):
            raise ValueError(f"the panel '{panel.title}', its traces and the explorer's view do not agree on a third axis")
    if len(explorer.readout) != stops:
        raise ValueError(f"an explorer with {stops} stops has {len(explorer.readout)} readouts")
    for panel in explorer.panels:
        wrong = [trace.name for trace in panel.traces[: panel.linked] if trace.x.shape[-1] != stops]
        if wrong:
            raise ValueError(f"the points of {', '.join(wrong)} in the linked panel '{panel.title}' are not the {stops} stops")
    arrays: dict[str, int] = {}
    panels = [
        panel._asdict()
        | {key: axis and axis._asdict() for key, axis in (("x", panel.x), ("y", panel.y), ("z", panel.z))}
        | {"traces": [_packed(one, stops, arrays) for one in panel.traces]}
        for panel in explorer.panels
    ]
    view = explorer.view and explorer.view._asdict()
    return explorer._asdict() | {"key": [entry._asdict() for entry in explorer.key], "panels": panels, "view": view, "arrays": list(arrays)}


def _packed(trace: Trace, stops: int, arrays: dict[str, int]) -> dict[str, Any]:
    points = trace.x.shape[-1]
    for values in (trace.x, trace.y, trace.z, trace.shades):
        if values is not None and values.shape not in ((points,), (stops, points)):
            raise ValueError(f"an array of '{trace.name}' has the shape {values.shape}, expected ({points},) or ({stops}, {points})")

    def place(values: NDArray[np.floating] | None) -> int | None:
        """Return the place of an array among all arrays, where it is put unless it is there."""
        return None if values is None else arrays.setdefault(_encoded(values), len(arrays))

    return trace._asdict() | {"points": points, **{key: place(getattr(trace, key)) for key in ("x", "y", "z", "shades")}}


def _encoded(values: NDArray[np.floating]) -> str:
    with np.errstate(over="ignore"):
        return base64.b64encode(np.ascontiguousarray(values, dtype="<f4").tobytes()).decode()
