"""Differences and ratios of replicas in pairs, as the cells of tables: the median with its interval, and a sign or a times.

A narrow cell may break before the interval, and nowhere else: other blanks are no-break spaces.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from scripts.common.formatting import MINUS, TIMES, interval, number
from scripts.common.statistics import Interval, median_interval

DECIMALS = 3
"""Of differences and of what they are taken from, so that a column can be read at a glance."""
NO_BREAK = "\u00a0"
ROUNDING = 12
"""Decimals beyond which a ratio is one of rounding."""


def difference(values: ArrayLike, *, bootstrap: Mapping[str, int]) -> str:
    """Return the median of differences (R,) with its sign and interval: "+0.012 (−0.001 to 0.020)"."""
    found = median_interval(values, **bootstrap)
    sign = "+" if found.estimate > 0 and _fixed(found.estimate) != _fixed(0) and np.isfinite(found.estimate) else ""
    return sign + _with_interval(_fixed(found.estimate), _fixed(found.low), _fixed(found.high))


def level(values: ArrayLike, *, bootstrap: Mapping[str, int]) -> str:
    """Return the median of values (R,) with its interval, with as many decimals as differences have."""
    found = median_interval(values, **bootstrap)
    return _with_interval(_fixed(found.estimate), _fixed(found.low), _fixed(found.high))


def ratio(values: ArrayLike, *, bootstrap: Mapping[str, int]) -> str:
    """Return the median of ratios (R,) with its interval: "× 1.22 (0.876 to 1.53)"."""
    found = median_interval(np.round(np.asarray(values, dtype=np.float64), ROUNDING), **bootstrap)
    return f"{TIMES}{NO_BREAK}{plain(found)}"


def plain(found: Interval) -> str:
    """Return an estimate with its interval, if it has any: "1.22 (0.876 to 1.53)"."""
    if found.low == found.high == found.estimate:
        return number(found.estimate)
    return f"{number(found.estimate)} {_unbroken(f'({interval(found.low, found.high)})')}"


def _with_interval(estimate: str, low: str, high: str) -> str:
    if low == high == estimate:
        return estimate
    return f"{estimate} {_unbroken(f'({low} to {high})'.replace('infinite', 'infinity'))}"


def _unbroken(text: str) -> str:
    return text.replace(" ", NO_BREAK)


def _fixed(value: float) -> str:
    if not np.isfinite(value):
        return number(value)
    text = f"{abs(value):.{DECIMALS}f}"
    return f"{MINUS}{text}" if value < 0 and float(text) else text
