"""The look of every figure, and the parts that figures share; `scripts.common.pictures` writes them.

A figure starts from `new_figure` or `small_multiples`, which set the style, so that no settings of a user's own show. A label on
an artist names it in the CSV file; an artist without a label, or with one that starts with "_", is a backdrop and stays out of it.
"""

import math
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import matplotlib
import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FixedLocator, FuncFormatter, LogFormatterMathtext, LogLocator, MaxNLocator, NullFormatter
from numpy.typing import ArrayLike, NDArray

from scripts.common.errors import UserError
from scripts.common.formatting import check_known, counted, moment
from scripts.common.storage import Arrays

WIDTH = 6.3
"""Width of a figure in inches: the text width of 16 cm, so that text keeps its size in the PDF."""
RASTER_DPI = 200
DRAWN_POINTS = 100
"""Points along x of a line or band in a small panel; more make the file larger and the picture no finer."""
FEW_POINTS = 50
"""Up to so many training points are drawn larger, so that one sees them."""

INK, SOFT, FAINT = "#222222", "#767676", "#C4C4C4"
FIRST, SECOND = "#0072B2", "#D55E00"
SHADE = "#F2ECD8"
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">", "p", "h")
LINES = ("solid", (0, (5, 1.5)), (0, (1.2, 1.2)), (0, (6, 1.5, 1.2, 1.5)))
BENDS = {"elbow": ("^", 11.0, 0.035), "kink": ("|", 16.0, 0.1)}
"""Marker, size and height, as a share of the panel, of the marks where a network's units bend."""
FLOOR = 1e-10
"""A singular value below this share of the largest is zero to rounding, and not drawn on a logarithmic axis."""

STYLE: dict[Any, Any] = {
    "font.family": ["DejaVu Sans"],
    "mathtext.fontset": "dejavusans",
    "font.size": 8.5,
    "axes.titlesize": 8.5,
    "axes.labelsize": 8.5,
    "figure.titlesize": 8.5,
    "figure.labelsize": 8.5,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "legend.fontsize": 8.5,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "axes.titlelocation": "left",
    "axes.titlepad": 4,
    "axes.edgecolor": SOFT,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#E6E6E6",
    "grid.linewidth": 0.5,
    "xtick.color": SOFT,
    "ytick.color": SOFT,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.minor.size": 0,
    "ytick.minor.size": 0,
    "lines.linewidth": 1.3,
    "lines.markersize": 3.5,
    "legend.frameon": False,
    "legend.handlelength": 1.8,
    "legend.borderaxespad": 0.2,
    "axes.formatter.useoffset": False,
    "image.cmap": "viridis",
    "path.simplify_threshold": 0.25,
    "figure.dpi": RASTER_DPI,
    "svg.fonttype": "path",
    "svg.hashsalt": "tangent-report",
}


class Picture(NamedTuple):
    """A drawn figure.

    Attributes:
        figure: the figure.
        alt: what it shows and its main values, in sentences, for readers who do not see it.
        note: what the code adds to the caption: the number of replicas, and what lines, bands and dots mean.
        explorer: what stands in its place where scripts run, as `scripts.common.explorer.pack` makes it; None if nothing does.
    """

    figure: Figure
    alt: str
    note: str
    explorer: Mapping[str, Any] | None = None


class Spread(NamedTuple):
    """Median of replicas, and a low and a high percentile."""

    median: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]


# --- figures and panels


def new_figure(rows: int = 1, columns: int = 1, *, height: float, **options: Any) -> tuple[Figure, list[Axes]]:
    """Return a figure of full width and the panels of its grid, row by row.

    Args:
        rows: number of rows of panels.
        columns: number of columns of panels.
        height: height of the figure in inches.
        **options: further options of `Figure.subplots`.
    """
    matplotlib.rcdefaults()
    matplotlib.rcParams.update(STYLE)
    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False, **options)
    return figure, list(panels.flat)


