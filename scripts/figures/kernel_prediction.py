"""A network's function in training, and what two kernels that do not move predict for it: the limit's, and its own at initialization."""

from itertools import product
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from scripts.common import drawing, explorer
from scripts.common.drawing import Picture
from scripts.common.explorer import Axis, Explorer, Key, Panel, Trace
from scripts.common.formatting import check_replica, listing, moment, number, seeds_of, sentence
from scripts.common.options import Count, Natural
from scripts.common.runs import moments
from scripts.common.storage import Arrays
from scripts.common.style import Style

WAYS: dict[str, tuple[str, str, Any]] = {
    "infinite_prediction_grid": ("infinite kernel", "#D55E00", drawing.LINES[1]),
    "linearized_prediction_grid": ("own kernel at initialization", "#CC79A7", drawing.LINES[3]),
}
"""Label, color and line of the two predictions."""


def draw(
    data: dict[str, Arrays],
    prediction: dict[str, Arrays],
    kernel_regression: dict[str, Arrays],
    *,
    styles: dict[str, Style],
    columns: Count = 3,
    replica: Natural = 0,
) -> Picture:
    """Draw a row of panels for each variant, one for each of some moments; the explorer has all measured moments.

    Args:
        data: arrays of storage.DATA by variant; one input, one output.
        prediction: the measurement by variant: `prediction_grid` (S, R, G).
        kernel_regression: the measurement by variant: both predictions on the grid (S, R, G), and their gaps (S, R).
        styles: label and color by variant.
        columns: how many moments the picture shows, spread over the logarithm of the step, the last among them.
        replica: which replica.

    Raises:
        UserError: there is no such replica.
    """
    for measured in prediction.values():
        check_replica(replica, measured["prediction_grid"].shape[1])
    places = {variant: _spread_out(measured["step"], columns) for variant, measured in prediction.items()}
    columns = max(len(chosen) for chosen in places.values())
    figure, panels = drawing.new_figure(len(places), columns, height=1.5 * len(places) + 0.9, sharex=True, sharey=True)
    drawn, found = set(), []
    for (row, variant), column in product(enumerate(places), range(columns)):
        axes, chosen = panels[row * columns + column], places[variant]
        if column >= len(chosen):
            axes.remove()
            continue
        place, step = chosen[column], prediction[variant]["step"]
        name = f"{styles[variant].label}, {moment(int(step[place]), int(step[-1]))}"
        axes.set_label(name)
        axes.set_title(name, fontsize=8)
        now = {key: kernel_regression[variant][key][place, replica] for key in WAYS}
        network = prediction[variant]["prediction_grid"][place, replica]
        _draw_moment(axes, data[variant], network, now, color=styles[variant].color)
        gaps = _gaps(kernel_regression[variant], place, replica)
        drawn.add(variant)
        found.append(f"{name}: {gaps}")
    drawing.fit_limits(panels[0], [data[variant] for variant in drawn])
    figure.supxlabel("input $x$")
    figure.supylabel("output $y$")
    drawing.legend(figure, [drawing.line_key("network", drawing.SOFT), *_keys()], columns=3)
    alt = (
        f"Output of one network of {listing([styles[variant].label for variant in places])} in training, with the true function, and with "
        "what gradient descent with two fixed kernels predicts for it: that of the infinitely wide network, and the network's own at "
        f"initialization. Root mean square gaps on the test points. {' '.join(sentence(words) for words in found)}"
    )
    note = f"One network of each, replica {replica} ({seeds_of(replica)}). All three begin at the network's function at initialization."
    return Picture(figure, alt, note, _explorer(data, prediction, kernel_regression, styles, replica))


def _spread_out(step: NDArray[np.int64], count: int) -> list[int]:
    """Return the places of the steps that are nearest, on a logarithmic scale, to the last one's powers 1/count, 2/count, ... 1."""
    later = np.log(np.maximum(step, 0.5))
    wanted = later[-1] * np.arange(1, count + 1) / count
    return sorted({int(np.abs(later - one).argmin()) for one in wanted})


