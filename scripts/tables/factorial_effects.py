"""Main effects and interactions of a factorial experiment with three factors, each with its interval over replicas."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from scripts.common import differences, factorial
from scripts.common.errors import UserError
from scripts.common.findings import Runs
from scripts.common.formatting import Grid, check_lengths, counted
from scripts.common.options import QuantityName
from scripts.common.style import Style

FACTORS = 3


def build(
    numbers: pd.DataFrame,
    styles: dict[str, Style],
    *,
    bootstrap: Mapping[str, int],
    factors: list[str],
    second: list[str],
    third: list[str],
    quantities: list[QuantityName],
    titles: list[str] | None = None,
) -> Grid:
    """Return a row for the main effect of each level but the first of its factor, and for the interaction of each two of these.

    Args:
        numbers: the study's numbers, columns as in ``numbers.csv``.
        styles: label of each sweep; the sweeps are the levels of the first factor.
        bootstrap: seed and number of resamples of the intervals.
        factors: the names of the three factors.
        second: the levels of the second factor, as they stand in the index of the sweeps' quantities.
        third: those of the third, behind a "/" there.
        quantities: the quantities, each with a column.
        titles: what these are called; their names if not given.

    Raises:
        UserError: there are not three factors, or not as many titles as quantities.
    """
    if len(factors) != FACTORS:
        raise UserError(f"option 'factors' names {len(factors)} factors; name {FACTORS}")
    check_lengths(quantities=quantities, titles=titles or quantities)
    runs = Runs(numbers, **bootstrap)
    names = [[style.label for style in styles.values()], second, third]
    values = [factorial.read(runs, list(styles), quantity, levels=[second, third]) for quantity in quantities]
    rows = []
    for order in (1, 2):
        of_each = [factorial.effects(one, order=order) for one in values]
        for found in zip(*of_each, strict=True):
            label = " × ".join(names[factor][level] for factor, level in zip(found[0].factors, found[0].levels, strict=True))
            what = " × ".join(factors[factor] for factor in found[0].factors)
            rows.append([what, label, *(differences.difference(one.values, bootstrap=bootstrap) for one in found)])
    header = ["factor", "level", *(titles or [quantity.replace("_", " ") for quantity in quantities])]
    words = [_shares(one, title) for one, title in zip(values, header[2:], strict=True)]
    first = ", ".join(f"{factor} {own[0]}" for factor, own in zip(factors, names, strict=True))
    note = (
        f"n = {counted(len(values[0]), 'replica')}; median of the effect over replicas (95 % bootstrap interval), held against {first}. "
        "The effect of a level is a mean over all combinations of the other factors; an interaction is by how much one effect is larger "
        f"with the other level. {' '.join(words)}"
    )
    return Grid(header, rows, "ll" + "r" * len(quantities), note.strip())


def _shares(values: np.ndarray[tuple[int, ...], np.dtype[np.float64]], title: str) -> str:
    """Return in words which shares of the variation within replicas effects of one, two and three factors make."""
    found = factorial.shares(values)
    if not np.isfinite(list(found.values())).all():
        return f"{title[:1].upper()}{title[1:]}: no analysis of variance, as a value is not finite."
    one, two, three = (100 * sum(share for factors, share in found.items() if len(factors) == order) for order in (1, 2, 3))
    return (
        f"Of the variation of the {title} within replicas, main effects make {one:.0f} %, interactions of two factors {two:.0f} %, "
        f"those of three {three:.0f} %, and the seeds the rest."
    )
