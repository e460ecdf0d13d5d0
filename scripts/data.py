"""A data set: training, test and grid points with their targets, drawn as its generator in `datasets` says."""

from importlib import import_module
from typing import Any

from scripts.common import job, storage
from scripts.common.storage import Arrays


def generate(*, kind: str, **options: Any) -> Arrays:
    """Return the arrays of a data set of `kind` (a module of `datasets`), drawn under its `options`."""
    arrays: Arrays = import_module(f"scripts.datasets.{kind}").generate(**options)
    return arrays


if __name__ == "__main__":
    with job.run(snakemake) as running:
        running.save(snakemake.output[0], generate(**running.settings), storage.DATA)
