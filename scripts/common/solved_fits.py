"""The figure of a regression that is solved at once beside what training reached: a panel for each variant."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scripts.common import drawing
from scripts.common.drawing import Picture
from scripts.common.formatting import check_replica, divergence, listing, number, seeds_of
from scripts.common.storage import Arrays
from scripts.common.style import Style


def draw_solved_fits(
    data: Mapping[str, Arrays],
    prediction: Mapping[str, Arrays],
    solved: Mapping[str, NDArray[np.float64]],
    fate: Mapping[str, Arrays],
    *,
    styles: Mapping[str, Style],
    names: tuple[str, str],
    replica: int,
    columns: int,
) -> Picture:
    """Draw the two functions of one replica against the truth, and tell how far those of all replicas are from it.

    Args:
        data: arrays of storage.DATA by variant; one input, one output.
        prediction: the measurement by variant: `prediction_grid` (S, R, G).
        solved: by variant, the functions (R, G) that are the solutions, on the same grid; nan where there is none.
        fate: the measurement by variant, for the step at which a network that has no output diverged.
        styles: label and color by variant.
        names: what the solutions, and what the trained networks are called.
        replica: which replica.
        columns: panels side by side.

    Raises:
        UserError: there is no such replica.
    """
    for measured in prediction.values():
        check_replica(replica, measured["prediction_grid"].shape[1])
    figure, panels = drawing.small_multiples(len(prediction), columns=columns, panel_height=1.5)
    found = []
    for axes, (variant, measured) in zip(panels, prediction.items(), strict=True):
        functions = dict(zip(names, (solved[variant], measured["prediction_grid"][-1]), strict=True))
        drawing.draw_truth(axes, data[variant], panels=len(panels))
        missing = []
        for name, options in zip(names, _options(styles[variant].color), strict=True):
            function = functions[name][replica]
            if np.isfinite(function).all():
                drawing.draw_function(axes, data[variant], function, label=name, **options)
            else:
                missing.append(f"{name}: not available, {divergence(fate[variant], replica) or 'not finite'}")
        drawing.entitle(axes, styles[variant].label, "; ".join(missing))
        told = [f"{name} {number(_distance(function, data[variant]))}" for name, function in functions.items()]
        found.append(f"{styles[variant].label}: {', '.join(told)}" + (f" ({'; '.join(missing)})" if missing else ""))
    drawing.fit_limits(panels[0], list(data.values()))
    figure.supxlabel("input $x$")
    figure.supylabel("output $y$")
    keys = [drawing.line_key(name, **options) for name, options in zip(names, _options(drawing.SOFT), strict=True)]
    truth = drawing.line_key("truth", drawing.INK, linewidth=0.9, linestyle=drawing.LINES[2])
    points = drawing.line_key("training points", drawing.FAINT, marker="o", markersize=2.5, linestyle="none")
    drawing.legend(figure, [*keys, truth, points])
    alt = (
        f"{listing(names)} against the true function, a panel for each variant. "
        f"Median over replicas of the mean squared distance to the truth: {'; '.join(found)}."
    )
    return Picture(figure, alt[:1].upper() + alt[1:], f"One network, replica {replica} ({seeds_of(replica)}).")


def _options(color: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return how the solution and the trained network are drawn: a thin line over a thick one."""
    return {"color": drawing.INK, "linewidth": 0.7, "zorder": 5}, {"color": color, "linewidth": 2.0, "zorder": 4}


def _distance(functions: NDArray[np.float64], data: Arrays) -> float:
    """Return the median over replicas of the mean squared distance of functions (R, G) to the truth, infinite where not finite."""
    return float(drawing.spread(np.square(functions - drawing.truth_of(data)[:, 0]).mean(axis=1)).median)
