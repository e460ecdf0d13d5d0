"""Paths of rules of descent that fit a normal distribution, on the contours of the loss, with the Fisher information as ellipses."""

from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Ellipse
from numpy.typing import NDArray

from scripts.common import drawing, explorer, normal_model
from scripts.common.drawing import Picture
from scripts.common.errors import UserError
from scripts.common.escaping import plotly_text
from scripts.common.explorer import Axis, Explorer, Key, Panel, Trace
from scripts.common.formatting import counted, counted_range, number, seeds_of
from scripts.common.normal_model import Sample
from scripts.common.runs import moments
from scripts.common.storage import Arrays
from scripts.common.style import Style

REPLICA = 0
CONTOURS = (0.01, 0.1, 0.3, 0.6, 1.0, 1.5, 2.0, 3.0, 10.0, 30.0, 100.0)
"""Losses above the smallest one, in nats."""
RADIUS = 0.08
"""Length of what an ellipse's points differ from its center, by the Fisher information."""
ROWS, COLUMNS = 6, 6
"""Ellipses; rows stand evenly on a logarithmic scale of sigma."""
GRID = 140
MARGIN = 0.12
BEYOND = 0.6
"""Room for paths that overshoot, at most, as a share of the way from the start to the best fit."""


class Scene(NamedTuple):
    """What all paths share.

    Attributes:
        sample: mean and variance of the sample of the replica shown, each (1,).
        start: where all paths begin, (mu, sigma).
        x: limits of mu.
        y: limits of sigma.
        last: the last step shown.
        contours: for each of the losses the pieces of its contour, each (n, 2).
        centers: centers of the ellipses (n, 2).
    """

    sample: Sample
    start: NDArray[np.float64]
    x: tuple[float, float]
    y: tuple[float, float]
    last: int
    contours: list[list[NDArray[np.float64]]]
    centers: NDArray[np.float64]


class Course(NamedTuple):
    """The path of one rule: its style, steps (S,), points (mu, sigma) (S, 2), excess losses (S,), learning rate, and steps in words."""

    style: Style
    step: NDArray[np.int64]
    path: NDArray[np.float64]
    loss: NDArray[np.float64]
    rate: float
    took: str


def draw(simulated: dict[str, Arrays], *, styles: dict[str, Style]) -> Picture:
    """Draw the paths of one replica in the plane of mu and sigma, and their losses; the explorer moves a marker along each path.

    Args:
        simulated: simulations of the kind `normal_fit` by name, all of the same sample and start.
        styles: label and color by simulation.

    Raises:
        UserError: the simulations do not fit the same sample, or begin at different points.
    """
    courses = [_course(arrays, styles[name]) for name, arrays in simulated.items()]
    scene = _scene(list(simulated.values()), courses)
    figure, (plane, losses) = drawing.new_figure(1, 2, height=3.9, width_ratios=[1.7, 1])
    _draw_plane(plane, scene)
    losses.set_yscale("log")
    keys = []
    for turn, course in enumerate(courses):
        line = drawing.line_of(turn)
        shown = course.step <= scene.last
        options: dict[str, Any] = {"color": course.style.color, "linestyle": line, "label": course.style.label}
        few = int(shown.sum()) <= 30
        plane.plot(*course.path[shown].T, **options, linewidth=1.1, marker=drawing.marker_of(turn) if few else "", markersize=3, zorder=3)
        seen = shown & (course.loss > 0)
        losses.plot(course.step[seen], course.loss[seen], **options, linewidth=1.1)
        marker = drawing.marker_of(turn) if few else ""
        keys.append(
            drawing.line_key(
                f"{course.style.label}: rate {course.rate:g}, {course.took}", course.style.color, linestyle=line, marker=marker
            )
        )
    drawing.entitle(plane, "paths in the plane of the parameters")
    drawing.entitle(losses, "loss above its smallest value")
    drawing.step_axis(losses, scene.last)
    losses.set(ylabel="nats", xlabel="steps")
    drawing.log_ticks(losses)
    keys += [
        drawing.line_key("start", drawing.INK, marker="s", linestyle="none"),
        drawing.line_key("best fit", drawing.INK, marker="*", markersize=7, linestyle="none"),
        drawing.line_key("equal Fisher length", drawing.SOFT, marker="o", markerfacecolor="none", linestyle="none"),
    ]
    drawing.legend(figure, keys, columns=2)
    told = "; ".join(f"{course.style.label} with learning rate {course.rate:g}: {course.took}" for course in courses)
    alt = (
        "Contours of the loss of a normal distribution over its mean and standard deviation, with ellipses of equal length by the Fisher "
        f"information, which grow with the standard deviation, and the paths of {counted(len(courses), 'rule')} of descent from the same "
        f"start; beside it their losses by step. Steps to the tolerance: {told}."
    )
    count = len(next(iter(simulated.values()))["sample_mean"])
    tried = counted_range((len(arrays["index_steps_by_rate"]) for arrays in simulated.values()), "rate")
    note = (
        f"One replica, {REPLICA} ({seeds_of(REPLICA)}), and its steps; the learning rate of each rule is the best of {tried} tried, by the "
        f"median over {counted(count, 'replica')}. Contours: {', '.join(f'{level:g}' for level in CONTOURS)} nats above the smallest "
        f"loss. Ellipses: points at the distance {RADIUS} from their center."
    )
    return Picture(figure, alt, note, _explorer(scene, courses))


