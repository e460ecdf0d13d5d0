"""No rerun is missed: whatever definition changes, each job whose output it changes runs again. The table is printed."""

import os
import random
import subprocess
import sys

import pytest

from scripts.common.places import PROJECT

COUNTS = ("--functions", "150", "--run", "2", "--constants", "3", "--fast")
"""Of `make test`; what is run of these are no figures and no reports, which take the most time."""


@pytest.mark.parametrize("counts", [COUNTS, pytest.param(("--run", "100"), marks=pytest.mark.long)], ids=["sample", "all"])
@pytest.mark.slow
def test_no_change_of_a_definition_misses_a_job_that_it_affects(counts):
    seed = random.randrange(2**32)  # noqa: S311 - a sample, printed with the table
    command = [sys.executable, "-m", "tests.mutations", "--seed", str(seed), *counts]
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("PYTEST", "COV"))}
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False, env=clean)
    assert done.returncode == 0, done.stderr[-2000:]
    print(done.stdout)
    finer, modules, script = (numbers(line) for line in done.stdout.splitlines()[1:4])
    assert finer["missed"] == modules["missed"] == 0, done.stdout
    assert script["missed"] > 0, "the truth sees nothing"
    assert finer["needless"] < modules["needless"]


def numbers(line):
    """Return the counts of a line of the table by their words."""
    return {word: int(count) for count, word in (part.split()[:2] for part in line.partition(": ")[2].split(", "))}
