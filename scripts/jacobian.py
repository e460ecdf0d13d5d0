"""Linearization of a variant at all or some saved steps: trained parameters and points in, d output / d parameter out.

What is stored is either the Jacobian J of replica 0, or the Gram matrices J J^T of all replicas, which are small where networks are large.
"""

import time
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from scripts.common import gram as grams
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


def gram(train: Arrays, points: NDArray[np.float64], *, network: Mapping[str, Any], memory: float) -> NDArray[np.float64]:
    """Return J J^T of every replica at each saved step, (S, R, Q, Q) with Q = N C; nan where a parameter is not finite.

    Args:
        train: arrays of `scripts.common.storage.TRAIN`.
        points: points x, (N, D).
        network: ``kind`` and the options of the network.
        memory: how many bytes the computation of one matrix may hold.
    """
    return np.stack([[grams.gram(one, points, network=network, memory=memory) for one in saved] for saved in train["parameters"]])


if __name__ == "__main__":
    with job.run(snakemake) as running:
        started = time.perf_counter()
        settings = running.settings
        train, network = runs.at_moments(running.load("train"), settings["moments"]), settings["network"]
        if settings["form"] == "gram":
            points = running.load("reference_points")["train_x"]
            arrays = {"gram": gram(train, points, network=network, memory=settings["memory"] * 2**30)}
        else:
            places = {"jacobian": "reference_points", "jacobian_own_points": "own_points"}
            arrays = {
                key: jacobian(train, running.load(name)["train_x"], network=network, replica=0)
                for key, name in places.items()
                if name in running.recipe.inputs
            }
        running.save(snakemake.output[0], arrays | {"step": train["step"]}, storage.JACOBIAN)
        running.record_time(time.perf_counter() - started)
