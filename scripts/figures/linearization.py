"""The source's three panels of a network's linearization: singular values, principal features along x, the top two against each other."""

from itertools import product

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from numpy.typing import NDArray

from scripts.common import drawing
from scripts.common.drawing import Picture
from scripts.common.formatting import check_replica, divergence, listing, number, sentence
from scripts.common.options import Count, Moment, Natural
from scripts.common.storage import Arrays
from scripts.common.style import Style

TOP, REST = (drawing.FIRST, drawing.SECOND), "#B4B4B4"
"""Colors of the top two features and their singular values, and of all others."""
DRAWN_POINTS = 500
LEAST_SPAN = 0.1
"""The panel of two features spans at least this share of the largest entry of feature 1, so that features that are constant look so."""


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
) -> Picture:
    """Draw a row of three panels for each variant and step.

    Args:
        spectrum: the measurement by variant: `singular_value` (S, R, K), `feature` (S, R, N, F) on `points_x` (N, 1), `available` (S, R).
        fate: the measurement by variant, for the step at which a network that has no spectrum diverged.
        styles: label and color by variant.
        steps: which steps: "first", "last", or a saved step in digits.
        replica: which replica.
        values: how many singular values.
        features: how many principal features.
        logarithmic: whether singular values stand on a logarithmic axis.

    Raises:
        UserError: there is no such step or replica.
    """
    for measured in spectrum.values():
        check_replica(replica, measured["available"].shape[1])
    rows = list(product(spectrum, steps))
    heights = [_height(spectrum[variant], which, replica) for variant, which in rows]
    figure, panels = drawing.new_figure(len(rows), 3, height=sum(heights) + 0.4, height_ratios=heights, width_ratios=[1, 1.25, 1.25])
    found = []
    for place_of_row, (variant, which) in enumerate(rows):
        measured = spectrum[variant]
        place, when = drawing.at(measured["step"], which)
        name = f"{styles[variant].label}, {when}" if len(spectrum) > 1 else when
        row = panels[3 * place_of_row :][:3]
        for axes, panel in zip(row, ("singular values", "principal features", "top two features"), strict=True):
            axes.set_label(f"{name}: {panel}")
        if measured["available"][place, replica]:
            some = np.argsort(measured["points_x"][:, 0])[drawing.thinned(len(measured["points_x"]), DRAWN_POINTS)]
            sigma, points = measured["singular_value"][place, replica], measured["points_x"][some, 0]
            feature = measured["feature"][place, replica][some, :features]
            _draw_values(row[0], sigma[:values], logarithmic=logarithmic)
            _draw_features(row[1], points, feature)
            dots = _draw_pair(row[2], points, feature)
            figure.colorbar(dots, ax=row[2], label="input $x$", pad=0.02, aspect=25)
            found.append(f"{name}, {_values(sigma)}")
        else:
            reason = divergence(fate[variant], replica) or "its Jacobian is not finite"
            for axes in row:
                drawing.empty(axes, f"not available:\n{reason}")
            found.append(f"{name}, not available: {reason}")
        row[0].set_title(name)
    named = [(f"feature {k}", color) for k, color in enumerate(TOP[:features], start=1)]
    named += [(f"features 3 to {features}", REST)] if features > len(TOP) else []
    drawing.legend(figure, [drawing.line_key(label, color, marker="o", linestyle="none") for label, color in named])
    shown = listing(list(dict.fromkeys(styles[variant].label for variant in spectrum)))
    alt = (
        f"Linearization of {shown}: singular values as bars, the top {features} principal features against x, "
        f"and the top two features against each other, colored by x. {' '.join(sentence(words) for words in found)}"
    )
    seeds = "the source's own seeds" if replica == 0 else "derived seeds"
    note = f"One network, replica {replica} ({seeds}). Singular values below 10⁻¹⁰ of the largest are zero to rounding and have no bar."
    return Picture(figure, alt, note)


def _height(spectrum: Arrays, which: str, replica: int) -> float:
    """Return the height of a row in inches: less where it only says that there is nothing to show."""
    return 1.85 if spectrum["available"][drawing.at(spectrum["step"], which)[0], replica] else 0.8


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
        axes.set_ylim(10 ** np.floor(np.log10(sigma[shown].min() / 1.5)), 10 ** np.ceil(np.log10(sigma[shown].max())))
        drawing.plain_log_ticks(axes.yaxis, count=5)


def _draw_features(axes: Axes, points: NDArray[np.float64], feature: NDArray[np.float64]) -> None:
    for k, color in reversed(list(enumerate(_colors(feature.shape[1])))):
        axes.scatter(points, feature[:, k], s=1.5, color=color, linewidths=0, rasterized=True, label=f"feature {k + 1}")
    axes.set(xlabel="input $x$", ylabel="feature $u_k \\sigma_k$")


def _draw_pair(axes: Axes, points: NDArray[np.float64], feature: NDArray[np.float64]) -> PathCollection:
    second = feature[:, 1] if feature.shape[1] > 1 else np.zeros_like(points)
    dots = axes.scatter(feature[:, 0], second, c=points, s=4, linewidths=0, rasterized=True, label="point")
    least = LEAST_SPAN * np.abs(feature[:, 0]).max()
    axes.set(xlabel="feature 1", ylabel="feature 2", xlim=_limits(feature[:, 0], least), ylim=_limits(second, least))
    return dots


def _limits(values: NDArray[np.float64], least: float) -> tuple[float, float]:
    middle, half = (values.max() + values.min()) / 2, max(0.55 * (values.max() - values.min()), least / 2)
    return float(middle - half), float(middle + half)
