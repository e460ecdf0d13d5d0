"""The norm of the loss gradient of every weight matrix, layer by layer, every replica a dot, a panel for each variant."""

import numpy as np

from scripts.common import drawing
from scripts.common.drawing import Picture
from scripts.common.formatting import counted, number
from scripts.common.options import Count, Moment
from scripts.common.storage import Arrays
from scripts.common.style import Style


def draw(gradient_norm: dict[str, Arrays], *, styles: dict[str, Style], step: Moment = "first", columns: Count = 4) -> Picture:
    """Draw gradient norms against the layer, on one logarithmic axis for all panels.

    Args:
        gradient_norm: the measurement by variant: `gradient_norm` (S, R, L).
        styles: label and color by variant.
        step: "first", "last", or a saved step in digits.
        columns: panels side by side.
    """
    figure, panels = drawing.small_multiples(len(gradient_norm), columns=columns, panel_height=1.45)
    panels[0].set_yscale("log")
    found, when = [], step
    for axes, (variant, measured) in zip(panels, gradient_norm.items(), strict=True):
        style = styles[variant]
        place, when = drawing.at(measured["step"], step)
        norms = drawing.existing(measured, "gradient_norm")[place]
        layers = np.arange(1, norms.shape[1] + 1)
        places = layers + drawing.jitter(len(norms), 0.5)[:, None]
        seen = np.isfinite(norms) & (norms > 0)
        drawing.dots(axes, places[seen], norms[seen], color=style.color, label="replicas", many=True)
        middle = drawing.spread(norms).median
        marked = np.isfinite(middle) & (middle > 0)
        drawing.medians(axes, layers[marked], middle[marked], label="median", joined=True)
        counts = {"not finite": (~np.isfinite(norms)).any(axis=1).sum(), "zero": (norms == 0).any(axis=1).sum()}
        words = "; ".join(f"{text} in {count} of {len(norms)}" for text, count in counts.items() if count)
        drawing.entitle(axes, style.label, words)
        medians = f"{number(middle[0])} in the first layer, {number(middle[-1])} in the last"
        found.append(f"{style.label}: {medians}" + (f" ({words})" if words else ""))
    drawing.ranks(panels[0], max(values["gradient_norm"].shape[2] for values in gradient_norm.values()))
    drawing.plain_log_ticks(panels[0].yaxis)
    figure.supxlabel("layer (1: next to the input)")
    figure.supylabel("norm of the loss gradient")
    drawing.legend(figure, [drawing.replica_key(), drawing.median_key()])
    alt = f"Gradient norms of the weight matrices {when}, on a logarithmic axis, a panel for each variant. Medians: {'; '.join(found)}."
    count = counted(drawing.replicas(gradient_norm, "gradient_norm"), "replica")
    return Picture(figure, alt, f"n = {count}, each a dot; {when}; bar: median, a norm that is not finite counting as infinite.")
