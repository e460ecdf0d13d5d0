"""How far the training of an output layer is from its exact solution, and how far its singular values say, a panel for each variant."""

from typing import Any

import numpy as np

from scripts.common import drawing
from scripts.common.drawing import Picture
from scripts.common.formatting import counted, divergence, number
from scripts.common.options import Count
from scripts.common.storage import Arrays
from scripts.common.style import Style

MEASURED: dict[str, Any] = {"line": drawing.LINES[0], "width": 3.2}
PREDICTED: dict[str, Any] = {"line": drawing.LINES[1], "width": 0.9}
"""A thin line over a thick one: the two are often the same."""


def draw(
    exact_output: dict[str, Arrays],
    fate: dict[str, Arrays],
    *,
    styles: dict[str, Style],
    linear_to: Count = 1,
    columns: Count = 3,
) -> Picture:
    """Draw median and band of the measured and of the predicted gap at every measured step, on one logarithmic axis for all panels.

    Args:
        exact_output: the measurement by variant: `output_gap` and `output_gap_predicted` (S, R), `slow_directions` (R,).
        fate: the measurement by variant, for the words where replicas diverged.
        styles: label and color by variant.
        linear_to: the step up to which the axis of steps is linear; it is logarithmic from there.
        columns: panels side by side.
    """
    figure, panels = drawing.small_multiples(len(exact_output), columns=columns, panel_height=1.5)
    panels[0].set_yscale("log")
    found = []
    for axes, (variant, measured) in zip(panels, exact_output.items(), strict=True):
        style, step = styles[variant], measured["step"]
        gaps = {
            "measured": (measured["output_gap"], style.color, MEASURED),
            "predicted": (measured["output_gap_predicted"], drawing.INK, PREDICTED),
        }
        reached = []
        for label, (values, color, options) in gaps.items():
            middle = drawing.spread(values.T)
            drawing.median_and_band(axes, step, middle, color=color, label=label, **options)
            reached.append(number(float(middle.median[-1])))
        words = divergence(fate[variant])
        drawing.entitle(axes, style.label, words)
        slow = number(float(np.median(measured["slow_directions"])))
        told = f"measured {reached[0]}, predicted {reached[1]}, slow directions {slow}"
        found.append(f"{style.label}: {told}" + (f" ({words})" if words else ""))
    drawing.step_axis(panels[0], max(int(measured["step"][-1]) for measured in exact_output.values()), linear_to=linear_to)
    panels[0].set_xlabel("")
    drawing.log_ticks(panels[0])
    figure.supxlabel("updates")
    figure.supylabel("gap to the exact solution")
    keys = [
        drawing.line_key("measured, median", drawing.SOFT, linewidth=MEASURED["width"]),
        drawing.line_key("predicted, median", drawing.INK, linestyle=PREDICTED["line"], linewidth=PREDICTED["width"]),
        drawing.band_key("5th to 95th percentile", drawing.SOFT),
    ]
    drawing.legend(figure, keys)
    alt = (
        "Train loss of the output layer less that of its exact solution along training, measured and as predicted from the singular values "
        f"of the hidden features, on a logarithmic axis, a panel for each variant. Medians after training: {'; '.join(found)}."
    )
    note = (
        f"n = {counted(drawing.replicas(exact_output, 'output_gap'), 'replica')}; lines: median, bands: 5th to 95th percentile, a gap that "
        "is not finite counting as infinite. Predicted: what gradient descent on all training points would leave."
    )
    return Picture(figure, alt, note)
