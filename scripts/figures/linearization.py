"""The source's three panels of a network's linearization: singular values, principal features along x, the top two against each other."""

from itertools import product
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from numpy.typing import NDArray

from scripts.common import drawing, explorer
from scripts.common.drawing import Picture
from scripts.common.explorer import Axis, Explorer, Key, Panel, Trace
from scripts.common.formatting import check_replica, divergence, listing, number, seeds_of, sentence
from scripts.common.options import Count, Moment, Natural
from scripts.common.storage import Arrays
from scripts.common.style import Style

TOP, REST = (drawing.FIRST, drawing.SECOND), "#B4B4B4"
"""Colors of the top two features and their singular values, and of all others."""
PANELS = ("singular values", "principal features", "top two features")
LEAST_SPAN = 0.1
"""The panel of two features spans at least this share of the largest entry of feature 1, so that features that are constant look so."""


PAIR_TOLD = "<i>x</i> = %{marker.color:.3~g}<br>feature 1: %{x:.3~g}<br>feature 2: %{y:.3~g}"


class Row(NamedTuple):
    """What a row of panels shows: its name, features (n, F) at the points (n,) in order, singular values (K,), or why there are none."""

    name: str
    points: NDArray[np.float64]
    feature: NDArray[np.float64]
    sigma: NDArray[np.float64]
    reason: str


def draw(
    spectrum: dict[str, Arrays],
    fate: dict[str, Arrays],
    *,
    styles: dict[str, Style],
    steps: list[Moment],
    replica: Natural = 0,
    values: Count = 20,
    features: Count = 10,
    logarithmic: bool = True,
    grid: bool = False,
) -> Picture:
    """Draw a row of three panels for each variant and step.

    Args:
        spectrum: the measurement by variant: `singular_value` (S, R, K), `feature` (S, R, N, F) on `points_x` (N, 1), `feature_grid`
            (S, R, G, F) on `grid_x` (G, 1), `available` (S, R).
        fate: the measurement by variant, for the step at which a network that has no spectrum diverged.
        styles: label and color by variant.
        steps: which steps: "first", "last", or a saved step in digits.
        replica: which replica.
        values: how many singular values.
        features: how many principal features.
        logarithmic: whether singular values stand on a logarithmic axis.
        grid: whether features are shown on the dense grid rather than at the points of the decomposed matrix.

    Raises:
        UserError: there is no such step or replica.
    """
    for measured in spectrum.values():
        check_replica(replica, measured["available"].shape[1])
    rows = [
        _row(spectrum[variant], fate[variant], which, replica, label=styles[variant].label * (len(spectrum) > 1), grid=grid)
        for variant, which in product(spectrum, steps)
    ]
    heights = [0.8 if row.reason else 1.85 for row in rows]
    figure, panels = drawing.new_figure(len(rows), 3, height=sum(heights) + 0.4, height_ratios=heights, width_ratios=[1, 1.25, 1.25])
    for place, row in enumerate(rows):
        left, middle, right = panels[3 * place :][:3]
        left.set_title(row.name)
        for axes, panel in zip((left, middle, right), PANELS, strict=True):
            axes.set_label(f"{row.name}: {panel}")
            if row.reason:
                drawing.empty(axes, f"not available:\n{row.reason}")
        if not row.reason:
            _draw_values(left, row.sigma[:values], logarithmic=logarithmic)
            _draw_features(middle, row.points, row.feature[:, :features])
            dots = _draw_pair(right, row.points, row.feature)
            figure.colorbar(dots, ax=right, label="input $x$", pad=0.02, aspect=25)
    drawing.legend(figure, [drawing.line_key(label, color, marker="o", linestyle="none") for label, color in _key(features)])
    shown = listing(list(dict.fromkeys(styles[variant].label for variant in spectrum)))
    found = (f"{row.name}, " + (f"not available: {row.reason}" if row.reason else _values(row.sigma)) for row in rows)
    alt = (
        f"Linearization of {shown}: singular values as bars, the top {features} principal features against x, "
        f"and the top two features against each other, colored by x. {' '.join(sentence(words) for words in found)}"
    )
    note = (
        f"One network, replica {replica} ({seeds_of(replica)}). "
        "Singular values below 10⁻¹⁰ of the largest are zero to rounding and have no bar."
    )
    return Picture(figure, alt, note, _explorer(rows, values=values, features=features, logarithmic=logarithmic))


def _row(spectrum: Arrays, fate: Arrays, which: str, replica: int, *, label: str, grid: bool) -> Row:
    place, when = drawing.at(spectrum["step"], which)
    x, feature = (spectrum["grid_x"], spectrum["feature_grid"]) if grid else (spectrum["points_x"], spectrum["feature"])
    some = np.argsort(x[:, 0])[drawing.thinned(len(x), explorer.MOST_POINTS)]
    available = spectrum["available"][place, replica]
    return Row(
        name=f"{label}, {when}" if label else when,
        points=x[some, 0],
        feature=feature[place, replica][some],
        sigma=spectrum["singular_value"][place, replica],
        reason="" if available else divergence(fate, replica) or "its Jacobian is not finite",
    )


def _key(features: int) -> list[tuple[str, str]]:
    named = [(f"feature {k}", color) for k, color in enumerate(TOP[:features], start=1)]
    return named + ([(f"features 3 to {features}", REST)] if features > len(TOP) else [])


