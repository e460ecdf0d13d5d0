"""Handwritten digits of 8 by 8 pixels: the 1,797 images that scikit-learn ships (Alpaydin and Kaynak 1998), split by a seed."""

import numpy as np
from numpy.random import PCG64, Generator, SeedSequence
from numpy.typing import NDArray
from sklearn.datasets import load_digits

from scripts.common import labeled_images
from scripts.common.errors import UserError
from scripts.common.options import Count, Seed, Share
from scripts.common.storage import Arrays

CLASSES = 10
NOISE = 1
"""The spawn key of the generator of wrong labels, beside those of the split with the same seed."""
LARGEST = 16
"""The largest value of a pixel: how many of the 4 by 4 dots that it stands for are inked."""


def generate(
    *, seed: Seed, train_samples: Count, test_samples: Count, validation_samples: Count | None = None, label_noise: Share = 0.0
) -> Arrays:
    """Return training and test images with their digits, each digit in both in the share that it has of all images.

    A split with fewer training samples and the same seed has the same test samples, and some of the same training samples.

    Args:
        seed: seed of the split; the test samples are drawn first, then the training samples, then the validation samples.
        train_samples: number of training images, N.
        test_samples: number of test images, M.
        validation_samples: number of validation images, V; none if not given. All together are 1,797 at most.
        label_noise: share of the training images, rounded to a number of them, whose digit is replaced by one of the nine others.

    Returns:
        The arrays of `scripts.common.storage.DATA`: images (N, 64) with pixels from 0 to 1, row by row, digits one-hot (N, 10), and a grid
        of no points.

    Raises:
        UserError: there are not so many images, or fewer of either than there are digits.
    """
    shipped = load_digits()
    images, labels = np.asarray(shipped.data, dtype=np.float64) / LARGEST, np.asarray(shipped.target, dtype=np.int64)
    asked = train_samples + test_samples + (validation_samples or 0)
    if asked > len(labels):
        also = f", {validation_samples} validation" if validation_samples else ""
        raise UserError(
            f"digits: {train_samples} training{also} and {test_samples} test images are asked for; there are {len(labels)}: ask for fewer"
        )
    test, rest = labeled_images.stratified(labels, test_samples, seed=seed, word="test_samples")
    chosen, left = labeled_images.stratified(labels[rest], train_samples, seed=seed, word="train_samples")
    train = rest[chosen]
    found = labeled_images.arrays(images[train], _noisy(labels[train], label_noise, seed), images[test], labels[test], classes=CLASSES)
    if validation_samples:
        others = rest[left]
        kept, _ = labeled_images.stratified(labels[others], validation_samples, seed=seed, word="validation_samples")
        found |= labeled_images.part("validation", images[others[kept]], labels[others[kept]], classes=CLASSES)
    return found


def _noisy(labels: NDArray[np.int64], share: float, seed: int) -> NDArray[np.int64]:
    """Return labels (N,) of which a share, to a whole number, is replaced by another one, any of the others with the same probability."""
    generator = Generator(PCG64(SeedSequence(seed, spawn_key=(NOISE,))))
    found = labels.copy()
    wrong = generator.choice(len(labels), size=round(share * len(labels)), replace=False)
    found[wrong] = (labels[wrong] + generator.integers(1, CLASSES, size=len(wrong))) % CLASSES
    return found