def _keys() -> list[Any]:
    return [
        *(drawing.line_key(label, color, linestyle=line) for label, color, line in WAYS.values()),
        drawing.line_key("truth", drawing.INK, linewidth=0.9, linestyle=drawing.LINES[2]),
        drawing.line_key("training points", drawing.FAINT, marker="o", markersize=2.5, linestyle="none"),
    ]


def _draw_moment(
    axes: Axes, data: Arrays, network: NDArray[np.float64], predictions: dict[str, NDArray[np.float64]], *, color: str
) -> None:
    """Draw one panel: the truth, the output of the network (G,), and the two predictions of it."""
    drawing.draw_truth(axes, data, panels=6)
    curves = [("network", color, "solid", network)]
    curves += [(label, paint, line, predictions[key]) for key, (label, paint, line) in WAYS.items()]
    for label, paint, line, values in curves:
        if np.isfinite(values).all():
            drawing.draw_function(axes, data, values, color=paint, linestyle=line, linewidth=1.1, label=label, zorder=4)
    axes.xaxis.set_major_locator(MaxNLocator(2))


def _gaps(regression: Arrays, place: int, replica: int) -> str:
    found = []
    for quantity, (label, *_) in zip(("kernel_prediction_gap", "linearized_prediction_gap"), WAYS.values(), strict=True):
        value = float(drawing.existing(regression, quantity)[place, replica])
        found.append(f"{label} {'not available' if np.isnan(value) else number(value)}")
    return ", ".join(found)


def _explorer(
    data: dict[str, Arrays], prediction: dict[str, Arrays], regression: dict[str, Arrays], styles: dict[str, Style], replica: int
) -> dict[str, Any]:
    first = next(iter(prediction.values()))["step"]
    steps = first[moments(first, explorer.MOST_STOPS)]
    panels, said = [], {}
    (left, right), (low, high) = drawing.learned_limits(list(data.values()))
    for variant, measured in prediction.items():
        places = [int(np.abs(measured["step"] - step).argmin()) for step in steps]
        grid = data[variant]["grid_x"][:, 0]
        some = drawing.thinned(len(grid), explorer.MOST_POINTS)
        points = drawing.thinned(len(data[variant]["train_x"]), explorer.MOST_POINTS)
        curves = [("network", "line", styles[variant].color, measured["prediction_grid"])]
        kinds = ("dashed", "dashdotted")
        curves += [
            (label, kind, color, regression[variant][key]) for kind, (key, (label, color, _)) in zip(kinds, WAYS.items(), strict=True)
        ]
        panels.append(
            Panel(
                styles[variant].label,
                Axis("input <i>x</i>", left, right),
                Axis("output <i>y</i>", low, high),
                [
                    Trace("training points", "dots", "rest", data[variant]["train_x"][points, 0], data[variant]["train_y"][points, 0]),
                    Trace("truth", "dotted", "ink", grid[some], drawing.truth_of(data[variant])[some, 0], "truth: %{y:.3~g}"),
                    *(
                        Trace(label, kind, color, grid[some], values[places, replica][:, some], f"{label}: %{{y:.3~g}}")  # type: ignore[arg-type]
                        for label, kind, color, values in curves
                    ),
                ],
            )
        )
        said[variant] = [_gaps(regression[variant], place, replica) for place in places]
    return explorer.pack(
        Explorer(
            slider="Training step",
            stops=[f"step {number(int(step))}" for step in steps],
            readout=[
                f"Step {number(int(step))}, gap to the prediction: "
                + "; ".join(f"{styles[variant].label}, {words[place]}" for variant, words in said.items())
                + "."
                for place, step in enumerate(steps)
            ],
            panels=panels,
            columns=min(3, len(panels)),
            key=[
                *(Key(f"network, {styles[variant].label}", "line", styles[variant].color) for variant in prediction),
                *(Key(label, kind, color) for kind, (label, color, _) in zip(("dashed", "dashdotted"), WAYS.values(), strict=True)),  # type: ignore[arg-type]
                Key("truth", "dotted", "ink"),
                Key("training points", "dots", "rest"),
            ],
        )
    )
