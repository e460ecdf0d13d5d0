"""How long each rule of descent takes: every replica a dot, one row a variant or simulation, a panel for each measure of the time."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter
from numpy.typing import NDArray

from scripts.common import drawing
from scripts.common.drawing import Picture
from scripts.common.errors import UserError
from scripts.common.formatting import counted_range, number, quantity_titles, sentence
from scripts.common.options import QuantityName
from scripts.common.style import Style


def draw(
    numbers: pd.DataFrame,
    *,
    styles: dict[str, Style],
    quantities: list[QuantityName],
    titles: list[str] | None = None,
    beside: QuantityName | None = None,
    beside_title: str = "",
) -> Picture:
    """Draw each quantity on a logarithmic axis, with the median marked and what was never reached counted in words.

    Args:
        numbers: the study's numbers, columns as in ``numbers.csv``.
        styles: label and color by variant and simulation, in order.
        quantities: quantities without steps and index, a panel for each; infinite where something was never reached.
        titles: the panels' titles, with their units; the names of the quantities if not given.
        beside: a quantity of which the median stands on the right of each row of the last panel, as the learning rate.
        beside_title: what it is called there.

    Raises:
        UserError: not one title for each quantity, or a quantity without numbers.
    """
    names = quantity_titles(quantities, titles)
    figure, panels = drawing.new_figure(1, len(quantities), height=0.27 * len(styles) + 1.1, sharey=True)
    found, counts, never = [], set(), False
    for place, (axes, quantity, title) in enumerate(zip(panels, quantities, names, strict=True)):
        if not (numbers["quantity"] == quantity).any():
            raise UserError(f"there are no numbers of quantity '{quantity}'")
        axes.set_label(title)
        axes.set_xscale("log")
        told = []
        for row, (variant, style) in enumerate(styles.items()):
            values = _values(numbers, variant, quantity)
            counts.add(values.size)
            never |= bool(_never(values))
            told.append(f"{style.label} {_draw_row(axes, row, values, style)}")
            last = place == len(quantities) - 1
            words = [_never(values), _beside(numbers, variant, beside, beside_title) if beside and last else ""]
            text = ", ".join(word for word in words if word)
            axes.annotate(text, (1.02, row), xycoords=("axes fraction", "data"), va="center", fontsize=8)
        low, high = axes.get_xlim()
        axes.set_xlim(low, high * (high / low) ** 0.06)  # room for what never got there
        axes.set(xlabel=title, ylim=(len(styles) - 0.4, -0.6))
        axes.grid(visible=False, axis="y")
        axes.tick_params(axis="y", length=0)
        axes.tick_params(axis="x", which="minor", length=1.5)
        _mark(axes)
        found.append(f"{title}: {'; '.join(told)}")
    panels[0].set_yticks(range(len(styles)), labels=[style.label for style in styles.values()])
    keys = [drawing.replica_key(), drawing.median_key("|")]
    if never:
        keys.append(drawing.line_key("never there", drawing.SOFT, marker=">", markerfacecolor="none", linestyle="none"))
    drawing.legend(figure, keys)
    alt = (
        f"{' and '.join(names)}, a row for each of {len(styles)} rules, a dot for each replica. "
        f"Medians. {' '.join(sentence(words) for words in found)}"
    )
    note = (
        f"n = {counted_range(counts, 'replica')}, each a dot; bar: median, what was never reached counting as infinite, and counted on the "
        "right."
    )
    return Picture(figure, alt[:1].upper() + alt[1:], note)


def _values(numbers: pd.DataFrame, variant: str, quantity: str) -> NDArray[np.float64]:
    """Return the replicas' values of a quantity without steps and index, those that exist."""
    rows = numbers[(numbers["variant"] == variant) & (numbers["quantity"] == quantity) & numbers["step"].isna() & (numbers["index"] == "")]
    return rows.sort_values("replica")["value"].to_numpy(dtype=np.float64)


def _draw_row(axes: Axes, row: int, values: NDArray[np.float64], style: Style) -> str:
    """Draw one row, and return its median in words."""
    seen = np.isfinite(values) & (values > 0)
    height = row + drawing.jitter(values.size, 0.62)
    drawing.dots(axes, values[seen], height[seen], color=style.color, size=11, label=style.label)
    if not values.size:
        axes.text(0.5, row, "not available", transform=axes.get_yaxis_transform(), ha="center", va="center", color=drawing.SOFT, fontsize=8)
        return "not available"
    never = row + drawing.jitter(values.size, 0.62)[~np.isfinite(values)]
    axes.scatter(
        np.full(never.size, 0.985),
        never,
        s=11,
        marker=">",
        facecolor="none",
        edgecolor=style.color,
        linewidths=0.7,
        transform=axes.get_yaxis_transform(),
        label=f"{style.label}, never",
    )
    middle = float(drawing.spread(values).median)
    if np.isfinite(middle) and middle > 0:
        drawing.medians(axes, [middle], [row], marker="|", size=16, label=f"{style.label}, median")
    return f"{number(middle)} ({_never(values)})" if _never(values) else number(middle)


def _never(values: NDArray[np.float64]) -> str:
    never = int(np.sum(~np.isfinite(values)))
    return f"never in {never} of {values.size}" if never else ""


def _beside(numbers: pd.DataFrame, variant: str, quantity: str, title: str) -> str:
    values = _values(numbers, variant, quantity)
    return f"{title} {float(np.median(values)):g}".strip() if values.size else ""


def _mark(axes: Axes) -> None:
    """Mark the axis of x at powers of ten, and at 2 and 5 times them where it spans few."""
    low, high = axes.get_xlim()
    axes.xaxis.set_minor_formatter(NullFormatter())
    if high < 300 * low:
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.4g}"))
    else:
        axes.xaxis.set_major_locator(LogLocator(numticks=6))
