"""Losses after training against the number of training points: a line for each level of noise, a panel for each loss."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from scripts.common import drawing
from scripts.common.drawing import Picture
from scripts.common.findings import Runs
from scripts.common.formatting import check_lengths, counted, number, quantity_titles, sentence
from scripts.common.options import Count, NonNegative, QuantityName
from scripts.common.style import Style


def draw(
    numbers: pd.DataFrame,
    *,
    styles: dict[str, Style],
    variants: Sequence[str],
    bootstrap: Mapping[str, int],
    quantities: list[QuantityName],
    samples: list[Count],
    noise: list[NonNegative],
    titles: list[str] | None = None,
) -> Picture:
    """Draw every replica as a dot and the medians of each level of noise as a line.

    Args:
        numbers: the study's numbers, columns as in ``numbers.csv``.
        styles: label and color by variant; a line has the color of the first variant of its noise.
        variants: the variants, in order.
        bootstrap: seed and number of resamples; nothing here needs them.
        quantities: the losses, a panel for each; the last step of each.
        samples: the number of training points of each variant, in the same order.
        noise: the standard deviation of the noise of each variant, in the same order.
        titles: the panels' titles; the names of the quantities if not given.

    Raises:
        UserError: the lists do not have an entry for each variant, or `titles` not one for each quantity.
    """
    check_lengths(variants=variants, samples=samples, noise=noise)
    names = quantity_titles(quantities, titles)
    runs = Runs(numbers, **bootstrap)
    levels = sorted(set(noise))
    first = {level: variants[noise.index(level)] for level in levels}
    figure, panels = drawing.new_figure(1, len(quantities), height=2.9)
    found = []
    for axes, quantity, title in zip(panels, quantities, names, strict=True):
        axes.set_yscale("log")
        told, missing = [], []
        for turn, level in enumerate(levels):
            own = sorted((place for place, other in enumerate(noise) if other == level), key=lambda place: samples[place])
            points, color = [samples[place] for place in own], styles[first[level]].color
            values = [runs.values(variants[place], quantity, step="last") for place in own]
            label = f"noise {level:g}"
            middle = drawing.replicas_and_medians(axes, points, values, label=label, color=color, turn=turn, turns=len(levels))
            reached = [f"{number(loss)} with {count} points" for loss, count in zip(middle, points, strict=True)]
            told.append(f"{label}: {', '.join(reached)}")
            missing += [f"{label}: {words}" for words, loss in zip(reached, middle, strict=True) if not np.isfinite(loss)]
        drawing.entitle(axes, title, "; ".join(missing))
        drawing.log_ticks(axes)
        drawing.doubling_axis(axes, sorted(set(samples)))
        axes.set_xlabel("training points")
        found.append(f"{title}: {'; '.join(told)}")
    figure.supylabel("mean squared error")
    keys = [drawing.line_key(f"noise {level:g}", styles[first[level]].color, **drawing.edged(turn)) for turn, level in enumerate(levels)]
    drawing.legend(figure, [*keys, drawing.replica_key()])
    count = counted(max(runs.replicas(variant) for variant in variants), "replica")
    alt = (
        "Losses after training against the number of training points, on logarithmic axes, a line for each level of noise. "
        f"Medians: {' '.join(sentence(words) for words in found)}"
    )
    note = (
        f"n = {count} of each, each a dot; lines: median, a loss that is not finite counting as infinite. Noise: its standard deviation. "
        "Of one number of points, levels of noise stand side by side."
    )
    return Picture(figure, alt, note)
