"""Quantities along training: a panel for each quantity, a line and a band for each variant."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from scripts.common import drawing
from scripts.common.drawing import Picture
from scripts.common.errors import UserError
from scripts.common.formatting import check_lengths, counted_range, listing, number, quantity_titles, sentence
from scripts.common.options import Count, QuantityName
from scripts.common.style import Style

KEYS_IN_A_ROW, ROW_LETTERS, KEY_LETTERS = 4, 92, 6
"""At most so many entries, and so many letters, stand in a row of the legend; beside its words an entry takes the room of some more."""
DRAWN_STEPS = 160


def draw(
    numbers: pd.DataFrame,
    *,
    styles: dict[str, Style],
    variants: Sequence[str],
    quantities: list[QuantityName],
    indices: list[str] | None = None,
    titles: list[str] | None = None,
    linear: list[QuantityName] | None = None,
    linear_to: Count = 1,
    columns: Count = 2,
) -> Picture:
    """Draw median and band of each quantity at every step of which there are numbers.

    Args:
        numbers: the study's numbers, columns as in ``numbers.csv``.
        styles: label and color by variant.
        variants: the variants, in order.
        quantities: the quantities, a panel for each.
        indices: the element of each quantity that has several, as "10" or "all", and "" for one that has no index; "" for all if not given.
        titles: the panels' titles; the names of the quantities if not given.
        linear: those of the quantities that stand on a linear axis; the others stand on a logarithmic one.
        linear_to: the step up to which the axis of steps is linear; it is logarithmic from there.
        columns: panels side by side.

    Raises:
        UserError: not one index or title for each quantity, or a quantity that has no numbers along training.
    """
    check_lengths(quantities=quantities, indices=indices or quantities, titles=titles or quantities)
    columns = min(columns, len(quantities))
    rows = -(-len(quantities) // columns)
    letters = sum(len(styles[variant].label) + KEY_LETTERS for variant in variants)
    key_rows = max(-(-len(variants) // KEYS_IN_A_ROW), -(-letters // ROW_LETTERS))
    figure, panels = drawing.new_figure(rows, columns, height=2.1 * rows + 0.5 + 0.16 * key_rows, sharex=True)
    for spare in panels[len(quantities) :]:
        spare.remove()
    lines = _line_styles([styles[variant].color for variant in variants])
    found, counts, last = [], set(), 0
    names = quantity_titles(quantities, titles)
    for place, (quantity, title) in enumerate(zip(quantities, names, strict=True)):
        axes, index = panels[place], indices[place] if indices else ""
        series = {variant: _along_training(numbers, variant, quantity, index) for variant in variants}
        if not any(step.size for step, _ in series.values()):
            raise UserError(f"there are no numbers of quantity '{quantity}'{f' with index {index!r}' if index else ''} along training")
        if quantity not in (linear or []):
            axes.set_yscale("log")
        told, missing = [], []
        for variant, line in zip(variants, lines, strict=True):
            (step, values), style = series[variant], styles[variant]
            counts.add(values.shape[1])
            if not step.size:
                missing.append(f"{style.label}: not available")
                continue
            last = max(last, int(step[-1]))
            some = drawing.thinned(len(step), DRAWN_STEPS)
            middle = drawing.spread_of_existing(values[some].T, levels=(0.25, 0.75))
            drawing.median_and_band(axes, step[some], middle, color=style.color, line=line, label=style.label)
            if not np.isnan(middle.median[-1]):
                told.append(f"{style.label} {number(float(middle.median[-1]))}")
            for word, gone in (("no number", np.isnan(values[-1])), ("not finite", np.isinf(values[-1]))):
                missing += [f"{style.label}: {word} in {gone.sum()} of {gone.size}"] if gone.any() else []
        drawing.entitle(axes, title, "; ".join(missing))
        if quantity not in (linear or []):
            drawing.log_ticks(axes)
        found.append(f"{title}: {'; '.join([*told, *missing])}")
    for axes in panels[max(len(quantities) - columns, 0) : len(quantities)]:
        drawing.step_axis(axes, last, linear_to=linear_to)
        axes.tick_params(labelbottom=True)
    keys = [
        drawing.line_key(styles[variant].label, styles[variant].color, linestyle=line)
        for variant, line in zip(variants, lines, strict=True)
    ]
    drawing.legend(figure, keys, columns=-(-len(keys) // key_rows))
    alt = (
        f"{listing(names)} along training, a line for each variant. "
        f"Medians at the last step. {' '.join(sentence(words) for words in found)}"
    )
    note = (
        f"n = {counted_range(counts, 'replica')}; lines: median, bands: 25th to 75th percentile of those with a number; "
        "one that is not finite counts as infinite."
    )
    return Picture(figure, alt[:1].upper() + alt[1:], note)


def _along_training(numbers: pd.DataFrame, variant: str, quantity: str, index: str) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return steps (S,) and the values of all replicas (S, R) of a quantity, infinite where not finite and nan where one has no number.

    The steps are those at which any replica has one and, where there are any, the last one of the variant.
    """
    own = numbers[numbers["variant"] == variant]
    rows = own[(own["quantity"] == quantity) & (own["index"] == index) & own["step"].notna()]
    finite = rows["value"].where(np.isfinite(rows["value"]), np.inf)
    wide = rows.assign(value=finite).pivot(index="step", columns="replica", values="value")
    if len(wide):
        wide = wide.reindex(index=sorted({*wide.index, own["step"].max()}), columns=sorted(own["replica"].unique()))
    return wide.index.to_numpy(dtype=np.int64), wide.to_numpy(dtype=np.float64)


def _line_styles(colors: list[str]) -> list[object]:
    """Return a line style for each color in order: the next in turn that no line of the same color has yet."""
    found: list[tuple[str, int]] = []
    for place, color in enumerate(colors):
        turns = [(color, (place + more) % len(drawing.LINES)) for more in range(len(drawing.LINES))]
        found.append(next((turn for turn in turns if turn not in found), turns[0]))
    return [drawing.LINES[turn] for _, turn in found]
