"""The output layer solved exactly, beside what its training has reached, a panel for each variant."""

from scripts.common.drawing import Picture
from scripts.common.options import Count, Natural
from scripts.common.solved_fits import draw_solved_fits
from scripts.common.storage import Arrays
from scripts.common.style import Style


def draw(
    data: dict[str, Arrays],
    prediction: dict[str, Arrays],
    exact_output: dict[str, Arrays],
    fate: dict[str, Arrays],
    *,
    styles: dict[str, Style],
    replica: Natural = 0,
    columns: Count = 3,
) -> Picture:
    """Draw both functions of one replica against the truth.

    Args:
        data: arrays of storage.DATA by variant; one input, one output.
        prediction: the measurement by variant: `prediction_grid` (S, R, G).
        exact_output: the measurement by variant: `prediction_grid_exact` (R, G).
        fate: the measurement by variant.
        styles: label and color by variant.
        replica: which replica.
        columns: panels side by side.

    Raises:
        UserError: there is no such replica.
    """
    solved = {variant: measured["prediction_grid_exact"] for variant, measured in exact_output.items()}
    names = ("output layer solved exactly", "output layer by SGD")
    return draw_solved_fits(data, prediction, solved, fate, styles=styles, names=names, replica=replica, columns=columns)
