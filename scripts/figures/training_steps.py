"""A network on its way through training: what it computes, its singular values and its principal features, moment by moment."""

from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from scripts.common import drawing, explorer
from scripts.common.drawing import Picture
from scripts.common.explorer import Axis, Explorer, Key, Panel, Trace, TraceKind
from scripts.common.formatting import listing, moment, number, seeds_of, sentence
from scripts.common.options import Count
from scripts.common.runs import moments
from scripts.common.storage import Arrays
from scripts.common.style import Style, the_only

REPLICA = 0
"""The one replica whose spectrum is measured at all moments."""
PAINTS = (drawing.FIRST, drawing.SECOND, "#009E73", "#CC79A7")
"""Colors of the first features and of their singular values; all others are gray."""
ROWS = ("learned function", "singular values", "principal features")
BELOW = 0.2
"""Room for the marks of elbows and kinks below the functions, as a share of their range."""


class Course(NamedTuple):
    """What is shown of one network at S moments.

    Attributes:
        step: their training steps, (S,).
        output: its output on the grid of the data, (S, G).
        bends: where its units bend, (S, W), by what bends there: "elbow", "kink".
        sigma: its first singular values, (S, K).
        x: points of the features, (G,).
        feature: its first principal features, (S, G, F).
        losses: its train and test loss, in words.
    """

    step: NDArray[np.int64]
    output: NDArray[np.float64]
    bends: dict[str, NDArray[np.float64]]
    sigma: NDArray[np.float64]
    x: NDArray[np.float64]
    feature: NDArray[np.float64]
    losses: list[tuple[str, str]]


def draw(
    data: dict[str, Arrays],
    prediction: dict[str, Arrays],
    elbows: dict[str, Arrays],
    spectrum: dict[str, Arrays],
    loss: dict[str, Arrays],
    *,
    styles: dict[str, Style],
    columns: Count = 4,
    values: Count = 20,
    features: Count = 4,
) -> Picture:
    """Draw a column of three panels for some moments of the training of one variant; its explorer has all measured moments.

    Args:
        data: arrays of storage.DATA of the variant; one input, one output.
        prediction: its measurement: `prediction_grid` (S, R, G).
        elbows: its measurement: `elbow` (S, R, W), and `kink` (S, R, Q) where there is a second hidden layer.
        spectrum: its measurement: `singular_value` (S, R, K), `feature_grid` (S, R, G, F) on `grid_x` (G, 1).
        loss: its measurement: `train_loss` and `test_loss` (E, R) at the steps (E,) where the training recorded them.
        styles: label and color of the variant.
        columns: at most how many of the measured moments the picture shows, evenly.
        values: how many singular values.
        features: how many principal features.

    Raises:
        UserError: there are several variants.
    """
    variant, style = the_only(styles, "training steps")
    some = moments(prediction[variant]["step"], explorer.MOST_STOPS)
    steps = prediction[variant]["step"][some]
    course = Course(
        step=steps,
        output=prediction[variant]["prediction_grid"][some, REPLICA],
        bends={key: elbows[variant][key][some, REPLICA] for key in drawing.BENDS if key in elbows[variant]},
        sigma=spectrum[variant]["singular_value"][some, REPLICA, :values],
        x=spectrum[variant]["grid_x"][:, 0],
        feature=_steady(spectrum[variant]["feature_grid"][some, REPLICA, :, :features]),
        losses=[_losses(loss[variant], step) for step in steps],
    )
    shown = drawing.thinned(len(steps), columns)
    when = [moment(int(steps[place]), int(steps[-1])) for place in shown]
    figure, panels = drawing.new_figure(len(ROWS), len(shown), height=4.3, sharey="row", height_ratios=[1.2, 1, 1.2])
    for column, (place, name) in enumerate(zip(shown, when, strict=True)):
        top, middle, bottom = panels[column :: len(shown)]
        for axes, row in zip((top, middle, bottom), ROWS, strict=True):
            axes.set_label(f"{name}: {row}")
        top.set_title(name)
        _draw_function(top, course, place, data[variant], color=style.color, panels=len(panels))
        _draw_values(middle, course, place)
        _draw_features(bottom, course, place)
    for axes, label in zip(panels[:: len(shown)], ("output $y$", "singular value $\\sigma_k$", "feature $u_k \\sigma_k$"), strict=True):
        axes.set_ylabel(label)
    keys = [drawing.line_key(words, color, linestyle=drawing.line_of(rank)) for rank, (words, color) in enumerate(_named(course))]
    drawing.legend(figure, [*drawing.learned_keys(deep="kink" in course.bends), *keys], columns=4)
    told = [f"{name}, train error {course.losses[at][0]}, test error {course.losses[at][1]}" for at, name in zip(shown, when, strict=True)]
    alt = (
        f"Training of one network {style.label}, from left to right {listing(when)}. Top: its output against the true function, with the "
        f"places where its units bend marked below. Middle: its first singular values. Bottom: its first {course.feature.shape[2]} "
        f"principal features against x. {' '.join(sentence(words) for words in told)}"
    )
    note = (
        f"One network, replica {REPLICA} ({seeds_of(REPLICA)}). The sign of a feature, which is free, is the one that changes it least "
        "from moment to moment."
    )
    return Picture(figure, alt, note, _explorer(course, data[variant], color=style.color))


