"""Main effects and interactions of a factorial experiment with three factors, each with its interval over replicas."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from scripts.common import differences, factorial
from scripts.common.formatting import Grid, counted
from scripts.common.options import QuantityName
from scripts.common.style import Style


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
    found = factorial.read_titled(
        numbers, list(styles), bootstrap=bootstrap, factors=factors, second=second, third=third, quantities=quantities, titles=titles
    )
    names = [[style.label for style in styles.values()], second, third]
    rows = []
    for order in (1, 2):
        for same in zip(*(factorial.effects(values, order=order) for _, values in found), strict=True):
            label = " × ".join(names[factor][level] for factor, level in zip(same[0].factors, same[0].levels, strict=True))
            what = " × ".join(factors[factor] for factor in same[0].factors)
            rows.append([what, label, *(differences.difference(one.values, bootstrap=bootstrap) for one in same)])
    words = [_shares(values, title) for title, values in found]
    first = ", ".join(f"{factor} {own[0]}" for factor, own in zip(factors, names, strict=True))
    note = (
        f"n = {counted(len(found[0][1]), 'replica')}; median of the effect over replicas (95 % bootstrap interval), held against {first}. "
        "The effect of a level is a mean over all combinations of the other factors; an interaction is by how much one effect is larger "
        f"with the other level. {' '.join(words)}"
    )
    return Grid(["factor", "level", *(title for title, _ in found)], rows, "ll" + "r" * len(quantities), note.strip())


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
