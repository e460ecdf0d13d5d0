"""Every gradient feature of one network as a function of x: a row of panels for each tensor of parameters, a column for each step."""

from itertools import product
from typing import Any, NamedTuple

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from scripts.common import drawing
from scripts.common.drawing import Picture
from scripts.common.formatting import divergence, listing, number, sentence
from scripts.common.storage import Arrays
from scripts.common.style import Style

MOST_LINES = 100
"""The features of a larger tensor become a picture inside the figure, and the CSV file holds their range instead of each."""
SEEN = 2e-3
"""Corners of a line that are lower than this share of its panel are not drawn."""


class Tensor(NamedTuple):
    """A tensor of parameters.

    Attributes:
        name: its name among the parameters, as "0.weight".
        words: the same in words.
        place: where its parameters stand among all.
        unit: the unit that each of them belongs to, from 0 for the first of its layer to 1 for the last.
    """

    name: str
    words: str
    place: slice
    unit: NDArray[np.float64]


def draw(gradient_features: dict[str, Arrays], fate: dict[str, Arrays], *, styles: dict[str, Style]) -> Picture:
    """Draw the features of replica 0 before and after training, each panel on a scale of its own.

    Args:
        gradient_features: the measurement by variant: `feature` (S, G, P) on `grid_x` (G, 1), `parameter_name` and `parameter_size` (L,).
        fate: the measurement by variant, for the step at which a network that has no features diverged.
        styles: label and color by variant.
    """
    rows = [(variant, tensor) for variant, measured in gradient_features.items() for tensor in _tensors(measured)]
    columns = max(len(measured["step"]) for measured in gradient_features.values())
    heights = [1.05 if len(tensor.unit) > 1 else 0.8 for _, tensor in rows]
    figure, panels = drawing.new_figure(len(rows), columns, height=sum(heights) + 0.8, height_ratios=heights)
    found: dict[str, list[str]] = {variant: [] for variant in gradient_features}
    for axes, ((variant, tensor), step) in zip(panels, product(rows, range(columns)), strict=True):
        measured, label = gradient_features[variant], styles[variant].label
        _, when = drawing.at(measured["step"], str(measured["step"][step]))
        feature = measured["feature"][step][:, tensor.place]
        if np.isfinite(feature).all():
            _draw_features(axes, measured["grid_x"][:, 0], feature, tensor)
            told = number(float(np.abs(feature).max()))
        else:
            told = f"not available, {divergence(fate[variant], 0) or 'not finite'}"
            drawing.empty(axes, told.replace(", ", ":\n"))
        found[variant].append(f"{tensor.words} {told} {when}")
        axes.set_label(f"{label}: {tensor.words}, {when}" if len(gradient_features) > 1 else f"{tensor.words}, {when}")
        if tensor.place.start == 0:
            axes.set_title(f"{label}, {when}" if len(gradient_features) > 1 else when)
        axes.tick_params(labelbottom=axes in panels[-columns:])
        if step == 0:
            axes.set_ylabel(tensor.words.replace(", ", ",\n"))
    figure.align_ylabels(panels[::columns])
    figure.supxlabel("input $x$")
    keys = {"first unit of its layer": 0.0, "a unit in the middle": 0.5, "last unit": 1.0}
    drawing.legend(figure, [drawing.line_key(words, color) for words, color in zip(keys, _colors(list(keys.values())), strict=True)])
    shown = listing([styles[variant].label for variant in gradient_features])
    largest = " ".join(sentence(f"{styles[variant].label}: {'; '.join(words)}") for variant, words in found.items())
    alt = (
        f"Every gradient feature of {shown}, the derivative of the output in one parameter, as a line against x, in rows by tensor, "
        f"before and after training. Largest magnitude in each tensor: {largest}"
    )
    many = any(len(tensor.unit) > MOST_LINES for _, tensor in rows)
    note = (
        "One network, replica 0 ({seeds_of(0)}). A line for each parameter of a tensor, colored by the unit that it belongs to; "
        "a weight of the output layer belongs to the hidden unit that it comes from. Layer 1 is next to the input. "
        f"Each panel has its own scale.{f' Gray: the range of more than {MOST_LINES} features.' if many else ''}"
    )
    return Picture(figure, alt, note)


def _tensors(measured: Arrays) -> list[Tensor]:
    """Return the tensors of a network; a weight has the shape (outputs, inputs), and a bias follows it."""
    sizes = [int(size) for size in measured["parameter_size"]]
    found, begin = [], 0
    for place, (name, size) in enumerate(zip(measured["parameter_name"], sizes, strict=True)):
        outputs = sizes[place | 1]
        last, inputs = (place | 1) == len(sizes) - 1, size // outputs
        unit = np.arange(size) % inputs if last else np.arange(size) // inputs
        layer = "output layer" if last else f"layer {place // 2 + 1}"
        kind = ("weight" if size == 1 else "weights", "bias" if size == 1 else "biases")[place % 2]
        words = f"{layer}, {kind}"
        found.append(Tensor(str(name), words, slice(begin, begin + size), unit / max(unit.max(), 1)))
        begin += size
    return found


def _draw_features(axes: Axes, x: NDArray[np.float64], feature: NDArray[np.float64], tensor: Tensor) -> None:
    """Draw the features (G, size) of one tensor."""
    colors = _colors(tensor.unit)
    if feature.shape[1] > MOST_LINES:
        axes.fill_between(x, feature.min(axis=1), feature.max(axis=1), color=drawing.FAINT, alpha=0.4, linewidth=0, label="all features")
        mixed = np.argsort(drawing.jitter(feature.shape[1], 1))  # so that no unit covers all others
        lines = [np.column_stack([x, feature[:, place]]) for place in mixed]
        axes.add_collection(
            LineCollection(lines, colors=colors[mixed], linewidths=0.35, antialiased=False, rasterized=True, label="_features")
        )
    else:
        width = float(np.clip(12 / feature.shape[1], 0.5, 1.2))
        for place, values in enumerate(feature.T):
            some = drawing.corners(x, values, within=SEEN * float(np.ptp(feature)))
            axes.plot(x[some], values[some], color=colors[place], linewidth=width, label=f"{tensor.name} {place + 1}")
    if not np.ptp(feature):
        axes.set_ylim(feature.min() - 1, feature.min() + 1)
    axes.margins(x=0.02)
    axes.yaxis.set_major_locator(MaxNLocator(3 if feature.shape[1] > 1 else 2))


def _colors(units: Any) -> NDArray[np.float64]:
    """Return the colors (n, 4) of units in their order; the last shades of the map are too pale for a line."""
    return np.asarray(colormaps["viridis"](0.93 * np.asarray(units, dtype=np.float64)))
