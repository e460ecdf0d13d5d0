"""Builds whose surroundings fail: full disks, read-only folders, lost files, clocks that go back, other builds, signals, no memory."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from scripts.common.places import PROJECT
from tests.builds import jobs_run, replace, snakemake
from tests.faults.harness import (
    PRODUCTS_OF_STEPS,
    ask_for_missing_arrays,
    contents,
    drawn,
    ends_well,
    fails_clearly,
    kill,
    products,
    remove_a_product,
    said,
    start,
    wait_for_job,
)

pytestmark = pytest.mark.slow

STUDY = "config/studies/mini.yaml"
FAKETIME = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)
IN_OWN_MOUNTS = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--mount", "--map-root-user"]


def run_in_own_mounts(project, script):
    """Run a Bash script in a namespace of its own, so that what it mounts is nobody else's; `snakemake` in it builds."""
    build = f"snakemake() {{ {sys.executable} -m snakemake --cores 2 --nocolor; }}\n"
    command = [*IN_OWN_MOUNTS, "bash", "-c", f"set -e\n{build}{script}"]
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("PYTEST", "COV", "SNAKEMAKE"))}
    done = subprocess.run(command, cwd=project, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, env=clean)
    assert done.returncode == 0, done.stdout[-4000:]
    return done.stdout


FULL = """
mv results kept
mkdir results
mount -t tmpfs -o size=64m tmpfs results
cp -a kept/. results
fallocate -l $(( $(stat -f -c '%a * %S' results) - {free} )) results/filler
snakemake && {{ echo "the disk was not full"; exit 99; }}
echo END OF THE FIRST BUILD
rm results/filler
snakemake
rm -rf kept
cp -a results kept
umount results
rmdir results
mv kept results
"""


@pytest.mark.parametrize(
    ("step", "times"),
    [
        ("report", 1),
        pytest.param("report", 4, marks=pytest.mark.long),
        pytest.param("train", 4, marks=pytest.mark.long),
        pytest.param("jacobian", 4, marks=pytest.mark.long),
    ],
)
def test_a_full_disk_is_told_and_the_next_build_ends_well(step, times, mini):
    generator, expected = drawn(f"full disk at {step}"), contents(mini)
    for _ in range(times):
        removed = remove_a_product(mini, step, generator)
        free = generator.randrange(0, max(1, len_of(expected, step)), 4096)
        first, _, second = run_in_own_mounts(mini, FULL.format(free=free)).partition("END OF THE FIRST BUILD")
        told = fails_clearly(first, "No space left on device", "free disk space, then run the same command again")
        print(f"{step}, {free} bytes left, without {removed}: {told}")
        assert "Traceback" not in second
        ends_well(mini, expected)


def len_of(_, step):
    """Return how much may be left on the disk at a step, whose output takes more."""
    return {"train": 2048, "jacobian": 8192, "report": 20000}[step]


READ_ONLY = """
mount --bind results/{step} results/{step}
snakemake > said.txt 2>&1 &
until grep -q "rule {step}:" said.txt; do sleep 0.05; done
sleep {wait}
until mount -o remount,bind,ro results/{step} 2> busy.txt; do sleep 0.01; done
wait $! && echo "IT HAD ENDED BEFORE"
cat said.txt
"""


@pytest.mark.long
@pytest.mark.parametrize("step", ["train", "figure", "report"])
def test_results_that_become_read_only_under_a_running_build_are_told(step, mini):
    generator, expected = drawn(f"read-only at {step}"), contents(mini)
    remove_a_product(mini, step, generator)
    output = run_in_own_mounts(mini, READ_ONLY.format(step=step, wait=f"{generator.uniform(0, 0.5):.2f}"))
    if "IT HAD ENDED BEFORE" not in output:
        print(fails_clearly(output, "Read-only file system", "then run the same command again"))
    ends_well(mini, expected)


@pytest.mark.long
@pytest.mark.parametrize("time_after_time", range(12))
def test_a_file_that_is_removed_under_a_running_build_is_missed_or_not_and_never_made_up_for(time_after_time, mini):
    generator, expected = drawn(f"removed file {time_after_time}"), contents(mini)
    step = generator.choice(["train", "measure", "number", "report"])
    remove_a_product(mini, step, generator)
    process = start(mini)
    assert wait_for_job(mini, process, step)
    time.sleep(generator.uniform(0, 4))
    there = [path for name in PRODUCTS_OF_STEPS for path in products(mini, name)] + sorted((mini / "results/recipe").rglob("*.json"))
    gone = generator.choice(there)
    gone.unlink(missing_ok=True)
    process.wait()
    assert "Traceback" not in said(mini), said(mini)
    print(f"{step}: {gone.relative_to(mini)}, {'told' if process.returncode else 'not missed'}")
    ask_for_missing_arrays(mini, expected)
    found, missing = contents(mini), gone.relative_to(mini / "results").as_posix()
    found.setdefault(missing, expected.get(missing))  # what nothing asks for may stay away
    assert {path: found.get(path) for path in [*expected, missing]} == expected | {missing: expected.get(missing)}


def back(days):
    """Return the environment of a build whose clock was set back; files keep their times, and the system's clock is left alone."""
    assert FAKETIME, "these tests need Debian's package faketime"
    return {"LD_PRELOAD": str(FAKETIME), "FAKETIME": f"-{days}d", "NO_FAKE_STAT": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}


