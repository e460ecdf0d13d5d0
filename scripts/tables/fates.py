"""What became of the replicas of each variant: how many are fine, diverged (and when), blew up or collapsed."""

from collections.abc import Mapping, Sequence

import pandas as pd

from scripts.common.findings import Runs
from scripts.common.formatting import FATES, Grid
from scripts.common.style import Style


def build(numbers: pd.DataFrame, styles: dict[str, Style], *, variants: Sequence[str], bootstrap: Mapping[str, int]) -> Grid:
    """Return a row for each variant.

    Args:
        numbers: the study's numbers, columns as in ``numbers.csv``.
        styles: label of each variant.
        variants: the variants, in order.
        bootstrap: seed and number of resamples; nothing here needs them.
    """
    runs = Runs(numbers, **bootstrap)
    rows = []
    for variant in variants:
        counts = [str(runs.count(variant, fate)) for fate in FATES]
        updates = numbers.loc[(numbers["variant"] == variant) & (numbers["quantity"] == "diverged_at"), "value"].to_numpy()
        when = f"{updates.min():.0f} to {updates.max():.0f}" if len(set(updates)) > 1 else f"{updates[0]:.0f}" if len(updates) else ""
        rows.append([styles[variant].label, str(runs.replicas(variant)), *counts, when])
    note = (
        "Diverged: a parameter or the loss is not finite. Blown up: finite, but the train loss exceeds ten times the variance of y. "
        "Collapsed: predictions spread less than a thousandth as wide as y."
    )
    return Grid(["variant", "replicas", *FATES, "diverged after updates"], rows, "lrrrrrr", note)