def _losses(loss: Arrays, step: int) -> tuple[str, str]:
    """Return train and test loss after a step in words: the numbers that stand in ``numbers.csv``."""
    found = loss["step"] == step
    train, test = (loss[key][found, REPLICA] for key in ("train_loss", "test_loss"))
    return (number(train[0]), number(test[0])) if found.any() else ("not recorded", "not recorded")


def _steady(feature: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return features (S, G, F) with the signs that change each of them least from one moment to the next."""
    turned = np.sum(feature[1:] * feature[:-1], axis=1) < 0  # (S - 1, F)
    signs = np.cumprod(np.where(turned, -1.0, 1.0), axis=0)
    return np.asarray(feature * np.concatenate([np.ones((1, feature.shape[2])), signs])[:, None])


def _named(course: Course) -> list[tuple[str, str]]:
    """Return the name and color of each feature."""
    count = course.feature.shape[2]
    return [(f"feature {rank + 1}", color) for rank, color in enumerate([*PAINTS, *[drawing.FAINT] * count][:count])]


def _limits(feature: NDArray[np.float64]) -> tuple[float, float]:
    finite = feature[np.isfinite(feature)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
    room = 0.05 * (high - low) or 1.0
    return low - room, high + room


# --- the picture


def _draw_function(axes: Axes, course: Course, place: int, data: Arrays, *, color: str, panels: int) -> None:
    drawing.draw_truth(axes, data, panels=panels)
    if np.isfinite(course.output[place]).all():
        drawing.draw_function(axes, data, course.output[place], color=color, label="network", zorder=4)
    drawing.draw_bends(axes, {key: places[place] for key, places in course.bends.items()}, data["grid_x"], color=color)
    drawing.fit_limits(axes, [data], below=BELOW)


def _draw_values(axes: Axes, course: Course, place: int) -> None:
    shown = drawing.above_rounding(course.sigma)
    axes.set_yscale("log")
    axes.bar(np.arange(1, shown.shape[1] + 1), shown[place], color=_bar_colors(course, drawing.FAINT), width=0.8, label="singular value")
    axes.set(xlim=(0.2, shown.shape[1] + 0.8), ylim=drawing.decades(shown[np.isfinite(shown)]), xlabel="rank $k$")
    axes.set_xticks([rank for rank in (1, 10, 20, 30, 40, 50) if rank <= shown.shape[1]])
    drawing.plain_log_ticks(axes.yaxis, count=5)


def _draw_features(axes: Axes, course: Course, place: int) -> None:
    low, high = _limits(course.feature)
    for rank, (name, color) in reversed(list(enumerate(_named(course)))):
        values = course.feature[place, :, rank]
        if np.isfinite(values).all():
            some = drawing.corners(course.x, values, within=2e-3 * (high - low))
            axes.plot(course.x[some], values[some], color=color, linestyle=drawing.line_of(rank), linewidth=1, label=name)
    axes.set(xlim=(course.x.min(), course.x.max()), ylim=(low, high), xlabel="input $x$")
    axes.xaxis.set_major_locator(MaxNLocator(2))


def _bar_colors(course: Course, rest: str) -> list[str]:
    return [*(color for _, color in _named(course)), *[rest] * course.sigma.shape[1]][: course.sigma.shape[1]]


# --- the explorer


def _explorer(course: Course, data: Arrays, *, color: str) -> dict[str, Any]:
    last = int(course.step[-1])
    steps = [f"step {number(int(step))}" for step in course.step]
    deep = "kink" in course.bends
    features = _named(course)
    some = drawing.thinned(len(course.x), explorer.MOST_POINTS)
    made = Explorer(
        slider="Training step",
        stops=steps,
        readout=[
            f"Step {number(int(step))} of {number(last)}: train error {train}, test error {test}."
            for step, (train, test) in zip(course.step, course.losses, strict=True)
        ],
        panels=[
            _function_panel(course, data, color=color),
            explorer.singular_values("Singular values", course.sigma, _bar_colors(course, "rest")),
            Panel(
                "Principal features",
                Axis("input <i>x</i>", float(course.x.min()), float(course.x.max())),
                Axis("feature <i>u<sub>k</sub>σ<sub>k</sub></i>", *_limits(course.feature)),
                [
                    Trace(
                        name,
                        explorer.line_kind(rank),
                        paint,
                        course.x[some],
                        course.feature[:, some, rank],
                        f"<i>x</i> = %{{x:.3~g}}<br>{name}: %{{y:.3~g}}",
                    )
                    for rank, (name, paint) in enumerate(features)
                ],
                span=2,
            ),
        ],
        columns=3,
        key=[
            Key("network", "line", color),
            Key("truth", "dotted", "ink"),
            Key("training points", "dots", "rest"),
            Key("elbow, first layer", "triangles", color),
            *([Key("kink, second layer", "ticks", "ink")] if deep else []),
            *(Key(name, explorer.line_kind(rank), paint) for rank, (name, paint) in enumerate(features)),
        ],
    )
    return explorer.pack(made)


def _function_panel(course: Course, data: Arrays, *, color: str) -> Panel:
    grid = data["grid_x"][:, 0]
    some, points = drawing.thinned(len(grid), explorer.MOST_POINTS), drawing.thinned(len(data["train_x"]), explorer.MOST_POINTS)
    (left, right), (low, high) = drawing.learned_limits([data], below=BELOW)
    marks: dict[str, tuple[TraceKind, str]] = {"elbow": ("triangles", color), "kink": ("ticks", "ink")}
    return Panel(
        "Learned function",
        Axis("input <i>x</i>", left, right),
        Axis("output <i>y</i>", low, high),
        [
            Trace("network", "line", color, grid[some], course.output[:, some], "<i>x</i> = %{x:.3~g}<br>network: %{y:.3~g}"),
            Trace("truth", "dotted", "ink", grid[some], drawing.truth_of(data)[some, 0], "<i>x</i> = %{x:.3~g}<br>truth: %{y:.3~g}"),
            *(
                Trace(
                    f"{key}s",
                    marks[key][0],
                    marks[key][1],
                    np.where((places >= left) & (places <= right), places, np.nan),
                    np.full(places.shape[1], low + drawing.BENDS[key][2] * (high - low)),
                    f"{key} at <i>x</i> = %{{x:.3~g}}",
                )
                for key, places in course.bends.items()
            ),
            Trace("training points", "dots", "rest", data["train_x"][points, 0], data["train_y"][points, 0]),
        ],
        span=3,
    )
