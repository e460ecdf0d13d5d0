"""Ensembles of classifiers: averages, majority votes and stacking of their predictions, and how much the members differ.

Probabilities and logits are (K, C, N): K members, C classes, N samples.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from scripts.common.calibration import softmax

Floats = NDArray[np.float64]
Labels = NDArray[np.int64]
Predict = Callable[[Floats], Floats]
"""A fitted meta-model: takes features (n, F), returns the probabilities of the classes (n, C)."""
Fit = Callable[[Floats, Labels, float], Predict]
"""Fits a meta-model to features (n, F) and classes (n,); the last argument is how little its weights are held down."""


class Stacked(NamedTuple):
    """What stacking comes to.

    Attributes:
        test: the probabilities of new samples, (C, M).
        held_out: of each sample that the meta-model is fitted to the probabilities by a meta-model fitted to the other folds, (C, N).
        strength: the strength that was chosen.
    """

    test: Floats
    held_out: Floats
    strength: float


def average(probabilities: Floats) -> Floats:
    """Return the mean of the members' probabilities (..., K, C, N), (..., C, N)."""
    return np.asarray(probabilities.mean(axis=-3))


def average_logits(logits: Floats) -> Floats:
    """Return the probabilities (..., C, N) that the mean of the members' logits (..., K, C, N) stands for.

    They are the geometric mean of the members' probabilities, divided by its sum over classes.
    """
    return softmax(np.asarray(logits.mean(axis=-3)))


def classes(probabilities: Floats) -> Labels:
    """Return the class with the largest probability or share of votes (..., C, N) of each sample, (..., N); -1 where not all are finite.

    Of several that are equally large it is the one with the smallest number: this is also the rule by which a vote that is tied is
    decided, and that of ``torch.mode``.
    """
    return np.where(np.isfinite(probabilities).all(axis=-2), probabilities.argmax(axis=-2), -1)


def votes(probabilities: Floats) -> Floats:
    """Return the share of the members' votes (..., K, C, N) for each class, (..., C, N); a member votes for its most probable class."""
    count = probabilities.shape[-2]
    chosen = classes(probabilities)  # (..., K, N)
    return np.stack([np.mean(chosen == number, axis=-2) for number in range(count)], axis=-2)


def ties(shares: Floats) -> NDArray[np.bool_]:
    """Return for which samples (..., N) two or more classes share the most votes (..., C, N)."""
    most = shares.max(axis=-2, keepdims=True)
    return np.asarray(np.isclose(shares, most, rtol=0, atol=1e-9).sum(axis=-2) > 1)


def accuracy(probabilities: Floats, labels: Labels) -> Floats:
    """Return the share of the samples whose class is the right one of `labels` (N,), (...,); samples without a class are wrong."""
    return np.asarray((classes(probabilities) == labels).mean(axis=-1))


def cross_entropy(probabilities: Floats, labels: Labels) -> Floats:
    """Return the mean of minus the logarithm of the right class's probability, (...,), infinite where it is 0 or not finite."""
    right = np.take_along_axis(probabilities, labels[(None,) * (probabilities.ndim - 1)], axis=-2)[..., 0, :]
    with np.errstate(divide="ignore"):
        return np.asarray(-np.log(np.where(np.isfinite(right), right, 0.0)).mean(axis=-1))


def squared_error(probabilities: Floats, labels: Labels) -> Floats:
    """Return the mean over samples of the squared distance from the right class, one-hot, (...,) (Brier 1950)."""
    count = probabilities.shape[-2]
    target = np.eye(count)[labels].T
    return np.asarray(((probabilities - target) ** 2).sum(axis=-2).mean(axis=-1))


def disagreement(probabilities: Floats) -> float:
    """Return the share of the samples that two members (K, C, N) give different classes, as a mean over all pairs; nan for one member."""
    chosen = classes(probabilities)
    first, second = np.triu_indices(len(chosen), k=1)
    return float(np.mean(chosen[first] != chosen[second])) if len(first) else float("nan")


def folds(samples: int, count: int, *, seed: int) -> Labels:
    """Return the fold of each of `samples`, (N,), from 0 to count - 1, drawn by a seed, each as large as any other but for one sample.

    Raises:
        ValueError: there are fewer than two folds, or fewer samples than folds.
    """
    if not 2 <= count <= samples:
        raise ValueError(f"{samples} samples cannot be split into {count} folds")
    found = np.empty(samples, dtype=np.int64)
    found[np.random.default_rng(seed).permutation(samples)] = np.arange(samples) % count
    return found


def stack(
    probabilities: Floats, labels: Labels, test: Floats, *, strengths: Sequence[float], count: int, seed: int, fit: Fit | None = None
) -> Stacked:
    """Return what a linear meta-model makes of the members' probabilities (Wolpert 1992, Breiman 1996).

    It is fitted to samples that the members were not trained on. Its strength is chosen by cross-validation, as the one with the smallest
    cross-entropy of what `held_out` is: the samples of a fold are predicted by a meta-model fitted to those of all other folds. With the
    strength chosen it is fitted to all samples, and predicts the test samples.

    Args:
        probabilities: the members' probabilities of the samples that the meta-model is fitted to, (K, C, N).
        labels: the right classes of these samples, (N,).
        test: the members' probabilities of the samples to be predicted, (K, C, M).
        strengths: the strengths to choose from.
        count: number of folds.
        seed: seed of the folds.
        fit: how a meta-model is fitted; by `logistic_regression` if it is not given.
    """
    fitted = fit or logistic_regression(probabilities.shape[1])
    features, fold = _features(probabilities), folds(len(labels), count, seed=seed)
    held_out = {}
    for strength in strengths:
        predicted = np.empty((len(labels), probabilities.shape[1]))
        for number in range(count):
            own = fold == number
            predicted[own] = fitted(features[~own], labels[~own], strength)(features[own])
        held_out[strength] = predicted.T
    chosen = min(strengths, key=lambda strength: float(cross_entropy(held_out[strength], labels)))
    return Stacked(fitted(features, labels, chosen)(_features(test)).T, held_out[chosen], chosen)


def logistic_regression(count: int) -> Fit:
    """Return how multinomial logistic regression on `count` classes is fitted, with the squares of its weights held down.

    The strength is the weight of the cross-entropy, summed over samples, against half the sum of squares of all weights. A class that is
    not among the samples gets the probability 0.
    """
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415 - takes a while to import, and only stacking needs it

    def fit(features: Floats, labels: Labels, strength: float) -> Predict:
        model = LogisticRegression(C=strength, max_iter=1000).fit(features, labels)

        def predict(new: Floats) -> Floats:
            found = np.zeros((len(new), count))
            found[:, model.classes_] = model.predict_proba(new)
            return found

        return predict

    return fit


def _features(probabilities: Floats) -> Floats:
    """Return the probabilities (K, C, N) as the features (N, K C) of a meta-model."""
    return np.ascontiguousarray(probabilities.reshape(-1, probabilities.shape[-1]).T)