def _course(arrays: Arrays, style: Style) -> Course:
    steps = float(arrays["steps_to_tolerance"][REPLICA])
    took = counted(int(steps), "step") if np.isfinite(steps) else "never there"
    rate = float(arrays["best_learning_rate"][REPLICA])
    return Course(style, arrays["step"], arrays["path"][:, REPLICA], arrays["excess_loss"][:, REPLICA], rate, took)


def _scene(simulated: list[Arrays], courses: list[Course]) -> Scene:
    samples = {(arrays["sample_mean"][REPLICA], arrays["sample_deviation"][REPLICA], *arrays["path"][0, REPLICA]) for arrays in simulated}
    if len(samples) > 1:
        raise UserError("paths on the same contours need simulations of the same sample and start; give them the same settings and seeds")
    mean, deviation, *begin = samples.pop()
    start, fit = np.array(begin), np.array([mean, deviation])
    room = BEYOND * np.abs(start - fit) + 1e-3
    every = np.concatenate([[start, fit], *(course.path[np.isfinite(course.path).all(axis=1)] for course in courses)])
    low = np.maximum(every.min(axis=0), np.minimum(start, fit) - room)
    high = np.minimum(every.max(axis=0), np.maximum(start, fit) + room)
    margin = MARGIN * (high - low)
    x, y = (float(low[0] - margin[0]), float(high[0] + margin[0])), (0.0, float(high[1] + margin[1]))
    reached = [float(arrays["steps_to_tolerance"][REPLICA]) for arrays in simulated]
    finite = [int(steps) for steps in reached if np.isfinite(steps)]
    last = max(finite) if finite else max(int(course.step[-1]) for course in courses)
    rows = np.geomspace(max(0.6 * deviation, 0.08 * y[1]), 0.9 * y[1], ROWS)
    columns = np.linspace(*x, COLUMNS + 1)
    centers = np.stack(np.meshgrid((columns[1:] + columns[:-1]) / 2, rows), axis=-1).reshape(-1, 2)
    sample = Sample(np.array([mean]), np.array([deviation**2]))
    return Scene(sample, start, x, y, max(last, 1), _contours(sample, x, y), centers)


def _contours(sample: Sample, x: tuple[float, float], y: tuple[float, float]) -> list[list[NDArray[np.float64]]]:
    """Return the pieces of each contour, each (n, 2), in closed form: at each sigma the two mu with that loss.

    With a loss e above the smallest one, (mu - m)^2 = 2 sigma^2 (e - (v / sigma^2 - 1 - log(v / sigma^2)) / 2).
    """
    found: list[list[NDArray[np.float64]]] = []
    for level in CONTOURS:
        sigma = np.geomspace(y[1] * 1e-3, y[1], 40 * GRID)
        alone = normal_model.excess_loss(np.stack([np.full_like(sigma, sample.mean[0]), sigma], axis=-1)[:, None], sample)[:, 0]
        inside = alone <= level
        sigma, away = sigma[inside], np.sqrt(2 * (level - alone[inside])) * sigma[inside]
        if not sigma.size:
            found.append([])
            continue
        left = np.stack([sample.mean[0] - away, sigma], axis=-1)
        right = np.stack([sample.mean[0] + away, sigma], axis=-1)
        closed = sigma[-1] < y[1] * 0.999
        around = [np.concatenate([left, right[::-1], left[:1]])] if closed else [np.concatenate([left[::-1], right])]
        found.append([_thin(piece, x, y) for piece in around])
    return found


def _thin(piece: NDArray[np.float64], x: tuple[float, float], y: tuple[float, float]) -> NDArray[np.float64]:
    """Return a contour (n, 2) by points at most some hundredth of the panel apart, nan where it lies outside."""
    way = np.concatenate([[0.0], np.cumsum(np.hypot(np.diff(piece[:, 0]) / (x[1] - x[0]), np.diff(piece[:, 1]) / (y[1] - y[0])))])
    some = np.unique(np.searchsorted(way, np.arange(0, way[-1], min(0.012, way[-1] / 48))))
    chosen = piece[np.unique([*some, len(piece) - 1])]
    outside = (chosen[:, 0] < x[0]) | (chosen[:, 0] > x[1])
    return np.where(outside[:, None], np.nan, chosen)


