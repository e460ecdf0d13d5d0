"""A report built through Slurm is that of a local build, byte for byte."""

import hashlib
import os
import re
import shutil
import time
from pathlib import Path

import pytest

from tests.builds import copy_project, snakemake
from tests.cluster.drivers import LONGEST, Driver

FULL = bool(os.environ.get("FULL"))
"""Whether the whole quick report is built rather than a small one."""
UNLIKE = ("log", "benchmark", "recipe/sources.memory")
"""What tells of a build rather than of the report."""


@pytest.fixture(scope="module")
def to_build(small_report, tmp_path_factory):
    """The project to build, its results folder, and the arguments that say so."""
    if FULL:
        return copy_project(tmp_path_factory.mktemp("whole") / "project"), "results/quick", ("--configfile", "config/quick.yaml")
    return small_report, "results", ()


def outputs(project, results):
    root = project / results
    paths = {path.relative_to(root).as_posix(): path for path in root.rglob("*") if path.is_file()}
    return {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in paths.items() if not name.startswith(UNLIKE)}


def test_every_byte_is_that_of_a_local_build(to_build, tmp_path):
    project, results, arguments = to_build
    local = Path(shutil.copytree(project, tmp_path / "local"))
    begin = time.monotonic()
    snakemake(local, *arguments)
    seconds = {"local": time.monotonic() - begin}
    begin = time.monotonic()
    with Driver(project, *arguments) as driver:
        driver.ends_well(3600 if FULL else LONGEST)
    seconds["slurm"] = time.monotonic() - begin
    assert outputs(project, results) == outputs(local, results)
    assert len(outputs(project, results)) > 20
    submissions = driver.submissions()
    assert {submission.state for submission in submissions} == {"COMPLETED"}
    jobs = int(re.search(r"^total +(\d+)$", driver.output(), re.MULTILINE)[1])
    sent = jobs - driver.output().count("\nlocalrule ")
    busy = sum((submission.ended - submission.started).total_seconds() for submission in submissions)
    print(
        f"\n{jobs} jobs: {seconds['local']:.0f} s on two local cores, {seconds['slurm']:.0f} s through Slurm, "
        f"{sent} jobs in {len(submissions)} submissions, {busy / sent:.1f} s of these a job"
    )
