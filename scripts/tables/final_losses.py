"""Losses after training: their median over replicas with its interval, and the fates of the replicas."""

from collections.abc import Mapping, Sequence

import pandas as pd

from scripts.common.findings import Runs
from scripts.common.formatting import FATES, Grid, counted, interval, number, quantity_titles
from scripts.common.options import QuantityName
from scripts.common.statistics import median_interval
from scripts.common.style import Style


def build(
    numbers: pd.DataFrame,
    styles: dict[str, Style],
    *,
    variants: Sequence[str],
    bootstrap: Mapping[str, int],
    quantities: list[QuantityName],
) -> Grid:
    """Return a row for each variant.

    Args:
        numbers: the study's numbers, columns as in ``numbers.csv``.
        styles: label of each variant.
        variants: the variants, in order.
        bootstrap: seed and number of resamples of the intervals.
        quantities: the losses to show, as "test_loss"; the last step of each.
    """
    runs = Runs(numbers, **bootstrap)
    rows = []
    for variant in variants:
        cells = []
        for quantity in quantities:
            middle = median_interval(runs.values(variant, quantity, step="last"), **bootstrap)
            cells.append(_cell(middle.estimate, middle.low, middle.high))
        rows.append([styles[variant].label, *cells, *(str(runs.count(variant, fate)) for fate in FATES)])
    header = ["variant", *quantity_titles(quantities, None), *FATES]
    count = max(runs.replicas(variant) for variant in variants)
    note = (
        f"n = {counted(count, 'replica')}; median (95 % bootstrap interval), a loss that is not finite counting as infinite; "
        "the last four columns count replicas by their fate."
    )
    return Grid(header, rows, "l" + "r" * (len(header) - 1), note)


def _cell(estimate: float, low: float, high: float) -> str:
    return number(estimate) if low == estimate == high else f"{number(estimate)} ({interval(low, high)})"
