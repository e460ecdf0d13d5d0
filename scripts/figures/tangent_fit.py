"""The regression on the tangent features at initialization, beside what training has reached, a panel for each variant."""

from scripts.common.drawing import Picture
from scripts.common.options import Count, Natural
from scripts.common.solved_fits import draw_solved_fits
from scripts.common.storage import Arrays
from scripts.common.style import Style


def draw(
    data: dict[str, Arrays],
    prediction: dict[str, Arrays],
    tangent: dict[str, Arrays],
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
        tangent: the measurement by variant: `tangent_prediction_grid` (R, G).
        fate: the measurement by variant.
        styles: label and color by variant.
        replica: which replica.
        columns: panels side by side.

    Raises:
        UserError: there is no such replica.
    """
    solved = {variant: measured["tangent_prediction_grid"] for variant, measured in tangent.items()}
    names = ("regression on tangent features", "trained network")
    return draw_solved_fits(data, prediction, solved, fate, styles=styles, names=names, replica=replica, columns=columns)
