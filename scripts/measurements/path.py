"""The path of training through the space of parameters, and two controls: a random walk with its step lengths, and its steps shuffled."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scripts.common import sampling, trajectory
from scripts.common.options import Seed, Share
from scripts.common.runs import intact
from scripts.common.seeds import replica_seeds
from scripts.common.storage import Array, Arrays, Kind

COMPONENTS = 10
DRAWN = 4
"""Components whose coordinates are stored, and whose changes of sign are counted."""
PATHS = ("path", "walk", "shuffled")

KIND = Kind(
    "path",
    {
        "step": Array("S", "int64"),
        "path_coordinate": Array("S R F", "float64"),
        "walk_coordinate": Array("S R F", "float64"),
        "shuffled_coordinate": Array("S R F", "float64"),
        "path_variance": Array("R X", "float64", quantity=True),
        "exists_path_variance": Array("R X", "bool"),
        "walk_variance": Array("R X", "float64", quantity=True),
        "exists_walk_variance": Array("R X", "bool"),
        "shuffled_variance": Array("R X", "float64", quantity=True),
        "exists_shuffled_variance": Array("R X", "bool"),
        "path_crossings": Array("R F", "float64", quantity=True),
        "exists_path_crossings": Array("R F", "bool"),
        "walk_crossings": Array("R F", "float64", quantity=True),
        "exists_walk_crossings": Array("R F", "bool"),
        "shuffled_crossings": Array("R F", "float64", quantity=True),
        "exists_shuffled_crossings": Array("R F", "bool"),
        "distance_to_end": Array("S R", "float64", quantity=True),
        "exists_distance_to_end": Array("S R", "bool"),
        "walk_distance_to_end": Array("S R", "float64"),
        "shuffled_distance_to_end": Array("S R", "float64"),
        "epoch_path_length": Array("R E", "float64", quantity=True),
        "exists_epoch_path_length": Array("R E", "bool"),
        "epoch_speed": Array("R E", "float64", quantity=True),
        "exists_epoch_speed": Array("R E", "bool"),
        "shuffled_epoch_speed": Array("R E", "float64"),
        "turning_cosine": Array("R E", "float64", quantity=True),
        "exists_turning_cosine": Array("R E", "bool"),
        "epoch_cosine": Array("R E", "float64", quantity=True),
        "exists_epoch_cosine": Array("R E", "bool"),
        "walk_epoch_cosine": Array("R E", "float64"),
        "shuffled_epoch_cosine": Array("R E", "float64"),
        "early_speed": Array("R", "float64", quantity=True),
        "exists_early_speed": Array("R", "bool"),
        "late_speed": Array("R", "float64", quantity=True),
        "exists_late_speed": Array("R", "bool"),
        "speed_ratio": Array("R", "float64", quantity=True),
        "exists_speed_ratio": Array("R", "bool"),
        "shuffled_speed_ratio": Array("R", "float64", quantity=True),
        "exists_shuffled_speed_ratio": Array("R", "bool"),
        "early_length_share": Array("R", "float64", quantity=True),
        "exists_early_length_share": Array("R", "bool"),
        "early_loss_share": Array("R", "float64", quantity=True),
        "exists_early_loss_share": Array("R", "bool"),
        "early_epoch_cosine": Array("R", "float64", quantity=True),
        "exists_early_epoch_cosine": Array("R", "bool"),
        "middle_epoch_cosine": Array("R", "float64", quantity=True),
        "exists_middle_epoch_cosine": Array("R", "bool"),
        "late_epoch_cosine": Array("R", "float64", quantity=True),
        "exists_late_epoch_cosine": Array("R", "bool"),
        "walk_early_epoch_cosine": Array("R", "float64", quantity=True),
        "exists_walk_early_epoch_cosine": Array("R", "bool"),
        "walk_late_epoch_cosine": Array("R", "float64", quantity=True),
        "exists_walk_late_epoch_cosine": Array("R", "bool"),
        "shuffled_early_epoch_cosine": Array("R", "float64", quantity=True),
        "exists_shuffled_early_epoch_cosine": Array("R", "bool"),
        "shuffled_late_epoch_cosine": Array("R", "float64", quantity=True),
        "exists_shuffled_late_epoch_cosine": Array("R", "bool"),
        "directness": Array("R", "float64", quantity=True),
        "exists_directness": Array("R", "bool"),
        "walk_directness": Array("R", "float64", quantity=True),
        "exists_walk_directness": Array("R", "bool"),
        "two_speeds_fit": Array("R", "float64", quantity=True),
        "exists_two_speeds_fit": Array("R", "bool"),
        "power_law_fit": Array("R", "float64", quantity=True),
        "exists_power_law_fit": Array("R", "bool"),
        "exponential_fit": Array("R", "float64", quantity=True),
        "exists_exponential_fit": Array("R", "bool"),
        "change_epoch": Array("R", "float64", quantity=True),
        "exists_change_epoch": Array("R", "bool"),
        "index_epoch_path_length": Array("E", "int64"),
        "index_epoch_speed": Array("E", "int64"),
        "index_turning_cosine": Array("E", "int64"),
        "index_epoch_cosine": Array("E", "int64"),
    },
)


def measure(data: Arrays, train: Arrays, batches: Mapping[str, Any], *, seed: Seed = 0, early: Share = 0.1, late: Share = 0.5) -> Arrays:
    """Return what the paths of all replicas through their saved parameters look like, each beside its two controls.

    The *walk* has steps of the same lengths in the same order, in random directions of as many dimensions; *shuffled* has the same steps in
    random order (Antognini and Sohl-Dickstein 2018). Both go from point to point as the path does, and are measured like it. An epoch is as
    many updates as take as many samples as there are; the speed in it is path length by update. The first one that is not whole counts as
    one. Path lengths are those of the straight lines between saved points.

    Args:
        data: the data set that the networks were trained on.
        train: their parameters and losses.
        batches: ``kind`` and its options.
        seed: seed of the controls of replica 0; those of the others derive from it.
        early: share of the updates that is the early stage, from the first one on.
        late: share of the updates that is the late stage, up to the last one; what lies between them is the middle.

    Returns:
        Coordinates of all points along the first principal components; ``path_variance``, ``walk_variance`` and ``shuffled_variance``, the
        shares of the variance along the first ten; ``..._crossings``, how often the coordinate along each of the first four changes its
        sign. ``distance_to_end``, the distance of each point to the last one. By epoch: ``epoch_path_length``; ``epoch_speed``;
        ``turning_cosine``, the mean cosine between one step and the next; ``epoch_cosine``, the cosine between what the parameters moved
        in the epoch and in the one before, as a whole. By stage: ``early_speed`` and ``late_speed`` with their ratio ``speed_ratio``;
        ``early_length_share`` and ``early_loss_share``, how much of the path and of the fall of the train loss is in the early stage;
        means of ``epoch_cosine`` in the early, middle and late stage; the same of the controls. ``directness``, distance from start to end
        over path length. ``two_speeds_fit``, the share of the variance of the logarithm of speed over the epochs that is explained by two
        constant levels, with the best change between them after ``change_epoch``; ``power_law_fit`` and ``exponential_fit``, the shares
        explained by a straight line in the logarithm of the epoch and in the epoch itself: the first is what two stages would be, the
        others are a speed that falls all along. What does not exist is nan: of a replica that diverged, all.
    """
    step, replicas = train["step"], train["parameters"].shape[1]
    per_epoch = _updates_per_epoch(batches, len(data["train_x"]))
    epoch = np.ceil(step[1:] / per_epoch - 1e-9).astype(np.int64) - 1  # of each step of the path, by where it ends
    lengths = {"S": len(step), "R": replicas, "X": COMPONENTS, "F": DRAWN, "E": int(epoch[-1]) + 1}
    found: Arrays = {
        key: np.full([lengths[axis] for axis in array.axes.split()], np.nan)
        for key, array in KIND.arrays.items()
        if array.dtype == "float64"
    }
    whole = np.asarray(intact(train).all(axis=0))
    for replica, control in enumerate(replica_seeds(seed, replicas)):
        if not whole[replica]:
            continue
        points = train["parameters"][:, replica]
        gram = trajectory.gram_of_steps(points)
        grams = {
            "path": gram,
            "walk": trajectory.gram_of_walk(np.sqrt(gram.diagonal()), dimension=points.shape[1], seed=control),
            "shuffled": trajectory.gram_of_shuffled(gram, seed=control),
        }
        for path, products in grams.items():
            _put(found, replica, f"{path}_", _shape(products))
            _put(found, replica, "" if path == "path" else f"{path}_", _course(products, step, epoch, early=early, late=late))
        _put(found, replica, "", _speeds(found["epoch_speed"][replica]))
        found["early_loss_share"][replica] = _share_of_fall(train["evaluated_step"], train["train_loss"][:, replica], early * step[-1])
    epochs = {f"index_{key}": np.arange(1, lengths["E"] + 1) for key in found if f"index_{key}" in KIND.arrays}
    exists = {f"exists_{key}": np.isfinite(values) for key, values in found.items() if KIND.arrays[key].quantity}
    return {"step": step, **found, **epochs, **exists}


def _put(found: Arrays, replica: int, prefix: str, values: Mapping[str, Any]) -> None:
    """Write the values of one replica into the arrays of all, as far as there are arrays for them."""
    for name, value in values.items():
        key = f"{prefix}{name}"
        if key in found:
            found[key][(slice(None), replica) if KIND.arrays[key].axes.startswith("S") else replica] = value


def _updates_per_epoch(batches: Mapping[str, Any], samples: int) -> float:
    if batches["kind"] == "full":
        return 1.0
    return samples / (sampling.subset_size(samples, batches["share"]) if batches["kind"] == "subsets" else batches["size"])


def _shape(gram: NDArray[np.float64]) -> dict[str, Any]:
    """Return principal components of a path, and how often each changes its sign."""
    found = trajectory.principal(gram, COMPONENTS)
    coordinate = found.coordinate[:, :DRAWN]
    crossings = np.where(np.isnan(coordinate[0]), np.nan, np.sum(coordinate[1:] * coordinate[:-1] < 0, axis=0))
    return {"coordinate": coordinate, "variance": found.share, "crossings": crossings}


def _course(gram: NDArray[np.float64], step: NDArray[np.int64], epoch: NDArray[np.int64], *, early: float, late: float) -> dict[str, Any]:
    """Return the measures of a path along training: by point, by epoch, and by stage."""
    lengths, updates, epochs = np.sqrt(gram.diagonal()), np.diff(step), int(epoch[-1]) + 1
    whole = trajectory.sums_of_steps(gram, epoch, epochs)
    cosine, between = trajectory.cosines(gram), np.concatenate([[np.nan], trajectory.cosines(whole)])
    is_early, is_late = step[1:] <= early * step[-1], step[:-1] >= (1 - late) * step[-1]
    last_step = np.array([step[1:][epoch == place].max(initial=0) for place in range(epochs)])  # of each epoch
    early_epochs = last_step <= early * step[-1]
    late_epochs = np.append(0, last_step[:-1]) >= (1 - late) * step[-1]
    length = np.bincount(epoch, weights=lengths, minlength=epochs)
    spanned = np.bincount(epoch, weights=updates, minlength=epochs)
    distance = trajectory.distances_to_end(gram)
    with np.errstate(invalid="ignore", divide="ignore"):
        speeds = {name: lengths[part].sum() / updates[part].sum() for name, part in (("early", is_early), ("late", is_late))}
        return {
            "distance_to_end": distance,
            "epoch_path_length": np.where(spanned > 0, length, np.nan),
            "epoch_speed": length / spanned,
            "turning_cosine": np.array([_mean(cosine[epoch[1:] == place]) for place in range(epochs)]),
            "epoch_cosine": between,
            "early_speed": speeds["early"],
            "late_speed": speeds["late"],
            "speed_ratio": speeds["early"] / speeds["late"],
            "early_length_share": lengths[is_early].sum() / lengths.sum(),
            "early_epoch_cosine": _mean(between[early_epochs]),
            "middle_epoch_cosine": _mean(between[~early_epochs & ~late_epochs]),
            "late_epoch_cosine": _mean(between[late_epochs]),
            "directness": distance[0] / lengths.sum(),
        }


def _mean(values: NDArray[np.float64]) -> float:
    """Return the mean of the values that exist; nan where there are none."""
    some = values[~np.isnan(values)]
    return float(some.mean()) if some.size else np.nan


def _speeds(speed: NDArray[np.float64]) -> dict[str, float]:
    """Return how well two levels, a power law and an exponential explain the logarithm of speed (E,) by epoch, from the first one on."""
    place = np.flatnonzero(np.isfinite(speed) & (speed > 0))
    logarithm = np.log(speed[place])
    total = float(np.sum((logarithm - logarithm.mean()) ** 2)) if place.size else 0.0
    if place.size < 4 or total == 0.0:
        return {}
    left = [
        float(np.sum((logarithm[:at] - logarithm[:at].mean()) ** 2) + np.sum((logarithm[at:] - logarithm[at:].mean()) ** 2))
        for at in range(1, place.size)
    ]
    best = int(np.argmin(left))
    lines = {"power_law_fit": np.log(place + 1.0), "exponential_fit": place + 1.0}
    return {
        "two_speeds_fit": 1 - left[best] / total,
        "change_epoch": float(place[best] + 1),
        **{name: float(np.corrcoef(along, logarithm)[0, 1] ** 2) for name, along in lines.items()},
    }


def _share_of_fall(step: NDArray[np.int64], loss: NDArray[np.float64], until: float) -> float:
    """Return how much of the fall of a loss, from the first to the last step, there is by the last step that is no later than `until`."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return float((loss[0] - loss[np.flatnonzero(step <= until)[-1]]) / (loss[0] - loss[-1]))
