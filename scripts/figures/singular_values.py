"""The singular values of all variants on one logarithmic axis, a panel for each step."""

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from scripts.common import drawing
from scripts.common.drawing import Picture
from scripts.common.formatting import counted, divergence, number, sentence
from scripts.common.options import Count, Moment
from scripts.common.storage import Arrays
from scripts.common.style import Style


def draw(
    spectrum: dict[str, Arrays], fate: dict[str, Arrays], *, styles: dict[str, Style], steps: list[Moment], values: Count = 50
) -> Picture:
    """Draw median and band of the singular values over the replicas that have a spectrum.

    Args:
        spectrum: the measurement by variant: `singular_value` (S, R, K), `available` (S, R).
        fate: the measurement by variant, for the words where no replica has a spectrum.
        styles: label and color by variant.
        steps: which steps: "first", "last", or a saved step in digits.
        values: how many singular values.
    """
    figure, panels = drawing.new_figure(1, len(steps), height=3.6, sharex=True, sharey=True)
    found = []
    for axes, which in zip(panels, steps, strict=True):
        axes.set_yscale("log")
        told, missing, when = [], [], which
        for place, (variant, measured) in enumerate(spectrum.items()):
            label = styles[variant].label
            step, when = drawing.at(measured["step"], which)
            sigma = measured["singular_value"][step, measured["available"][step], :values]
            if len(sigma):
                largest = _draw_variant(axes, sigma, styles[variant], place)
                told.append(f"{label} {number(largest)}")
            else:
                missing.append(f"{label}: not available, {divergence(fate[variant]) or 'not finite'}")
        drawing.entitle(axes, when, "; ".join(missing))
        axes.set(xlabel="rank $k$", xlim=(0, values + 1))
        found.append(f"{when}, median of the largest: {'; '.join([*told, *missing])}")
    panels[0].set_ylabel("singular value $\\sigma_k$")
    drawing.plain_log_ticks(panels[0].yaxis, count=8)
    keys = [
        drawing.line_key(styles[variant].label, styles[variant].color, linestyle=drawing.line_of(place))
        for place, variant in enumerate(spectrum)
    ]
    drawing.legend(figure, keys, columns=3)
    count = drawing.replicas(spectrum, "singular_value")
    told_all = " ".join(sentence(words) for words in found)
    alt = f"Singular values of the Jacobian by rank, on a logarithmic axis, a line for each variant. {told_all}"
    note = (
        f"n = {counted(count, 'replica')}; line: median, band: 25th to 75th percentile of those with a spectrum. "
        "Lines and bands end where they fall below 10⁻¹⁰ of the largest: zero to rounding."
    )
    return Picture(figure, alt, note)


def _draw_variant(axes: Axes, sigma: NDArray[np.float64], style: Style, place: int) -> float:
    """Draw the singular values (R, K) of one variant and return the median of the largest."""
    middle = drawing.spread(sigma, levels=(0.25, 0.75))
    floor = drawing.FLOOR * middle.median[0]
    shown = middle.median > floor
    ranks = np.arange(1, sigma.shape[1] + 1)[shown]
    edges = drawing.Spread(*(edge[shown] for edge in middle))
    solid = edges.low > floor
    drawing.band(axes, ranks[solid], drawing.Spread(*(edge[solid] for edge in edges)), color=style.color, label=style.label)
    axes.plot(ranks, edges.median, color=style.color, linestyle=drawing.line_of(place), label=f"{style.label}, median")
    return float(middle.median[0])
