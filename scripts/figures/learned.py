"""What one network of each variant has learned: its output, the data, and where its units bend, as the source draws them."""

from itertools import product

import numpy as np

from scripts.common import drawing
from scripts.common.drawing import Picture
from scripts.common.formatting import check_replica, divergence, number, seeds_of
from scripts.common.options import Count, Moment, Natural
from scripts.common.storage import Arrays
from scripts.common.style import Style


def draw(
    data: dict[str, Arrays],
    prediction: dict[str, Arrays],
    elbows: dict[str, Arrays],
    fate: dict[str, Arrays],
    *,
    styles: dict[str, Style],
    steps: list[Moment],
    replica: Natural = 0,
    columns: Count = 3,
) -> Picture:
    """Draw a panel for each variant and step.

    Args:
        data: arrays of storage.DATA by variant; one input, one output.
        prediction: the measurement by variant: `prediction_grid` (S, R, G).
        elbows: the measurement by variant: `elbow` (S, R, W), and `kink` (S, R, Q) where there is a second hidden layer.
        fate: the measurement by variant, for the step at which a network that has no output diverged.
        styles: label and color by variant.
        steps: which steps: "first", "last", or a saved step in digits.
        replica: which replica.
        columns: panels side by side.

    Raises:
        UserError: there is no such step or replica.
    """
    for measured in prediction.values():
        check_replica(replica, measured["prediction_grid"].shape[1])
    shown = list(product(prediction, steps))
    figure, panels = drawing.small_multiples(len(shown), columns=columns, panel_height=1.5)
    found, whens = [], []
    for axes, (variant, which) in zip(panels, shown, strict=True):
        place, when = drawing.at(prediction[variant]["step"], which)
        whens.append(when)
        label, several = styles[variant].label, len(steps) > 1
        name = f"{label}, {when}" if several else label
        output = prediction[variant]["prediction_grid"][place, replica]
        drawing.draw_truth(axes, data[variant], panels=len(panels))
        if np.isfinite(output).all():
            drawing.draw_function(axes, data[variant], output, color=styles[variant].color, label="network", zorder=4)
            bends = {key: elbows[variant][key][place, replica] for key in drawing.BENDS if key in elbows[variant]}
            words = drawing.draw_bends(axes, bends, data[variant]["grid_x"], color=styles[variant].color)
            distance = number(float(np.square(output - drawing.truth_of(data[variant])[:, 0]).mean()))
            found.append(f"{name} {distance}" + (f" ({words})" if words else ""))
        else:
            words = divergence(fate[variant], replica) or "its output is not finite"
            found.append(f"{name} none, {words}")
        drawing.entitle(axes, label, "; ".join(filter(None, (when if several else "", words))))
        axes.set_label(name)
    drawing.fit_limits(panels[0], list(data.values()), below=0.2)
    figure.supxlabel("input $x$")
    figure.supylabel("output $y$")
    deep = any("kink" in measured for measured in elbows.values())
    drawing.legend(figure, drawing.learned_keys(deep=deep))
    told = f" {whens[0]}" if len(set(whens)) == 1 else ""
    alt = (
        f"Output of one network of each variant{told} against the true function, with the elbows of its first hidden layer"
        f"{' and the kinks of its second' if deep else ''} marked below. "
        f"Mean squared distance of the output to the truth: {'; '.join(found)}."
    )
    marks = "Triangles: places where the units of the first hidden layer bend"
    marks += "; ticks: places where the inputs of units of the second change their sign." if deep else "."
    return Picture(figure, alt, f"One network, replica {replica} ({seeds_of(replica)}){f', {whens[0]}' if told else ''}. {marks}")
