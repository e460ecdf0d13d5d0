"""How alike the linearizations of two variants are after rescaling: their spectra laid over each other, and their distances."""

import textwrap

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from scripts.common import drawing
from scripts.common.drawing import Picture
from scripts.common.formatting import check_known, counted, listing, number
from scripts.common.options import Count, Moment, VariantName
from scripts.common.storage import Arrays
from scripts.common.style import Style


def draw(
    spectrum: dict[str, Arrays],
    likeness: dict[str, Arrays],
    *,
    styles: dict[str, Style],
    control: VariantName,
    step: Moment = "first",
    values: Count = 20,
) -> Picture:
    """Draw rescaled spectra, the distances between spectra, and the likeness of the spans of features.

    Args:
        spectrum: the measurement by variant: `singular_value` (S, R, K), `available` (S, R).
        likeness: the measurement by variant: `spectrum_distance` (S, R), `feature_likeness` (S, R, k).
        styles: label and color by variant.
        control: the variant that all are compared with; compared with its own other replicas, it shows what chance alone gives.
        step: "first", "last", or a saved step in digits.
        values: how many singular values.

    Raises:
        UserError: the control is none of the variants.
    """
    check_known(control, spectrum, "control")
    figure, (left, middle, right) = drawing.new_figure(1, 3, height=2.9, width_ratios=[1.2, 1, 1.1])
    left.set_yscale("log")
    found, keys, missing, when = [], [], [], step
    for place, variant in enumerate(spectrum):
        style, measured = styles[variant], likeness[variant]
        compared = "control: against its own other replicas" if variant == control else "against the same replica"
        label = f"{style.label} ({compared})"
        keys.append(drawing.line_key(label, style.color, marker=drawing.marker_of(place), linestyle=drawing.line_of(place)))
        now, when = drawing.at(spectrum[variant]["step"], step)
        sigma = spectrum[variant]["singular_value"][now, spectrum[variant]["available"][now], :values]
        if len(sigma):
            _draw_spectrum(left, sigma, style, place)
        else:
            missing.append(f"{style.label}: not available")
        far = _draw_distance(middle, drawing.existing(measured, "spectrum_distance")[now], style, place)
        near = _draw_likeness(right, drawing.existing(measured, "feature_likeness")[now], style, place, len(spectrum))
        found.append(f"{label}: distance {far}, likeness of the top feature {near}")
    left.set(xlabel="rank $k$", ylabel="$\\sigma_k / \\sigma_1$")
    drawing.entitle(left, "rescaled spectra", "; ".join(missing))
    drawing.plain_log_ticks(left.yaxis)
    middle.set(ylabel="distance", title="distance of spectra", xlim=(-0.6, len(spectrum) - 0.4))
    middle.set_xticks(range(len(spectrum)), labels=[textwrap.fill(styles[variant].label, 12) for variant in spectrum])
    middle.set_ylim(bottom=0)
    right.set(xlabel="top features, $k$", ylabel="mean squared cosine", title="likeness of features", ylim=(-0.03, 1.03))
    drawing.ranks(right, max(values["feature_likeness"].shape[2] for values in likeness.values()))
    drawing.legend(figure, keys, columns=1)
    count = drawing.replicas(likeness, "spectrum_distance")
    alt = (
        f"Spectra of {listing([styles[variant].label for variant in spectrum])} {when}, each divided by its largest value, "
        f"and how far they and their features are from those of {styles[control].label}. Medians: {'; '.join(found)}."
    )
    note = (
        f"n = {counted(count, 'replica')}, each a dot; {when}; lines and bars: median, band: 5th to 95th percentile. "
        "Distance: the largest difference of $\\log_{10}(\\sigma_k/\\sigma_1)$ over the first four singular values. "
        "Likeness: mean squared cosine of the angles between the spans of the top $k$ features; 1 is the same span."
    )
    return Picture(figure, alt, note)


def _draw_spectrum(axes: Axes, sigma: NDArray[np.float64], style: Style, place: int) -> None:
    scaled = np.maximum(sigma / sigma[:, :1], drawing.FLOOR)
    middle = drawing.spread(scaled)
    shown = middle.median > drawing.FLOOR
    ranks = np.arange(1, sigma.shape[1] + 1)[shown]
    drawing.band(axes, ranks, drawing.Spread(*(edge[shown] for edge in middle)), color=style.color, label=style.label)
    line, marker = drawing.line_of(place), drawing.marker_of(place)
    axes.plot(ranks, middle.median[shown], color=style.color, linestyle=line, marker=marker, label=f"{style.label}, median")


def _draw_distance(axes: Axes, distance: NDArray[np.float64], style: Style, place: int) -> str:
    seen = np.isfinite(distance)
    if not seen.any():
        return "not available"
    places = place + drawing.jitter(distance.size, 0.5)
    drawing.dots(axes, places[seen], distance[seen], color=style.color, size=11, marker=drawing.marker_of(place), label="replicas")
    middle = float(drawing.spread(distance[seen]).median)
    drawing.medians(axes, [place], [middle], size=34, label="median")
    return number(middle)


def _draw_likeness(axes: Axes, alike: NDArray[np.float64], style: Style, place: int, count: int) -> str:
    alike = alike[np.isfinite(alike).all(axis=1)]
    if not len(alike):
        return "not available"
    room = 0.7 / count
    spans = np.arange(1, alike.shape[1] + 1) + (place - (count - 1) / 2) * room
    dots = spans + drawing.jitter(len(alike), 0.7 * room)[:, None]
    marker = drawing.marker_of(place)
    drawing.dots(axes, dots.ravel(), alike.ravel(), color=style.color, size=7, marker=marker, label=f"{style.label}, replicas")
    middle = drawing.spread(alike).median
    axes.plot(spans, middle, color=style.color, marker=marker, markersize=5, markeredgecolor=drawing.INK, label=f"{style.label}, median")
    return number(float(middle[0]))
