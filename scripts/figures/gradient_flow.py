"""Norms of outputs and of gradients by layer, as the source draws them: a line for each scale of the weights, or a slider over all."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from scripts.common import drawing, explorer
from scripts.common.drawing import Picture
from scripts.common.explorer import Axis, Explorer, Key, Panel, Trace
from scripts.common.formatting import number
from scripts.common.layer_profiles import draw_profiles
from scripts.common.storage import Arrays
from scripts.common.style import Style

REPLICA = 0
QUANTITIES = {"output_norm": "norm of outputs", "simplified_gradient_norm": "norm of the source's gradient"}


def draw(simulated: dict[str, Arrays], *, styles: dict[str, Style], levels: list[str] | None = None) -> Picture:
    """Draw both norms by layer, a column for each activation; the explorer has all scales, and the source's own seed beside the median.

    Args:
        simulated: simulations of the kind `gradient_flow`, by name.
        styles: label and color of each; scales have colors of their own in the picture.
        levels: the scales that are drawn; all if not given.
    """
    picture = draw_profiles(
        simulated, styles=styles, quantities=list(QUANTITIES), titles=list(QUANTITIES.values()), levels=levels, level_title="scale"
    )
    return picture._replace(explorer=_explorer(simulated, styles))


def _explorer(simulated: dict[str, Arrays], styles: dict[str, Style]) -> dict[str, Any]:
    first = next(iter(simulated.values()))
    scales = [str(level) for level in first["level"]]
    layer = first["layer"].astype(np.float64)
    made = Explorer(
        slider="Scale of the weights",
        stops=[f"scale {scale}" for scale in scales],
        readout=[f"Scale {scale}: {_readout(simulated, styles, place)}" for place, scale in enumerate(scales)],
        panels=[_panel(simulated, styles, quantity, title, layer) for quantity, title in QUANTITIES.items()],
        columns=2,
        key=[
            *(Key(f"{style.label}, median", explorer.line_kind(turn), style.color) for turn, style in enumerate(styles.values())),
            Key("the source's seed", "dots", "quiet"),
        ],
    )
    return explorer.pack(made)


def _panel(simulated: dict[str, Arrays], styles: dict[str, Style], quantity: str, title: str, layer: NDArray[np.float64]) -> Panel:
    traces, everything = [], []
    for turn, (name, arrays) in enumerate(simulated.items()):
        label, color = styles[name]
        median = drawing.spread(arrays[quantity]).median  # (X, L)
        own = arrays[quantity][REPLICA]
        told = f"{label}, layer %{{x}}: %{{y:.3~g}}"
        traces.append(Trace(f"{label}, median", explorer.line_kind(turn), color, layer, median, told))
        traces.append(Trace(f"{label}, the source's seed", "dots", color, layer, own))
        everything += [median, own]
    values = np.concatenate([one.ravel() for one in everything])
    low, high = drawing.decades(values[np.isfinite(values) & (values > 0)])
    return Panel(
        title.capitalize(),
        Axis("layer", float(layer[0]) - 0.3, float(layer[-1]) + 0.3),
        Axis("norm", low, high, logarithmic=True),
        traces,
    )


def _readout(simulated: dict[str, Arrays], styles: dict[str, Style], place: int) -> str:
    """Return in words what is left of the gradient in the first layer at a scale, with the source's seed."""
    ratios = [(styles[name].label, float(arrays["gradient_ratio"][REPLICA, place])) for name, arrays in simulated.items()]
    words = ", ".join(f"{label} {number(ratio)}" for label, ratio in ratios)
    return f"with the source's seed the gradient of the first layer, relative to the last, is {words}."
