"""Eigenvalues of the empirical tangent kernel in training, beside those at initialization and those of the infinitely wide network."""

from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from scripts.common import drawing, explorer
from scripts.common.drawing import Picture
from scripts.common.errors import UserError
from scripts.common.explorer import Axis, Explorer, Key, Panel, Trace
from scripts.common.formatting import counted_range, listing, number, sentence
from scripts.common.options import Count
from scripts.common.runs import moments
from scripts.common.storage import Arrays
from scripts.common.style import Style

PAINTS = (drawing.FIRST, "#56B4E9", "#009E73", "#E69F00", drawing.SECOND, "#CC79A7", "#882255", drawing.INK)
"""Colors of the eigenvalues by their place among those that are drawn."""
RANKS = (1, 2, 3, 5, 10, 20)
INFINITE: dict[str, Any] = {"linestyle": drawing.LINES[1], "linewidth": 0.9}
BEGINNING: dict[str, Any] = {"linestyle": drawing.LINES[2], "linewidth": 0.9}


class Course(NamedTuple):
    """The eigenvalues of one variant, from the largest on.

    Attributes:
        step: training steps (S,).
        now: those of all replicas, (S, R, X), nan where one has diverged.
        infinite: those of the infinitely wide network's kernel, (X,).
        change: median of the kernel's relative change, (S,), nan where no replica has one.
    """

    step: NDArray[np.int64]
    now: NDArray[np.float64]
    infinite: NDArray[np.float64]
    change: NDArray[np.float64]


