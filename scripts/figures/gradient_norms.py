"""The norm of the loss gradient of every weight matrix, layer by layer, every replica a dot, one panel a variant."""

import numpy as np

from scripts.common import drawing
from scripts.common.drawing import Picture, Style
from scripts.common.formatting import counted, moment, number
from scripts.common.storage import Arrays


def draw(gradient_norm: dict[str, Arrays], *, styles: dict[str, Style], step: str = "first", columns: int = 4) -> Picture:
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
        style, place = styles[variant], drawing.position(measured["step"], step)
        when = moment(int(measured["step"][place]), int(measured["step"][-1]))
        norms = drawing.existing(measured, "gradient_norm")[place]
        layers = np.arange(1, norms.shape[1] + 1)
        middle = drawing.spread(norms).median
        places = layers + drawing.jitter(len(norms), 0.5)[:, None]
        seen = np.isfinite(norms) & (norms > 0)
        axes.scatter(places[seen], norms[seen], s=5, color=style.color, alpha=0.6, linewidths=0, rasterized=True, label="replicas")
        seen = np.isfinite(middle) & (middle > 0)
        axes.plot(
            layers[seen], middle[seen], color=drawing.INK, linewidth=0.9, marker="_", markersize=9, markeredgewidth=1.6, label="median"
        )
        gone, zero = int((~np.isfinite(norms)).any(axis=1).sum()), int((norms == 0).any(axis=1).sum())
        words = [f"{text} in {count} of {len(norms)}" for text, count in (("not finite", gone), ("zero", zero)) if count]
        drawing.entitle(axes, style.label, "; ".join(words))
        first_to_last = f"{number(middle[0])} in the first layer, {number(middle[-1])} in the last"
        found.append(f"{style.label}: {first_to_last}" + "".join(f", {text}" for text in words))
    drawing.ranks(panels[0], max(values["gradient_norm"].shape[2] for values in gradient_norm.values()))
    drawing.plain_log_ticks(panels[0].yaxis)
    figure.supxlabel("layer (1: next to the input)")
    figure.supylabel("norm of the loss gradient")
    color = drawing.SOFT
    keys = [
        drawing.line_key("one replica", color, marker="o", markersize=3, linestyle="none"),
        drawing.line_key("median", drawing.INK, linewidth=0.9, marker="_", markersize=9, markeredgewidth=1.6),
    ]
    drawing.legend(figure, keys)
    count = drawing.replicas(gradient_norm, "gradient_norm")
    alt = f"Gradient norms of the weight matrices {when}, on a logarithmic axis, one panel a variant. Medians: {'; '.join(found)}."
    return Picture(
        figure, alt, f"n = {counted(count, 'replica')}, each a dot; {when}; bar: median, a norm that is not finite counting as infinite."
    )
