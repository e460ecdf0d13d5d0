"""The page for newcomers, done word by word in a copy of the project."""

import csv
import json
import re
import subprocess
import sys

import pytest

from scripts.common.places import PROJECT
from tests.builds import copy_project
from tests.walkthrough import follow, steps, with_environment

pytestmark = pytest.mark.slow
PAGE = "docs/your-own-study.md"
UP_TO_DATE = [("make study", "make --old-file=.venv/installed study")]
"""The copy has the environment of the tests, which is not to be installed anew."""


@pytest.mark.parametrize("every_build", [False, pytest.param(True, marks=pytest.mark.long)], ids=["the last build", "every build"])
def test_the_page_builds_what_it_says(tmp_path, every_build):
    project = with_environment(copy_project(tmp_path))
    text = (PROJECT / PAGE).read_text(encoding="utf-8")
    outputs = follow(project, text, instead=UP_TO_DATE, every_build=every_build)
    if every_build:  # "The other two variants are not trained again"
        builds = [output for output in outputs if re.search(r"^total +\d+$", output, re.MULTILINE)]
        assert re.search(r"^train +1$", builds[-1], re.MULTILINE), builds[-1]
        assert not re.search(r"^data +\d+$", builds[-1], re.MULTILINE), builds[-1]
    results = project / "results/pendulum"
    claims = {claim["id"]: claim for claim in json.loads((results / "claim/pendulum.json").read_text())["claims"]}
    assert set(claims) == {"pendulum_wide_is_better", "pendulum_wide_predicts_well"}
    page = (results / "report/report.html").read_text(encoding="utf-8")
    for words in (
        "inputs length; targets period; a share of 0.25 of the points are test points",
        "Can a network learn how",
        "Predictions at the test",
    ):
        assert words in " ".join(page.split()), words
    with (results / "report/numbers.csv").open() as file:
        rows = list(csv.DictReader(file))
    largest = [float(row["value"]) for row in rows if row["quantity"] == "largest_error"]
    assert len(largest) == 3 * 10
    assert all(value > 0 for value in largest)
    assert "data.points.inputs" in "".join(outputs)
    edited = sorted({step.file for step in steps(text) if step.file.endswith(".py")})
    for check in (["check"], ["format", "--check"]):
        done = subprocess.run([sys.executable, "-m", "ruff", *check, *edited], cwd=project, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def test_every_command_of_the_page_is_one_that_there_is():
    commands = [
        line for step in steps((PROJECT / PAGE).read_text(encoding="utf-8")) if step.what == "run" for line in step.text.splitlines()
    ]
    targets = [line.split(":")[0] for line in (PROJECT / "Makefile").read_text().splitlines() if "##" in line]
    assert {command.split()[1] for command in commands if command.startswith("make ")} <= set(targets)
    assert {command.split()[0] for command in commands} == {"make", "source", "snakemake"}
