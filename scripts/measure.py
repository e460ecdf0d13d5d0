"""One measurement of one variant: arrays computed from its data, checkpoints, Jacobians and other measurements."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from scripts.common import job, runs
from scripts.common.storage import Arrays, Kind


def measure(inputs: Mapping[str, Arrays], *, kind: str, moments: int | None = None, **settings: Any) -> tuple[Arrays, Kind]:
    """Return the arrays of the measurement `kind` (a module of `measurements`) and what they are.

    Args:
        inputs: the arrays that the measurement reads, by the names of its parameters.
        kind: name of the measurement.
        moments: how many of the saved steps of ``train`` are measured at most; None for all. Jacobians have been thinned as they are.
        **settings: its options, and the names and the network that it asks for.
    """
    module = import_module(f"scripts.measurements.{kind}")
    if "train" in inputs:
        inputs = {**inputs, "train": runs.at_moments(inputs["train"], moments)}
    return module.measure(**inputs, **settings), module.KIND


if __name__ == "__main__":
    with job.run(snakemake) as running:
        inputs = {name: running.load(name) for name in running.recipe.inputs}
        running.save(snakemake.output[0], *measure(inputs, **running.settings))
