"""What replicas are worth as the members of ensembles: averages, votes and stacking, by the number of members, and how they differ."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scripts.common import ensembles
from scripts.common.calibration import expected_calibration_error, softmax
from scripts.common.forward_pass import predict_all
from scripts.common.levels import level_labels
from scripts.common.options import Count, Positive, Seed
from scripts.common.storage import Array, Arrays, Kind

BY_SIZE = (
    "average_accuracy",
    "average_loss",
    "average_calibration_error",
    "average_train_loss",
    "logits_accuracy",
    "logits_loss",
    "logits_calibration_error",
    "vote_accuracy",
    "vote_calibration_error",
    "tied_votes",
    "member_accuracy",
    "member_loss",
    "member_calibration_error",
    "disagreement",
    "variance_share",
    "prediction_variance",
)
STACKED = ("stacked_accuracy", "stacked_loss", "stacked_calibration_error")

KIND = Kind(
    "ensemble",
    {
        "average_accuracy": Array("R X", "float64", quantity=True),
        "average_loss": Array("R X", "float64", quantity=True),
        "average_calibration_error": Array("R X", "float64", quantity=True),
        "average_train_loss": Array("R X", "float64", quantity=True),
        "logits_accuracy": Array("R X", "float64", quantity=True),
        "logits_loss": Array("R X", "float64", quantity=True),
        "logits_calibration_error": Array("R X", "float64", quantity=True),
        "vote_accuracy": Array("R X", "float64", quantity=True),
        "vote_calibration_error": Array("R X", "float64", quantity=True),
        "tied_votes": Array("R X", "float64", quantity=True),
        "member_accuracy": Array("R X", "float64", quantity=True),
        "member_loss": Array("R X", "float64", quantity=True),
        "member_calibration_error": Array("R X", "float64", quantity=True),
        "disagreement": Array("R X", "float64", quantity=True),
        "variance_share": Array("R X", "float64", quantity=True),
        "prediction_variance": Array("R X", "float64", quantity=True),
        **{f"index_{key}": Array("X", "str") for key in BY_SIZE},
        **{f"exists_{key}": Array("R X", "bool") for key in ("disagreement", "prediction_variance")},
        "stacked_accuracy": Array("R Y", "float64", quantity=True),
        "stacked_loss": Array("R Y", "float64", quantity=True),
        "stacked_calibration_error": Array("R Y", "float64", quantity=True),
        **{f"index_{key}": Array("Y", "str") for key in STACKED},
    },
)


def measure(
    train: Arrays,
    data: Arrays,
    network: Mapping[str, Any],
    *,
    sizes: list[Count],
    stacked_sizes: list[Count],
    strengths: list[Positive],
    folds: Count = 5,
    seed: Seed = 0,
) -> Arrays:
    """Return scores on the test samples of ensembles of networks after training.

    The ensemble number r of size k has the members r, r + 1, ..., r + k - 1, from the first replica on again after the last. Ensembles
    overlap, then, and those of all replicas are one and the same; of fewer replicas than members some count more than once.

    Args:
        train: the training of which the replicas are members.
        data: its data, with validation samples that no member was trained on.
        network: ``kind`` and the options of the network.
        sizes: the numbers of members.
        stacked_sizes: those with which a meta-model is fitted too.
        strengths: the strengths that a meta-model's is chosen from.
        folds: folds of that cross-validation.
        seed: seed of the folds.

    Returns:
        By size (R, X) accuracy, cross-entropy and expected calibration error of the average of probabilities (``average_...``, with its
        train loss), of the average of logits (``logits_...``), of the shares of votes (``vote_...``; no cross-entropy, which is infinite
        where no vote is for the right class), and the mean of those of the members (``member_...``); ``tied_votes``, the share of test
        samples with tied votes; ``disagreement`` of members, from two on; ``variance_share``, by which share of the members' mean squared
        error that of their average is smaller, which is their variance (Krogh and Vedelsby 1995); and ``prediction_variance``, half of
        the mean squared difference between the averages of two ensembles without a common member, summed over classes: it exists
        where there are as many members. By size (R, Y) the scores of stacking.
    """
    count = data["train_y"].shape[1]
    end = np.asarray(train["parameters"][-1], dtype=np.float64)
    logits = {part: _predicted(end, data[f"{part}_x"], network, count) for part in ("train", "validation", "test")}
    probabilities = {part: softmax(one) for part, one in logits.items()}
    labels = {part: np.asarray(data[f"{part}_y"].argmax(axis=1), dtype=np.int64) for part in logits}
    test, right = probabilities["test"], labels["test"]
    replicas = len(test)
    own = {"accuracy": ensembles.accuracy(test, right), "loss": ensembles.cross_entropy(test, right)}
    own["calibration_error"] = expected_calibration_error(test, right)
    squared = ensembles.squared_error(test, right)
    columns: dict[str, list[NDArray[np.float64]]] = {key: [] for key in BY_SIZE}
    for size in sizes:
        sets = _members(replicas, size)  # (R, k)
        average, votes = ensembles.average(test[sets]), ensembles.votes(test[sets])
        together = {"average": average, "logits": ensembles.average_logits(logits["test"][sets]), "vote": votes}
        scored = {f"{name}_{score}": values for name, one in together.items() for score, values in _scores(one, right).items()}
        scored |= {f"member_{score}": values[sets].mean(axis=1) for score, values in own.items()}
        scored["average_train_loss"] = ensembles.cross_entropy(ensembles.average(probabilities["train"][sets]), labels["train"])
        scored["tied_votes"] = ensembles.ties(votes).mean(axis=-1)
        scored["disagreement"] = np.array([ensembles.disagreement(test[chosen]) for chosen in sets])
        with np.errstate(invalid="ignore", divide="ignore"):
            scored["variance_share"] = 1 - ensembles.squared_error(average, right) / squared[sets].mean(axis=1)
        apart = ((average - np.roll(average, -size, axis=0)) ** 2).sum(axis=1).mean(axis=1) / 2
        scored["prediction_variance"] = np.where(2 * size <= replicas, apart, np.nan)
        for key in BY_SIZE:
            columns[key].append(scored[key])
    found = {key: np.stack(column, axis=1) for key, column in columns.items()}
    stacked = _stacked(probabilities, labels, stacked_sizes, strengths=strengths, folds=folds, seed=seed)
    return {
        **found,
        **{f"index_{key}": level_labels(sizes) for key in BY_SIZE},
        **{f"exists_{key}": np.isfinite(found[key]) for key in ("disagreement", "prediction_variance")},
        **stacked,
        **{f"index_{key}": level_labels(stacked_sizes) for key in STACKED},
    }


def _predicted(parameters: NDArray[np.float64], x: NDArray[np.float64], network: Mapping[str, Any], count: int) -> NDArray[np.float64]:
    """Return the logits (R, C, N) at the points x (N, D)."""
    return predict_all(parameters, x, network=network, outputs=count).swapaxes(1, 2)


def _members(replicas: int, size: int) -> NDArray[np.int64]:
    """Return the members of each ensemble, (R, k)."""
    return (np.arange(replicas)[:, None] + np.arange(size)) % replicas


def _scores(probabilities: NDArray[np.float64], labels: NDArray[np.int64]) -> dict[str, NDArray[np.float64]]:
    return {
        "accuracy": ensembles.accuracy(probabilities, labels),
        "loss": ensembles.cross_entropy(probabilities, labels),
        "calibration_error": expected_calibration_error(probabilities, labels),
    }


def _stacked(
    probabilities: Mapping[str, NDArray[np.float64]],
    labels: Mapping[str, NDArray[np.int64]],
    sizes: list[int],
    *,
    strengths: list[float],
    folds: int,
    seed: int,
) -> Arrays:
    """Return the scores (R, Y) of stacking; ensembles with the same members are fitted once."""
    known: dict[tuple[int, ...], dict[str, NDArray[np.float64]]] = {}
    replicas = len(probabilities["test"])
    found = {score: np.full((replicas, len(sizes)), np.nan) for score in ("accuracy", "loss", "calibration_error")}
    for place, size in enumerate(sizes):
        for replica, sets in enumerate(_members(replicas, size)):
            members = tuple(sorted(set(sets.tolist())))
            if members not in known:
                known[members] = _meta_model(probabilities, labels, list(members), strengths=strengths, folds=folds, seed=seed)
            for score, values in known[members].items():
                found[score][replica, place] = values
    return {f"stacked_{score}": values for score, values in found.items()}


def _meta_model(
    probabilities: Mapping[str, NDArray[np.float64]],
    labels: Mapping[str, NDArray[np.int64]],
    members: list[int],
    *,
    strengths: list[float],
    folds: int,
    seed: int,
) -> dict[str, NDArray[np.float64]]:
    """Return the scores of a meta-model that is fitted to the validation samples; of members without numbers those of no prediction."""
    known, new = probabilities["validation"][members], probabilities["test"][members]
    if not (np.isfinite(known).all() and np.isfinite(new).all()):
        return _scores(np.full(new.shape[1:], np.nan), labels["test"])
    found = ensembles.stack(known, labels["validation"], new, strengths=strengths, count=folds, seed=seed)
    return _scores(found.test, labels["test"])