def draw(kernel: dict[str, Arrays], *, styles: dict[str, Style], ranks: list[Count] | None = None, columns: Count = 3) -> Picture:
    """Draw some eigenvalues at every measured step, a panel for each variant; the explorer shows all of them step by step.

    Args:
        kernel: the measurement by variant: `ntk_eigenvalue` (S, R, X), `infinite_eigenvalue` (R, X), `kernel_change` (S, R).
        styles: label and color by variant.
        ranks: which eigenvalues, 1 for the largest; those that there are of 1, 2, 3, 5, 10 and 20 if not given.
        columns: panels side by side.

    Raises:
        UserError: there is no eigenvalue of such a rank.
    """
    courses = {variant: _course(arrays) for variant, arrays in kernel.items()}
    most = min(len(course.infinite) for course in courses.values())
    if ranks and max(ranks) > most:
        raise UserError(f"there is no eigenvalue {max(ranks)}; measured are the first {most}: raise 'eigenvalues' of 'kernel'")
    shown = ranks or [rank for rank in RANKS if rank <= most]
    columns = min(columns, len(courses))
    rows = -(-len(courses) // columns)
    figure, panels = drawing.new_figure(rows, columns, height=2.6 * rows + 0.7, sharex=True, sharey=True)
    for spare in panels[len(courses) :]:
        spare.remove()
    panels[0].set_yscale("log")
    found = []
    for axes, (variant, course) in zip(panels, courses.items(), strict=False):
        gone = int(np.isnan(course.now[-1, :, 0]).sum())
        drawing.entitle(axes, styles[variant].label, f"diverged in {gone} of {course.now.shape[1]}" if gone else "")
        told = [_draw_rank(axes, course, rank, PAINTS[place % len(PAINTS)]) for place, rank in enumerate(shown)]
        found.append(f"{styles[variant].label}: {'; '.join(told)}")
    drawing.plain_log_ticks(panels[0].yaxis)
    last = max(int(course.step[-1]) for course in courses.values())
    for axes in panels[max(len(courses) - columns, 0) : len(courses)]:
        drawing.step_axis(axes, last)
        axes.tick_params(labelbottom=True)
    figure.supylabel("eigenvalue of the kernel")
    keys = [drawing.line_key(f"eigenvalue {rank}", PAINTS[place % len(PAINTS)]) for place, rank in enumerate(shown)]
    kinds = [
        drawing.line_key("in training", drawing.SOFT),
        drawing.line_key("at initialization", drawing.SOFT, **BEGINNING),
        drawing.line_key("infinite width", drawing.SOFT, **INFINITE),
    ]
    drawing.legend(figure, [*keys, *kinds], columns=-(-(len(keys) + len(kinds)) // 2) if len(keys) > 3 else None)
    alt = (
        f"Eigenvalues {listing([str(rank) for rank in shown])} of the empirical tangent kernel against the training step, "
        f"on a logarithmic axis, for {listing([styles[variant].label for variant in courses])}. "
        f"Medians at initialization, after training, and of infinite width. {' '.join(sentence(words) for words in found)}"
    )
    note = (
        f"n = {counted_range({course.now.shape[1] for course in courses.values()}, 'replica')}; solid: median, band: 25th to 75th "
        "percentile; dotted: median at initialization; dashed: the kernel of the infinitely wide network."
    )
    return Picture(figure, alt, note, _explorer(courses, styles, columns))


def _course(arrays: Arrays) -> Course:
    change = drawing.spread_of_existing(drawing.existing(arrays, "kernel_change").T).median
    # all eigenvalues, not only those that are numbers of the report; nan where there is none
    return Course(arrays["step"], arrays["ntk_eigenvalue"], arrays["infinite_eigenvalue"][0], change)


def _draw_rank(axes: Axes, course: Course, rank: int, color: str) -> str:
    """Draw one eigenvalue, and return its medians in words."""
    label, values = f"eigenvalue {rank}", course.now[:, :, rank - 1]
    middle = drawing.spread_of_existing(values.T, levels=(0.25, 0.75))
    drawing.median_and_band(axes, course.step, middle, color=color, line="solid", label=label)
    infinite = float(course.infinite[rank - 1])
    ends = course.step[[0, -1]]
    axes.plot(ends, [infinite] * 2, color=color, **INFINITE, label=f"{label}, infinite width")
    begin, end = (float(middle.median[place]) for place in (0, -1))
    if begin > 0:
        axes.plot(ends, [begin] * 2, color=color, **BEGINNING, label=f"{label}, at initialization")
    said = ["none" if np.isnan(value) else number(value) for value in (begin, end, infinite)]
    return f"eigenvalue {rank} {', '.join(said)}"


def _explorer(courses: dict[str, Course], styles: dict[str, Style], columns: int) -> dict[str, Any]:
    first = next(iter(courses.values()))
    steps = first.step[moments(first.step, explorer.MOST_STOPS)]
    spectra, changes = {}, {}
    for variant, course in courses.items():
        places = np.array([np.abs(course.step - step).argmin() for step in steps])
        with np.errstate(invalid="ignore"):
            spectra[variant] = np.array([drawing.spread_of_existing(one).median for one in course.now[places]])
        changes[variant] = course.change[places]
    positive = np.concatenate([spectrum.ravel() for spectrum in spectra.values()] + [course.infinite for course in courses.values()])
    low, high = drawing.decades(positive[np.isfinite(positive) & (positive > 0)])
    return explorer.pack(
        Explorer(
            slider="Training step",
            stops=[f"step {number(int(step))}" for step in steps],
            readout=[
                f"Step {number(int(step))}: the kernel has changed by "
                + "; ".join(
                    f"{styles[variant].label}, {'not available' if np.isnan(values[place]) else number(float(values[place]))}"
                    for variant, values in changes.items()
                )
                + "."
                for place, step in enumerate(steps)
            ],
            panels=[
                Panel(
                    styles[variant].label,
                    Axis("rank <i>k</i>", 0.5, len(course.infinite) + 0.5),
                    Axis("eigenvalue <i>λ<sub>k</sub></i>", low, high, logarithmic=True),
                    _traces(course, spectra[variant], styles[variant].color),
                )
                for variant, course in courses.items()
            ],
            columns=columns,
            key=[
                *(Key(f"{styles[variant].label}, now", "dots", styles[variant].color) for variant in courses),
                Key("at initialization", "dotted", "ink"),
                Key("infinite width", "dashed", "ink"),
            ],
        )
    )


def _traces(course: Course, spectrum: NDArray[np.float64], color: str) -> list[Trace]:
    """Return the traces of a panel: the medians of the spectrum at each stop (S, X), those at initialization, and the limit."""
    ranks = np.arange(1.0, len(course.infinite) + 1)
    shown = np.where(spectrum > 0, spectrum, np.nan)
    return [
        Trace("infinite width", "dashed", "ink", ranks, np.where(course.infinite > 0, course.infinite, np.nan), _told("infinite width")),
        Trace("at initialization", "dotted", "ink", ranks, shown[0], _told("at initialization")),
        Trace("now", "dots", color, ranks, shown, _told("now")),
    ]


def _told(what: str) -> str:
    return f"eigenvalue %{{x}}<br>{what}: %{{y:.3~g}}"
