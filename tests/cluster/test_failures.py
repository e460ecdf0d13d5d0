"""What goes wrong on a cluster, and how a build ends all the same: with the bytes of a training that nothing happened to."""

import shutil
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from scripts.common.places import PROJECT
from tests.cluster import slurm
from tests.cluster.conftest import TARGET
from tests.cluster.drivers import Driver, log_of_training, training_of


def states(driver):
    return [submission.state for submission in driver.submissions()]


def a_job_over_its_memory_is_tried_again_with_more(project, expected):
    with Driver(project, TARGET, "--set-resources", "train:mem_mb=400*attempt*attempt*attempt") as driver:
        driver.ends_well()
        first, second = driver.submissions()
    assert first.state in ("OUT_OF_MEMORY", "FAILED", "CANCELLED")
    assert (first.memory, second.memory, second.state) == ("400M", "3200M", "COMPLETED")
    logs = "".join(path.read_text() for path in (project / ".snakemake/slurm_logs").rglob(f"{first.number}.log"))
    assert "exceeded memory limit" in logs or "oom" in logs.lower()
    assert (project / TARGET).read_bytes() == expected


def a_training_that_is_canceled_goes_on_where_it_was(project, expected):
    with Driver(project, TARGET) as driver:
        training_of(project)
        subprocess.run(["scancel", "--name", driver.run()], check=True)
        driver.ends_well()
        assert states(driver) == ["CANCELLED", "COMPLETED"]
    assert "goes on from step" in log_of_training(project)
    assert (project / TARGET).read_bytes() == expected


def a_training_that_is_preempted_goes_on_where_it_was(project, expected):
    """Slurm queues the job again by itself, as it does where a job is preempted; it takes it for the same."""
    with Driver(project, TARGET, "--slurm-requeue") as driver:
        training_of(project)
        (running,) = driver.submissions()
        subprocess.run(["scontrol", "requeue", running.number], check=True)
        driver.ends_well()
        (ended,) = driver.submissions()
    assert (ended.number, ended.state) == (running.number, "COMPLETED")
    assert "goes on from step" in log_of_training(project)
    assert (project / TARGET).read_bytes() == expected


def two_jobs_have_different_gpus_and_a_third_waits(project, _):
    with_gpus(project.parent / "gpus")
    with_gpus(project.parent / "generic", "--set-resources", "ask:gpu=0", "ask:gres='gpu:1'")


def with_gpus(folder, *arguments):
    shutil.copytree(PROJECT / "profiles/slurm", folder / "profiles/slurm")
    shutil.copyfile(PROJECT / "tests/cluster/gpus.smk", folder / "Snakefile")
    plain = ("--executor", "slurm", "--jobs", "3", "--slurm-partition-config", "profiles/slurm/partitions.yaml")
    asking = ("--slurm-init-seconds-before-status-checks", "1", "--slurm-status-command", "sacct", "--latency-wait", "5")
    with Driver(folder, *arguments, profile=(*plain, *asking)) as driver:
        driver.ends_well()
        one, two, three = sorted(driver.submissions(), key=lambda submission: submission.started)
    assert sorted((folder / f"{name}.txt").read_text().strip() for name in ("one", "two", "three"))[::2] == ["0", "1"]
    assert max(one.started, two.started) < min(one.ended, two.ended) <= three.started
    assert "Auto-selected partition 'gpu'" in driver.output()


def after_a_killed_driver_the_documented_commands_end_well(project, expected):
    with Driver(project, TARGET) as killed:
        training_of(project)
        killed.kill()
        (orphan,) = killed.submissions()
        assert orphan.state == "RUNNING"
        subprocess.run(["scancel", "--name", killed.run()], check=True)
        slurm.wait_for(lambda: not slurm.ask("squeue", "--noheader", "--name", killed.run()))
        with Driver(project, TARGET) as driver:
            driver.ends_well()
            (first,), (second,) = killed.submissions(), driver.submissions()
    assert first.ended <= second.started
    assert "goes on from step" in log_of_training(project)
    assert (project / TARGET).read_bytes() == expected


TOGETHER = (
    a_job_over_its_memory_is_tried_again_with_more,
    a_training_that_is_canceled_goes_on_where_it_was,
    a_training_that_is_preempted_goes_on_where_it_was,
    two_jobs_have_different_gpus_and_a_third_waits,
    after_a_killed_driver_the_documented_commands_end_well,
)
"""What mostly waits for the plugin's next question, and so is tried at the same time."""


@pytest.fixture(scope="module")
def tried(prepared, expected, tmp_path_factory):
    """Each of the above, under way in a copy of the project."""
    with ThreadPoolExecutor(len(TOGETHER)) as pool:
        projects = {case: Path(shutil.copytree(prepared, tmp_path_factory.mktemp("case") / "project")) for case in TOGETHER}
        yield {case: pool.submit(case, project, expected) for case, project in projects.items()}


@pytest.mark.parametrize("case", TOGETHER, ids=lambda case: case.__name__)
def test(case, tried):
    tried[case].result()


def test_a_controller_that_is_away_for_half_a_minute_is_waited_for(project, expected, cluster):
    with Driver(project, TARGET) as driver:
        training_of(project)
        slurm.stop(cluster / "slurmctld.pid")
        gone = time.monotonic()
        try:
            slurm.wait_for((project / TARGET).is_file)
            slurm.wait_for(lambda: time.monotonic() > gone + 30)
        finally:
            slurm.start_controller()
        driver.ends_well()
        assert states(driver) == ["COMPLETED"]
    assert (project / TARGET).read_bytes() == expected


def test_a_training_over_its_time_goes_on_where_it_was(overrun, expected):
    overrun.ends_well()
    assert states(overrun) == ["TIMEOUT", "COMPLETED"]
    assert "goes on from step" in log_of_training(overrun.project)
    assert (overrun.project / TARGET).read_bytes() == expected
