"""The claims of one study, each decided by the numbers of all its replicas."""

from importlib import import_module
from typing import Any

import pandas as pd

from scripts.common import job, numbers
from scripts.common.findings import Runs
from scripts.common.places import PROJECT, claims_path
from scripts.common.syntax import functions


def decide(table: pd.DataFrame, *, study: str, bootstrap: dict[str, int]) -> list[dict[str, Any]]:
    """Return the records of all claims of a study, in the order of its file.

    Args:
        table: the numbers of the study, with the columns of ``numbers.csv``.
        study: name of the study; each public function of ``claims/<study>.py`` is a claim.
        bootstrap: seed and number of resamples.
    """
    module = import_module(f"scripts.claims.{study}")
    runs = Runs(table, **bootstrap)
    return [getattr(module, name)(runs).as_record(name, study) for name in functions(PROJECT / claims_path(study))]


if __name__ == "__main__":
    with job.run(snakemake) as running:
        table = numbers.from_csv(running.load("numbers"))
        running.save_json(snakemake.output[0], {"claims": decide(table, **running.settings)})
