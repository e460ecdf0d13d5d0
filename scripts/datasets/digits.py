"""Handwritten digits of 8 by 8 pixels: the 1,797 images that scikit-learn ships (Alpaydin and Kaynak 1998), split by a seed."""

import numpy as np
from sklearn.datasets import load_digits

from scripts.common import labeled_images
from scripts.common.errors import UserError
from scripts.common.options import Count, Seed
from scripts.common.storage import Arrays

LARGEST = 16
"""The largest value of a pixel: how many of the 4 by 4 dots that it stands for are inked."""


def generate(*, seed: Seed, train_samples: Count, test_samples: Count) -> Arrays:
    """Return training and test images with their digits, each digit in both in the share that it has of all images.

    A split with fewer training samples and the same seed has the same test samples, and some of the same training samples.

    Args:
        seed: seed of the split; the test samples are drawn first, then the training samples.
        train_samples: number of training images, N.
        test_samples: number of test images, M; the two are 1,797 at most.

    Returns:
        The arrays of `scripts.common.storage.DATA`: images (N, 64) with pixels from 0 to 1, row by row, digits one-hot (N, 10), and a grid
        of no points.

    Raises:
        UserError: there are not so many images, or fewer of either than there are digits.
    """
    found = load_digits()
    images, labels = np.asarray(found.data, dtype=np.float64) / LARGEST, np.asarray(found.target, dtype=np.int64)
    if train_samples + test_samples > len(labels):
        raise UserError(
            f"digits: {train_samples} training and {test_samples} test images are asked for; there are {len(labels)}: ask for fewer"
        )
    test, rest = labeled_images.stratified(labels, test_samples, seed=seed, word="test_samples")
    chosen, _ = labeled_images.stratified(labels[rest], train_samples, seed=seed, word="train_samples")
    train = rest[chosen]
    return labeled_images.arrays(images[train], labels[train], images[test], labels[test], classes=10)
