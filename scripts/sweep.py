"""Trains all replicas of a variant at each level of a sweep: data sets in, scores at the end of each training out."""

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from scripts.common import forward_pass, job, storage
from scripts.common.calibration import expected_calibration_error, softmax
from scripts.common.devices import claimed
from scripts.common.resume import Resume, notice
from scripts.common.storage import Arrays
from scripts.common.training import train


def sweep(
    datasets: Mapping[str, Arrays],
    *,
    levels: Mapping[str, Mapping[str, Any]],
    report: Callable[[str], None] | None = None,
    keep: Resume | None = None,
) -> Arrays:
    """Return the scores of each level.

    Args:
        datasets: the data sets that the levels are trained on, by name.
        levels: ``data``, the name of a data set, and the arguments of `scripts.common.training.train`, by what the level is called.
        report: given a line on the progress.
        keep: where the scores of each level are kept once it is trained, and its training every so often until it is, and where a sweep
            goes on from what is there.

    Returns:
        The arrays of `scripts.common.storage.SWEEP`, (R, X) each: losses, and of networks with several outputs accuracies and the
        calibration error on the test samples; a score is nan where a replica's predictions are not finite.

    Raises:
        StoppedError: the sweep was told to stop, by what `keep` knows of; what it has reached is kept.
    """
    found: list[Arrays] = [dict(kept) for _, _, kept in (keep.load() if keep else ())]
    for place, (level, settings) in enumerate(levels.items()):
        if place < len(found):
            continue
        if report:
            report(f"level {level}, {place + 1} of {len(levels)}")
        part = keep.part(place) if keep else None
        training = {key: value for key, value in settings.items() if key != "data"}
        found.append(_scores(datasets[settings["data"]], training, part, report))
        if keep and part:
            keep.save(place, place + 1, found[-1])
            part.remove()
    scores = {key: np.stack([one[key] for one in found], axis=1) for key in found[0]}
    return scores | {f"index_{key}": np.array(list(levels)) for key in scores}


def _scores(data: Arrays, settings: Mapping[str, Any], keep: Resume | None, report: Callable[[str], None] | None) -> Arrays:
    """Return the scores (R,) of one training at its end."""
    trained = train(data, **settings, keep=keep, report=report)
    scores = {key: trained[key][-1] for key in storage.SCORES if key in trained}
    if data["test_y"].shape[1] > 1:
        prediction = forward_pass.predict_all(
            trained["parameters"][-1], data["test_x"], network=settings["network"], outputs=data["test_y"].shape[1]
        )
        scores["calibration_error"] = expected_calibration_error(softmax(prediction.swapaxes(1, 2)), data["test_y"].argmax(axis=1))
    return scores


if __name__ == "__main__":
    with job.run(snakemake) as running, notice() as told:
        started = time.perf_counter()
        keep = Resume(Path(snakemake.output[0]), digest=running.digest, say=running.say, kind=storage.LEVEL, told=told)
        where, kinds = f"{running.recipe.name}: device", {level["device"] for level in running.settings["levels"].values()}
        with claimed(kinds, snakemake.resources.gpu_number, place=where, say=running.say):
            arrays = sweep(running.load_each("data"), report=running.say, keep=keep, **running.settings)
        running.save(snakemake.output[0], arrays, storage.SWEEP)
        keep.remove()
        running.record_time(time.perf_counter() - started)
