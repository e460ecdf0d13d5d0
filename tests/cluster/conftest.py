import shutil
import signal
import tempfile
import threading
from pathlib import Path

import pytest

from tests.builds import copy_project, git, replace, snakemake, with_mini_study
from tests.cluster import slurm
from tests.cluster.drivers import Driver, training_of

TARGET = "results/train/mini/narrow.npz"
STEPS, SAVED = 60_000, 1000
MORE = """
simulations:
  flow:
    kind: gradient_flow
    label: flow
    color: "#009E73"
    seed: 0
    activation: tanh
    scales: [0.1, 0.5]

sweeps:
  rates:
    variant: narrow
    over:
      - name: learning rate
        settings: {optimizer.learning_rate: [0.05, 0.1]}

measurements:"""
"""What the small study has not, and the cluster is to build as well."""


@pytest.fixture(scope="session", autouse=True)
def cluster():
    """A Slurm that runs for as long as there are tests; one that is told to end is to stop it as well."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    folder = Path(tempfile.mkdtemp(prefix="slurm"))
    try:
        with slurm.running(folder):
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def small_report(cluster, tmp_path_factory):  # noqa: ARG001 - Snakemake waits where there is no Slurm
    """A copy of the project with the small study, a sweep and a simulation in it, committed."""
    project = with_mini_study(copy_project(tmp_path_factory.mktemp("report") / "project"))
    replace(project, "config/studies/mini.yaml", "\nmeasurements:", MORE)
    commit(project)
    return project


@pytest.fixture(scope="session")
def prepared(cluster, tmp_path_factory):  # noqa: ARG001 - Snakemake waits where there is no Slurm
    """A copy of the project in which one training of some seconds is all that is to be done, its data being there."""
    project = with_mini_study(copy_project(tmp_path_factory.mktemp("training") / "project"))
    replace(
        project,
        "config/studies/mini.yaml",
        "  steps: 20\n  evaluate_every: 10\n",
        f"  steps: {STEPS}\n  evaluate_every: {SAVED}\n  save_every: {SAVED}\n",
    )
    replace(project, "scripts/common/resume.py", "\nSECONDS = 10.0\n", "\nSECONDS = 0.5\n")  # what is kept is kept soon
    commit(project)
    snakemake(project, "results/data/mini/sines.npz")
    return project


@pytest.fixture(scope="session")
def expected(prepared, tmp_path_factory):
    """The bytes of that training, made without Slurm and without a pause."""
    project = Path(shutil.copytree(prepared, tmp_path_factory.mktemp("local") / "project"))
    snakemake(project, TARGET)
    return (project / TARGET).read_bytes()


@pytest.fixture
def project(prepared, tmp_path):
    """A copy of the prepared project, for one test."""
    return Path(shutil.copytree(prepared, tmp_path / "project"))


@pytest.fixture(scope="session", autouse=True)
def overrun(prepared, tmp_path_factory):
    """A build whose training is held up until its time is over: a minute, during which the other tests run."""
    project = Path(shutil.copytree(prepared, tmp_path_factory.mktemp("overrun") / "project"))

    def hold():
        training_of(project, stop=True)

    with Driver(project, TARGET, "--set-resources", "train:runtime=attempt") as driver:
        holding = threading.Thread(target=hold)
        holding.start()
        yield driver
        holding.join()


def commit(project):
    git(project, "add", "--all")
    git(project, "commit", "--quiet", "--message", "for the tests")