def small_multiples(count: int, *, columns: int = 3, panel_height: float = 1.35) -> tuple[Figure, list[Axes]]:
    """Return a figure with `count` panels that share both axes; only the outer ones carry the labels of ticks."""
    columns = max(1, min(columns, count))
    rows = math.ceil(count / columns)
    figure, panels = new_figure(rows, columns, height=max(rows * panel_height + 0.6, 2.3), sharex=True, sharey=True)
    for spare in range(count, rows * columns):
        panels[spare].remove()
        panels[spare - columns].tick_params(labelbottom=True)
    return figure, panels[:count]


def legend(figure: Figure, handles: Sequence[Artist], *, columns: int | None = None) -> None:
    """Put a legend above all panels, where it covers no data."""
    if handles:
        figure.legend(handles=handles, loc="outside upper left", ncols=columns or len(handles), columnspacing=1.2)


def line_key(label: str, color: str, **options: Any) -> Line2D:
    """Return the legend entry of a line or of a marker."""
    return Line2D([], [], color=color, label=label, **options)


def band_key(label: str, color: str) -> Patch:
    """Return the legend entry of a band or of a shaded range."""
    return Patch(facecolor=color, edgecolor="none", alpha=0.25, label=label)


def entitle(axes: Axes, label: str, words: str = "") -> None:
    """Give a panel its title, and below it, smaller, `words` on what is not as it should be; both broken to the panel's width."""
    grid = axes.get_gridspec()
    columns = grid.ncols if grid else 1
    lines = textwrap.wrap(words, 96 // columns)
    axes.set_label(label)
    axes.set_title(textwrap.fill(label, 84 // columns), pad=4 + 9.5 * len(lines))
    if lines:
        text = axes.annotate(
            "\n".join(lines),
            (0, 1),
            xycoords="axes fraction",
            xytext=(0, 3),
            textcoords="offset points",
            va="bottom",
            fontsize=7.5,
            color=SOFT,
        )
        text.set_label("message")


def empty(axes: Axes, text: str) -> None:
    """Turn a panel into one sentence: what should be here does not exist, and why."""
    axes.set(xticks=[], yticks=[])
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    words = axes.text(0.5, 0.5, text, transform=axes.transAxes, ha="center", va="center", linespacing=1.4, color=SOFT)
    words.set_label("message")


def dots(axes: Axes, x: ArrayLike, y: ArrayLike, *, color: str, label: str, size: float = 5, marker: str = "o", many: bool = False) -> None:
    """Draw replicas as dots, half transparent; `many` dots become a picture inside the figure, so that the file stays small."""
    axes.scatter(x, y, s=size, color=color, alpha=0.6, linewidths=0, marker=marker, rasterized=many, label=label)


def medians(axes: Axes, x: ArrayLike, y: ArrayLike, *, label: str, marker: str = "_", size: float = 9, joined: bool = False) -> None:
    """Mark medians with bars ("_" or "|"), joined by a thin line if asked."""
    line = "solid" if joined else "none"
    axes.plot(x, y, color=INK, linestyle=line, linewidth=0.9, marker=marker, markersize=size, markeredgewidth=1.7, label=label)


def replica_key(color: str = SOFT) -> Artist:
    """Return the legend entry of `dots`."""
    return line_key("one replica", color, marker="o", linestyle="none")


def median_key(marker: str = "_") -> Artist:
    """Return the legend entry of `medians`."""
    return line_key("median", INK, marker=marker, markersize=9, markeredgewidth=1.7, linestyle="none")


def constant_key() -> Artist:
    """Return the legend entry of the line at the loss of the best constant."""
    return line_key("best constant", SOFT, linewidth=0.9, linestyle=LINES[2])


def plain_log_ticks(axis: Axis, *, count: int = 6) -> None:
    """Mark a logarithmic axis at no more than `count` powers of ten."""
    axis.set_major_locator(LogLocator(numticks=count))
    axis.set_minor_formatter(NullFormatter())


def log_ticks(axes: Axes) -> None:
    """Mark a logarithmic y axis by what it spans: at powers of ten, at 1, 2 and 5 times them, or evenly where that would be too few."""
    low, high = axes.get_ylim()
    if high >= 100 * low:
        plain_log_ticks(axes.yaxis)
        return
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)) if high >= 5 * low else MaxNLocator(4))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.4g}"))
    axes.yaxis.set_minor_formatter(NullFormatter())