@pytest.mark.long
@pytest.mark.parametrize("step", ["train", "measure", "figure"])
def test_a_clock_that_was_set_back_neither_hides_a_change_nor_makes_one(step, mini):
    """All that is built seems to be from the future, some of it made before the clock was set back and some after."""
    generator, expected = drawn(f"clock at {step}"), contents(mini)
    again = snakemake(mini, environment=back(2))
    assert jobs_run(again.stdout) == set()
    remove_a_product(mini, step, generator)
    for path in (mini / "results").rglob("*"):
        os.utime(path, (time.time() + 86400, time.time() + 86400))
    process = start(mini, environment=back(2))
    assert wait_for_job(mini, process, step)
    time.sleep(generator.uniform(0, 3))
    if process.poll() is None:
        kill(process)
    done = snakemake(mini, environment=back(3))
    assert "Traceback" not in done.stdout
    ends_well(mini, expected)
    replace(mini, STUDY, "learning_rate: 0.1", "learning_rate: 0.2")
    changed = snakemake(mini, environment=back(4))
    assert {"train/mini/narrow", "train/mini/wide", "report/html"} <= jobs_run(changed.stdout)
    replace(mini, STUDY, "learning_rate: 0.2", "learning_rate: 0.1")
    snakemake(mini)
    ends_well(mini, expected)


def test_of_two_builds_in_one_folder_the_second_says_who_builds_and_ends(mini):
    generator, expected = drawn("two builds"), contents(mini)
    remove_a_product(mini, "report", generator)
    first = start(mini)
    assert wait_for_job(mini, first, "report")
    os.killpg(first.pid, signal.SIGSTOP)  # so that it is not over before
    second = snakemake(mini, "--forcerun", "table", check=False)
    dry = snakemake(mini, "--dry-run")
    os.killpg(first.pid, signal.SIGCONT)
    assert second.returncode != 0
    told = fails_clearly(second.stdout, f"results: another build is at work there (process {first.pid} on ")
    assert told.endswith("wait until it ends, or end it, or build into another folder (--config results=results/other)")
    assert jobs_run(dry.stdout) <= {"report/html", "report/pdf", "crate"}
    assert first.wait() == 0
    ends_well(mini, expected)


def descendants(process):
    """Return all processes that a process has started, and those that they have."""
    parents = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parents[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
        except (FileNotFoundError, ProcessLookupError):
            continue
    found = {process}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return sorted(found - {process})


@pytest.mark.long
@pytest.mark.parametrize("step", ["train", "measure", "report"])
def test_a_build_that_loses_its_main_process_alone_is_waited_for_and_then_gone_on_with(step, mini):
    generator, expected = drawn(f"orphans at {step}"), contents(mini)
    remove_a_product(mini, step, generator)
    process = start(mini)
    assert wait_for_job(mini, process, step)
    time.sleep(generator.uniform(1.5, 2.5))
    jobs = descendants(process.pid)
    process.kill()
    process.wait()
    done = snakemake(mini, check=False)
    if done.returncode != 0:
        print(fails_clearly(done.stdout, f"results: jobs of a build that was killed (process {process.pid} on ", "are still at work there"))
    while any(Path(f"/proc/{job}").exists() for job in jobs):
        time.sleep(0.1)
    ends_well(mini, expected)


@pytest.mark.long
@pytest.mark.parametrize("step", ["train", "measure", "report"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_build_that_is_stopped_for_a_while_and_then_told_to_end_goes_on(number, step, mini):
    generator, expected = drawn(f"signal {number} at {step}"), contents(mini)
    remove_a_product(mini, step, generator)
    process = start(mini)
    assert wait_for_job(mini, process, step)
    time.sleep(generator.uniform(0, 1))
    os.killpg(process.pid, signal.SIGSTOP)
    time.sleep(generator.uniform(0.5, 2))
    os.killpg(process.pid, signal.SIGCONT)
    time.sleep(generator.uniform(0, 1))
    if process.poll() is None:
        kill(process, number)
    ends_well(mini, expected)


LIMITED = """
import re, resource, sys
from pathlib import Path
from scripts.common import training
from tests.copies import working_in
from tests.test_glue import job, planned
with working_in(Path.cwd()):
    plan = planned()
    used = int(re.search(r"VmSize:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) * 1024
    resource.setrlimit(resource.RLIMIT_AS, (used + int(float(sys.argv[1]) * 2**20),) * 2)
    job("train", "mini/wide", plan)
"""


@pytest.mark.parametrize("times", [1, pytest.param(10, marks=pytest.mark.long)])
def test_a_job_without_memory_says_so_and_leaves_nothing_half_done(times, mini):
    """Nine million parameters, in two replicas, are some hundred megabytes, of which a job is given a few."""
    generator, expected, path = drawn("memory"), contents(mini), mini / "results/train/mini/wide.npz"
    before, environment = path.read_bytes(), os.environ | {"PYTHONPATH": str(PROJECT)}
    replace(mini, STUDY, "hidden: [6]", "hidden: [3000, 3000]")
    for _ in range(times):
        command = [sys.executable, "-c", LIMITED, f"{generator.uniform(1, 60):.1f}"]
        done = subprocess.run(command, cwd=mini, capture_output=True, text=True, check=False, env=environment)
        told = done.stderr.strip().splitlines()[-1]
        print(told)
        assert done.returncode == 1
        assert told.startswith("train: out of memory (")
        assert path.read_bytes() == before
        assert [left for left in path.parent.iterdir() if left.name.startswith(".")] == []
    replace(mini, STUDY, "hidden: [3000, 3000]", "hidden: [6]")
    ends_well(mini, expected)
