"""Gradient descent with learning rates around 2 / lambda_max: its loss by step, and how it goes to and fro along the steepest direction."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from scripts.common import drawing, explorer
from scripts.common.drawing import Picture
from scripts.common.errors import UserError
from scripts.common.explorer import Axis, Explorer, Key, Panel, Trace
from scripts.common.formatting import check_known, counted, number, seeds_of
from scripts.common.options import Positive
from scripts.common.storage import Arrays
from scripts.common.style import Style

REPLICA = 0
BELOW, ABOVE = ("#9ECAE1", "#56B4E9", "#0072B2", "#08306B"), ("#E69F00", "#D55E00", "#7F2704")
"""Colors of learning rates below the limit and above it, from the smallest on; at the limit it is ink."""
PATH_STEPS = 25
"""So many steps of a path are drawn."""
REACH = 1.6
"""A path leaves its panel where it is so many times farther from the solution than the start."""


def draw(
    simulated: dict[str, Arrays], *, styles: dict[str, Style], fractions: list[Positive] | None = None, paths: list[Positive] | None = None
) -> Picture:
    """Draw the median loss by step for some learning rates, and the path of one replica for a few; the explorer has all of them.

    Args:
        simulated: the simulation of the kind `stability`, by its name.
        styles: label and color of the simulation; learning rates have colors of their own here.
        fractions: the learning rates of which the loss is drawn, as shares of 2 / lambda_max; all if not given.
        paths: those of which the path is drawn; the first, the middle and the last if not given.

    Raises:
        UserError: there are several simulations, or no such learning rate.
    """
    if len(simulated) != 1:
        raise UserError(f"a figure of stability shows one simulation; 'simulations' names {len(styles)}: {', '.join(styles)}")
    (arrays,) = simulated.values()
    known = [f"{fraction:g}" for fraction in arrays["fraction"]]
    chosen = [f"{fraction:g}" for fraction in fractions or arrays["fraction"]]
    walked = [f"{fraction:g}" for fraction in paths] if paths else [known[place] for place in drawing.thinned(len(known), 3)]
    for fraction in [*chosen, *walked]:
        check_known(fraction, known, "share of 2 / lambda_max")
    colors = _colors(sorted({*chosen, *walked}, key=float))
    figure, (losses, *planes) = drawing.new_figure(1, 1 + len(walked), height=3.1, width_ratios=[1.9, *[1] * len(walked)])
    losses.set_yscale("log")
    keys, told = [drawing.line_key("share of $2/\\lambda_{\\max}$:", drawing.INK, linestyle="none")], []
    for turn, fraction in enumerate(chosen):
        middle = drawing.spread(arrays["loss_ratio"][:, :, known.index(fraction)].T).median
        seen, line = np.isfinite(middle) & (middle > 0), drawing.line_of(turn)
        losses.plot(arrays["step"][seen], middle[seen], color=colors[fraction], linestyle=line, label=f"share {fraction}, median")
        keys.append(drawing.line_key(fraction, colors[fraction], linestyle=line))
        told.append(f"{fraction}: {number(float(middle[-1]))}")
    drawing.entitle(losses, "loss by step")
    losses.set(xlabel="steps", ylabel="share of the loss at the start")
    losses.xaxis.set_major_locator(MaxNLocator(4, integer=True))
    drawing.log_ticks(losses)
    for axes, fraction in zip(planes, walked, strict=True):
        _draw_path(axes, arrays["extreme_coordinates"][:, REPLICA, known.index(fraction)], colors[fraction], fraction)
    planes[0].set_ylabel("along the steepest direction")
    for axes in planes[1:]:
        axes.tick_params(labelleft=False)
    planes[len(planes) // 2].set_xlabel("along the flattest direction")
    drawing.legend(figure, keys, columns=len(keys))
    alt = (
        "Left: loss of gradient descent by step on a logarithmic axis, a line for each learning rate as a share of the limit, 2 / lambda "
        f"max. Medians after {counted(int(arrays['step'][-1]), 'step')}: {'; '.join(told)}. Right: paths of one replica in the plane of "
        f"the eigenvectors with the smallest and the largest eigenvalue, for the shares {', '.join(walked)}: from half of the limit on a "
        "path goes to and fro across the valley, and above the limit it leaves it."
    )
    note = (
        "Learning rates as shares of the limit $2/\\lambda_{\\max}$. "
        f"Left: n = {counted(arrays['loss_ratio'].shape[1], 'replica')}; lines: median. "
        f"Right: replica {REPLICA} ({seeds_of(REPLICA)}), {counted(PATH_STEPS, 'step')}; square: start, star: solution."
    )
    return Picture(figure, alt, note, _explorer(arrays, known))


def _colors(fractions: list[str]) -> dict[str, str]:
    """Return a color for each learning rate, in order."""
    below, above = [one for one in fractions if float(one) < 1], [one for one in fractions if float(one) > 1]
    found = {one: drawing.INK for one in fractions if float(one) == 1}
    for group, paints in ((below, BELOW), (above, ABOVE)):
        for place, one in enumerate(group):
            found[one] = paints[min(place * len(paints) // max(len(group), 1), len(paints) - 1)]
    return found


def _extent(path: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return by how much a panel reaches to either side of the solution, for the start of a path (S, 2)."""
    return np.asarray(REACH * np.maximum(np.abs(path[0]), 1e-3))


