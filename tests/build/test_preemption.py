"""Builds whose training or sweep is stopped or killed from outside, as a cluster does it."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.builds import copy_project, replace, snakemake, with_mini_study

pytestmark = pytest.mark.slow

STEPS = 20000
TRAIN, SWEEP = "results/train/mini/narrow.npz", "results/sweep/mini/rates.npz"


@pytest.fixture(scope="module")
def projects(tmp_path_factory):
    """Two copies of the project in which training takes seconds and keeps what it has reached several times in each; of one study."""
    found = []
    for name in ("disturbed", "undisturbed"):
        project = with_mini_study(copy_project(tmp_path_factory.mktemp("projects") / name))
        replace(project, "scripts/common/resume.py", "SECONDS = 10.0", "SECONDS = 0.05")
        sweep = "sweeps:\n  rates: {variant: narrow, over: [{name: learning rate, settings: {optimizer.learning_rate: [0.01, 0.1]}}]}\n\n"
        replace(project, "config/studies/mini.yaml", "\nmeasurements:\n", f"\n{sweep}measurements:\n")
        replace(
            project, "config/studies/mini.yaml", "  steps: 20\n  evaluate_every: 10\n", f"  steps: {STEPS}\n  evaluate_every: {STEPS}\n"
        )
        found.append(project)
    return found


def start(project, target):
    """Start Snakemake as the leader of a group of processes, as the job of a cluster is one."""
    command = [sys.executable, "-m", "snakemake", "--cores", "1", "--nocolor", target]
    with (project / "said.txt").open("w") as said:
        return subprocess.Popen(command, cwd=project, stdout=said, stderr=said, start_new_session=True)


def kept(project, target):
    """Return what is kept of a target, by path: in which level, -1 for none, and at which step each file ends."""
    paths = [path for folder in (project / "results/resume/mini").glob(f"{Path(target).stem}.*") for path in folder.rglob("[0-9]*.npz")]
    return {path: (int(path.parent.name) if path.parent.name.isdigit() else -1, int(path.stem.split("-")[1])) for path in paths}


def script_of(process):
    """Return the process that runs the script of a rule under Snakemake."""
    parents = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parents[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            if b"/scripts/" in (folder / "cmdline").read_bytes() and parents[int(folder.name)] == process.pid:
                found = int(folder.name)
        except FileNotFoundError:
            continue
    while found in parents.values():
        found = next(child for child, parent in parents.items() if parent == found)
    return found


def kill_all(process):
    os.killpg(process.pid, signal.SIGKILL)


def terminate_all(process):
    os.killpg(process.pid, signal.SIGTERM)


def terminate_script(process):
    os.kill(script_of(process), signal.SIGTERM)


def wait_for_more(project, target, process):
    """Wait until a job that is running has kept what it has reached twice."""
    before = set(kept(project, target))
    while len(set(kept(project, target)) - before) < 2:
        assert process.poll() is None, (project / "said.txt").read_text()
        time.sleep(0.01)


def disturb(project, target, send):
    """Build, and send a signal as soon as more is kept than before; return what Snakemake and the job's log say."""
    process = start(project, target)
    wait_for_more(project, target, process)
    send(process)
    assert process.wait(timeout=60) != 0
    assert not (project / target).exists()
    return (project / "said.txt").read_text(), (project / target.replace("results/", "results/log/")).with_suffix(".log").read_text()


def test_a_training_ends_with_the_same_bytes_however_it_was_stopped(projects):
    disturbed, undisturbed = projects
    other, reached = start(undisturbed, TRAIN), 0
    for send in (kill_all, terminate_all, terminate_script):
        said, log = disturb(disturbed, TRAIN, send)
        words = f"goes on from step {reached} of {STEPS}, which was reached before\n"
        assert log.startswith(words) == bool(reached)
        reached = max(step for _, step in kept(disturbed, TRAIN).values())
        assert reached < STEPS
        told = f"told to stop at step {reached} of {STEPS}, which is kept; run the same command again to go on from there\n"
        assert log.endswith(told) == (send is not kill_all)
        assert (told in said) == (send is not kill_all)
        assert "Traceback" not in said
    process = start(disturbed, TRAIN)
    wait_for_more(disturbed, TRAIN, process)
    process.terminate()
    process.wait(timeout=60)
    log = (disturbed / "results/log/train/mini/narrow.log").read_text()
    assert log.startswith(f"goes on from step {reached} of {STEPS},")
    assert f"step {STEPS} of {STEPS}, 0 s left" in log, "Snakemake alone lets the jobs that run come to their end"
    assert other.wait() == 0
    assert (disturbed / TRAIN).read_bytes() == (undisturbed / TRAIN).read_bytes()
    assert not (disturbed / "results/resume").exists()
    assert "Nothing to be done" in snakemake(disturbed, TRAIN).stdout


def test_a_sweep_goes_on_within_the_level_in_which_it_was_stopped(projects):
    disturbed, undisturbed = projects
    other = start(undisturbed, SWEEP)
    expected = []
    for send in (terminate_all, kill_all):
        _, log = disturb(disturbed, SWEEP, send)
        lines = [line.partition(", ")[2 if line.startswith("level") else 0] for line in log.splitlines()]
        assert lines[: len(expected)] == expected
        done, within = (
            max((step for level, step in kept(disturbed, SWEEP).values() if (level < 0) == whole), default=0) for whole in (True, False)
        )
        expected = [f"{done + 1} of 2"] + ([f"goes on from step {within} of {STEPS}"] if within else [])
    assert done + within > 0
    assert start(disturbed, SWEEP).wait() == 0
    assert other.wait() == 0
    assert (disturbed / SWEEP).read_bytes() == (undisturbed / SWEEP).read_bytes()
    assert not (disturbed / "results/resume").exists()
