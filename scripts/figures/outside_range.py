"""How the fits go on outside the range of their training points, a panel for each variant."""

from scripts.common import drawing
from scripts.common.drawing import Picture
from scripts.common.formatting import misfortunes, number, sentence
from scripts.common.options import Count
from scripts.common.storage import Arrays
from scripts.common.style import Style


def draw(
    data: dict[str, Arrays],
    prediction: dict[str, Arrays],
    test_range: dict[str, Arrays],
    fate: dict[str, Arrays],
    *,
    styles: dict[str, Style],
    columns: Count = 2,
) -> Picture:
    """Draw the predictions after training, with the training range shaded and the test loss on either side.

    Args:
        data: arrays of storage.DATA by variant; one input, one output.
        prediction: the measurement by variant: `prediction_grid` (S, R, G).
        test_range: the measurement by variant: `test_loss_inside` and `test_loss_outside` (S, R).
        fate: the measurement by variant.
        styles: label and color by variant.
        columns: panels side by side.
    """
    figure, panels = drawing.small_multiples(len(prediction), columns=columns, panel_height=1.75)
    found = []
    for axes, (variant, values) in zip(panels, prediction.items(), strict=True):
        x = data[variant]["train_x"][:, 0]
        axes.axvspan(x.min(), x.max(), color=drawing.SHADE, linewidth=0, zorder=0, label="training range")
        drawing.draw_fits(axes, data[variant], values, color=styles[variant].color, panels=len(panels), reach=1.5)
        inside, outside = (
            number(float(drawing.spread(test_range[variant][f"test_loss_{side}"][-1]).median), 2) for side in ("inside", "outside")
        )
        trouble = misfortunes(fate[variant])
        drawing.entitle(axes, styles[variant].label, "; ".join(filter(None, (f"test loss inside {inside}, outside {outside}", trouble))))
        found.append(f"{styles[variant].label}: {inside} inside, {outside} outside" + (f" ({trouble})" if trouble else ""))
    figure.supxlabel("input $x$")
    figure.supylabel("output $y$")
    drawing.legend(figure, [*drawing.fit_keys(), drawing.range_key()], columns=3)
    count = drawing.replicas(prediction, "prediction_grid")
    found_all = sentence("; ".join(found))
    alt = f"Fits after training inside and outside the training range, a panel for each variant. Median test loss: {found_all}"
    return Picture(figure, alt, f"{drawing.fit_note(count)} The losses are medians over the replicas.")
