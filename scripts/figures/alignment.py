"""How much of the target the leading principal features leave, before and after training, a panel for each variant."""

import numpy as np
from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter

from scripts.common import drawing
from scripts.common.drawing import Picture
from scripts.common.formatting import check_known, counted, divergence, number
from scripts.common.options import Count
from scripts.common.storage import Arrays
from scripts.common.style import Style


def draw(
    tangent: dict[str, Arrays], fate: dict[str, Arrays], *, styles: dict[str, Style], features: Count = 10, columns: Count = 3
) -> Picture:
    """Draw the share of the sum of squares of the training targets that lies outside of the span of the first k principal features.

    Args:
        tangent: the measurement by variant: `alignment` (S, R, X), the share inside of it, and `index_alignment` (X,), the numbers k.
        fate: the measurement by variant, for the words where replicas have no features.
        styles: label and color by variant.
        features: the number k of which the alternative text tells the share.
        columns: panels side by side.

    Raises:
        UserError: `features` is none of the numbers k.
    """
    figure, panels = drawing.small_multiples(len(tangent), columns=columns, panel_height=1.45)
    ranks = next(iter(tangent.values()))["index_alignment"]
    check_known(str(features), [str(rank) for rank in ranks], "number of features")
    panels[0].set(xscale="log", yscale="log", xlim=(ranks[0] / 1.2, ranks[-1] * 1.2))
    panels[0].xaxis.set_major_locator(FixedLocator(ranks.tolist()))
    panels[0].xaxis.set_major_formatter(FuncFormatter(lambda rank, _: f"{rank:.0f}"))
    panels[0].xaxis.set_minor_formatter(NullFormatter())
    found = []
    for axes, (variant, measured) in zip(panels, tangent.items(), strict=True):
        style, told = styles[variant], []
        for which, color, line, marker in (("first", drawing.SOFT, drawing.LINES[1], "s"), ("last", style.color, drawing.LINES[0], "o")):
            place, when = drawing.at(measured["step"], which)
            outside = 1 - drawing.existing(measured, "alignment")[place]
            middle = drawing.spread_of_existing(outside)
            drawing.median_and_band(axes, ranks, middle, color=color, line=line, label=when, marker=marker)
            share = float(middle.median[ranks == features][0])
            told.append(f"{number(100 * share)} % {when}" if np.isfinite(share) else f"not available {when}")
        words = divergence(fate[variant])
        drawing.entitle(axes, style.label, words)
        found.append(f"{style.label} {', '.join(told)}" + (f" ({words})" if words else ""))
    drawing.log_ticks(panels[0])
    figure.supxlabel("first principal features, $k$")
    figure.supylabel("share of $|y|^2$ outside")
    keys = [
        drawing.line_key("at initialization", drawing.SOFT, linestyle=drawing.LINES[1], marker="s"),
        drawing.line_key("after training", drawing.INK, marker="o"),
        drawing.band_key("5th to 95th percentile", drawing.SOFT),
    ]
    drawing.legend(figure, keys)
    alt = (
        "Share of the sum of squares of the training targets that lies outside of the span of the first principal features, by their "
        f"number, on logarithmic axes, a panel for each variant. Median outside of the first {features}: {'; '.join(found)}."
    )
    count = counted(drawing.replicas(tangent, "alignment"), "replica")
    note = f"n = {count}; lines: median, bands: 5th to 95th percentile of those that have so many features above 10⁻¹⁰ of the largest."
    return Picture(figure, alt, note)
