"""Reliability diagrams: accuracy against confidence by bin, and how many samples each bin has, a column for each variant."""

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from numpy.typing import NDArray

from scripts.common import drawing
from scripts.common.drawing import Picture
from scripts.common.formatting import counted_range, listing, number, sentence
from scripts.common.storage import Arrays
from scripts.common.style import Style

FEWEST = 10
"""A bin with fewer samples says too little of its accuracy to be drawn."""


def draw(calibration: dict[str, Arrays], *, styles: dict[str, Style]) -> Picture:
    """Draw each replica's bins as dots, those of all replicas together as a line, and below, the share of samples in each.

    Args:
        calibration: the measurement by variant: `bin_samples`, `bin_confidence`, `bin_accuracy` (R, X).
        styles: label and color by variant, in order.
    """
    columns = len(styles)
    figure, panels = drawing.new_figure(2, columns, height=4.3, sharex=True, sharey="row", height_ratios=[2.2, 1])
    found, counts = [], []
    for place, (variant, style) in enumerate(styles.items()):
        measured = calibration[variant]
        upper, lower = panels[place], panels[columns + place]
        middle = float(drawing.spread(_errors(measured)).median)
        words = f"calibration error {number(middle)}" if np.isfinite(middle) else "no calibration error: the outputs are not finite"
        drawing.entitle(upper, style.label, words)
        lower.set_label(f"{style.label}, samples")
        accuracy = _draw_bins(upper, measured, style)
        _draw_shares(lower, measured, style)
        lower.set_xlabel("confidence")
        found.append(f"{style.label}: {words}{accuracy}")
        counts.append(len(measured["bin_samples"]))
    panels[0].set(ylabel="accuracy", xlim=(0, 1), ylim=(-0.02, 1.02), xticks=[0, 0.5, 1])
    panels[columns].set_ylabel("share of samples")
    drawing.legend(figure, _keys())
    alt = (
        f"Reliability diagrams of {listing([style.label for style in styles.values()])}: the accuracy of the test samples against the "
        "confidence, by bin, with the diagonal on which the two are equal. Medians of the calibration error, and accuracy in the bin with "
        f"the highest confidence. {' '.join(sentence(words) for words in found)}"
    )
    note = (
        f"n = {counted_range(counts, 'replica')}; dots: bins of one replica, line: of all replicas together; bins with fewer than "
        f"{FEWEST} samples are left out above. Calibration error: median over replicas."
    )
    return Picture(figure, alt, note)


def _errors(measured: Arrays) -> NDArray[np.float64]:
    """Return the expected calibration error of each replica, (R,); nan where it has no samples in any bin."""
    samples = measured["bin_samples"]
    gaps = np.where(samples > 0, np.abs(measured["bin_accuracy"] - measured["bin_confidence"]), 0.0)
    with np.errstate(invalid="ignore"):
        return np.asarray((gaps * samples).sum(axis=1) / samples.sum(axis=1))


def _draw_bins(axes: Axes, measured: Arrays, style: Style) -> str:
    """Draw the bins, and return in words the accuracy in the last one that is drawn, "" where there is none."""
    axes.plot([0, 1], [0, 1], color=drawing.INK, linewidth=0.9, linestyle=drawing.LINES[2], label="_equal", zorder=1)
    samples = measured["bin_samples"]
    enough = samples >= FEWEST
    confidence, accuracy = measured["bin_confidence"], measured["bin_accuracy"]
    drawing.dots(axes, confidence[enough], accuracy[enough], color=style.color, label=f"{style.label}, replicas")
    total = samples.sum(axis=0)
    with np.errstate(invalid="ignore"):
        x, y = (np.where(samples > 0, values * samples, 0.0).sum(axis=0) / total for values in (confidence, accuracy))
    some = total >= FEWEST
    axes.plot(
        x[some], y[some], color=style.color, marker="o", markersize=4.5, markeredgecolor=drawing.INK, markeredgewidth=0.5, label=style.label
    )
    return f", {number(float(y[some][-1]))} at a confidence of {number(float(x[some][-1]))}" if some.any() else ""


def _draw_shares(axes: Axes, measured: Arrays, style: Style) -> None:
    samples = measured["bin_samples"]
    bins = samples.shape[1]
    whole = samples.sum()
    shares = samples.sum(axis=0) / whole if whole else np.zeros(bins)
    places = (np.arange(bins) + 0.5) / bins
    axes.bar(places, shares, width=0.9 / bins, color=style.color, alpha=0.6, linewidth=0, label=f"{style.label}, share of samples")


def _keys() -> list[Artist]:
    return [
        drawing.line_key("all replicas", drawing.SOFT, marker="o", markersize=4.5, markeredgecolor=drawing.INK, markeredgewidth=0.5),
        drawing.replica_key(),
        drawing.line_key("confidence = accuracy", drawing.INK, linewidth=0.9, linestyle=drawing.LINES[2]),
    ]
