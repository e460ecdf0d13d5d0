"""Gradient norms of the weight matrices: those of replica 0, as the source prints them, and their median over replicas."""

from collections.abc import Mapping, Sequence

import pandas as pd

from scripts.common.drawing import Style
from scripts.common.findings import Runs
from scripts.common.formatting import Grid, counted, interval, number
from scripts.common.statistics import median_interval


def build(
    numbers: pd.DataFrame, styles: dict[str, Style], *, variants: Sequence[str], bootstrap: Mapping[str, int], step: str = "first"
) -> Grid:
    """Return a row for each variant and weight; the column of variants is left out where there is only one.

    Args:
        numbers: the study's numbers, columns as in ``numbers.csv``.
        styles: label of each variant.
        variants: the variants, in order.
        bootstrap: seed and number of resamples of the intervals.
        step: "first" or "last".
    """
    runs = Runs(numbers, **bootstrap)
    rows, counts = [], set()
    for variant in variants:
        found = numbers[(numbers["variant"] == variant) & (numbers["quantity"] == "gradient_norm")]
        for weight in sorted(found["index"].unique(), key=lambda name: int(name.split(".")[0])):
            norms = runs.values(variant, "gradient_norm", step=0 if step == "first" else "last", index=weight)
            middle = median_interval(norms, **bootstrap)
            cells = [
                weight,
                f"{norms[0]:.8f}" if 1e-4 <= norms[0] < 1e6 else number(norms[0], 4),
                number(middle.estimate),
                interval(middle.low, middle.high),
            ]
            rows.append([styles[variant].label, *cells] if len(variants) > 1 else cells)
            counts.add(len(norms))
    header = ["weight", "replica 0", "median", "95 % interval"]
    note = (
        f"n = {counted(max(counts), 'replica')}; replica 0 has the source's own seeds; median with its bootstrap interval; "
        "a norm that does not exist because the run diverged counts as infinite."
    )
    return Grid(["variant", *header], rows, "llrrr", note) if len(variants) > 1 else Grid(header, rows, "lrrr", note)
