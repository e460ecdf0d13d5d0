"""Histograms side by side, each with the mean and the deviation of what it counts."""

import math

import numpy as np
from matplotlib.ticker import MaxNLocator

from scripts.common import drawing
from scripts.common.drawing import Picture
from scripts.common.errors import UserError
from scripts.common.formatting import number, seeds_of
from scripts.common.storage import Arrays
from scripts.common.style import Style

REPLICA = 0
MOST_COLUMNS = 4


def draw(simulated: dict[str, Arrays], *, styles: dict[str, Style], title: str = "value") -> Picture:
    """Draw the histogram of replica 0 at each level of a simulation, every panel with an axis of its own.

    Args:
        simulated: the simulation, by its name: ``level`` (X,), ``counts`` (X, B), ``edges`` (X, B + 1), and by replica and level
            ``activation_mean`` and ``activation_deviation`` (R, X).
        styles: label and color of the simulation.
        title: the title of the axes of x.

    Raises:
        UserError: there are several simulations.
    """
    if len(simulated) != 1:
        raise UserError(f"a figure of histograms shows one simulation; 'simulations' names {len(styles)}: {', '.join(styles)}")
    ((name, arrays),) = simulated.items()
    levels = [str(level) for level in arrays["level"]]
    columns = min(len(levels), MOST_COLUMNS)
    rows = math.ceil(len(levels) / columns)
    figure, panels = drawing.new_figure(rows, columns, height=2.1 * rows + 0.3, sharey=True)
    for spare in panels[len(levels) :]:
        spare.remove()
    told = []
    for place, level in enumerate(levels):
        axes, edges = panels[place], arrays["edges"][place]
        axes.set_yscale("log")
        axes.bar(edges[:-1], arrays["counts"][place], np.diff(edges), align="edge", color=styles[name].color, linewidth=0, label=level)
        mean, deviation = (number(float(arrays[f"activation_{what}"][REPLICA, place])) for what in ("mean", "deviation"))
        drawing.entitle(axes, level, f"mean {mean}, deviation {deviation}")
        axes.xaxis.set_major_locator(MaxNLocator(3))
        axes.set_xlabel(title)
        share = arrays["counts"][place][0] / arrays["counts"][place].sum()
        told.append(f"{level}: mean {mean}, deviation {deviation}, {share:.0%} in the lowest bar")
    for axes in panels[: len(levels) : columns]:
        axes.set_ylim(bottom=0.5)
        axes.set_ylabel("count")
    alt = f"Histograms on logarithmic axes of the count. {'. '.join(told)}."
    return Picture(figure, alt, f"Replica {REPLICA} ({seeds_of(REPLICA)}); each panel has its own scale of values.")