def _radii(center: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the half axes (2,) of the ellipse around a center (mu, sigma)."""
    return np.asarray(RADIUS / np.sqrt(normal_model.fisher(center[None], normal_model.DEVIATION)[0]))


# --- the picture


def _draw_plane(axes: Axes, scene: Scene) -> None:
    for pieces in scene.contours:
        for piece in pieces:
            axes.plot(*piece.T, color=drawing.FAINT, linewidth=0.7, label="_contour", zorder=1)
    for center in scene.centers:
        width, height = 2 * _radii(center)
        axes.add_patch(
            Ellipse((center[0], center[1]), width, height, facecolor="none", edgecolor=drawing.SOFT, linewidth=0.6, label="_metric")
        )
    axes.plot(*scene.start, color=drawing.INK, marker="s", markersize=4, linestyle="none", label="start", zorder=5)
    fit = [float(scene.sample.mean[0])], [float(np.sqrt(scene.sample.variance[0]))]
    axes.plot(*fit, color=drawing.INK, marker="*", markersize=7, linestyle="none", label="best fit", zorder=5)
    axes.set(xlim=scene.x, ylim=scene.y, xlabel="mean $\\mu$", ylabel="standard deviation $\\sigma$")
    axes.grid(visible=False)


# --- the explorer


def _explorer(scene: Scene, courses: list[Course]) -> dict[str, Any]:
    union = np.unique(np.concatenate([course.step[course.step <= scene.last] for course in courses]))
    stops = union[moments(union, explorer.MOST_STOPS)]
    paths, falls = [], []
    floor = min(float(course.loss[course.loss > 0].min()) for course in courses if (course.loss > 0).any())
    low, high = 10.0 ** np.floor(np.log10(max(floor, 1e-12))), 10.0 ** np.ceil(np.log10(float(np.nanmax(courses[0].loss))))
    for turn, course in enumerate(courses):
        shown = course.step <= scene.last
        now = np.minimum(np.searchsorted(course.step, stops, side="right") - 1, len(course.step) - 1)
        here, name, kind = course.path[now], course.style.label, explorer.line_kind(turn)
        told = f"{plotly_text(name)}: <i>μ</i> = %{{x:.3~f}}, <i>σ</i> = %{{y:.3~f}}"
        paths.append(
            [
                Trace(f"{name}, now", "dots", course.style.color, here[:, :1], here[:, 1:], told),
                Trace(name, kind, course.style.color, course.path[shown, 0], course.path[shown, 1]),
            ]
        )
        told = f"{plotly_text(name)}: %{{y:.3~g}} nats"
        loss = np.where(course.loss > 0, course.loss, np.nan)
        at = np.minimum(stops, course.step[-1]).astype(np.float64)
        falls.append(
            [
                Trace(f"{name}, now", "dots", course.style.color, at[:, None], loss[now][:, None], told),
                Trace(name, kind, course.style.color, course.step[shown].astype(np.float64), loss[shown]),
            ]
        )
    angle = np.append(np.linspace(0, 2 * np.pi, 25), np.nan)
    around = np.concatenate([center + _radii(center) * np.stack([np.cos(angle), np.sin(angle)], axis=-1) for center in scene.centers])
    contours = np.concatenate([np.concatenate([piece, [[np.nan, np.nan]]]) for pieces in scene.contours for piece in pieces])
    backdrop = [
        Trace("start", "dots", "ink", scene.start[:1], scene.start[1:], "start"),
        Trace("best fit", "dots", "ink", scene.sample.mean, np.sqrt(scene.sample.variance), "best fit"),
        Trace("ellipses", "line", "rest", around[:, 0], around[:, 1]),
        Trace("contours", "dotted", "rest", contours[:, 0], contours[:, 1]),
    ]
    made = Explorer(
        slider="Step",
        stops=[f"step {step}" for step in stops],
        readout=[
            f"Step {step}: loss above its smallest value, in nats: " + "; ".join(_now(course, int(step)) for course in courses) + "."
            for step in stops
        ],
        panels=[
            Panel(
                "Paths in the plane of the parameters",
                Axis("mean <i>μ</i>", *scene.x),
                Axis("standard deviation <i>σ</i>", *scene.y),
                [trace for pair in zip(*paths, strict=True) for trace in pair] + backdrop,
            ),
            Panel(
                "Loss above its smallest value",
                Axis("steps", -0.02 * scene.last, 1.02 * scene.last),
                Axis("nats", float(low), float(high), logarithmic=True),
                [trace for pair in zip(*falls, strict=True) for trace in pair],
            ),
        ],
        columns=2,
        key=[
            *(Key(course.style.label, explorer.line_kind(turn), course.style.color) for turn, course in enumerate(courses)),
            Key("equal length by Fisher information", "line", "rest"),
            Key("contours of the loss", "dotted", "rest"),
        ],
    )
    return explorer.pack(made)


def _now(course: Course, step: int) -> str:
    place = int(np.searchsorted(course.step, step, side="right")) - 1
    return f"{course.style.label} {number(float(course.loss[place]), 2)}"
