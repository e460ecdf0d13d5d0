"""Quantities against the levels of a setting, as a width, a condition number or a scale: a panel for each quantity, lines of medians."""

import math
from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.ticker import FixedFormatter, FixedLocator, LogLocator, NullFormatter
from numpy.typing import NDArray

from scripts.common import drawing
from scripts.common.drawing import Picture
from scripts.common.errors import UserError
from scripts.common.formatting import MINUS, SUPERSCRIPTS, check_lengths, counted_range, listing, number, quantity_titles, sentence
from scripts.common.levels import slopes as slopes_of
from scripts.common.options import Count, Positive, QuantityName, VariantName
from scripts.common.statistics import median_interval
from scripts.common.style import Style

MOST_MARKS = 10
"""More levels than these, or others than powers, are marked at powers of ten."""
MOST_MARKS_OF_A_ROW = 16
"""So many marks with up to four digits find room side by side, in all panels of a row together."""
THEORY: dict[str, Any] = {"linestyle": drawing.LINES[1], "linewidth": 0.9}
REFERENCE: dict[str, Any] = {"linestyle": drawing.LINES[2], "linewidth": 0.9}


class Line(NamedTuple):
    """The values of one line of a panel.

    Attributes:
        style: its label and color.
        levels: the levels (X,), ascending.
        values: the replicas' values at each level, X arrays of any length.
        theory: what theory says of their median at each level (X,), nan where it says nothing.
    """

    style: Style
    levels: NDArray[np.float64]
    values: list[NDArray[np.float64]]
    theory: NDArray[np.float64]


