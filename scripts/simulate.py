"""One simulation: arrays computed from settings and seeds, and a data set where it reads one, without training a variant."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from scripts.common import job
from scripts.common.seeds import replica_seeds
from scripts.common.storage import Arrays, Kind


def simulate(inputs: Mapping[str, Arrays], *, kind: str, seed: int, replicas: int, **options: Any) -> tuple[Arrays, Kind]:
    """Return the arrays of the simulation `kind` (a module of `simulations`) and what they are.

    Args:
        inputs: the data set that the simulation reads, as ``data``, if any.
        kind: name of the kind of simulation.
        seed: seed of replica 0.
        replicas: number of replicas, R.
        **options: its options.
    """
    module = import_module(f"scripts.simulations.{kind}")
    return module.simulate(**inputs, seeds=replica_seeds(seed, replicas), **options), module.KIND


if __name__ == "__main__":
    with job.run(snakemake) as running:
        inputs = {name: running.load(name) for name in running.recipe.inputs}
        running.save(snakemake.output[0], *simulate(inputs, **running.settings))
