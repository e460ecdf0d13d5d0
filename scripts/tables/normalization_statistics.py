"""Mean and deviation after each kind of normalization: of the whole array, as in the source, and of the sets that tell the kinds apart."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from scripts.common.errors import UserError
from scripts.common.findings import Runs
from scripts.common.formatting import MINUS, Grid, counted, number
from scripts.common.statistics import median_interval
from scripts.common.style import Style

ORDER = ("none", "batch", "layer", "instance", "group")
SETS = ("channel", "sample", "sample and channel", "sample and group")
NORMAL = 1e-4
"""What differs from mean 0 and deviation 1 by less is rounding, and what is added to the variance."""


def build(numbers: pd.DataFrame, styles: dict[str, Style], *, bootstrap: Mapping[str, int]) -> Grid:
    """Return a row for each kind of normalization, with a column for the whole array and one for each kind of set.

    Args:
        numbers: the study's numbers, columns as in ``numbers.csv``: the quantities of the simulation `normalization_statistics`.
        styles: has the one simulation that is shown.
        bootstrap: seed and number of resamples of the medians.

    Raises:
        UserError: more than one simulation is shown.
    """
    if len(styles) != 1:
        raise UserError(f"the table shows one simulation, not {len(styles)}: {', '.join(styles)}")
    (simulation,) = styles
    runs = Runs(numbers, **bootstrap)
    own = numbers[numbers["variant"] == simulation]
    kinds = sorted(own.loc[own["quantity"] == "array_mean", "index"].unique(), key=ORDER.index)
    sets = sorted({label.split("/")[1] for label in own.loc[own["quantity"] == "largest_mean", "index"]}, key=SETS.index)
    rows = []
    for kind in kinds:
        whole = [float(runs.values(simulation, quantity, index=kind)[0]) for quantity in ("array_mean", "array_deviation")]
        cells = [
            "; ".join(
                _small(median_interval(runs.values(simulation, quantity, index=f"{kind}/{of}"), **bootstrap).estimate)
                for quantity in ("largest_mean", "largest_deviation_change")
            )
            for of in sets
        ]
        rows.append([kind, f"{_rounded(whole[0])}; {_rounded(whole[1])}", *cells])
    header = ["normalization", "whole array", *(f"per {of}" for of in sets)]
    note = (
        "Whole array: its mean and standard deviation in replica 0, which has the source's images. Other columns: the largest absolute "
        "mean of a set, and how far the deviation of a set is from 1 at most; median over "
        f"n = {counted(runs.replicas(simulation), 'replica')}; 0 stands for less than 10⁻⁴."
    )
    return Grid(header, rows, "l" + "r" * (len(header) - 1), note)


def _rounded(value: float) -> str:
    """Return a value with four decimals, a mean that is nothing but rounding without its sign."""
    text = f"{abs(value):.4f}"
    return f"{MINUS}{text}" if value < 0 and float(text) else text


def _small(value: float) -> str:
    return "0" if np.abs(value) < NORMAL else number(value, 2)