def _draw_path(axes: Axes, path: NDArray[np.float64], color: str, fraction: str) -> None:
    path = path[: PATH_STEPS + 1]
    axes.plot(*path.T, color=color, linewidth=0.8, marker="o", markersize=1.8, label=f"share {fraction}")
    axes.plot(*path[0], color=drawing.INK, marker="s", markersize=4, linestyle="none", label="start")
    axes.plot(0, 0, color=drawing.INK, marker="*", markersize=6, linestyle="none", label="solution")
    reach = _extent(path)
    toward = np.sign(path[0, 0]) or 1.0
    axes.set(xlim=sorted((-0.3 * toward * reach[0], 0.8 * toward * reach[0])), ylim=(-1.4 * reach[1], 1.4 * reach[1]))
    axes.xaxis.set_major_locator(MaxNLocator(2))
    drawing.entitle(axes, f"{fraction} of the limit")


# --- the explorer


def _explorer(arrays: Arrays, known: list[str]) -> dict[str, Any]:
    order = np.argsort(arrays["fraction"])
    ratio = arrays["loss_ratio"][:, REPLICA][:, order].T  # (X, S)
    path = arrays["extreme_coordinates"][:, REPLICA][:, order].transpose(1, 0, 2)  # (X, S, 2)
    step = arrays["step"].astype(np.float64)
    reach = _extent(path[0])
    toward = np.sign(path[0, 0, 0]) or 1.0
    low, high = sorted((-0.3 * toward * reach[0], 0.8 * toward * reach[0]))
    bounds = drawing.decades(np.clip(ratio[np.isfinite(ratio) & (ratio > 0)], 1e-8, 1e8))
    names = [known[place] for place in order]
    growth, turns = arrays["growth_factor"][REPLICA, order], arrays["turns"][REPLICA, order]
    made = Explorer(
        slider="Learning rate",
        stops=[f"{name} of 2/λ max" for name in names],
        readout=[
            f"{name} of 2/λ max: along the steepest direction a step multiplies by {number(float(factor))} in size and "
            f"{'changes' if turn else 'keeps'} the sign; after {counted(len(step) - 1, 'step')} the loss is {number(float(end))} times "
            "that at the start."
            for name, factor, turn, end in zip(names, growth, turns, ratio[:, -1], strict=True)
        ],
        panels=[
            Panel(
                "Loss, as a share of that at the start",
                Axis("steps", 0.0, float(step[-1])),
                Axis("share of the loss", *bounds, logarithmic=True),
                [
                    Trace("this learning rate", "line", drawing.SECOND, step, ratio, "step %{x}: %{y:.3~g}"),
                    *(Trace(f"{name} of the limit", "line", "rest", step, one) for name, one in zip(names, ratio, strict=True)),
                ],
            ),
            Panel(
                "Path between the steepest and the flattest direction",
                Axis("flattest direction", float(low), float(high)),
                Axis("steepest direction", float(-1.4 * reach[1]), float(1.4 * reach[1])),
                [
                    Trace("points", "dots", drawing.SECOND, path[:, :, 0], path[:, :, 1], "%{x:.3~g}, %{y:.3~g}"),
                    Trace("path", "line", drawing.SECOND, path[:, :, 0], path[:, :, 1]),
                ],
            ),
        ],
        columns=2,
        key=[Key("this learning rate", "line", drawing.SECOND), Key("the others", "line", "rest")],
    )
    return explorer.pack(made)
