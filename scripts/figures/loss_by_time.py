"""Train loss against steps and against the time that these take, all variants in both panels."""

import numpy as np

from scripts.common import drawing
from scripts.common.drawing import Picture
from scripts.common.formatting import counted_range, number
from scripts.common.options import Positive
from scripts.common.storage import Arrays
from scripts.common.style import Style


def draw(loss: dict[str, Arrays], steps_to_loss: dict[str, Arrays], *, styles: dict[str, Style], floor: Positive | None = None) -> Picture:
    """Draw the median and the band of the train loss of every variant, against steps and against seconds.

    Args:
        loss: the measurement by variant: `step` (S,), `train_loss` (S, R).
        steps_to_loss: the measurement by variant, which knows the seconds of a step.
        styles: label and color by variant.
        floor: a loss that is marked, as the variance of the noise; none if not given.
    """
    figure, panels = drawing.new_figure(1, 2, height=3.1, sharey=True)
    for axes, title, unit in zip(panels, ("against steps", "against time"), ("step", "seconds on one core"), strict=True):
        drawing.entitle(axes, title)
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_xlabel(unit)
    keys, told, counts = [], [], set()
    finite = False
    for turn, (variant, measured) in enumerate(loss.items()):
        label, color = styles[variant]
        pace = float(steps_to_loss[variant]["seconds_per_step"])
        middle = drawing.spread(measured["train_loss"].T)
        counts.add(measured["train_loss"].shape[1])
        after = measured["step"] > 0  # a logarithmic axis has no place for 0
        line, drawn = drawing.line_of(turn), drawing.Spread(*(values[after] for values in middle))
        finite |= bool(np.isfinite(drawn.median).any())
        for axes, scale in zip(panels, (1.0, pace), strict=True):
            if np.isfinite(scale):
                drawing.median_and_band(axes, measured["step"][after] * scale, drawn, color=color, line=line, label=label)
        keys.append(drawing.line_key(label, color, linestyle=line))
        spent = f", {number(float(measured['step'][-1]) * pace)} s" if np.isfinite(pace) else ""
        told.append(f"{label}: {number(float(middle.median[-1]))} after {measured['step'][-1]:,} steps{spent}")
    if not finite:
        for axes in panels:
            drawing.empty(axes, "no loss is finite")
    elif floor is not None:
        for axes in panels:
            axes.axhline(floor, color=drawing.SOFT, linewidth=0.9, linestyle=drawing.LINES[2], label="marked loss")
    panels[0].set_ylabel("train loss")
    drawing.log_ticks(panels[0])
    if floor is not None:
        keys.append(drawing.line_key(f"a loss of {floor:g}", drawing.SOFT, linewidth=0.9, linestyle=drawing.LINES[2]))
    drawing.legend(figure, keys, columns=2)
    alt = f"Train loss against steps and against seconds, on logarithmic axes. Median loss at the end: {'; '.join(told)}."
    note = (
        f"n = {counted_range(counts, 'replica')}; lines: median, bands: 5th to 95th percentile. "
        "The time of one step of one replica was measured once."
    )
    return Picture(figure, alt, note)
