"""Test loss against the width of the network, from fixed features to learned ones: a line for each paradigm, a panel for each depth."""

from collections.abc import Mapping

import pandas as pd

from scripts.common import drawing
from scripts.common.drawing import Picture
from scripts.common.findings import Runs
from scripts.common.formatting import check_lengths, counted_range, number, sentence
from scripts.common.options import Count, VariantName
from scripts.common.paradigms import losses_of_paradigms
from scripts.common.storage import Arrays

COLORS = ("#E69F00", "#009E73", "#CC79A7", "#56B4E9", drawing.FIRST)
"""Colors of the paradigms in their order."""
ROOM = 30
"""The axis ends at this many times the loss of the best constant; what is above leaves the panel, and is said in words."""


def draw(
    data: dict[str, Arrays],
    numbers: pd.DataFrame,
    *,
    bootstrap: Mapping[str, int],
    trained: list[VariantName],
    output_layer: list[VariantName],
    widths: list[Count],
    depths: list[Count],
) -> Picture:
    """Draw every replica as a dot and the medians of each paradigm as a line.

    Args:
        data: arrays of storage.DATA by variant, for the loss of the best constant.
        numbers: the study's numbers, columns as in ``numbers.csv``.
        bootstrap: seed and number of resamples; nothing here needs them.
        trained: the variant of each network of which all parameters are trained.
        output_layer: in the same order, the variant of which the output layer alone is trained.
        widths: in the same order, the width of the hidden layers.
        depths: in the same order, their number.

    Raises:
        UserError: the lists are not equally long.
    """
    check_lengths(trained=trained, output_layer=output_layer, widths=widths, depths=depths)
    losses = losses_of_paradigms(Runs(numbers, **bootstrap), trained=trained, output_layer=output_layer)
    constant = max(float(data[variant]["test_y"].var()) for variant in trained)
    kinds = sorted(set(depths))
    figure, panels = drawing.new_figure(1, len(kinds), height=3.3, sharey=True, width_ratios=[depths.count(kind) ** 0.5 for kind in kinds])
    panels[0].set_yscale("log")
    found, lowest = [], constant
    for axes, depth in zip(panels, kinds, strict=True):
        places = sorted((place for place, other in enumerate(depths) if other == depth), key=lambda place: widths[place])
        name = f"{depth} hidden layer{'s' if depth > 1 else ''}"
        told, missing = [], []
        for turn, (paradigm, color) in enumerate(zip(losses, COLORS, strict=True)):
            values = [losses[paradigm][place] for place in places]
            marks = [widths[place] for place in places]
            middle = drawing.replicas_and_medians(axes, marks, values, label=paradigm.label, color=color, turn=turn, turns=len(losses))
            lowest = min([lowest, *(float(one[one > 0].min()) for one in values if (one > 0).any())])
            reached = [f"{number(loss)} at width {width}" for loss, width in zip(middle, marks, strict=True)]
            told.append(f"{paradigm.label}: {', '.join(reached)}")
            missing += [f"{paradigm.label}: {words}" for words, loss in zip(reached, middle, strict=True) if loss > ROOM * constant]
        axes.axhline(constant, color=drawing.SOFT, linewidth=0.9, linestyle=drawing.LINES[2], zorder=1, label="best constant")
        drawing.entitle(axes, name, "; ".join(missing))
        drawing.doubling_axis(axes, [widths[place] for place in places])
        axes.set_xlabel("width")
        found.append(f"{name}: {'; '.join(told)}")
    panels[0].set_ylim(lowest / 1.5, min(ROOM * constant, max(panels[0].get_ylim()[1], 1.5 * constant)))
    panels[0].set_ylabel("test loss (mean squared error)")
    drawing.log_ticks(panels[0])
    keys = [
        drawing.line_key(paradigm.label, color, **drawing.edged(turn))
        for turn, (paradigm, color) in enumerate(zip(losses, COLORS, strict=True))
    ]
    drawing.legend(figure, [*keys, drawing.replica_key(), drawing.constant_key()], columns=2)
    count = counted_range((values.size for one in losses.values() for values in one), "replica")
    alt = (
        "Test loss against the width of the hidden layers, on a logarithmic axis, a line for each paradigm and a panel for each depth. "
        f"Medians: {' '.join(sentence(words) for words in found)} The best constant has {number(constant)}."
    )
    note = (
        f"n = {count} of each network, each a dot; lines: median, a loss that is not finite counting as infinite; "
        "dotted: loss of the best constant. Of one width, paradigms stand side by side."
    )
    return Picture(figure, alt, note)
