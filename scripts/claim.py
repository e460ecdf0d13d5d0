"""The claims of one study, each decided by the numbers of all its replicas."""

import traceback
from importlib import import_module
from typing import Any

import pandas as pd

from scripts.common import job, numbers
from scripts.common.errors import UserError
from scripts.common.findings import Finding, Runs
from scripts.common.places import PROJECT, claims_path
from scripts.common.syntax import functions


def decide(table: pd.DataFrame, *, study: str, bootstrap: dict[str, int]) -> list[dict[str, Any]]:
    """Return the records of all claims of a study, in the order of its file.

    Args:
        table: the numbers of the study, with the columns of ``numbers.csv``.
        study: name of the study; each public function of ``claims/<study>.py`` is a claim.
        bootstrap: seed and number of resamples.

    Raises:
        UserError: a claim cannot be decided; the message has its place.
    """
    module = import_module(f"scripts.claims.{study}")
    runs = Runs(table, **bootstrap)
    return [_found(getattr(module, name), runs, study).as_record(name, study) for name in functions(PROJECT / claims_path(study))]


def _found(claim: Any, runs: Runs, study: str) -> Finding:
    place = claims_path(study)
    try:
        found = claim(runs)
    except (MemoryError, UserError):
        raise
    except Exception as error:  # whatever a claim does, its author is told where
        frames = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(PROJECT / place)]
        line = frames[-1] if frames else claim.__code__.co_firstlineno
        problem = error.args[0] if isinstance(error, KeyError) and error.args else f"{type(error).__name__}: {error}"
        raise UserError(f"{place}: line {line}: {claim.__name__}: {problem}; correct it there") from error
    if not isinstance(found, Finding):
        raise UserError(f"{place}: {claim.__name__}: wrong value {found!r:.60}; allowed: a finding, as `runs.median` returns one")
    return found


if __name__ == "__main__":
    with job.run(snakemake) as running:
        table = numbers.from_csv(running.load("numbers"))
        running.save_json(snakemake.output[0], {"claims": decide(table, **running.settings)})
