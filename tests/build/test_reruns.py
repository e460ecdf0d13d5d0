"""What runs again after an edit: each expected set is written by hand."""

import os
import shutil
import subprocess

import pytest

from tests.builds import git, jobs_run, replace, snakemake

REPORT = {"manifest", "report/html", "report/pdf", "crate"}
NUMBERS = {"number/mini", "claim/mini", "summary", "table/mini/fates"}
MEASUREMENTS = ("loss", "prediction", "fate", "spectrum")


def chain(variant):
    measured = {f"measure/mini/{variant}/{name}" for name in MEASUREMENTS}
    return {f"train/mini/{variant}", f"jacobian/mini/{variant}"} | measured


NARROW = chain("narrow") | {"figure/mini/fit_narrow", "figure/mini/curves"} | NUMBERS | REPORT
WIDE = chain("wide") | {"figure/mini/values_wide", "figure/mini/curves"} | NUMBERS | REPORT
ALL_FROM_TRAINING = NARROW | WIDE
STUDY = "config/studies/mini.yaml"


def comment_and_docstring(project):
    replace(project, "scripts/train.py", "import time\n", "# a comment\nimport time\n")
    text = (project / "scripts/train.py").read_text()
    (project / "scripts/train.py").write_text(text.replace('"""Trains', '"""Now trains', 1))


def word_in_a_chapter(project):
    replace(project, "templates/chapters/mini.md.jinja", "Two networks", "Both networks")


def color_of_a_figure(project):
    replace(project, STUDY, "#0072B2", "#CC79A7")


def learning_rate_of_one_variant(project):
    replace(project, STUDY, "    label: narrow\n", "    label: narrow\n    optimizer: {learning_rate: 0.05}\n")


def two_values_swapped(project):
    replace(project, STUDY, "    label: wide\n", "    label: wide\n    optimizer: {learning_rate: 0.2, momentum: 0.1}\n")


def helper_of_the_spectrum(project):
    path = project / "scripts/common/decomposition.py"
    path.write_text(path.read_text() + "\n\nprint(end='')\n")


def an_initialization(project):
    replace(project, "scripts/common/initializations.py", "kaiming_normal_(weight, a=slope", "kaiming_normal_(weight, a=slope + 1.0")


def another_option_of_that_initialization(project):
    replace(project, "scripts/common/initializations.py", "slope: NonNegative = 0.0", "slope: NonNegative = 0.5")


def what_no_job_reaches(project):
    """Edit, in modules that every training imports, an initialization that no variant uses, and add two functions."""
    path = project / "scripts/common/initializations.py"
    replace(project, "scripts/common/initializations.py", 'gain=nn.init.calculate_gain("relu")', 'gain=nn.init.calculate_gain("tanh")')
    path.write_text(path.read_text() + "\n\ndef idle(layers: Layers) -> None:\n    return None\n")
    replace(project, "scripts/common/dropouts.py", "def drop_block", "def idle() -> None:\n    return None\n\n\ndef drop_block")


def local_variable_of_a_claim(project):
    path = project / "scripts/claims/mini.py"
    path.write_text(path.read_text().replace("return runs.ratio(", "found = runs.ratio(") + "    return found\n")


def number_of_replicas(project):
    replace(project, "config/report.yaml", "replicas: 2", "replicas: 3")


def another_variant(project):
    replace(project, STUDY, "\nmeasurements:", '  other:\n    label: other\n    color: "#009E73"\n\nmeasurements:')


def version_of_a_library(project):
    """Install, as far as the metadata go, another version of PyTorch, which training alone imports."""
    folder = project / "other/torch-0.0.1.dist-info"
    folder.mkdir(parents=True)
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: torch\nVersion: 0.0.1\n")
    return {"PYTHONPATH": str(project / "other")}


EXPECTED = {
    comment_and_docstring: set(),
    word_in_a_chapter: {"report/html", "report/pdf", "crate"},
    color_of_a_figure: {"figure/mini/values_wide", "figure/mini/curves"} | REPORT,
    learning_rate_of_one_variant: NARROW,
    two_values_swapped: WIDE,
    helper_of_the_spectrum: {"measure/mini/narrow/spectrum", "measure/mini/wide/spectrum", "figure/mini/values_wide"} | NUMBERS | REPORT,
    an_initialization: WIDE,
    another_option_of_that_initialization: WIDE,
    what_no_job_reaches: set(),
    local_variable_of_a_claim: {"claim/mini", "summary"} | REPORT,
    number_of_replicas: ALL_FROM_TRAINING,
    another_variant: chain("other") | {"figure/mini/curves"} | NUMBERS | REPORT,
    version_of_a_library: ALL_FROM_TRAINING,
}


BUILT = (comment_and_docstring, word_in_a_chapter, learning_rate_of_one_variant, another_variant)
"""Edits after which every test run builds; after the others, which rerun more or are like one of these, only a long one does."""


@pytest.mark.parametrize("edit", [edit for edit in EXPECTED if edit not in BUILT], ids=lambda edit: edit.__name__)
def test_an_edit_would_rerun_exactly_what_depends_on_it(edit, mini):
    environment = edit(mini) or {}
    assert jobs_run(snakemake(mini, "--dry-run", environment=environment).stdout) == EXPECTED[edit]


@pytest.mark.parametrize(
    "edit", [edit if edit in BUILT else pytest.param(edit, marks=pytest.mark.long) for edit in EXPECTED], ids=lambda edit: edit.__name__
)
def test_an_edit_reruns_exactly_what_depends_on_it(edit, mini):
    environment = edit(mini) or {}
    done = snakemake(mini, environment=environment)
    assert jobs_run(done.stdout) == EXPECTED[edit]
    again = snakemake(mini, environment=environment)
    assert jobs_run(again.stdout) == set()
    assert "Nothing to be done" in again.stdout


def test_nothing_runs_after_a_touch_of_every_file(mini):
    for name in git(mini, "ls-files", "-z").split("\0"):
        if name:
            os.utime(mini / name)
    assert jobs_run(snakemake(mini).stdout) == set()


def test_nothing_runs_in_a_fresh_clone_that_takes_over_the_results(mini, tmp_path):
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "--quiet", str(mini), str(clone)], check=True)
    for folder in ("results", ".snakemake"):
        shutil.copytree(mini / folder, clone / folder, copy_function=shutil.copyfile)
    assert jobs_run(snakemake(clone).stdout) == set()


def test_without_the_records_of_snakemake_a_change_is_rebuilt_and_nothing_else(mini):
    shutil.rmtree(mini / ".snakemake")
    assert jobs_run(snakemake(mini).stdout) == set()
    shutil.rmtree(mini / ".snakemake")
    learning_rate_of_one_variant(mini)
    assert jobs_run(snakemake(mini).stdout) == NARROW


def test_going_to_the_quick_build_and_back_reruns_nothing(mini):
    quick = ("--config", "results=results/quick", "steps=10")
    first = snakemake(mini, *quick)
    assert jobs_run(first.stdout) >= ALL_FROM_TRAINING
    assert jobs_run(snakemake(mini).stdout) == set()
    assert jobs_run(snakemake(mini, *quick).stdout) == set()
