"""Paths of the natural and of the plain gradient in two coordinates of the normal distribution, and how far they differ by step size."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from numpy.typing import NDArray

from scripts.common import drawing, explorer
from scripts.common.drawing import Picture
from scripts.common.errors import UserError
from scripts.common.explorer import Axis, Explorer, Key, Panel, Trace, TraceKind
from scripts.common.formatting import MINUS, counted, number, seeds_of
from scripts.common.statistics import median_interval
from scripts.common.storage import Arrays
from scripts.common.style import Style

REPLICA = 0
MARGIN = 0.08


class Look(NamedTuple):
    """How the path of a rule in one of the coordinates is drawn: its name, color, width and line."""

    name: str
    color: str
    width: float
    line: Any
    kind: TraceKind


LOOKS = {
    "natural": (
        Look("natural gradient in $(\\mu, \\sigma)$", drawing.SECOND, 3.2, drawing.LINES[0], "line"),
        Look("natural gradient in $(\\mu, \\log\\sigma)$", drawing.INK, 1.0, drawing.LINES[1], "dashed"),
    ),
    "descent": (
        Look("gradient descent in $(\\mu, \\sigma)$", drawing.FIRST, 1.3, drawing.LINES[0], "line"),
        Look("gradient descent in $(\\mu, \\log\\sigma)$", "#56B4E9", 1.3, drawing.LINES[1], "dashed"),
    ),
}
"""A thin dashed line over a thick one: the paths of the natural gradient are often the same."""
DIFFERENCES = {
    "natural": ("path_difference", "natural gradient", drawing.SECOND),
    "descent": ("descent_path_difference", "gradient descent", drawing.FIRST),
}


def draw(simulated: dict[str, Arrays], *, styles: dict[str, Style], bootstrap: Mapping[str, int]) -> Picture:
    """Draw the paths at the smallest step size, and the differences at all; the slider of the explorer changes the step size.

    Args:
        simulated: the simulation of the kind `natural_paths`, by its name.
        styles: label and color of the simulation; rules and coordinates have colors of their own here.
        bootstrap: seed and number of resamples of the intervals.

    Raises:
        UserError: there are several simulations.
    """
    if len(simulated) != 1:
        raise UserError(f"a figure of invariance shows one simulation; 'simulations' names {len(styles)}: {', '.join(styles)}")
    (arrays,) = simulated.values()
    sizes = np.array([float(label) for label in arrays["index_path_difference"]])
    smallest = int(sizes.argmin())
    figure, (plane, against) = drawing.new_figure(1, 2, height=3.7, width_ratios=[1.25, 1])
    keys: list[Artist] = []
    for rule, looks in LOOKS.items():
        for place, look in enumerate(looks):
            path = arrays[f"{rule}_path"][smallest, place, :, REPLICA]
            options = {"color": look.color, "linewidth": look.width, "linestyle": look.line}
            plane.plot(*path.T, **options, label=look.name.replace("$", "").replace("\\", ""))
            keys.append(drawing.line_key(look.name, **options))
    _mark_ends(plane, arrays)
    slopes = _draw_differences(against, arrays, sizes, bootstrap)
    for turn, (rule, (_, label, color)) in enumerate(DIFFERENCES.items()):
        keys.append(drawing.line_key(f"{label}: {slopes[rule]}", color, **drawing.edged(turn)))
    keys += [drawing.line_key("slope 1", drawing.INK, linewidth=0.9, linestyle=drawing.LINES[2]), drawing.replica_key()]
    drawing.legend(figure, keys, columns=2)
    flow = float(np.max(arrays["flow_difference"]))
    last = float(arrays["time"][-1])
    middle = {rule: float(np.median(arrays[name][:, smallest])) for rule, (name, _, _) in DIFFERENCES.items()}
    size = f"{sizes[smallest]:g}"
    alt = (
        "Left: paths over mean and standard deviation from one start. Those of the natural gradient in the coordinates mean and deviation, "
        "and mean and logarithm of the deviation, lie on each other; those of gradient descent part. Right: the largest difference of the "
        f"two paths against the step size, on logarithmic axes. Medians at the step size {size}: natural gradient "
        f"{number(middle['natural'])}, gradient descent {number(middle['descent'])}. "
        f"Natural gradient: {slopes['natural']}, gradient descent: {slopes['descent']}. "
        f"The two flows of the natural gradient, solved by a Runge-Kutta method, differ by at most {number(flow)}."
    )
    count = counted(arrays["path_difference"].shape[0], "replica")
    note = (
        f"Left: replica {REPLICA} ({seeds_of(REPLICA)}), step size {size}, flow time 0 to {last:g}. Right: n = {count}, each a dot; "
        "lines: median; slopes: median and 95 % bootstrap interval over replicas. A difference is the largest distance of the two paths at "
        f"equal flow times, by the Fisher information; that of the two flows, solved by a Runge-Kutta method, is at most {number(flow)}."
    )
    return Picture(figure, alt, note, _explorer(arrays, sizes))


def _limits(arrays: Arrays) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return the limits of mu and sigma for all paths of the replica shown that are finite."""
    every = np.concatenate([arrays[f"{rule}_path"][:, :, :, REPLICA].reshape(-1, 2) for rule in LOOKS])
    every = every[np.isfinite(every).all(axis=1)]
    fit = [arrays["sample_mean"][REPLICA], arrays["sample_deviation"][REPLICA]]
    low, high = np.minimum(every.min(axis=0), fit), np.maximum(every.max(axis=0), fit)
    room = MARGIN * (high - low)
    return (float(low[0] - room[0]), float(high[0] + room[0])), (0.0, float(high[1] + room[1]))


