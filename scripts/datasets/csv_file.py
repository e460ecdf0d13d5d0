"""Points from a CSV file of the project: columns of numbers as inputs, others as targets, or one of labels."""

import numpy as np

from scripts.common import csv_table, data_files, points
from scripts.common.errors import UserError
from scripts.common.options import ColumnName, DataFile, Natural, Seed, Share
from scripts.common.points import Points
from scripts.common.storage import Arrays


def generate(
    *,
    file: DataFile,
    inputs: list[ColumnName],
    targets: list[ColumnName] | None = None,
    labels: ColumnName | None = None,
    seed: Seed = 0,
    test_share: Share | None = None,
    test_file: DataFile | None = None,
    validation_share: Share = 0.0,
    standardize: bool = False,
    grid_samples: Natural | None = None,
) -> Arrays:
    """Return the rows of a file as points, divided into training and test points.

    Args:
        file: the file, from the project's root, as data/own.csv: a first line with the names of columns, then rows; commas, semicolons or
            tabs between cells, UTF-8.
        inputs: the columns of the inputs, D of them: numbers.
        targets: the columns of the targets, C of them: numbers. Either they or labels are given.
        labels: the column of the classes: whole numbers or words, one-hot (N, C) in the data set.
        seed: seed of the division.
        test_share: share of the rows that are test points, drawn at random, of each label its share; 0.2 if neither it nor a test file is
            given.
        test_file: a file with the same columns whose rows are the test points.
        validation_share: share of the rows of the first file that are validation points, for early stopping.
        standardize: whether inputs, and targets that are numbers, are shifted and scaled to mean 0 and standard deviation 1 over the
            training points.
        grid_samples: points along each axis of the grid on which predictions are drawn, over the range of the points, with one or two
            inputs; 200 with one input and none with more if not given.

    Returns:
        The arrays of `scripts.common.storage.DATA`, without the values of a true function on the grid.

    Raises:
        UserError: anything is wrong with the file or the options.
    """
    options = {
        "file": file,
        "inputs": inputs,
        "targets": targets,
        "labels": labels,
        "seed": seed,
        "test_share": test_share,
        "test_file": test_file,
        "validation_share": validation_share,
        "standardize": standardize,
        "grid_samples": grid_samples,
    }
    wrong = data_files.problems("csv_file", options, "csv_file")
    if wrong:
        raise UserError("; ".join(wrong))
    columns = csv_table.columns_of(options)
    classes = csv_table.classes(csv_table.read(file, columns).labels)

    def of(path: str) -> Points:
        found = csv_table.read(path, columns)
        numbers = np.array(found.numbers, dtype=np.float64).reshape(len(found.numbers), len(columns.numbers))
        x, y = numbers[:, : len(inputs)], numbers[:, len(inputs) :]
        if labels is None:
            return Points(x, y, None)
        known = {label: place for place, label in enumerate(classes)}
        places = np.array([known[label] for label in found.labels], dtype=np.int64)
        return Points(x, points.one_hot(places, len(classes)), places)

    return points.data_set(options, of(file), None if test_file is None else of(test_file))
