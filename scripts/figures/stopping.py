"""A training and where early stopping would end it: losses and test accuracy, and of each replica the stop and the best step."""

from collections.abc import Mapping

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from numpy.typing import NDArray

from scripts.common import drawing
from scripts.common.drawing import Picture
from scripts.common.formatting import check_known, counted, number, sentence
from scripts.common.options import Count
from scripts.common.storage import Arrays
from scripts.common.style import Style

PARTS = {"train": (drawing.SOFT, drawing.LINES[2]), "validation": ("#009E73", drawing.LINES[1]), "test": (drawing.FIRST, drawing.LINES[0])}
"""Color and line of the loss on each part of the data."""
PLACES = {"restored": ("best state, restored", "o"), "stopped": ("state at the stop", "X")}
"""What the two marks of a replica are called, and their markers."""


def draw(stopping: dict[str, Arrays], *, styles: dict[str, Style], patience: Count) -> Picture:
    """Draw losses and test accuracy of the first variant against the step, and the marks of its replicas on the test curves.

    Args:
        stopping: the measurement by variant: ``course_...`` (E, R) at the steps (E,), and its quantities by patience.
        styles: label by variant.
        patience: the patience whose stops are marked, one of those that were measured.

    Raises:
        UserError: this patience was not measured.
    """
    variant = next(iter(stopping))
    measured = stopping[variant]
    labels = [str(label) for label in measured["index_stopped_at"]]
    check_known(str(patience), labels, "patience")
    place = labels.index(str(patience))
    figure, (losses, accuracy) = drawing.new_figure(1, 2, height=3.1)
    losses.set_yscale("log")
    for part, (color, line) in PARTS.items():
        _course(losses, measured, f"{part}_loss", color=color, line=line, label=f"{part} loss")
    _course(accuracy, measured, "test_accuracy", color=PARTS["test"][0], line=PARTS["test"][1], label="test accuracy")
    for axes, score in ((losses, "loss"), (accuracy, "accuracy")):
        for name in PLACES:
            _marks(axes, measured, name, score, place)
        axes.set_xlabel("updates")
        axes.set_xlim(0, float(measured["step"][-1]))
    _raise_floor(accuracy, measured, place)
    drawing.entitle(losses, "loss")
    drawing.entitle(accuracy, "test accuracy")
    drawing.log_ticks(losses)
    drawing.legend(figure, _keys(), columns=5)
    stopped, best = (measured[key][:, place] for key in ("stopped_at", "best_step"))
    ended = int(np.isfinite(stopped).sum())
    told = [
        f"training is stopped in {ended} of {counted(stopped.size, 'replica')}",
        f"median step of the stop {_middle(stopped)}, of the best state {_middle(best)}",
        f"median test loss of the best state {_middle(measured['restored_test_loss'][:, place])}, at the stop "
        f"{_middle(measured['stopped_test_loss'][:, place])}, at the end of the whole training {_middle(measured['last_test_loss'])}",
    ]
    alt = (
        f"Losses on training, validation and test images and test accuracy of '{styles[variant].label}' against the update, with two "
        f"marks for each replica where early stopping with a patience of {patience} ends it and where its best state is. "
        f"{' '.join(sentence(words) for words in told)}"
    )
    note = (
        f"n = {counted(stopped.size, 'replica')}; lines: median, bands: 5th to 95th percentile; patience {patience}; of a replica that is "
        "not stopped the last state takes the place of that at the stop. The first accuracies lie below the panel."
    )
    return Picture(figure, alt, note)


def _course(axes: Axes, measured: Arrays, key: str, *, color: str, line: object, label: str) -> None:
    some = drawing.thinned(len(measured["step"]))
    found = drawing.spread(measured[f"course_{key}"][some].T)
    drawing.median_and_band(axes, measured["step"][some], found, color=color, line=line, label=label)


def _marks(axes: Axes, measured: Arrays, name: str, score: str, place: int) -> None:
    """Mark the state of each replica on the test curves, at its step."""
    values = measured[f"{name}_test_{score}"][:, place]
    step = measured["best_step"][:, place] if name == "restored" else np.minimum(measured["stopped_at"][:, place], measured["step"][-1])
    seen = np.isfinite(values)
    label, marker = PLACES[name]
    face = "none" if name == "restored" else drawing.SECOND
    axes.scatter(
        step[seen], values[seen], s=20, marker=marker, facecolor=face, edgecolor=drawing.INK, linewidths=0.6, zorder=4, label=label
    )


def _raise_floor(axes: Axes, measured: Arrays, place: int) -> None:
    """Let the accuracies of the first steps leave the panel, so that those of the marks and of the end can be told apart."""
    shown = [measured[key][:, place] for key in ("restored_test_accuracy", "stopped_test_accuracy")]
    lowest = float(np.concatenate([*shown, measured["course_test_accuracy"][-1]]).min())
    highest = float(measured["course_test_accuracy"].max())
    if highest > lowest:
        axes.set_ylim(lowest - 0.35 * (highest - lowest), highest + 0.1 * (highest - lowest))


def _middle(values: NDArray[np.float64]) -> str:
    return number(float(drawing.spread(values).median))


def _keys() -> list[Artist]:
    lines = [drawing.line_key(part, color, linestyle=line) for part, (color, line) in PARTS.items()]
    faces: Mapping[str, str] = {"restored": "none", "stopped": drawing.SECOND}
    marks = [
        drawing.line_key(label, drawing.INK, marker=marker, markersize=4.5, markerfacecolor=faces[name], linestyle="none")
        for name, (label, marker) in PLACES.items()
    ]
    return [*lines, *marks]
