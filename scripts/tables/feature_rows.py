"""The first rows of the principal feature matrix of one network, before and after training, as the source prints them."""

from collections.abc import Sequence

from scripts.common.formatting import Grid, check_replica, divergence, moment, number, seeds_of
from scripts.common.options import Count, Natural
from scripts.common.storage import Arrays
from scripts.common.style import Style


def build(
    spectrum: dict[str, Arrays],
    fate: dict[str, Arrays],
    styles: dict[str, Style],
    *,
    variants: Sequence[str],
    rows: Count = 3,
    features: Count = 4,
    replica: Natural = 0,
) -> Grid:
    """Return the first rows of U Sigma at the first and the last step; the column of variants is left out where there is only one.

    Args:
        spectrum: the measurement by variant: `feature` (S, R, N, F) on `points_x` (N, 1), `available` (S, R).
        fate: the measurement by variant, for the words where there is no spectrum.
        styles: label of each variant.
        variants: the variants, in order.
        rows: how many rows of the matrix.
        features: how many of its columns.
        replica: which replica.

    Raises:
        UserError: there is no such replica.
    """
    body = []
    for variant in variants:
        measured, label = spectrum[variant], styles[variant].label
        check_replica(replica, measured["available"].shape[1])
        for place in (0, -1):
            when = moment(int(measured["step"][place]), int(measured["step"][-1]))
            if measured["available"][place, replica]:
                found = zip(measured["points_x"][:rows, 0], measured["feature"][place, replica, :rows, :features], strict=True)
                body += [[label, when, number(x), *(number(value, 4) for value in row)] for x, row in found]
            else:
                reason = divergence(fate[variant], replica) or "not finite"
                body.append([label, when, f"not available: {reason}", *[""] * features])
    header = ["variant", "when", "x", *(f"feature {k}" for k in range(1, features + 1))]
    first = 0 if len(variants) > 1 else 1
    note = (
        f"Rows of U Σ at the first {rows} points; replica {replica} ({seeds_of(replica)}). "
        "The sign of a feature is a convention: its entry of largest magnitude is positive."
    )
    return Grid(header[first:], [cells[first:] for cells in body], ("ll" + "r" * (features + 1))[first:], note)
