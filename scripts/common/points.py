"""Points from files made into a data set: divided into training, test and validation points, put into units, with a grid."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.random import PCG64, Generator
from numpy.typing import NDArray

from scripts.common import data_files, labeled_images
from scripts.common.errors import UserError
from scripts.common.storage import Arrays


class Points(NamedTuple):
    """Points of a file.

    Attributes:
        inputs: their inputs, (N, D) float64.
        targets: their targets, (N, C) float64; of classes one-hot.
        labels: the numbers of their classes, (N,), where they are classes.
    """

    inputs: NDArray[np.float64]
    targets: NDArray[np.float64]
    labels: NDArray[np.int64] | None

    def some(self, places: NDArray[np.int64]) -> "Points":
        """Return some of the points, in the order of the file."""
        chosen = np.sort(places)
        return Points(self.inputs[chosen], self.targets[chosen], None if self.labels is None else self.labels[chosen])


def data_set(options: Mapping[str, Any], points: Points, test: Points | None) -> Arrays:
    """Return the arrays of a data set.

    Args:
        options: those of its kind: ``file``, ``inputs``, ``targets``, ``seed``, ``test_share``, ``validation_share``, ``standardize`` and
            ``grid_samples``.
        points: all points of the first file.
        test: the test points, where they are given by themselves.

    Returns:
        The arrays of `scripts.common.storage.DATA`, without ``grid_y``: there is no true function that is known. Standardized inputs, and
        targets but those of classes, have mean 0 and standard deviation 1 over the training points.

    Raises:
        UserError: an input or a target that is to be standardized is the same at all training points.
    """
    found = {"test": test} if test is not None else {}
    counts = dict(zip(("test", "validation"), data_files.parts(len(points.inputs), options), strict=True))
    left = np.arange(len(points.inputs))
    generator = Generator(PCG64(options["seed"]))
    for word, count in counts.items():
        if not count:
            continue
        if points.labels is None:
            drawn = generator.permutation(left)
            chosen, left = drawn[:count], drawn[count:]
        else:
            taken, rest = labeled_images.stratified(points.labels[left], count, seed=options["seed"], word=f"{word}_share")
            chosen, left = left[taken], left[rest]
        found[word] = points.some(chosen)
    found = {"train": points.some(left), **found}
    if options["standardize"]:
        found = _standardized(found, options)
    arrays: Arrays = {}
    for word, part in found.items():
        arrays |= {f"{word}_x": part.inputs, f"{word}_y": part.targets}
    inputs = np.concatenate([part.inputs for part in found.values()])
    return arrays | {"grid_x": _grid(inputs, options.get("grid_samples"))}


def one_hot(labels: NDArray[np.int64], classes: int) -> NDArray[np.float64]:
    """Return the numbers of classes (N,) as targets (N, C)."""
    return np.asarray(np.eye(classes)[labels])


def _standardized(found: Mapping[str, Points], options: Mapping[str, Any]) -> dict[str, Points]:
    train = found["train"]
    scales = {"inputs": _scale(train.inputs, "inputs", options)}
    if train.labels is None:
        scales["targets"] = _scale(train.targets, "targets", options)
    return {
        word: part._replace(**{key: (getattr(part, key) - mean) / deviation for key, (mean, deviation) in scales.items()})
        for word, part in found.items()
    }


def _scale(values: NDArray[np.float64], key: str, options: Mapping[str, Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return mean and standard deviation of each column (N, X), (X,)."""
    with np.errstate(over="ignore", invalid="ignore"):
        mean, deviation = values.mean(axis=0), values.std(axis=0)
    constant = np.flatnonzero(~((np.ptp(values, axis=0) > 0) & (deviation > 0) & np.isfinite(deviation)))
    if len(constant):
        names = options[key]
        name = f"'{names[constant[0]]}'" if isinstance(names, list) else f"{constant[0]} of '{names}'"
        raise UserError(
            f"{options['file']}: column {name} has no standard deviation, as it is the same at all training points or too large; "
            f"take it out of '{key}' or set standardize to false"
        )
    return mean, deviation


def _grid(inputs: NDArray[np.float64], asked: int | None) -> NDArray[np.float64]:
    """Return points of a grid (G, D) over all points: of one input evenly, of two a square, row by row; otherwise none."""
    dimensions = inputs.shape[1]
    along = (data_files.GRID if dimensions == 1 else 0) if asked is None else asked
    if not along:
        return inputs[:0]
    low, high = inputs.min(axis=0), inputs.max(axis=0)
    if dimensions == 1:
        return np.linspace(low, high, along)
    middle, half = (low + high) / 2, float((high - low).max()) / 2
    offsets = np.linspace(-half, half, along)
    return np.asarray(middle + np.stack([np.tile(offsets, along), np.repeat(offsets, along)], axis=1))