def _mark_ends(axes: Axes, arrays: Arrays) -> None:
    start = arrays["flow"][0, REPLICA]
    axes.plot(*start, color=drawing.INK, marker="s", markersize=4, linestyle="none", label="start")
    axes.annotate("start", start, xytext=(6, 4), textcoords="offset points", fontsize=8)
    fit = arrays["sample_mean"][REPLICA], arrays["sample_deviation"][REPLICA]
    axes.plot(*fit, color=drawing.INK, marker="*", markersize=7, linestyle="none", label="best fit")
    axes.annotate("best fit", fit, xytext=(-6, -3), textcoords="offset points", fontsize=8, ha="right", va="top")
    xlim, ylim = _limits(arrays)
    axes.set(xlim=xlim, ylim=ylim, xlabel="mean $\\mu$", ylabel="standard deviation $\\sigma$")
    drawing.entitle(axes, "paths at the smallest step size")


def _draw_differences(axes: Axes, arrays: Arrays, sizes: NDArray[np.float64], bootstrap: Mapping[str, int]) -> dict[str, str]:
    """Draw the differences of both rules, and return their slopes in words."""
    axes.set_xscale("log")
    axes.set_yscale("log")
    order = np.argsort(sizes)
    slopes = {}
    for turn, (rule, (quantity, label, color)) in enumerate(DIFFERENCES.items()):
        values = arrays[quantity][:, order]
        seen = np.isfinite(values) & (values > 0)
        along = np.broadcast_to(sizes[order], values.shape)
        drawing.dots(axes, along[seen], values[seen], color=color, marker=drawing.marker_of(turn), label=f"{label}, replicas")
        middle = drawing.spread(values).median
        drawn = np.isfinite(middle) & (middle > 0)
        axes.plot(sizes[order][drawn], middle[drawn], color=color, markersize=4, **drawing.edged(turn), label=f"{label}, median")
        found = median_interval(arrays[f"{quantity}_slope"], **bootstrap)
        slopes[rule] = f"slope {_signed(found.estimate)} ({_signed(found.low)} to {_signed(found.high)})"
        if rule == "natural" and drawn.any():
            first = np.flatnonzero(drawn)[0]
            line = 0.4 * middle[first] * sizes[order] / sizes[order][first]
            axes.plot(sizes[order], line, color=drawing.INK, linewidth=0.9, linestyle=drawing.LINES[2], zorder=1, label="slope 1")
    drawing.entitle(axes, "largest difference of the two paths")
    axes.set(xlabel="step size", ylabel="Fisher distance")
    drawing.plain_log_ticks(axes.xaxis)
    drawing.log_ticks(axes)
    return slopes


def _signed(value: float) -> str:
    text = f"{abs(value):.3f}"
    return f"{MINUS}{text}" if value < 0 and float(text) else text


# --- the explorer


def _explorer(arrays: Arrays, sizes: NDArray[np.float64]) -> dict[str, Any]:
    order = np.argsort(sizes)[::-1]
    ordered = sizes[order]
    xlim, ylim = _limits(arrays)
    paths, differences = [], []
    for rule, looks in LOOKS.items():
        for place, look in enumerate(looks):
            path, name = arrays[f"{rule}_path"][order, place, :, REPLICA], _in_html(look.name)
            told = f"{name}: <i>μ</i> = %{{x:.3~f}}, <i>σ</i> = %{{y:.3~f}}"
            paths.append(Trace(name, look.kind, _paint(look.color), path[:, :, 0], path[:, :, 1], told))
    for turn, (quantity, label, color) in enumerate(DIFFERENCES.values()):
        own = arrays[quantity][REPLICA, order]
        told = f"{label}, step size %{{x:.3~g}}: %{{y:.3~g}}"
        differences.append(Trace(f"{label}, here", "dots", color, ordered[:, None], own[:, None], told))
        differences.append(Trace(label, explorer.line_kind(turn), color, ordered, own))
    every = np.concatenate([arrays[quantity][REPLICA] for quantity, _, _ in DIFFERENCES.values()])
    finite = every[np.isfinite(every) & (every > 0)]
    low, high = drawing.decades(finite)
    made = Explorer(
        slider="Step size",
        stops=[f"step size {size:g}" for size in ordered],
        readout=[
            f"Step size {size:g}: the paths of the natural gradient differ by {number(float(arrays['path_difference'][REPLICA, place]))}, "
            f"those of gradient descent by {number(float(arrays['descent_path_difference'][REPLICA, place]))}."
            for size, place in zip(ordered, order, strict=True)
        ],
        panels=[
            Panel(
                "Paths in two coordinates",
                Axis("mean <i>μ</i>", *xlim),
                Axis("standard deviation <i>σ</i>", *ylim),
                [paths[1], paths[0], *paths[2:]],
            ),
            Panel(
                "Largest difference of the two paths",
                Axis("step size", float(ordered[-1]) / 1.5, float(ordered[0]) * 1.5, logarithmic=True),
                Axis("Fisher distance", low, high, logarithmic=True),
                [*differences[::2], *differences[1::2]],
            ),
        ],
        columns=2,
        key=[Key(_in_words(look.name), look.kind, _paint(look.color)) for looks in LOOKS.values() for look in looks],
    )
    return explorer.pack(made)


def _paint(color: str) -> str:
    return "ink" if color == drawing.INK else color


def _in_words(name: str) -> str:
    return name.replace("$", "").replace("\\log", "log ").replace("\\mu", "μ").replace("\\sigma", "σ")


def _in_html(name: str) -> str:
    return _in_words(name).replace("μ", "<i>μ</i>").replace("σ", "<i>σ</i>")
