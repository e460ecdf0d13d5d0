"""Techniques against a baseline on the same network and data: what each does to loss, accuracy, calibration, learning rate and time."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from scripts.common import differences
from scripts.common.findings import Runs
from scripts.common.formatting import TIMES, Grid, check_lengths, counted_range, number
from scripts.common.levels import largest_stable
from scripts.common.options import Count, Positive, VariantName
from scripts.common.statistics import median_interval, paired_ratio
from scripts.common.style import Style

NOT_TESTED = "not tested here"
SCORES = ("test_accuracy", "calibration_error")
"""What differences are taken of, instead of ratios."""

Floats = NDArray[np.float64]


def build(
    numbers: pd.DataFrame,
    styles: dict[str, Style],
    *,
    variants: Sequence[str],
    bootstrap: Mapping[str, int],
    baseline: VariantName,
    kinds: list[str],
    rates: list[str],
    limit: Positive,
    members: VariantName,
    size: Count,
) -> Grid:
    """Return a row for the baseline, one for each other variant, and one for ensembles of the baseline.

    The baseline's cells are medians; those of the others medians of ratios (train loss, learning rate, time) or differences (accuracy,
    calibration error) to the baseline's replica with the same seeds.

    Args:
        numbers: the study's numbers, columns as in ``numbers.csv``.
        styles: label of each variant.
        variants: the variants, in order, and last the one that `members` names.
        bootstrap: seed and number of resamples of the intervals.
        baseline: the variant that the others are held against.
        kinds: of each variant, in order, what kind of technique it is.
        rates: of each variant the sweep over learning rates, "" where there is none.
        limit: up to which train loss a learning rate counts as stable.
        members: the variant whose replicas are the members of ensembles, the first of which are replicas of the baseline.
        size: the number of members of an ensemble.

    Raises:
        UserError: not one kind and one sweep or "" for each variant.
    """
    check_lengths(variants=list(variants), kinds=kinds, rates=rates)
    runs = Runs(numbers, **bootstrap)
    counts, rows = set(), []
    own = {key: _end(runs, baseline, key) for key in ("train_loss", *SCORES)}
    pace = _pace(runs, baseline)
    stable = _stable(runs, rates[list(variants).index(baseline)], limit)
    for variant, kind, sweep in zip(variants, kinds, rates, strict=True):
        if variant == members:
            found = {key: runs.values(members, f"average_{key.removeprefix('test_')}", index=size)[: len(own[key])] for key in own}
            label, seconds = f"ensemble of {size}", None if pace is None else size * pace
        else:
            found, label, seconds = {key: _end(runs, variant, key) for key in own}, styles[variant].label, _pace(runs, variant)
        counts.add(len(found["train_loss"]))
        reached = _stable(runs, sweep, limit)
        if variant == baseline:
            loss, *scores = (_cell(own["train_loss"], bootstrap), *(differences.level(own[key], bootstrap=bootstrap) for key in SCORES))
            rate = NOT_TESTED if reached is None else _cell(reached, bootstrap)
            time = NOT_TESTED if seconds is None else f"{number(1e6 * seconds)} µs"
        else:
            loss = differences.ratio(paired_ratio(*_pairs(found["train_loss"], own["train_loss"])), bootstrap=bootstrap)
            scores = [differences.difference(np.subtract(*_pairs(found[key], own[key])), bootstrap=bootstrap) for key in SCORES]
            rate = NOT_TESTED
            if reached is not None and stable is not None:
                rate = differences.ratio(paired_ratio(*_pairs(reached, stable)), bootstrap=bootstrap)
            time = NOT_TESTED if seconds is None or pace is None else f"{TIMES}{differences.NO_BREAK}{number(seconds / pace)}"
        rows.append([f"{label} ({kind})" if kind and kind not in label else label, loss, *scores, rate, time])
    header = ["technique", "train loss", "test accuracy", "calibration error", "largest stable rate", "time per step"]
    note = (
        f"n = {counted_range(counts, 'replica')}; the first row has medians, the others medians of what differs from the baseline's "
        "replica with the same seeds: ratios (×) or differences (with a sign); in brackets 95 % bootstrap intervals. A learning rate is "
        f"stable where with it the train loss ends below {number(limit)}. An ensemble's time is "
        "that of all its members, and its learning rate theirs."
    )
    return Grid(header, rows, "lrrrrr", note)


def _end(runs: Runs, variant: str, quantity: str) -> Floats:
    """Return a quantity after training, (R,), whether it is measured along training or at its end alone."""
    rows = runs.table[(runs.table["variant"] == variant) & (runs.table["quantity"] == quantity)]
    return runs.values(variant, quantity, step="last" if rows["step"].notna().any() else None)


def _pace(runs: Runs, variant: str) -> float | None:
    """Return the seconds of a step, None where they were not measured."""
    known = (runs.table["quantity"] == "seconds_per_step").any() and runs.exists(variant, "seconds_per_step")
    return float(np.median(runs.values(variant, "seconds_per_step"))) if known else None


def _stable(runs: Runs, sweep: str, limit: float) -> Floats | None:
    """Return the largest stable learning rate of each replica of a sweep, None where there is no sweep."""
    if not sweep:
        return None
    rows = runs.table[(runs.table["variant"] == sweep) & (runs.table["quantity"] == "train_loss")]
    labels = sorted(rows["index"].unique(), key=float)
    losses = np.stack([runs.values(sweep, "train_loss", index=label) for label in labels], axis=1)
    return largest_stable([float(label) for label in labels], losses, limit=limit)


def _pairs(one: Floats, other: Floats) -> tuple[Floats, Floats]:
    """Return the values of the replicas that both have."""
    shared = min(len(one), len(other))
    return one[:shared], other[:shared]


def _cell(values: Floats, bootstrap: Mapping[str, int]) -> str:
    return differences.plain(median_interval(values, **bootstrap))
