"""Values that a sweep or a grid runs through, given as a list or as the text of a range, as ``logspace(-3, 1, 50)``.

A range is read by a pattern and never evaluated. Its values are rounded to six significant digits: a variant's name then says its value
in full, and neither changes with the last bits of a power. That is also what makes them the same as those of `numpy`, which is not
imported when a build is planned.
"""

import re
from typing import Any

MOST_VALUES = 1000
"""So many values a range may have."""
DIGITS = 6
"""To so many significant digits the values of `logspace` and `linspace` are rounded."""
LARGEST_POWER = 300
"""The largest power of ten, up or down, that `logspace` may begin or end at."""

_NUMBER = r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3})?"
_WHOLE = r"[+-]?\d{1,15}"
_SPACED = re.compile(rf"\s*(logspace|linspace)\s*\(\s*({_NUMBER})\s*,\s*({_NUMBER})\s*,\s*(\d{{1,15}})\s*\)\s*", re.ASCII)
_RANGE = re.compile(rf"\s*range\s*\(\s*({_WHOLE})\s*,\s*({_WHOLE})\s*(?:,\s*({_WHOLE})\s*)?\)\s*", re.ASCII)

ALLOWED = (
    "a list of values, logspace(first power of ten, last, count), linspace(first, last, count), or range(begin, end[, step]) of whole "
    f"numbers without the end; a range has 1 to {MOST_VALUES:,} values"
)


def values_of(written: Any) -> Any:
    """Return the values of a range given as text; what is no text as it is.

    Raises:
        ValueError: the text is no range, or one with no values or too many.
    """
    if not isinstance(written, str):
        return written
    spaced, ranged = _SPACED.fullmatch(written), _RANGE.fullmatch(written)
    if spaced:
        kind, first, last, count = spaced[1], float(spaced[2]), float(spaced[3]), int(spaced[4])
        fits = kind == "linspace" or max(abs(first), abs(last)) <= LARGEST_POWER
        if 1 <= count <= MOST_VALUES and fits and max(abs(first), abs(last)) < float("inf"):
            points = [rounded(value) for value in _evenly(first, last, count)]
            return points if kind == "linspace" else [rounded(10.0**power) for power in _evenly(first, last, count)]
    elif ranged and int(ranged[3] or 1) != 0:
        found = range(int(ranged[1]), int(ranged[2]), int(ranged[3] or 1))
        if 1 <= len(found) <= MOST_VALUES:
            return list(found)
    raise ValueError(ALLOWED)


def rounded(value: float) -> float:
    """Return a number rounded to so many significant digits as names of variants have."""
    return float(f"{value:.{DIGITS}g}")


def _evenly(first: float, last: float, count: int) -> list[float]:
    """Return `count` numbers from the first to the last, as numpy's linspace has them; of one number it is the first."""
    step = (last - first) / (count - 1) if count > 1 else 0.0
    return [first + place * step for place in range(count - 1)] + [last] if count > 1 else [first]
