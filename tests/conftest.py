import os
import shutil
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before PyTorch is imported: small products on many threads of a busy machine take longer

import pytest
from filelock import FileLock

from tests.builds import copy_project, git, snakemake, with_mini_study


def pytest_addoption(parser):
    parser.addoption("--results", type=Path, help="test the report in this results folder, rather than a quick build made for the tests")


def pytest_collection_modifyitems(items):
    for item in items:
        if {"built_results", "built_report", "mini_build", "mini", "browser"} & set(item.fixturenames):
            item.add_marker(pytest.mark.slow)
        if not any(item.iter_markers("slow")) and not any(item.iter_markers("long")):
            item.add_marker(pytest.mark.fast)


def _once(tmp_path_factory, worker_id, name, make):
    """Return a folder that `make` fills once for all workers of a test run."""
    base = tmp_path_factory.getbasetemp() if worker_id == "master" else tmp_path_factory.getbasetemp().parent
    folder = base / name
    with FileLock(f"{folder}.lock"):
        if not (folder / "made").exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            make(folder)
            (folder / "made").touch()
    return folder


@pytest.fixture(scope="session")
def worker_name(request):
    return getattr(request.config, "workerinput", {}).get("workerid", "master")


@pytest.fixture(scope="session")
def built_results(request, tmp_path_factory, worker_name):
    """The results folder of a whole build: that of `--results`, or a quick build in a copy of the project."""
    given = request.config.getoption("--results")
    if given:
        return given.resolve()

    def build(folder):
        rarely = ("--max-jobs-per-timespan", "1000000/15s")  # looks for jobs less often, which takes less time: see profiles/default
        snakemake(copy_project(folder / "project"), "--configfile", "config/quick.yaml", *rarely)

    return _once(tmp_path_factory, worker_name, "quick", build) / "project/results/quick"


@pytest.fixture(scope="session")
def built_report(built_results):
    """The folder with report.html, report.pdf and what stands beside them."""
    return built_results / "report"


@pytest.fixture(scope="session")
def mini_build(tmp_path_factory, worker_name):
    """A copy of the project with the small study as its only one, committed and built with two cores."""

    def build(folder):
        project = with_mini_study(copy_project(folder / "project"))
        git(project, "add", "--all")
        git(project, "commit", "--quiet", "--message", "mini")
        snakemake(project)

    return _once(tmp_path_factory, worker_name, "mini", build) / "project"


@pytest.fixture
def mini(mini_build, tmp_path):
    """A copy of the built project with the small study, for one test to edit."""
    return Path(shutil.copytree(mini_build, tmp_path / "project"))
