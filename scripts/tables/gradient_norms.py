"""Gradient norms of the weight matrices: those of replica 0, as the source prints them, and their median over replicas."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from scripts.common.formatting import Grid, check_known, counted, interval, number
from scripts.common.options import Moment
from scripts.common.statistics import median_interval
from scripts.common.style import Style

TINY, LARGE, HUGE = 1e-4, 1e3, 1e7
"""From tiny to large a norm of replica 0 is written as the source writes it, with eight decimals; up to huge with two."""


def build(
    numbers: pd.DataFrame, styles: dict[str, Style], *, variants: Sequence[str], bootstrap: Mapping[str, int], step: Moment = "first"
) -> Grid:
    """Return a row for each variant and weight; the column of variants is left out where there is only one.

    Args:
        numbers: the study's numbers, columns as in ``numbers.csv``.
        styles: label of each variant.
        variants: the variants, in order.
        bootstrap: seed and number of resamples of the intervals.
        step: "first" or "last".

    Raises:
        UserError: `step` is neither.
    """
    check_known(step, ("first", "last"), "step")
    rows, count, gone = [], 0, False
    for variant in variants:
        own = numbers[numbers["variant"] == variant]
        norms = own[own["quantity"] == "gradient_norm"]
        replicas = range(own["replica"].nunique())
        now = norms[norms["step"] == (own["step"].min() if step == "first" else own["step"].max())]
        count = max(count, len(replicas))
        for weight in sorted(norms["index"].unique(), key=lambda name: int(name.split(".")[0])):
            values = now[now["index"] == weight].set_index("replica")["value"].reindex(replicas).to_numpy(dtype=np.float64)
            middle = median_interval(values, **bootstrap)
            gone = gone or bool(np.isnan(values).any())
            cells = [weight, _own(values[0]), number(middle.estimate), interval(middle.low, middle.high)]
            rows.append([styles[variant].label, *cells] if len(variants) > 1 else cells)
    header = ["weight", "replica 0", "median", "95 % interval"]
    note = f"n = {counted(count, 'replica')}; replica 0 has the source's own seeds; median with its bootstrap interval"
    note += "; a norm that does not exist, because the run diverged, counts as infinite." if gone else "."
    return Grid(["variant", *header], rows, "llrrr", note) if len(variants) > 1 else Grid(header, rows, "lrrr", note)


def _own(norm: float) -> str:
    if np.isnan(norm):
        return "not available"
    if not TINY <= norm < HUGE:
        return number(norm, 4)
    return f"{norm:.8f}" if norm < LARGE else f"{norm:.2f}"
