"""Calibration of classifiers: whether of the samples given a class with confidence p a share p has that class."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

BINS = 15
"""As many as Guo et al. (2017) use."""


class Reliability(NamedTuple):
    """The samples of each bin of confidence.

    Attributes:
        samples: how many there are, (..., bins).
        confidence: the mean of their confidence, (..., bins), nan where there is none.
        accuracy: the share that is classified rightly, (..., bins), nan where there is none.
    """

    samples: NDArray[np.int64]
    confidence: NDArray[np.float64]
    accuracy: NDArray[np.float64]


def softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the probabilities (..., C, N) of C classes that outputs (..., C, N) stand for; nan where these are not finite."""
    with np.errstate(invalid="ignore"):
        powers = np.exp(logits - logits.max(axis=-2, keepdims=True))
        return np.asarray(powers / powers.sum(axis=-2, keepdims=True))


def reliability(probabilities: NDArray[np.float64], labels: NDArray[np.int64], *, bins: int = BINS) -> Reliability:
    """Return what a reliability diagram shows (Guo et al. 2017, section 2).

    The confidence of a sample is its largest probability. Bin m of M, from 1, has the confidences above (m - 1) / M and up to m / M. All
    bins are empty where a probability is not finite.

    Args:
        probabilities: probabilities of the classes, (..., C, N).
        labels: the true classes (N,), from 0.
        bins: number of bins.
    """
    confidence = probabilities.max(axis=-2)
    right = probabilities.argmax(axis=-2) == labels
    finite = np.isfinite(probabilities).all(axis=(-2, -1))
    rows = confidence.reshape(-1, len(labels))[finite.reshape(-1)]
    places = np.clip(np.ceil(rows * bins).astype(np.int64) - 1, 0, bins - 1) + bins * np.arange(len(rows))[:, None]

    def total(weights: NDArray[np.float64]) -> NDArray[np.float64]:
        found = np.zeros((finite.size, bins))
        found[finite.reshape(-1)] = np.bincount(places.ravel(), weights.ravel(), minlength=bins * len(rows)).reshape(-1, bins)
        return found.reshape(*finite.shape, bins)

    count = total(np.ones_like(rows))
    with np.errstate(invalid="ignore"):
        mean = total(rows) / count
        share = total(right.reshape(-1, len(labels))[finite.reshape(-1)].astype(np.float64)) / count
    return Reliability(count.astype(np.int64), mean, share)


def expected_calibration_error(probabilities: NDArray[np.float64], labels: NDArray[np.int64], *, bins: int = BINS) -> NDArray[np.float64]:
    """Return the expected calibration error (...,), the mean of |accuracy - confidence| over samples (Guo et al. 2017, eq. 3).

    Accuracy and confidence are those of a sample's bin. It is nan where a probability is not finite.

    Args:
        probabilities: probabilities of the classes, (..., C, N).
        labels: the true classes (N,), from 0.
        bins: number of bins.
    """
    found = reliability(probabilities, labels, bins=bins)
    gaps = np.where(found.samples > 0, np.abs(found.accuracy - found.confidence), 0.0)
    error = (gaps * found.samples).sum(axis=-1) / len(labels)
    return np.where(found.samples.sum(axis=-1) > 0, error, np.nan)
