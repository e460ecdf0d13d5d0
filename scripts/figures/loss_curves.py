"""Train and test loss along training, a panel for each variant."""

from collections.abc import Mapping

import numpy as np

from scripts.common import best_constant, drawing
from scripts.common.drawing import Picture
from scripts.common.formatting import counted, divergence, number
from scripts.common.options import Count
from scripts.common.storage import Arrays
from scripts.common.style import Style

ROOM = 30
"""The axis ends at this many times the loss of the best constant, or of the largest start where there is none; curves above it leave the
panel, and their values are said in words."""


def draw(
    data: dict[str, Arrays],
    loss: dict[str, Arrays],
    fate: dict[str, Arrays],
    *,
    styles: dict[str, Style],
    losses: Mapping[str, str],
    columns: Count = 4,
) -> Picture:
    """Draw median and band of both losses at every evaluated step, on one logarithmic axis for all panels.

    Args:
        data: arrays of storage.DATA by variant, for the loss of the best constant.
        loss: the measurement by variant: `step` (S,), `train_loss` and `test_loss` (S, R).
        fate: the measurement by variant.
        styles: label and color by variant.
        losses: the kind of its loss by variant.
        columns: panels side by side.
    """
    figure, panels = drawing.small_multiples(len(loss), columns=columns, panel_height=1.45)
    panels[0].set_yscale("log")
    constants = {variant: best_constant.loss_of(data[variant]["train_y"], losses[variant]) for variant in loss}
    known = [constant for constant in constants.values() if np.isfinite(constant)]
    starts = [float(drawing.spread(measured["train_loss"][0]).median) for measured in loss.values()]
    usual = max(known or [start for start in starts if np.isfinite(start)], default=1.0)
    lowest, found = usual, []
    for axes, (variant, measured) in zip(panels, loss.items(), strict=True):
        style, step = styles[variant], measured["step"]
        if np.isfinite(constants[variant]):
            axes.axhline(constants[variant], color=drawing.SOFT, linewidth=0.9, linestyle=drawing.LINES[2], label="best constant")
        final = {}
        for name, color, line in (("test", drawing.INK, drawing.LINES[1]), ("train", style.color, drawing.LINES[0])):
            middle = drawing.spread(measured[f"{name}_loss"].T)
            drawing.band(axes, step, middle, color=color, label=f"{name} loss", top=ROOM * usual)
            seen = np.isfinite(middle.median)
            axes.plot(step[seen], middle.median[seen], color=color, linestyle=line, label=f"{name} loss, median")
            lowest = min(lowest, *middle.low[middle.low > 0])
            final[name] = number(float(middle.median[-1]))
        words = _words(measured, fate[variant], ROOM * usual)
        drawing.entitle(axes, style.label, words)
        found.append(f"{style.label}: train {final['train']}, test {final['test']}" + (f" ({words})" if words else ""))
    panels[0].set_ylim(lowest / 1.5, ROOM * usual)
    figure.supxlabel("updates")
    figure.supylabel(best_constant.name(losses.values()))
    keys = [
        drawing.line_key("train loss, median", drawing.SOFT),
        drawing.line_key("test loss, median", drawing.INK, linestyle=drawing.LINES[1]),
        *([drawing.constant_key()] if known else []),
        drawing.band_key("5th to 95th percentile", drawing.SOFT),
    ]
    drawing.legend(figure, keys)
    count = drawing.replicas(loss, "train_loss")
    found_all = "; ".join(found)
    alt = f"Train and test loss along training, on a logarithmic axis, a panel for each variant. Median loss after training: {found_all}."
    note = (
        f"n = {counted(count, 'replica')}; lines: median, bands: 5th to 95th percentile, a loss that is not finite counting as infinite"
        f"{best_constant.in_words(losses, 'training')}."
    )
    return Picture(figure, alt, note)


def _words(loss: Arrays, fate: Arrays, top: float) -> str:
    """Return in words what leaves the panel: a start above its top, and divergence."""
    start = float(drawing.spread(loss["train_loss"][0]).median)
    return "; ".join(words for words in (f"starts at {number(start)}" if start > top else "", divergence(fate)) if words)
