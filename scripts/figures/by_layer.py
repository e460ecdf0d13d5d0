"""Profiles along the layers of networks, or along their depth: a row of panels for each quantity, a column for each simulation.

With a slider, readers of the page move through all levels, and see replica 0 beside the median.
"""

from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.ticker import FixedFormatter, FixedLocator, MaxNLocator, NullFormatter
from numpy.typing import NDArray

from scripts.common import drawing, explorer
from scripts.common.drawing import Picture
from scripts.common.errors import UserError
from scripts.common.escaping import plotly_text
from scripts.common.explorer import Axis, Explorer, Key, Panel, Trace
from scripts.common.formatting import check_known, check_lengths, counted_range, listing, number, quantity_titles, sentence
from scripts.common.options import Count
from scripts.common.storage import Arrays
from scripts.common.style import Style

REPLICA = 0
COLORS = ("#0072B2", "#56B4E9", "#009E73", "#E69F00", "#D55E00", "#882255", "#332288", "#CC79A7")
"""Colors of levels, in order; markers tell them apart as well."""
MARKS = 7
"""So many markers stand on a line."""
KEY_LETTERS, ROW_LETTERS = 6, 92
"""Room of a legend's entry beside its words, and of a row of them, in letters."""
THEORY: dict[str, Any] = {"color": drawing.INK, "linewidth": 0.9, "linestyle": drawing.LINES[1]}
DRAWN_LAYERS = 40
"""So many layers of a deep network are drawn, evenly."""


