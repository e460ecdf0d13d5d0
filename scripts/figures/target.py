"""The true function of a data set, with the sine waves that it is made of."""

import math

import numpy as np
from numpy.typing import NDArray

from scripts.common import drawing
from scripts.common.drawing import Picture
from scripts.common.formatting import MINUS, check_known, counted, listing, number, sentence
from scripts.common.options import DataSetName, Natural
from scripts.common.storage import Arrays

WAVES = ("#E69F00", "#0072B2", "#009E73", "#CC79A7", "#56B4E9", "#D55E00")


def draw(datasets: dict[str, Arrays], *, data_set: DataSetName, sines: Natural = 0) -> Picture:
    """Draw the true function of `data_set` on its dense grid.

    Args:
        datasets: arrays of storage.DATA by name of the data set; one input, one output.
        data_set: which of them.
        sines: how many sine waves sin(k pi x), k = 1, 2, ..., to look for in the function; each one found is drawn as well.

    Raises:
        UserError: there is no such data set.
    """
    check_known(data_set, datasets, "data set")
    data = datasets[data_set]
    x, y = data["grid_x"][:, 0], drawing.truth_of(data)[:, 0]
    some = drawing.thinned(x.size, 250)
    amplitudes = _amplitudes(x, y, sines)
    figure, (axes,) = drawing.new_figure(height=2.4)
    axes.set_label(data_set)
    keys = [drawing.line_key("$f(x)$", drawing.INK, linewidth=1.8)]
    for (k, amplitude), color, line in zip(amplitudes.items(), WAVES, drawing.LINES * 2, strict=False):
        name = f"${amplitude:.2f}\\,\\sin({'' if k == 1 else k}\\pi x)$".replace("-", MINUS)
        wave = amplitude * np.sin(k * math.pi * x)
        axes.plot(x[some], wave[some], color=color, linewidth=0.9, alpha=0.75, linestyle=line, label=f"sine {k}")
        keys.append(drawing.line_key(name, color, linewidth=0.9, linestyle=line))
    axes.plot(x[some], y[some], color=drawing.INK, linewidth=1.8, label="truth")
    axes.set(xlabel="input $x$", ylabel="output $y$")
    drawing.legend(figure, keys)
    lowest, highest = int(np.argmin(y)), int(np.argmax(y))
    alt = (
        f"The true function on x from {number(x.min())} to {number(x.max())}: its lowest value is {number(y[lowest])} "
        f"at x = {number(x[lowest])}, its highest {number(y[highest])} at x = {number(x[highest])}."
    )
    if amplitudes:
        waves = listing([f"{number(amplitude)} for k = {k}" for k, amplitude in amplitudes.items()])
        alt += f" It is the sum of {counted(len(amplitudes), 'sine wave')}, each drawn as a thin line; their amplitudes are {waves}."
    return Picture(figure, alt, sentence("Thick: the true function; thin: the sine waves it is the sum of") if amplitudes else "")


def _amplitudes(x: NDArray[np.float64], y: NDArray[np.float64], sines: int) -> dict[int, float]:
    """Return the amplitude of each sine wave that `y` (G,) is the sum of, or nothing where it is no such sum."""
    if not sines:
        return {}
    waves = np.sin(math.pi * np.outer(x, np.arange(1, sines + 1)))
    amplitudes = np.linalg.lstsq(waves, y)[0]
    if np.abs(waves @ amplitudes - y).max() > 1e-6 * np.abs(y).max():
        return {}
    return {k: float(amplitude) for k, amplitude in enumerate(amplitudes, start=1) if abs(amplitude) > 1e-9}