def _colors(count: int) -> list[str]:
    return [*TOP, *[REST] * count][:count]


def _values(sigma: NDArray[np.float64]) -> str:
    largest = [number(value) for value in sigma[:3]]
    above = int((sigma > drawing.FLOOR * sigma[0]).sum())
    return f"the largest singular values are {listing(largest)}; above 10⁻¹⁰ of the largest: {above}"


def _draw_values(axes: Axes, sigma: NDArray[np.float64], *, logarithmic: bool) -> None:
    shown = sigma > drawing.FLOOR * sigma[0]
    ranks = np.arange(1, sigma.size + 1)
    if logarithmic:
        axes.set_yscale("log")
    axes.bar(ranks[shown], sigma[shown], color=_colors(sigma.size), width=0.8, label="singular value")
    axes.set(xlim=(0.2, sigma.size + 0.8), xlabel="rank $k$", ylabel="singular value $\\sigma_k$")
    axes.set_xticks([rank for rank in (1, 5, 10, 15, 20, 30, 40, 50) if rank <= sigma.size])
    if logarithmic and shown.any():
        axes.set_ylim(drawing.decades(sigma[shown]))
        drawing.plain_log_ticks(axes.yaxis, count=5)


def _draw_features(axes: Axes, points: NDArray[np.float64], feature: NDArray[np.float64]) -> None:
    for k, color in reversed(list(enumerate(_colors(feature.shape[1])))):
        axes.scatter(points, feature[:, k], s=1.5, color=color, linewidths=0, rasterized=True, label=f"feature {k + 1}")
    axes.set(xlabel="input $x$", ylabel="feature $u_k \\sigma_k$")


def _draw_pair(axes: Axes, points: NDArray[np.float64], feature: NDArray[np.float64]) -> PathCollection:
    first, second = _pair(feature)
    dots = axes.scatter(first, second, c=points, s=4, linewidths=0, rasterized=True, label="point")
    least = LEAST_SPAN * np.abs(first).max()
    axes.set(xlabel="feature 1", ylabel="feature 2", xlim=_limits(first, least), ylim=_limits(second, least))
    return dots


def _pair(feature: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    return feature[:, 0], feature[:, 1] if feature.shape[1] > 1 else np.zeros(len(feature))


def _limits(values: NDArray[np.float64], least: float = 0.0) -> tuple[float, float]:
    middle, half = (values.max() + values.min()) / 2, max(0.55 * (values.max() - values.min()), least / 2)
    return float(middle - half), float(middle + half)


def _explorer(rows: list[Row], *, values: int, features: int, logarithmic: bool) -> dict[str, Any] | None:
    """Return the same panels, linked by the points along x; None where there is nothing to show."""
    shown = [row for row in rows if not row.reason]
    if not shown:
        return None
    made = Explorer(
        slider="Point along x",
        stops=[f"x = {number(x)}" for x in shown[0].points],
        readout=[_readout(shown, place) for place in range(len(shown[0].points))],
        panels=[panel for row in rows for panel in _panels(row, values=values, features=features, logarithmic=logarithmic)],
        columns=3,
        key=[Key(label, "line", "rest" if color == REST else color) for label, color in _key(features)],
        hint="Point at a curve or a dot, or move the slider, to see the same x in all panels.",
    )
    return explorer.pack(made)


def _readout(rows: list[Row], place: int) -> str:
    """Return what the top two features of all rows are at one of their points."""
    found = []
    for row in rows:
        first, second = _pair(row.feature)
        found.append(f"{row.name}, feature 1 is {number(first[place])} and feature 2 is {number(second[place])}")
    return f"x = {number(rows[0].points[place])}. {' '.join(sentence(words) for words in found)}"


def _panels(row: Row, *, values: int, features: int, logarithmic: bool) -> list[Panel]:
    titles = [sentence(f"{row.name}: {panel}").removesuffix(".") for panel in PANELS]
    if row.reason:
        return [Panel(title, Axis("", 0, 1), Axis("", 0, 1), message=f"Not available: {row.reason}.") for title in titles]
    sigma, feature = row.sigma[:values], row.feature[:, :features]
    first, second = _pair(row.feature)
    least = LEAST_SPAN * float(np.abs(first).max())
    colors: list[str] = [*TOP, *["rest"] * max(features, sigma.size)]
    return [
        explorer.singular_values(titles[0], sigma, colors[: sigma.size], logarithmic=logarithmic),
        Panel(
            titles[1],
            Axis("input <i>x</i>", float(row.points[0]), float(row.points[-1])),
            Axis("feature <i>u<sub>k</sub>σ<sub>k</sub></i>", *_limits(feature)),
            [
                Trace(f"feature {k}", "line", color, row.points, values, f"<i>x</i> = %{{x:.3~g}}<br>feature {k}: %{{y:.3~g}}")
                for k, (color, values) in enumerate(zip(colors, feature.T, strict=False), start=1)
            ],
            linked=min(2, features),
        ),
        Panel(
            titles[2],
            Axis("feature 1", *_limits(first, least)),
            Axis("feature 2", *_limits(second, least)),
            [Trace("points", "dots", "ink", first, second, PAIR_TOLD, row.points, "<i>x</i>")],
            linked=1,
        ),
    ]