def step_axis(axes: Axes, last: int, *, linear_to: int = 1) -> None:
    """Put steps from 0 to `last` on the axis of x: linear up to `linear_to`, logarithmic from there."""
    axes.set_xlabel("updates")
    if last <= linear_to:
        axes.set_xlim(-0.02 * last, 1.02 * last)
        axes.xaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10], integer=True))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
        return
    axes.set_xscale("symlog", linthresh=linear_to, linscale=0.5)
    axes.set_xlim(-0.15 * linear_to, 1.3 * last)
    axes.xaxis.set_major_locator(
        FixedLocator([0, *(10**power for power in range(len(str(linear_to - 1)) if linear_to > 1 else 0, len(str(last))))])
    )
    axes.xaxis.set_major_formatter(LogFormatterMathtext())


def decades(values: NDArray[np.float64]) -> tuple[float, float]:
    """Return the powers of ten that a logarithmic axis for bars of these heights runs from and to; some two where there are no bars."""
    low, high = (float(values.min()), float(values.max())) if values.size else (1.5, 10.0)
    return 10.0 ** math.floor(math.log10(low / 1.5)), 10.0 ** math.ceil(math.log10(high))


def above_rounding(sigma: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return singular values (..., K) with nan for those that are zero to rounding."""
    return np.where(sigma > FLOOR * sigma[..., :1], sigma, np.nan)


def ranks(axes: Axes, count: int) -> None:
    """Mark the axis of x at 1, 2, ..., `count`; dots beside a mark belong to it."""
    axes.set_xticks(range(1, count + 1), labels=[str(rank) for rank in range(1, count + 1)])


def doubling_axis(axes: Axes, places: Sequence[int]) -> None:
    """Put x on an axis of powers of two, marked at `places`; what stands beside a mark belongs to it."""
    axes.set_xscale("log", base=2)
    axes.xaxis.set_major_locator(FixedLocator(sorted(places)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda place, _: f"{place:.0f}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xlim(min(places) / 1.5, max(places) * 1.5)


def replicas_and_medians(
    axes: Axes, places: Sequence[int], values: Sequence[NDArray[np.float64]], *, label: str, color: str, turn: int, turns: int
) -> list[float]:
    """Draw the positive values (R,) of the replicas at each place on a doubling axis, and the line of their medians; return these.

    Of `turns` lines this is number `turn`; at each place they stand side by side, so that they do not hide each other.
    """
    x = np.array(places) * 2.0 ** (0.1 * (turn - (turns - 1) / 2))
    seen = [np.isfinite(one) & (one > 0) for one in values]
    along, up = np.repeat(x, [drawn.sum() for drawn in seen]), np.concatenate([one[drawn] for one, drawn in zip(values, seen, strict=True)])
    dots(axes, along, up, color=color, size=6, marker=marker_of(turn), label=f"{label}, replicas")
    middle = np.array([float(spread(one).median) for one in values])
    drawn = np.isfinite(middle) & (middle > 0)
    axes.plot(x[drawn], middle[drawn], color=color, markersize=5, **edged(turn), label=f"{label}, median")
    return [float(value) for value in middle]


def edged(turn: int) -> dict[str, Any]:
    """Return line and marker of line number `turn` of a panel, for `Axes.plot` and `line_key`: color alone does not tell lines apart."""
    return {"linestyle": line_of(turn), "marker": marker_of(turn), "markeredgecolor": INK, "markeredgewidth": 0.5}


def thinned(length: int, points: int = DRAWN_POINTS) -> NDArray[np.int64]:
    """Return the places of those of `length` points along x that are drawn: at most `points`, evenly, both ends included."""
    return np.unique(np.linspace(0, length - 1, min(points, length)).round().astype(np.int64))


def corners(x: NDArray[np.float64], y: NDArray[np.float64], *, within: float) -> NDArray[np.int64]:
    """Return the places of the points that a line through x, y (n,) needs: of a function in linear pieces no more than its corners.

    No point that is left out lies further above or below the line than `within` (Douglas and Peucker 1973).
    """
    needed, stretches = {0, len(x) - 1}, [(0, len(x) - 1)]
    while stretches:
        begin, end = stretches.pop()
        inner = slice(begin + 1, end)
        off = np.abs(y[inner] - np.interp(x[inner], x[[begin, end]], y[[begin, end]]))
        if off.size and off.max() > within:
            worst = begin + 1 + int(off.argmax())
            needed.add(worst)
            stretches += [(begin, worst), (worst, end)]
    return np.array(sorted(needed))


def jitter(count: int, width: float) -> NDArray[np.float64]:
    """Return `count` fixed, well spread offsets between -width/2 and width/2, so that dots side by side do not hide each other."""
    golden = (math.sqrt(5) - 1) / 2
    return np.asarray(((np.arange(count) * golden + 0.5) % 1 - 0.5) * width, dtype=np.float64)


def draw_fits(axes: Axes, data: Arrays, prediction: Arrays, *, color: str, panels: int, reach: float = 0) -> None:
    """Draw the truth if it is known, the training points as a backdrop, and the fits of the replicas that are finite.

    Of these there is a band, the median, and replica 0.

    Args:
        axes: the panel; its limits on y come from the data, so that a wild fit leaves the panel rather than stretching it.
        data: arrays of storage.DATA with one input and one output.
        prediction: the measurement `prediction`: `prediction_grid` (S, R, G) on `grid_x` of the data.
        color: color of the variant.
        panels: number of panels of the figure; the more there are, the fewer points are drawn in each, so that the file stays small.
        reach: by how much of their height the limits may grow, up and down, to hold a fit that leaves the data.
    """
    x, truth = data["grid_x"][:, 0], data["grid_y"][:, 0] if "grid_y" in data else None
    some, some_points = thinned(x.size, max(DRAWN_POINTS, 300 // panels)), thinned(len(data["train_x"]), max(150, 1500 // panels))
    low, high = _limits(np.concatenate([data["train_y"][:, 0], *([] if truth is None else [truth])]))
    axes.scatter(
        data["train_x"][some_points, 0],
        data["train_y"][some_points, 0],
        s=2 if len(data["train_x"]) > FEW_POINTS else 9,
        color=FAINT,
        linewidths=0,
        rasterized=True,
        label="_data",
    )
    if truth is not None:
        axes.plot(x[some], truth[some], color=INK, linewidth=1, linestyle=LINES[2], label="truth", zorder=4)
    last = prediction["prediction_grid"][-1]
    finite = last[np.isfinite(last).all(axis=1)]
    if len(finite):
        room = high - low
        drawn = np.clip(finite[:, some], low - 20 * room, high + 20 * room)
        middle = spread(drawn)
        band(axes, x[some], middle, color=color, label="replicas")
        axes.plot(x[some], middle.median, color=color, label="median", zorder=5)
        if np.isfinite(last[0]).all():
            axes.plot(x[some], drawn[0], color=color, linewidth=0.8, linestyle=LINES[1], label="replica 0", zorder=5)
        low, high = max(low - reach * room, min(low, middle.low.min())), min(high + reach * room, max(high, middle.high.max()))
    if not axes.get_autoscaley_on():
        low, high = min(low, axes.get_ylim()[0]), max(high, axes.get_ylim()[1])
    axes.set_ylim(low, high)


def fit_keys(*, truth: bool = True) -> list[Artist]:
    """Return the legend entries of `draw_fits`, where the truth is known or not."""
    return [
        *([line_key("truth", INK, linewidth=1, linestyle=LINES[2])] if truth else []),
        line_key("training points", FAINT, marker="o", markersize=2.5, linestyle="none"),
        line_key("median", SOFT),
        band_key("5th to 95th percentile", SOFT),
        line_key("replica 0", SOFT, linewidth=0.8, linestyle=LINES[1]),
    ]


def fit_note(count: int) -> str:
    """Return what `draw_fits` shows, in words, for `count` replicas."""
    return (
        f"n = {counted(count, 'replica')}; line: median, band: 5th to 95th percentile of those with finite predictions; "
        "dashed: replica 0, with the source's own seeds."
    )


def truth_of(data: Arrays) -> NDArray[np.float64]:
    """Return the values (G, C) of the true function on the grid of a data set.

    Raises:
        UserError: no true function is known.
    """
    if "grid_y" not in data:
        raise UserError("it is drawn against a true function, which data from files do not have; choose another kind, as 'fit'")
    return data["grid_y"]


def draw_truth(axes: Axes, data: Arrays, *, panels: int) -> None:
    """Draw the training points as a backdrop, and the truth; the more panels a figure has, the fewer of many points in each."""
    some = thinned(len(data["train_x"]), max(200, 1500 // panels))
    axes.scatter(data["train_x"][some, 0], data["train_y"][some, 0], s=2.5, color=FAINT, linewidths=0, rasterized=True, label="_data")
    draw_function(axes, data, truth_of(data)[:, 0], color=INK, linewidth=0.9, linestyle=LINES[2], label="truth")


def draw_function(axes: Axes, data: Arrays, values: NDArray[np.float64], *, label: str, **options: Any) -> None:
    """Draw a function along the grid of a data set, by as many points as it takes to stay within a thousandth of the truth's range."""
    x, values = data["grid_x"][:, 0], np.asarray(values, dtype=np.float64)
    some = corners(x, values, within=1e-3 * float(np.ptp(truth_of(data))))
    axes.plot(x[some], values[some], label=label, **options)


def draw_bends(axes: Axes, bends: dict[str, NDArray[np.float64]], grid: NDArray[np.float64], *, color: str) -> str:
    """Mark the places of `bends` that lie within the grid; return in words how many elbows do not, if any."""
    inside = {key: places[(places >= grid.min()) & (places <= grid.max())] for key, places in bends.items()}
    for key, places in inside.items():
        marker, size, height = BENDS[key]
        axes.scatter(
            places,
            np.full(places.size, height),
            s=size,
            color=color if key == "elbow" else INK,
            marker=marker,
            alpha=0.75,
            linewidths=0 if key == "elbow" else 0.7,
            transform=axes.get_xaxis_transform(),
            label=f"{key}s",
            zorder=3,
        )
    outside = bends["elbow"].size - inside["elbow"].size
    return f"{outside} of {bends['elbow'].size} elbows outside" if outside else ""


def learned_keys(*, deep: bool) -> list[Artist]:
    """Return the legend entries of `draw_truth`, of a network's output and of `draw_bends`, of two hidden layers where it is `deep`."""
    return [
        line_key("network", SOFT),
        line_key("truth", INK, linewidth=0.9, linestyle=LINES[2]),
        line_key("training points", FAINT, marker="o", markersize=2.5, linestyle="none"),
        line_key("elbow, first layer", SOFT, marker="^", linestyle="none"),
        *([line_key("kink, second layer", INK, marker="|", markersize=5, linestyle="none")] if deep else []),
    ]


def learned_limits(data: Sequence[Arrays], *, below: float = 0.0) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return the limits of x and y for data and truth, with room `below` as a share of their range."""
    grids = [one["grid_x"] for one in data]
    low, high = _limits(np.concatenate([np.concatenate([one["train_y"], truth_of(one)]) for one in data]), margin=0.1)
    return (float(min(x.min() for x in grids)), float(max(x.max() for x in grids))), (low - below * (high - low), high)


def fit_limits(axes: Axes, data: Sequence[Arrays], *, below: float = 0.0) -> None:
    """Set the limits of a panel by data and truth, with room `below` as a share of their range; a wild fit leaves the panel."""
    xlim, ylim = learned_limits(data, below=below)
    axes.set(xlim=xlim, ylim=ylim)
    axes.xaxis.set_major_locator(MaxNLocator(2))


def range_key() -> Patch:
    """Return the legend entry of the shaded training range."""
    return Patch(facecolor=SHADE, edgecolor="none", label="training range")


def band(axes: Axes, x: NDArray[Any], values: Spread, *, color: str, label: str, top: float | None = None) -> None:
    """Draw the band between the percentiles of replicas; where the high one is infinite, up to `top` if given, else not at all."""
    high = values.high if top is None else np.minimum(values.high, top)
    axes.fill_between(
        x, values.low, high, where=np.isfinite(high) & (values.low <= high), color=color, alpha=0.22, linewidth=0, label=label
    )


def median_and_band(
    axes: Axes, x: NDArray[Any], values: Spread, *, color: str, line: Any, label: str, width: float = 1.3, marker: str = ""
) -> None:
    """Draw median and band of replicas along x (n,), as far as they are finite and the axis can hold them."""
    lowest = 0.0 if axes.get_yscale() == "log" else -np.inf
    seen = np.isfinite(values.median) & (values.median > lowest)
    solid = seen & (values.low > lowest)
    band(axes, x[solid], Spread(*(edge[solid] for edge in values)), color=color, label=label)
    mark = marker or ("o" if seen.sum() == 1 else "")
    axes.plot(x[seen], values.median[seen], color=color, linewidth=width, linestyle=line, marker=mark, label=f"{label}, median")


def line_of(place: int) -> Any:
    """Return the line style of the variant at `place` in a panel that holds several: color alone does not tell them apart."""
    return LINES[place % len(LINES)]


def marker_of(place: int) -> str:
    """Return the marker of the variant at `place` in a panel that holds several."""
    return MARKERS[place % len(MARKERS)]


# --- values


def spread(values: ArrayLike, *, levels: tuple[float, float] = (0.05, 0.95)) -> Spread:
    """Return the median and two percentiles over the first axis; a value that is not finite counts as infinite, and is never dropped.

    A percentile is the smallest value that so many of the replicas do not exceed: always the value of a replica, never one between
    two, so that it is finite unless that replica's is not.
    """
    array = np.asarray(values, dtype=np.float64)
    ordered = np.sort(np.where(np.isfinite(array), array, np.inf), axis=0)
    count = len(ordered)
    below, above = ordered[(count - 1) // 2], ordered[count // 2]
    low, high = (ordered[max(math.ceil(count * level), 1) - 1] for level in levels)
    return Spread((below + above) / 2, low, high)


def spread_of_existing(values: ArrayLike, *, levels: tuple[float, float] = (0.05, 0.95)) -> Spread:
    """Return median and percentiles (n,) of values (R, n) as `spread` does, of those that exist: nan stands for what does not."""
    columns = np.asarray(values, dtype=np.float64).T
    nothing = Spread(*np.full(3, np.nan))
    found = [spread(column[~np.isnan(column)], levels=levels) if not np.isnan(column).all() else nothing for column in columns]
    return Spread(*np.array(found, dtype=np.float64).reshape(-1, 3).T)


def existing(arrays: Arrays, quantity: str) -> NDArray[np.float64]:
    """Return a quantity of a measurement as float64, with nan wherever its mask `exists_<quantity>` says that it does not exist."""
    values = np.asarray(arrays[quantity], dtype=np.float64)
    mask = np.asarray(arrays.get(f"exists_{quantity}", np.True_), dtype=bool)
    return np.where(mask.reshape(mask.shape + (1,) * (values.ndim - mask.ndim)), values, np.nan)


def at(step: NDArray[np.int64], which: str) -> tuple[int, str]:
    """Return the place in `step` (S,) of "first", "last" or a step in digits, and that moment in words.

    Raises:
        UserError: there is no such step.
    """
    places = {"first": 0, "last": len(step) - 1} | {str(value): place for place, value in enumerate(step)}
    check_known(which, places, "step")
    return places[which], moment(int(step[places[which]]), int(step[-1]))


def replicas(arrays: Mapping[str, Arrays], quantity: str) -> int:
    """Return the number of replicas of a quantity with axes "S R ..." over variants, the largest if they differ."""
    return max(len(values[quantity][0]) for values in arrays.values())


def _limits(values: NDArray[np.float64], margin: float = 0.15) -> tuple[float, float]:
    low, high = float(values.min()), float(values.max())
    room = margin * (high - low or 1.0)
    return low - room, high + room


# --- files
