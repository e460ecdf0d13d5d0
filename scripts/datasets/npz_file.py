"""Points from the arrays of an ``.npz`` file of the project."""

import zipfile
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scripts.common import data_files, npz_arrays, points
from scripts.common.errors import UserError
from scripts.common.options import ArrayName, DataFile, Natural, Seed, Share
from scripts.common.points import Points
from scripts.common.storage import Arrays


def generate(
    *,
    file: DataFile,
    inputs: ArrayName,
    targets: ArrayName | None = None,
    labels: ArrayName | None = None,
    seed: Seed = 0,
    test_share: Share | None = None,
    test_file: DataFile | None = None,
    test_inputs: ArrayName | None = None,
    test_targets: ArrayName | None = None,
    test_labels: ArrayName | None = None,
    validation_share: Share = 0.0,
    standardize: bool = False,
    grid_samples: Natural | None = None,
) -> Arrays:
    """Return the points that arrays hold, divided into training and test points.

    Args:
        file: the file, from the project's root, as data/own.npz, of arrays of numbers, not pickled.
        inputs: the array of the inputs, (N, D) or (N,).
        targets: the array of the targets, (N, C) or (N,): numbers. Either it or labels are given.
        labels: the array of the classes, (N,): whole numbers or words, one-hot (N, C) in the data set.
        seed: seed of the division.
        test_share: share of the points that are test points, drawn at random, of each label its share; 0.2 if it is not given and no test
            points are.
        test_file: a file whose arrays, of the same names if no others are given, are the test points.
        test_inputs: the array of the inputs of the test points, in the test file or, where there is none, in the first one.
        test_targets: the array of their targets.
        test_labels: the array of their classes.
        validation_share: share of the points of the first arrays that are validation points, for early stopping.
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
        "test_inputs": test_inputs,
        "test_targets": test_targets,
        "test_labels": test_labels,
        "validation_share": validation_share,
        "standardize": standardize,
        "grid_samples": grid_samples,
    }
    wrong = data_files.problems("npz_file", options, "npz_file")
    if wrong:
        raise UserError("; ".join(wrong))
    target, test_target = (labels, test_labels) if targets is None else (targets, test_targets)
    arrays = [(file, inputs, str(target))]
    if test_file is not None or test_inputs is not None:
        arrays.append((test_file or file, test_inputs or inputs, str(test_target or target)))
    pairs = [(_inputs(path, x), _read(path, y)) for path, x, y in arrays]
    if labels is None:
        found = [Points(x, _numbers(path, name, y), None) for (path, _, name), (x, y) in zip(arrays, pairs, strict=True)]
    else:
        classes = np.unique(pairs[0][1])
        for (path, _, name), (_, y) in zip(arrays, pairs, strict=True):
            other = np.setdiff1d(y, classes)
            if len(other):
                raise UserError(f"{path}: array '{name}' has the label {other[0]}, which no training point has; add one or leave it out")
        counts = {str(label): int((pairs[0][1] == label).sum()) for label in classes[: data_files.MOST_CLASSES + 1]}
        wrong = data_files.of_sizes(options, len(pairs[0][1]), counts, inputs=pairs[0][0].shape[1])
        if wrong:
            raise UserError("; ".join(wrong))
        places = [np.searchsorted(classes, y).astype(np.int64) for _, y in pairs]
        found = [Points(x, points.one_hot(place, len(classes)), place) for (x, _), place in zip(pairs, places, strict=True)]
    return points.data_set(options, found[0], found[1] if len(found) > 1 else None)


def _inputs(path: str, name: str) -> NDArray[np.float64]:
    return _numbers(path, name, _read(path, name))


def _numbers(path: str, name: str, values: NDArray[Any]) -> NDArray[np.float64]:
    """Return values (N, X) or (N,) as (N, X) float64.

    Raises:
        UserError: one of them is not finite.
    """
    found: NDArray[np.float64] = values.astype(np.float64).reshape(len(values), -1)
    wrong = np.argwhere(~np.isfinite(found))
    if len(wrong):
        point, column = wrong[0]
        raise UserError(
            f"{path}: array '{name}', point {point}, column {column}: wrong value {found[point, column]}; allowed: a finite number "
            f"({len(wrong)} of its numbers are wrong); mend them or leave the points out"
        )
    return found


def _read(path: str, name: str) -> NDArray[Any]:
    """Return an array of a file, whose header has been checked."""
    npz_arrays.header(path, name)
    with npz_arrays.opened(path) as archive, _member(archive, name) as member:
        values: NDArray[Any] = np.lib.format.read_array(member, allow_pickle=False)
    return values


def _member(archive: zipfile.ZipFile, name: str) -> Any:
    return archive.open(f"{name}.npy")
