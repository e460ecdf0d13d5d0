"""How paths of training go along: speed, change of direction, distance to the end, and loss, with what the controls would do."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from numpy.typing import NDArray

from scripts.common import drawing
from scripts.common.drawing import Picture
from scripts.common.formatting import counted_range, number, sentence
from scripts.common.storage import Arrays
from scripts.common.style import Style

CONTROLS = {"walk": ("random walk", drawing.LINES[1]), "shuffled": ("shuffled steps", drawing.LINES[2])}
DRAWN_STEPS = 100


def draw(path: dict[str, Arrays], loss: dict[str, Arrays], *, styles: dict[str, Style]) -> Picture:
    """Draw a panel each for speed, cosine between successive epochs, distance to the end, and loss, all against the epoch.

    Args:
        path: the measurement by variant: `epoch_speed` and `epoch_cosine` (R, E), `distance_to_end` (S, R), those of both controls, and
            the epochs (E,).
        loss: the measurement by variant: `train_loss` and `test_loss` (E, R) at the steps (E,).
        styles: label and color by variant.
    """
    figure, panels = drawing.new_figure(2, 2, height=4.7, sharex=True)
    names = ("speed, path length by update", "cosine between successive epochs", "distance to the end, by path length", "loss")
    for axes, name in zip(panels, names, strict=True):
        axes.set_label(name)
        axes.set_title(name)
    told, counts = [], set()
    speed, cosine, distance, losses = panels
    cosine.axhline(0, color=drawing.FAINT, linewidth=0.6, label="_zero")
    for variant, style in styles.items():
        measured = path[variant]
        epoch = measured["index_epoch_speed"].astype(np.float64)
        counts.add(measured["epoch_speed"].shape[0])
        along = measured["step"] / measured["step"][-1] * epoch[-1]
        _line(speed, epoch, measured["epoch_speed"], style)
        _line(speed, epoch, measured["shuffled_epoch_speed"], style, control="shuffled")
        _line(cosine, epoch, measured["epoch_cosine"], style)
        for control in CONTROLS:
            _line(cosine, epoch, measured[f"{control}_epoch_cosine"], style, control=control)
        length = np.nansum(measured["epoch_path_length"], axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            _line(distance, along, (measured["distance_to_end"] / length).T, style)
            _line(distance, along, (measured["walk_distance_to_end"] / length).T, style, control="walk")
            _line(distance, along, (measured["shuffled_distance_to_end"] / length).T, style, control="shuffled")
        evaluated = loss[variant]["step"] / measured["step"][-1] * epoch[-1]
        for turn, part in enumerate(("train", "test")):
            _line(losses, evaluated, loss[variant][f"{part}_loss"].T, style, words=f"{part} loss", line=drawing.LINES[3 * turn])
        ratio = drawing.spread_of_existing(drawing.existing(measured, "speed_ratio")[:, None]).median[0]
        words = "not available" if np.isnan(ratio) else number(float(ratio))
        told.append(f"{style.label}: median ratio of the speed in the early to that in the late stage {words}")
    for axes, label in zip(panels, ("speed", "cosine", "share of path length", "cross-entropy"), strict=True):
        heights = np.concatenate([np.asarray(line.get_ydata(), dtype=np.float64) for line in axes.lines if line.get_label() != "_zero"])
        if not (heights > 0).any():
            drawing.empty(axes, "no path: every network diverged")
            continue
        axes.set_ylabel(label)
        if axes in (speed, losses):
            axes.set_yscale("log")
            drawing.log_ticks(axes)
    for axes in panels[2:]:
        axes.set_xlabel("epoch")
    drawing.legend(figure, _keys(styles))
    alt = (
        "Four panels against the epoch, for each variant: the speed of the parameters, the cosine between what they move in one epoch and "
        "in the next, their distance to the end, and the losses, with the same of a random walk and of shuffled steps. "
        f"{' '.join(sentence(words) for words in told)}"
    )
    note = (
        f"n = {counted_range(counts, 'replica')}; lines: median, bands: 5th to 95th percentile. The random walk has the speed of the path. "
        "Loss: train solid, test dashed and dotted."
    )
    return Picture(figure, alt, note)


def _line(
    axes: Axes,
    x: NDArray[Any],
    values: NDArray[np.float64],
    style: Style,
    *,
    control: str = "",
    words: str = "path",
    line: Any = "solid",
) -> None:
    """Draw median and band of replicas (R, n); of a control the median alone, thin."""
    some = drawing.thinned(len(x), DRAWN_STEPS)
    found = drawing.spread_of_existing(values[:, some])
    if control:
        name, line = CONTROLS[control]
        seen = np.isfinite(found.median)
        label = f"{style.label}, {name}, median"
        axes.plot(x[some][seen], found.median[seen], color=style.color, linewidth=0.8, linestyle=line, label=label)
    else:
        drawing.median_and_band(axes, x[some], found, color=style.color, line=line, label=f"{style.label}, {words}")


def _keys(styles: Mapping[str, Style]) -> list[Artist]:
    of_variants = [drawing.line_key(style.label, style.color) for style in styles.values()]
    return [*of_variants, *(drawing.line_key(name, drawing.SOFT, linestyle=line, linewidth=0.8) for name, line in CONTROLS.values())]
