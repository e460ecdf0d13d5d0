"""Jacobian of one replica of a variant at all or some saved steps: trained parameters and points in, d output / d parameter out."""

import time
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from scripts.common import job, linearization, runs, storage
from scripts.common.storage import Arrays


def jacobian(
    train: Arrays,
    points: NDArray[np.float64],
    *,
    network: Mapping[str, Any],
    replica: int,
    dtype: DTypeLike = np.float64,
) -> NDArray[Any]:
    """Return d output_c / d parameter_p of one replica at each saved step and point.

    Args:
        train: arrays of `scripts.common.storage.TRAIN`.
        points: points x, (N, D).
        network: ``kind``, ``hidden`` (widths) and ``activation``.
        replica: which replica.
        dtype: numpy's float32 or float64; the stored parameters are cast to it before anything is computed.

    Returns:
        (S, N, C, P), with the parameters in the order in which they are stored; nan at the steps where a parameter is not finite.
    """
    return np.stack([linearization.jacobian(saved[replica], points, network=network, dtype=dtype) for saved in train["parameters"]])


if __name__ == "__main__":
    with job.run(snakemake) as running:
        started = time.perf_counter()
        train, network = runs.at_moments(running.load("train"), running.settings["moments"]), running.settings["network"]
        places = {"jacobian": "reference_points", "jacobian_own_points": "own_points"}
        arrays = {
            key: jacobian(train, running.load(name)["train_x"], network=network, replica=0)
            for key, name in places.items()
            if name in running.recipe.inputs
        }
        running.save(snakemake.output[0], arrays | {"step": train["step"]}, storage.JACOBIAN)
        running.record_time(time.perf_counter() - started)
