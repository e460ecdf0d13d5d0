"""What each variant has learned: the fits of all its replicas, against the truth where it is known, a panel for each variant."""

import numpy as np

from scripts.common import drawing
from scripts.common.drawing import Picture
from scripts.common.errors import UserError
from scripts.common.formatting import misfortunes, number
from scripts.common.options import Count
from scripts.common.storage import Arrays
from scripts.common.style import Style


def draw(
    data: dict[str, Arrays], prediction: dict[str, Arrays], fate: dict[str, Arrays], *, styles: dict[str, Style], columns: Count = 3
) -> Picture:
    """Draw the predictions after training.

    Args:
        data: arrays of storage.DATA by variant; one input, one output.
        prediction: the measurement by variant: `prediction_grid` (S, R, G).
        fate: the measurement by variant.
        styles: label and color by variant.
        columns: panels side by side.

    Raises:
        UserError: a data set has several inputs.
    """
    several = [variant for variant, own in data.items() if own["train_x"].shape[1] > 1]
    if several:
        remedy = "leave it out of 'variants', or take the figure 'curves'"
        raise UserError(f"variant '{several[0]}' has several inputs, and a fit is drawn over one; {remedy}")
    figure, panels = drawing.small_multiples(len(prediction), columns=columns)
    known = all("grid_y" in own for own in data.values())
    found = []
    for axes, (variant, values) in zip(panels, prediction.items(), strict=True):
        drawing.draw_fits(axes, data[variant], values, color=styles[variant].color, panels=len(panels))
        trouble = misfortunes(fate[variant])
        drawing.entitle(axes, styles[variant].label, trouble)
        error = f" {_error(data[variant], values)}" if known else ""
        found.append(f"{styles[variant].label}{error}" + (f" ({trouble})" if trouble else ""))
    figure.supxlabel("input $x$")
    figure.supylabel("output $y$")
    drawing.legend(figure, drawing.fit_keys(truth=known))
    count = drawing.replicas(prediction, "prediction_grid")
    alt = (
        "Fits after training against the true function, a panel for each variant. "
        f"Median over replicas of the mean squared distance to the truth: {'; '.join(found)}."
        if known
        else f"Fits after training through the training points, a panel for each variant: {'; '.join(found)}."
    )
    return Picture(figure, alt, drawing.fit_note(count))


def _error(data: Arrays, prediction: Arrays) -> str:
    last = prediction["prediction_grid"][-1]
    finite = np.isfinite(last).all(axis=1)
    square = np.full(len(last), np.inf)
    square[finite] = np.square(last[finite] - data["grid_y"][:, 0]).mean(axis=1)
    return number(float(drawing.spread(square).median))
