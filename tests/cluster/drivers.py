"""Snakemakes that submit to Slurm, as a user would start them on a login node, and what became of their jobs."""

import os
import re
import signal
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from scripts.common.places import PROJECT
from tests.cluster import slurm

PROFILE = ("--profile", "profiles/slurm", "--slurm-init-seconds-before-status-checks", "1", "--slurm-keep-successful-logs")
LONGEST = 240.0
"""Seconds after which a build is taken to hang."""


class Submission(NamedTuple):
    """What Slurm knows of a job."""

    number: str
    state: str
    memory: str
    started: datetime
    ended: datetime


class Driver:
    """A running Snakemake; killed at the end of its context if it still runs."""

    def __init__(self, project, *arguments, profile=PROFILE):
        self.project = project
        self._log = (project / f"driver{time.monotonic_ns()}.log").open("w+", encoding="utf-8")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "snakemake", "--nocolor", *profile, *arguments],
            cwd=project,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            env=environment(),
        )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
            if self.run():
                subprocess.run(["scancel", "--name", self.run()], check=False)
        self._log.close()

    def output(self):
        """Return what it has said so far."""
        return Path(self._log.name).read_text(encoding="utf-8")

    def run(self):
        """Return the name of its jobs, which it says once it has started, None before."""
        said = re.search(r"^SLURM run ID: (\S+)$", self.output(), re.MULTILINE)
        return said and said[1]

    def kill(self):
        """End it as a crash of its machine would."""
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def ends_well(self, longest=LONGEST):
        """Wait for its end, so many seconds at most, and hold that it ended well."""
        try:
            code = self._process.wait(longest)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"hangs: {self.output()[-4000:]}") from None
        assert code == 0, self.output()[-4000:]

    def submissions(self):
        """Return its jobs in the order in which they were submitted."""
        numbers = slurm.ask("squeue", "--states=all", "--noheader", "--format=%i", "--name", self.run()).split()
        return [submission(number) for number in sorted(numbers, key=int)]


def environment():
    """Return the environment of a build: without what the tests have in theirs, with the stand-in for the accounting that is not there."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("PYTEST", "COV", "SNAKEMAKE"))}
    return clean | {"PATH": f"{PROJECT}/profiles/slurm/without_accounting:{os.environ['PATH']}"}


def submission(number):
    """Return what Slurm knows of a job."""
    said = dict(pair.split("=", 1) for pair in slurm.ask("scontrol", "show", "job", number).split() if "=" in pair)
    times = [datetime.fromisoformat(said[key]) for key in ("StartTime", "EndTime")]
    return Submission(number, said["JobState"], said["MinMemoryNode"], *times)


def training_of(project, *, stop=False):
    """Wait until a training in `project` has kept a state that it can go on from; hold it up there if it is to stop."""
    slurm.wait_for(lambda: list((project / "results/resume").glob("*/*/*.npz")), every=0.05)
    if stop:
        for process in processes_in(project, "train.py"):
            os.kill(process, signal.SIGSTOP)


def processes_in(project, script):
    """Return the numbers of the processes that run a script of a workflow in `project`."""
    found = []
    for folder in Path("/proc").iterdir():
        try:
            if folder.name.isdigit() and (folder / "cwd").readlink() == project and script in (folder / "cmdline").read_text():
                found.append(int(folder.name))
        except OSError:
            continue
    return found


def log_of_training(project):
    """Return what the training has written to its log last."""
    return (project / "results/log/train/mini/narrow.log").read_text(encoding="utf-8")
