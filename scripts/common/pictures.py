"""How a figure is written: as a picture (SVG) and as numbers (CSV)."""

import base64
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.collections import Collection, LineCollection, PathCollection, PolyCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.ticker import FixedLocator, FuncFormatter
from PIL import Image
from scour import scour

from scripts.common import storage
from scripts.common.drawing import RASTER_DPI, STYLE
from scripts.common.escaping import cell, dollars_plain

COORDINATES, DECIMALS = re.compile(r' (?:d|x|y)="[^"]*"'), re.compile(r"-?\d+\.\d{3,}")
"""What is rounded to a hundredth of a point when a figure is written."""
IMAGES = re.compile(r"(?<=data:image/png;base64,)[^\"]*")
DOCUMENT_TYPE = re.compile(r"<!DOCTYPE[^>]*>\s*")
WRITTEN = scour.sanitizeOptions()
"""How scour writes: what differs from its defaults is set below."""
for _name, _value in {
    "digits": 6,
    "strip_comments": True,
    "strip_xml_prolog": True,
    "remove_metadata": True,
    "strip_ids": True,
    "shorten_ids": True,
    "group_create": True,
    "indent_type": "none",
    "newlines": False,
    "strip_xml_space_attribute": True,
}.items():
    setattr(WRITTEN, _name, _value)


def save_svg(figure: Figure, path: str | Path) -> None:
    """Write a figure as SVG, small and the same bytes each time: no date, text as outlines, fixed identifiers, rounded coordinates.

    What matplotlib repeats for every dot and letter, scour writes once: half of the size of a report.
    """
    picture = io.BytesIO()
    with matplotlib.rc_context(STYLE):
        _settle(figure)
        figure.set_dpi(RASTER_DPI)
        # not Figure.savefig, which draws twice, the first time to lay the figure out
        FigureCanvasSVG(figure).print_svg(picture, metadata={"Date": None, "Creator": None})  # type: ignore[no-untyped-call]
    text = COORDINATES.sub(lambda found: DECIMALS.sub(_rounded, found[0]).replace(" \n", ""), picture.getvalue().decode())
    storage.save_text(path, scour.scourString(DOCUMENT_TYPE.sub("", IMAGES.sub(_with_palette, text)), WRITTEN))


def tabulate(figure: Figure) -> str:
    """Return all that is drawn as CSV: panel, series, x, y, with six significant digits.

    Lines, dots, bars, bands (their low and high edge), shaded ranges, and messages (their words as the series). A coordinate that
    is no data (the ends of a line across the whole panel) is left empty; on an axis of categories it is the category's name.
    """
    lines = ["panel,series,x,y"]
    for panel in figure.axes:
        name = str(panel.get_label()) or panel.get_title(loc="left") or panel.get_title()
        if name != "<colorbar>":
            lines += [",".join((_quoted(name), _quoted(series), x, y)) for series, x, y in _points(panel)]
    return "\n".join(lines) + "\n"


def _settle(figure: Figure) -> None:
    """Lay a figure out for good and round all places: the last digits of the layout's solver differ from run to run."""
    engine = figure.get_layout_engine()
    if engine is not None:
        engine.execute(figure)
        figure.set_layout_engine("none")
    for axes in figure.axes:
        left, bottom, width, height = axes.get_position(original=True).bounds
        axes.set_position((round(left, 4), round(bottom, 4), round(width, 4), round(height, 4)))
    for text in figure.texts:
        text.set_position((round(text.get_position()[0], 4), round(text.get_position()[1], 4)))


def _rounded(found: re.Match[str]) -> str:
    return f"{float(found[0]):.2f}".rstrip("0").rstrip(".")


def _with_palette(found: re.Match[str]) -> str:
    """Return a picture of at most 256 colors (PNG, base64) with a palette, pixel by pixel the same and half as long; others as they are."""
    pixels = np.asarray(Image.open(io.BytesIO(base64.b64decode(found[0]))).convert("RGBA"))
    colors, places = np.unique(np.ascontiguousarray(pixels).view(np.uint32), return_inverse=True)
    if len(colors) > 256:
        return found[0]
    image = Image.fromarray(places.reshape(pixels.shape[:2]).astype(np.uint8))
    image.putpalette(colors.tobytes(), "RGBA")
    written = io.BytesIO()
    image.save(written, format="png", optimize=True)
    return base64.b64encode(written.getvalue()).decode()


def _points(axes: Axes) -> Iterator[tuple[str, str, str]]:
    for line in axes.lines:
        yield from _rows(axes, line, line.get_xdata(), line.get_ydata())
    for collection in axes.collections:
        yield from _collection_points(axes, collection)
    for container in axes.containers:
        label = str(container.get_label())
        for bar in container.patches if hasattr(container, "patches") and not label.startswith("_") else []:
            yield label, _word(axes.xaxis, bar.get_x() + bar.get_width() / 2), _word(axes.yaxis, bar.get_height())
    for patch in axes.patches:
        if isinstance(patch, Rectangle) and _is_series(patch.get_label()):
            ends = np.array([patch.get_x(), patch.get_x() + patch.get_width()])
            yield from ((str(patch.get_label()), _word(axes.xaxis, end), "") for end in ends)
    for text in axes.texts:
        if text.get_label() == "message":
            yield text.get_text().replace("\n", " "), "", ""


def _collection_points(axes: Axes, collection: Collection) -> Iterator[tuple[str, str, str]]:
    if isinstance(collection, PathCollection):
        dots: Any = np.ma.asarray(collection.get_offsets())
        yield from _rows(axes, collection, dots[:, 0], dots[:, 1])
    elif isinstance(collection, LineCollection):
        for segment in collection.get_segments():
            yield from _rows(axes, collection, segment[:, 0], segment[:, 1])
    elif isinstance(collection, PolyCollection) and _is_series(collection.get_label()):
        corners = [path.vertices for path in collection.get_paths()]
        for corner in corners:
            places = np.asarray(corner, dtype=np.float64)
            for x in np.unique(places[:, 0]):
                y = places[places[:, 0] == x, 1]
                yield f"{collection.get_label()}, low", _word(axes.xaxis, x), _word(axes.yaxis, y.min())
                yield f"{collection.get_label()}, high", _word(axes.xaxis, x), _word(axes.yaxis, y.max())


def _rows(axes: Axes, artist: Line2D | Collection, x: Any, y: Any) -> Iterator[tuple[str, str, str]]:
    label = artist.get_label()
    if not _is_series(label):
        return
    transform = artist.get_offset_transform() if isinstance(artist, PathCollection) else artist.get_transform()
    along_x, along_y = transform.contains_branch_seperately(axes.transData)
    for one, other in zip(np.ma.asarray(x), np.ma.asarray(y), strict=True):
        if one is not np.ma.masked and other is not np.ma.masked:
            yield str(label), _word(axes.xaxis, one) if along_x else "", _word(axes.yaxis, other) if along_y else ""


def _is_series(label: object) -> bool:
    return bool(label) and not str(label).startswith("_")


def _word(axis: Axis, value: float) -> str:
    formatter = axis.get_major_formatter()
    if isinstance(axis.get_major_locator(), FixedLocator) and isinstance(formatter, FuncFormatter):
        marks = np.asarray(axis.get_majorticklocs())
        return _quoted(formatter(marks[np.argmin(np.abs(marks - value))]).replace("\n", " "))
    return f"{float(value):.6g}"


def _quoted(text: str) -> str:
    text = cell(dollars_plain(text))
    return '"' + text.replace('"', '""') + '"' if any(letter in text for letter in ',"\n') else text
