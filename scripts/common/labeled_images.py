"""Images with labels as the arrays of a data set, and stratified choices of them."""

from typing import Any

import numpy as np
from numpy.random import PCG64, Generator
from numpy.typing import NDArray

from scripts.common.errors import UserError
from scripts.common.storage import Arrays


def stratified(labels: NDArray[np.int64], count: int, *, seed: int, word: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the positions of `count` of the `labels` (n,), each label in the share that it has of all, and of those that are left.

    Of each label its share is taken, rounded down, and one more of those whose shares lost most by that; in a tie of the smaller label.
    Both are in random order.

    Args:
        labels: the labels, whole numbers from 0.
        count: how many are chosen.
        seed: seed of the choice.
        word: what a message calls `count`.

    Raises:
        UserError: there are fewer than `count` labels, or `count` is smaller than the number of labels that there are.
    """
    kinds, sizes = np.unique(labels, return_counts=True)
    if not len(kinds) <= count <= len(labels):
        raise UserError(f"{word}: wrong value {count}; allowed: {len(kinds)} to {len(labels)}, as many as there are labels and images")
    exact = sizes * count / len(labels)
    taken = np.floor(exact).astype(np.int64)
    taken[np.argsort(taken - exact, kind="stable")[: count - taken.sum()]] += 1
    generator = Generator(PCG64(seed))
    of_kind = [generator.permutation(np.flatnonzero(labels == kind)) for kind in kinds]
    chosen, left = (
        np.concatenate([places[part] for places, part in zip(of_kind, parts, strict=True)])
        for parts in ([slice(0, size) for size in taken], [slice(size, None) for size in taken])
    )
    return generator.permutation(chosen), generator.permutation(left)


def arrays(
    train_images: NDArray[Any], train_labels: NDArray[np.int64], test_images: NDArray[Any], test_labels: NDArray[np.int64], *, classes: int
) -> Arrays:
    """Return the arrays of `scripts.common.storage.DATA` of images (N, D) with labels (N,) from 0 to `classes` - 1: targets are one-hot."""
    nothing = np.zeros(0, dtype=np.int64)
    parts = {"train": (train_images, train_labels), "test": (test_images, test_labels), "grid": (train_images[:0], nothing)}
    return {key: values for name, given in parts.items() for key, values in part(name, *given, classes=classes).items()}


def part(name: str, images: NDArray[Any], labels: NDArray[np.int64], *, classes: int) -> Arrays:
    """Return one part of a data set, as "validation": images (N, D) and one-hot targets (N, C)."""
    return {f"{name}_x": np.asarray(images, dtype=np.float64), f"{name}_y": np.eye(classes)[labels]}
