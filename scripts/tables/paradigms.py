"""The test loss of each paradigm, from fixed features to learned ones: its median over replicas with its interval, by network."""

from collections.abc import Mapping

import pandas as pd

from scripts.common.findings import Runs
from scripts.common.formatting import Grid, interval, number
from scripts.common.options import VariantName
from scripts.common.paradigms import losses_of_paradigms
from scripts.common.statistics import median_interval
from scripts.common.style import Style


def build(
    numbers: pd.DataFrame,
    styles: dict[str, Style],
    *,
    bootstrap: Mapping[str, int],
    trained: list[VariantName],
    output_layer: list[VariantName],
) -> Grid:
    """Return a row for each network and paradigm.

    Args:
        numbers: the study's numbers, columns as in ``numbers.csv``.
        styles: label of each variant; a network has that of its variant among `trained`.
        bootstrap: seed and number of resamples of the intervals.
        trained: the variant of each network of which all parameters are trained.
        output_layer: in the same order, the variant of which the output layer alone is trained.

    Raises:
        UserError: the lists are not equally long.
    """
    runs = Runs(numbers, **bootstrap)
    losses = losses_of_paradigms(runs, trained=trained, output_layer=output_layer)
    rows = []
    for place, variant in enumerate(trained):
        for paradigm, values in losses.items():
            found = median_interval(values[place], **bootstrap)
            label = styles[variant].label
            rows.append([label, paradigm.label, str(values[place].size), number(found.estimate), interval(found.low, found.high)])
    header = ["network", "features", "n", "test loss", "95 % interval"]
    note = (
        "Median over n replicas with its 95 % bootstrap interval, a loss that is not finite counting as infinite. "
        "Tangent features: the regression of smallest norm on all of them."
    )
    return Grid(header, rows, "llrrr", note)
