"""The test loss after training, every replica a dot, one row a variant."""

from collections.abc import Mapping

import numpy as np

from scripts.common import best_constant, drawing
from scripts.common.drawing import Picture
from scripts.common.formatting import counted, fate_counts, number
from scripts.common.storage import Arrays
from scripts.common.style import Style


def draw(
    data: dict[str, Arrays], loss: dict[str, Arrays], fate: dict[str, Arrays], *, styles: dict[str, Style], losses: Mapping[str, str]
) -> Picture:
    """Draw the last test loss on a logarithmic axis, with the median marked and what is not fine counted in words.

    Args:
        data: arrays of storage.DATA by variant, for the loss of the best constant.
        loss: the measurement by variant: `test_loss` (S, R).
        fate: the measurement by variant.
        styles: label and color by variant.
        losses: the kind of its loss by variant.
    """
    figure, (axes,) = drawing.new_figure(height=0.27 * len(loss) + 1.1)
    axes.set_label("test loss after training")
    axes.set_xscale("log")
    found = []
    for row, (variant, measured) in enumerate(loss.items()):
        style, last = styles[variant], measured["test_loss"][-1]
        height = row + drawing.jitter(last.size, 0.62)
        seen = np.isfinite(last) & (last > 0)
        drawing.dots(axes, last[seen], height[seen], color=style.color, size=11, label=style.label)
        own = seen & (np.arange(last.size) == 0)
        axes.scatter(
            last[own],
            height[own],
            s=16,
            facecolor="none",
            edgecolor=drawing.INK,
            linewidths=0.9,
            zorder=4,
            label=f"{style.label}, replica 0",
        )
        middle = float(drawing.spread(last).median)
        if np.isfinite(middle) and middle > 0:
            drawing.medians(axes, [middle], [row], marker="|", size=16, label=f"{style.label}, median")
        trouble = ", ".join(f"{count} {name}" for name, count in fate_counts(fate[variant]).items() if count and name != "fine")
        axes.annotate(trouble, (1.01, row), xycoords=("axes fraction", "data"), va="center", fontsize=8)
        found.append(f"{style.label} {number(middle)}" + (f" ({trouble} of {last.size})" if trouble else ""))
    constants = [best_constant.loss_of(data[variant]["test_y"], losses[variant]) for variant in loss]
    known = [constant for constant in constants if np.isfinite(constant)]
    if known:
        axes.axvline(max(known), color=drawing.SOFT, linewidth=0.9, linestyle=drawing.LINES[2], zorder=1, label="best constant")
    axes.set_yticks(range(len(loss)), labels=[styles[variant].label for variant in loss])
    axes.set(xlabel=f"test loss after training ({best_constant.name(losses.values())})", ylim=(len(loss) - 0.4, -0.6))
    axes.grid(visible=False, axis="y")
    axes.tick_params(axis="y", length=0)
    axes.tick_params(axis="x", which="minor", length=1.5)
    own_key = drawing.line_key("replica 0", drawing.INK, marker="o", markerfacecolor="none", markersize=4, linestyle="none")
    drawing.legend(figure, [drawing.replica_key(), own_key, drawing.median_key("|"), *([drawing.constant_key()] if known else [])])
    alt = f"Test loss after training, a row for each variant, a dot for each replica. Medians: {'; '.join(found)}."
    if known:
        alt += f" The best constant has {number(max(known))}."
    note = (
        f"n = {counted(drawing.replicas(loss, 'test_loss'), 'replica')}, each a dot, replica 0 (the source's own seeds) circled; "
        f"bar: median, a loss that is not finite counting as infinite{best_constant.in_words(losses, 'test')}. "
        "Runs that are not fine are counted on the right."
    )
    return Picture(figure, alt, note)