def draw(
    numbers: pd.DataFrame,
    *,
    styles: dict[str, Style],
    bootstrap: Mapping[str, int],
    quantities: list[QuantityName],
    titles: list[str] | None = None,
    level_title: str = "level",
    levels: list[Positive] | None = None,
    lines: list[str] | None = None,
    steps: list[str] | None = None,
    indices: list[str] | None = None,
    theory: list[QuantityName] | None = None,
    linear: list[QuantityName] | None = None,
    slopes: bool = False,
    slopes_from: Positive | None = None,
    reference: float | None = None,
    columns: Count = 2,
    linear_levels: bool = False,
    panels: list[str] | None = None,
    constant: VariantName | None = None,
) -> Picture:
    """Draw every replica as a dot and medians as lines with their intervals, on logarithmic axes.

    The levels are those of the index of a quantity, as the condition numbers of a simulation, with a line for each variant or
    simulation; or, where `levels` are given, one for each variant, with lines that lead through several variants.

    Args:
        numbers: the study's numbers, columns as in ``numbers.csv``.
        styles: label and color by variant and simulation, in order.
        bootstrap: seed and number of resamples of the intervals of the medians.
        quantities: the quantities, a panel for each.
        titles: the panels' titles; the names of the quantities if not given.
        level_title: what the levels are, with their unit.
        levels: the level of each variant or simulation, in order; if not given they are the index of the quantities.
        lines: with `levels`, the name of the line that each variant belongs to; one line through all if not given. A line has the
            color of its first variant.
        steps: of each quantity the step at which it is taken: "first", "last" or one in digits, and "" for one without steps; "" for
            all if not given.
        indices: with `levels`, the element of each quantity that has several, and "" for one that has no index; "" for all if not given.
        theory: for each quantity the name of another one, of which the median is drawn dashed as what theory says of it, or the quantity
            itself where there is none; none if not given.
        linear: those of the quantities that stand on a linear axis.
        slopes: whether the slope of each line is fitted, by least squares for each replica, and told: its median
            and interval, in the legend where there is one panel, else in words below the panel's title.
        slopes_from: the lowest level that slopes are fitted to; all if not given.
        reference: the slope of a dotted line from the first median of the first line of each panel.
        columns: panels side by side.
        linear_levels: whether the levels stand on a linear axis, where one of them may be 0; there are no slopes then.
        panels: the name of the panel that each variant or simulation but `constant` belongs to, in order; each quantity then has a row of
            these panels, instead of one panel.
        constant: a variant without levels, whose median is drawn as a dotted line across: of each quantity with steps the last one.

    Raises:
        UserError: lists that do not go together, slopes on linear levels, or a quantity without numbers or with an index that is no number.
    """
    across = {name: style for name, style in styles.items() if name == constant}
    styles = {name: style for name, style in styles.items() if name != constant}
    _check_together(styles, quantities=quantities, titles=titles, steps=steps, indices=indices, theory=theory)
    _check_levels(styles, levels=levels, lines=lines, panels=panels)
    if linear_levels and (slopes or reference is not None):
        raise UserError("slopes are those of lines on logarithmic axes; leave out 'linear_levels', or 'slopes' and 'reference'")
    names = quantity_titles(quantities, titles)
    groups = _by_panel(styles, panels)
    columns = len(groups) if panels else min(columns, len(quantities))
    count = len(quantities) * len(groups)
    rows = -(-count // columns)
    figure, grid = drawing.new_figure(rows, columns, height=2.5 * rows + 0.8, sharex=True, sharey="row" if panels else False)
    for spare in grid[count:]:
        spare.remove()
    found, counts = [], set()
    keys: dict[str, Artist] = {}
    for axes, ((place, quantity), (group, shown)) in zip(grid, product(enumerate(quantities), groups.items()), strict=False):
        step, index = steps[place] if steps else "", indices[place] if indices else ""
        expected = theory[place] if theory and theory[place] != quantity else None
        drawn = _lines(numbers, shown, quantity, step=step, index=index, levels=levels, lines=lines, theory=expected)
        counts |= {values.size for line in drawn for values in line.values}
        axes.set_xscale("linear" if linear_levels else "log")
        if quantity not in (linear or []):
            axes.set_yscale("log")
        lowest = (slopes_from or 0.0) if slopes else None
        told, words = _draw_lines(axes, drawn, bootstrap, lowest=lowest, alone=count == 1, keys=keys)
        if reference is not None:
            _draw_reference(axes, drawn, reference)
        told += [_draw_constant(axes, numbers, name, style, quantity) for name, style in across.items()]
        title = f"{names[place]}, {group}" if panels else names[place]
        drawing.entitle(axes, title, "; ".join(words))
        if quantity not in (linear or []):
            drawing.log_ticks(axes)
        marked = np.unique(np.concatenate([line.levels for line in drawn]))
        (_mark_linear_levels if linear_levels else _mark_levels)(axes, marked, most=MOST_MARKS_OF_A_ROW // columns)
        found.append(f"{title}: {'; '.join(told)}")
    for axes in grid[max(count - columns, 0) : count]:
        axes.set_xlabel(level_title)
        axes.tick_params(labelbottom=True)
    entries = [*keys.values(), drawing.replica_key()]
    entries += [drawing.line_key("theory", drawing.INK, **THEORY)] if theory else []
    entries += [drawing.line_key(f"slope {_signed(reference)}", drawing.INK, **REFERENCE)] if reference is not None else []
    entries += [drawing.line_key(style.label, style.color, **REFERENCE) for style in across.values()]
    drawing.legend(figure, entries, columns=2 if slopes and count == 1 else min(len(entries), 4))
    alt = (
        f"{listing(names)} against {level_title}, each replica a dot, medians joined by lines. "
        f"Medians. {' '.join(sentence(words) for words in found)}"
    )
    since = f" from {_plain(slopes_from)} on" if slopes_from else ""
    note = (
        f"n = {counted_range(counts, 'replica')}, each a dot; lines: median, a value that is not finite counting as infinite; "
        "bars: its 95 % bootstrap interval."
        + (f" Slopes are fitted on logarithmic axes{since} for each replica: median and 95 % bootstrap interval." if slopes else "")
    )
    return Picture(figure, alt[:1].upper() + alt[1:], note)


# --- options that go together


def _check_together(styles: Mapping[str, Style], *, quantities: Sequence[str], **options: Sequence[str] | None) -> None:
    """Raise a `UserError` unless there is something to show, and one entry of each option that is given for each quantity."""
    check_lengths(quantities=quantities, **{name: given or quantities for name, given in options.items()})
    if not styles:
        raise UserError("there is nothing to show but a constant; give variants or simulations with levels")


def _check_levels(
    styles: Mapping[str, Style], *, levels: Sequence[float] | None, lines: Sequence[str] | None, panels: Sequence[str] | None
) -> None:
    """Raise a `UserError` unless there is a level, or a panel, for each variant."""
    if levels is not None:
        check_lengths(variants=list(styles), levels=levels, lines=lines or levels)
    if panels is not None:
        check_lengths(variants=list(styles), panels=panels)
    if panels is not None and levels is not None:
        raise UserError("panels go with levels that are the index of the quantities; leave out 'levels'")


def _by_panel(styles: Mapping[str, Style], panels: Sequence[str] | None) -> dict[str, dict[str, Style]]:
    """Return the variants of each panel of a row, by its name; all of them in one without a name where there are no `panels`."""
    found: dict[str, dict[str, Style]] = {}
    for (name, style), panel in zip(styles.items(), panels or [""] * len(styles), strict=True):
        found.setdefault(panel, {})[name] = style
    return found


# --- values


def _lines(
    numbers: pd.DataFrame,
    styles: Mapping[str, Style],
    quantity: str,
    *,
    step: str,
    index: str,
    levels: Sequence[float] | None,
    lines: Sequence[str] | None,
    theory: str | None,
) -> list[Line]:
    """Return the lines of one panel."""
    if not (numbers["quantity"] == quantity).any():
        raise UserError(f"there are no numbers of quantity '{quantity}'")
    if levels is None:
        return [_by_index(numbers, variant, style, quantity, step=step, theory=theory) for variant, style in styles.items()]
    names = list(lines) if lines else [""] * len(styles)
    found = []
    for name in dict.fromkeys(names):
        own = sorted(
            ((level, variant) for level, variant, line in zip(levels, styles, names, strict=True) if line == name), key=lambda pair: pair[0]
        )
        first = next(style for style, line in zip(styles.values(), names, strict=True) if line == name)
        values = [_values(numbers, variant, quantity, step).get(index, np.empty(0)) for _, variant in own]
        said = [_values(numbers, variant, theory, step).get(index, np.empty(0)) for _, variant in own] if theory else []
        found.append(Line(Style(name or "median", first.color), np.array([level for level, _ in own]), values, _medians(said, len(own))))
    return found


def _by_index(numbers: pd.DataFrame, variant: str, style: Style, quantity: str, *, step: str, theory: str | None) -> Line:
    by_level = _by_level(_values(numbers, variant, quantity, step), quantity)
    said = _by_level(_values(numbers, variant, theory, step), theory) if theory else {}
    levels = sorted(by_level)
    expected = [said.get(level, np.empty(0)) for level in levels]
    return Line(style, np.array(levels, dtype=np.float64), [by_level[level] for level in levels], _medians(expected, len(levels)))


def _by_level(values: Mapping[str, NDArray[np.float64]], quantity: str) -> dict[float, NDArray[np.float64]]:
    try:
        return {float(label): one for label, one in values.items()}
    except ValueError:
        raise UserError(f"the index of quantity '{quantity}' is no level: {', '.join(values) or 'it has none'}; give 'levels'") from None


def _values(numbers: pd.DataFrame, variant: str, quantity: str, step: str) -> dict[str, NDArray[np.float64]]:
    """Return the replicas' values of a quantity of one variant by index, "" where it has none; by replica, those that exist."""
    rows = numbers[(numbers["variant"] == variant) & (numbers["quantity"] == quantity)]
    if step and len(rows):
        wanted = {"first": rows["step"].min(), "last": rows["step"].max()}.get(step)
        rows = rows[rows["step"] == (int(step) if wanted is None else wanted)]
    elif len(rows):
        rows = rows[rows["step"].isna()]
    ordered = rows.sort_values("replica")
    return {str(index): own["value"].to_numpy(dtype=np.float64) for index, own in ordered.groupby("index", sort=False)}


def _medians(values: Sequence[NDArray[np.float64]], count: int) -> NDArray[np.float64]:
    if not values:
        return np.full(count, np.nan)
    return np.array([float(drawing.spread(one).median) if one.size else np.nan for one in values])


def _slope(line: Line, bootstrap: Mapping[str, int], *, lowest: float) -> str:
    """Return the median slope from a level on and its interval in words, "" where no replica has finite values at two levels."""
    values = [one for level, one in zip(line.levels, line.values, strict=True) if level >= lowest]
    shared = min((one.size for one in values), default=0)
    if not shared:
        return ""
    each = slopes_of(line.levels[line.levels >= lowest], np.stack([one[:shared] for one in values], axis=1))
    each = each[np.isfinite(each)]
    if not each.size:
        return ""
    found = median_interval(each, **bootstrap)
    estimate, low, high = (_signed(value, 3) for value in found)
    return f"slope {estimate} ({low} to {high})"


def _signed(value: float, digits: int | None = None) -> str:
    text = f"{abs(value):g}" if digits is None else f"{abs(value):.{digits}f}"
    return f"{MINUS}{text}" if value < 0 and float(text) else text


def _plain(level: float) -> str:
    power = math.log10(level) if level > 0 else 0.0
    if level >= 1e4 and power.is_integer():
        return f"10{str(int(power)).translate(SUPERSCRIPTS)}"
    return f"{level:.0f}" if level.is_integer() else f"{level:g}"


def _gone(line: Line) -> list[str]:
    """Return in words at which levels a line has no median, and where some replicas are not finite."""
    nowhere = [level for level, one in zip(line.levels, line.values, strict=True) if not one.size]
    lost = {level: int(np.sum(~np.isfinite(one))) for level, one in zip(line.levels, line.values, strict=True)}
    every = [level for level, one in zip(line.levels, line.values, strict=True) if one.size and lost[level] == one.size]
    some = [
        f"{_plain(level)} ({lost[level]} of {one.size})"
        for level, one in zip(line.levels, line.values, strict=True)
        if 0 < lost[level] < one.size
    ]
    words = []
    if not line.levels.size:
        words.append("not available")
    if nowhere:
        words.append(f"no number at {', '.join(map(_plain, nowhere))}")
    if [*every, *some]:
        words.append(f"not finite at {', '.join([*map(_plain, every), *some])}")
    return [f"{line.style.label}: {one}" for one in words]


# --- the picture


def _draw_lines(
    axes: Axes, lines: Sequence[Line], bootstrap: Mapping[str, int], *, lowest: float | None, alone: bool, keys: dict[str, Artist]
) -> tuple[list[str], list[str]]:
    """Draw the lines of a panel, and add their legend entries to `keys`.

    Args:
        axes: the panel.
        lines: its lines.
        bootstrap: seed and number of resamples.
        lowest: the lowest level that slopes are fitted to; None for no slopes.
        alone: whether this is the one panel, and slopes stand in the legend.
        keys: the legend entries so far, by their labels.

    Returns:
        In words, the medians of each line; and what is to be said below the panel's title.
    """
    told, words = [], []
    for turn, line in enumerate(lines):
        middle = _draw_line(axes, line, turn, bootstrap)
        slope = "" if lowest is None else _slope(line, bootstrap, lowest=lowest)
        words += _gone(line)
        words += [f"{line.style.label}: {slope}"] if slope and not alone else []
        label = f"{line.style.label}, {slope}" if slope and alone else line.style.label
        keys.setdefault(label, drawing.line_key(label, line.style.color, **drawing.edged(turn)))
        reached = [f"{number(value)} at {_plain(level)}" for level, value in zip(line.levels, middle, strict=True)]
        told.append(f"{line.style.label} {', '.join(reached)}{f'; {slope}' if slope else ''}")
    return told, words


def _draw_line(axes: Axes, line: Line, turn: int, bootstrap: Mapping[str, int]) -> list[float]:
    """Draw one line, and return its medians."""
    label, color = line.style
    lowest = 0.0 if axes.get_yscale() == "log" else -np.inf
    seen = [one[np.isfinite(one) & (one > lowest)] for one in line.values]
    along = np.repeat(line.levels, [one.size for one in seen])
    up = np.concatenate([*seen, np.empty(0)])
    drawing.dots(axes, along, up, color=color, size=5, marker=drawing.marker_of(turn), label=f"{label}, replicas")
    if np.isfinite(line.theory).any():
        drawn = np.isfinite(line.theory) & (line.theory > lowest)
        axes.plot(line.levels[drawn], line.theory[drawn], color=drawing.INK, **THEORY, zorder=3, label=f"{label}, theory")
    intervals = [median_interval(one, **bootstrap) if one.size else (np.nan,) * 3 for one in line.values]
    middle, low, high = np.array(intervals, dtype=np.float64).reshape(-1, 3).T
    solid = np.isfinite(high) & (low > lowest)
    axes.vlines(line.levels[solid], low[solid], high[solid], color=drawing.INK, linewidth=0.9, zorder=3, label=f"{label}, interval")
    drawn = np.isfinite(middle) & (middle > lowest)
    axes.plot(line.levels[drawn], middle[drawn], color=color, markersize=4.5, **drawing.edged(turn), label=f"{label}, median")
    return [float(value) for value in middle]


def _draw_reference(axes: Axes, lines: Sequence[Line], slope: float) -> None:
    first = lines[0]
    middle = _medians(first.values, len(first.levels))
    drawn = np.flatnonzero(np.isfinite(middle) & (middle > 0))
    if not drawn.size:
        return
    ends = first.levels[[drawn[0], -1]]
    axes.plot(ends, middle[drawn[0]] * (ends / ends[0]) ** slope, color=drawing.INK, **REFERENCE, zorder=1, label=f"slope {_signed(slope)}")


def _draw_constant(axes: Axes, numbers: pd.DataFrame, variant: str, style: Style, quantity: str) -> str:
    """Draw the median of a variant across a panel, and return it in words."""
    rows = numbers[(numbers["variant"] == variant) & (numbers["quantity"] == quantity)]
    values = _values(numbers, variant, quantity, "last" if rows["step"].notna().any() else "").get("", np.empty(0))
    middle = float(drawing.spread(values).median) if values.size else np.nan
    if not np.isfinite(middle):
        return f"{style.label}: not available"
    axes.axhline(middle, color=style.color, **REFERENCE, zorder=1, label=f"{style.label}, median")
    return f"{style.label} {number(middle)}"


def _mark_linear_levels(axes: Axes, levels: NDArray[np.float64], *, most: int) -> None:
    """Mark the axis of x at the levels, or at every other one and so on where they are more than `most`."""
    marked = levels[:: -(-len(levels) // most)] if levels.size else levels
    axes.set_xticks(list(marked), labels=[_plain(float(level)) for level in marked])


def _mark_levels(axes: Axes, levels: NDArray[np.float64], *, most: int) -> None:
    """Mark the axis of x at the levels, at every other one and so on where they are more than `most`, or at powers of ten."""
    axes.xaxis.set_minor_formatter(NullFormatter())
    if not levels.size:
        return
    powers = np.log10(levels)
    if len(levels) > MOST_MARKS:
        axes.xaxis.set_major_locator(LogLocator(numticks=8))
    elif np.allclose(powers, powers.round()) and np.ptp(powers) > 3:
        axes.xaxis.set_major_locator(FixedLocator(list(levels)))
        axes.xaxis.set_major_formatter(FixedFormatter([f"10{str(int(power)).translate(SUPERSCRIPTS)}" for power in powers.round()]))
    else:
        marked = levels[:: -(-len(levels) // most)]
        axes.xaxis.set_major_locator(FixedLocator(list(marked)))
        axes.xaxis.set_major_formatter(FixedFormatter([_plain(float(level)) for level in marked]))
    axes.xaxis.set_minor_locator(LogLocator(subs=()))