def draw(
    simulated: dict[str, Arrays],
    *,
    styles: dict[str, Style],
    quantities: list[str],
    titles: list[str] | None = None,
    along: str = "layer",
    along_title: str = "layer",
    levels: list[str] | None = None,
    level_names: list[str] | None = None,
    level_title: str = "",
    logarithmic: bool = False,
    linear: list[str] | None = None,
    theory: bool = False,
    panel_height: Count = 2,
    slider: str | None = None,
    readout: str | None = None,
    readout_words: str = "",
) -> Picture:
    """Draw median and band of each quantity at each level, along layers or depths; where theory says something of it, that is dashed.

    Args:
        simulated: simulations of one kind by name, each with ``level`` (X,), an array `along` (L,), quantities (R, X, L) and, with
            `theory`, what theory says of them, the name and ``_theory``, (X, L).
        styles: label of each simulation, which is the title of its column; levels have colors of their own here.
        quantities: names of the quantities, a row for each.
        titles: the titles of the rows; the names of the quantities if not given.
        along: the name of the array that they go along.
        along_title: the title of the axis of x.
        levels: the levels that are drawn; those of the first simulation if not given, by their place where others have different ones.
        level_names: the names of the levels in the legend; the levels if not given.
        level_title: what the levels are, before them in the legend.
        logarithmic: whether the axis of x is logarithmic.
        linear: those of the quantities that stand on a linear axis.
        theory: whether theory is drawn.
        panel_height: height of a row in inches.
        slider: what a slider over all levels is called in the page; none if not given.
        readout: with a slider, the name of an array (R, X) of which the number of replica 0 at the level is told.
        readout_words: what that number is, in words before it.

    Raises:
        UserError: a quantity or level that there is not, or names that do not go with the levels.
    """
    chosen = {name: _places(arrays, levels) for name, arrays in simulated.items()}
    count = len(next(iter(chosen.values())))
    if any(len(places) != count for places in chosen.values()):
        raise UserError("simulations side by side have as many levels each; give 'levels' that all of them have")
    first = next(iter(simulated.values()))
    names = level_names or [str(first["level"][place]) for place in next(iter(chosen.values()))]
    check_lengths(levels=list(range(count)), level_names=names)
    rows_titles = quantity_titles(quantities, titles)
    for quantity in [*quantities, along]:
        check_known(quantity, first, "array")
    rows, columns = len(quantities), len(simulated)
    words = [*([level_title] if level_title else []), *names, *(["theory"] if theory else [])]
    key_rows = -(-sum(len(word) + KEY_LETTERS for word in words) // ROW_LETTERS)
    height = panel_height * rows + 0.6 + 0.18 * key_rows
    figure, panels = drawing.new_figure(rows, columns, height=height, sharex=True, sharey="row")
    told, counts = [], set()
    for place, axes in enumerate(panels):
        row, column = divmod(place, columns)
        quantity, (name, arrays) = quantities[row], list(simulated.items())[column]
        if quantity not in (linear or []):
            axes.set_yscale("log")
        some = drawing.thinned(len(arrays[along]), DRAWN_LAYERS)
        x, values = arrays[along][some].astype(np.float64), arrays[quantity][..., some]
        counts.add(values.shape[0])
        lost, ends = [], []
        for turn, level in enumerate(chosen[name]):
            middle = drawing.spread_of_existing(values[:, level], levels=(0.25, 0.75))
            if not _draw_line(axes, x, middle, turn, names[turn], line="solid" if theory else drawing.line_of(turn)):
                lost.append(f"{names[turn]}: 0 everywhere" if (values[:, level] == 0).all() else f"{names[turn]}: not finite")
                continue
            ends.append(f"{names[turn]} from {number(float(middle.median[0]))} to {number(float(middle.median[-1]))}")
            if theory:
                _draw_theory(axes, x, arrays[f"{quantity}_theory"][level, some], names[turn])
        title = f"{styles[name].label}: {rows_titles[row]}"
        drawing.entitle(axes, styles[name].label if row == 0 or lost else "", "; ".join(lost))
        axes.set_label(title)
        told.append(f"{title}: {'; '.join([*ends, *lost])}")
        if column == 0:
            axes.set_ylabel(rows_titles[row])
        if row == rows - 1:
            axes.set_xlabel(along_title)
    for axes in panels[::columns]:
        if axes.get_yscale() == "log":
            drawing.log_ticks(axes)
    _mark(panels, first[along].astype(np.float64), logarithmic=logarithmic)
    keys: list[Artist] = [drawing.line_key(f"{level_title}:", drawing.INK, linestyle="none")] if level_title else []
    keys += [
        drawing.line_key(one, _color(turn), marker=drawing.marker_of(turn), linestyle="solid" if theory else drawing.line_of(turn))
        for turn, one in enumerate(names)
    ]
    keys += [drawing.line_key("theory", **THEORY)] if theory else []
    drawing.legend(figure, keys, columns=-(-len(keys) // key_rows))
    alt = (
        f"{listing(rows_titles)} against {along_title}, a line for each of {listing(names)}. "
        f"Medians at both ends. {' '.join(sentence(words) for words in told)}"
    )
    note = f"n = {counted_range(counts, 'replica')}; lines: median, bands: 25th to 75th percentile of those with a number."
    made = _explorer(
        simulated,
        styles=styles,
        titles=dict(zip(quantities, rows_titles, strict=True)),
        slider=slider,
        along=along,
        along_title=along_title,
        level_title=level_title,
        readout=readout,
        readout_words=readout_words,
    )
    return Picture(figure, alt[:1].upper() + alt[1:], note, made)


def _places(arrays: Arrays, levels: list[str] | None) -> list[int]:
    known = [str(level) for level in arrays["level"]]
    for level in levels or []:
        check_known(level, known, "level")
    return [known.index(level) for level in levels] if levels else list(range(len(known)))


def _color(turn: int) -> str:
    return COLORS[turn % len(COLORS)]


def _draw_line(axes: Axes, x: NDArray[np.float64], middle: drawing.Spread, turn: int, name: str, *, line: Any) -> bool:
    """Draw one line with its band, and return whether there was anything to draw."""
    lowest = 0.0 if axes.get_yscale() == "log" else -np.inf
    seen = np.isfinite(middle.median) & (middle.median > lowest)
    if not seen.any():
        return False
    solid = seen & (middle.low > lowest)
    drawing.band(axes, x[solid], drawing.Spread(*(edge[solid] for edge in middle)), color=_color(turn), label=name)
    marked = drawing.thinned(int(seen.sum()), MARKS)
    look: dict[str, Any] = {"color": _color(turn), "linestyle": line, "marker": drawing.marker_of(turn), "markersize": 3.2}
    axes.plot(x[seen], middle.median[seen], markevery=[int(place) for place in marked], label=f"{name}, median", **look)
    return True


def _draw_theory(axes: Axes, x: NDArray[np.float64], values: NDArray[np.float64], name: str) -> None:
    lowest = 0.0 if axes.get_yscale() == "log" else -np.inf
    seen = np.isfinite(values) & (values > lowest)
    axes.plot(x[seen], values[seen], zorder=3, label=f"{name}, theory", **THEORY)


def _mark(panels: list[Axes], x: NDArray[np.float64], *, logarithmic: bool) -> None:
    """Mark the axis of x, which all panels share."""
    for axes in panels:
        if not logarithmic:
            axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
            continue
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(FixedLocator(list(x)))
        axes.xaxis.set_major_formatter(FixedFormatter([f"{place:g}" for place in x]))
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.xaxis.set_minor_locator(FixedLocator([]))


def _explorer(
    simulated: dict[str, Arrays],
    *,
    styles: dict[str, Style],
    titles: dict[str, str],
    slider: str | None,
    along: str,
    along_title: str,
    level_title: str,
    readout: str | None,
    readout_words: str,
) -> dict[str, Any] | None:
    """Return the explorer of all levels: a panel for each quantity, with median and replica 0 of each simulation; None without a slider."""
    if slider is None:
        return None
    first = next(iter(simulated.values()))
    x = first[along].astype(np.float64)
    across = Axis(plotly_text(along_title), float(x[0]) - 0.3, float(x[-1]) + 0.3)
    stops = [f"{level_title or 'level'} {level}" for level in first["level"]]
    made = Explorer(
        slider=slider,
        stops=stops,
        readout=[
            f"{stop[:1].upper()}{stop[1:]}{_numbers(simulated, styles, place, readout, readout_words)}." for place, stop in enumerate(stops)
        ],
        panels=[
            Panel(f"{title[:1].upper()}{title[1:]}", across, *_traces(simulated, styles, quantity, x)) for quantity, title in titles.items()
        ],
        columns=2,
        key=[
            *(Key(f"{style.label}, median", explorer.line_kind(turn), style.color) for turn, style in enumerate(styles.values())),
            Key("the source's seed", "dots", "quiet"),
        ],
    )
    return explorer.pack(made)


def _traces(simulated: dict[str, Arrays], styles: dict[str, Style], quantity: str, x: NDArray[np.float64]) -> tuple[Axis, list[Trace]]:
    """Return the axis of a quantity and its lines and dots, at every level."""
    traces, everything = [], []
    for turn, (name, arrays) in enumerate(simulated.items()):
        label, color = styles[name]
        median = drawing.spread(arrays[quantity]).median  # (X, L)
        own = arrays[quantity][REPLICA]
        traces.append(Trace(f"{label}, median", explorer.line_kind(turn), color, x, median, f"{plotly_text(label)}, %{{x}}: %{{y:.3~g}}"))
        traces.append(Trace(f"{label}, the source's seed", "dots", color, x, own))
        everything += [median, own]
    values = np.concatenate([one.ravel() for one in everything])
    return Axis("", *drawing.decades(values[np.isfinite(values) & (values > 0)]), logarithmic=True), traces


def _numbers(simulated: dict[str, Arrays], styles: dict[str, Style], place: int, readout: str | None, words: str) -> str:
    """Return in words a number (R, X) of replica 0 of each simulation at a level, or nothing."""
    if readout is None:
        return ""
    told = (f"{styles[name].label} {number(float(arrays[readout][REPLICA, place]))}" for name, arrays in simulated.items())
    return f": {words} {', '.join(told)}"
