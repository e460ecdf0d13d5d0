"""A data set: training, test and grid points with their targets, drawn as its generator in `datasets` says."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from scripts.common import job, storage
from scripts.common.errors import UserError
from scripts.common.places import inside
from scripts.common.storage import Arrays


def generate(*, kind: str, **options: Any) -> Arrays:
    """Return the arrays of a data set of `kind` (a module of `datasets`), drawn under its `options`."""
    arrays: Arrays = import_module(f"scripts.datasets.{kind}").generate(**options)
    return arrays


def check_files(files: Mapping[str, str]) -> None:
    """Check that files, with the SHA-256 of each by its path, are as they were when the build was planned.

    Raises:
        UserError: one has changed.
    """
    for path, expected in files.items():
        if storage.file_sha256(inside(path)) != expected:
            raise UserError(f"{path}: changed while the build ran; run the same command again")


if __name__ == "__main__":
    with job.run(snakemake) as running:
        found = generate(**running.settings)
        check_files(running.recipe.files)
        running.save(snakemake.output[0], found, storage.DATA)
