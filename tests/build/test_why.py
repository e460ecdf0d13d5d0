"""Why jobs run: the causes of each edit of the table of reruns are written by hand, and its jobs are those of the table."""

import shutil

import pytest

from scripts import why as command
from scripts.common.errors import UserError
from tests.build import test_reruns as reruns
from tests.builds import jobs_run, replace, snakemake

STUDY = "config/studies/mini.yaml: "
CAUSES = {
    "comment_and_docstring": [],
    "word_in_a_chapter": ["templates/chapters/mini.md.jinja: changed"],
    "color_of_a_figure": [f'{STUDY}variants.wide.color: "#0072B2" -> "#CC79A7"'],
    "learning_rate_of_one_variant": [f"{STUDY}variants.narrow.optimizer.learning_rate: 0.1 -> 0.05"],
    "two_values_swapped": [
        f"{STUDY}variants.wide.optimizer.learning_rate: 0.1 -> 0.2",
        f"{STUDY}variants.wide.optimizer.momentum: 0.2 -> 0.1",
    ],
    "helper_of_the_spectrum": ["scripts/common/decomposition.py: "],
    "an_initialization": ["scripts/common/initializations.py: "],
    "another_option_of_that_initialization": ["scripts/common/initializations.py: "],
    "what_no_job_reaches": [],
    "local_variable_of_a_claim": ["scripts/claims/mini.py: "],
    "number_of_replicas": ["config/report.yaml: replicas: 2 -> 3"],
    "another_variant": [f"{STUDY}variants.other: added"],
    "version_of_a_library": ["library torch: "],
}
"""How the causes of each edit begin."""
ALWAYS = (
    "word_in_a_chapter",
    "an_initialization",
    "local_variable_of_a_claim",
    "number_of_replicas",
    "another_variant",
    "version_of_a_library",
)
"""Edits that every test run tries; the others are like one of these, and a long one tries them."""


def told(project, *, config=()):
    return {command._name(one.job): one for one in command.found(project, config=config)}


def state(project):
    """Return the files of the results and of Snakemake's records, with their times."""
    return {path: path.lstat().st_mtime_ns for name in ("results", ".snakemake") for path in (project / name).rglob("*")}


@pytest.mark.parametrize(
    "edit",
    [edit if edit.__name__ in ALWAYS else pytest.param(edit, marks=pytest.mark.long) for edit in reruns.EXPECTED],
    ids=lambda edit: edit.__name__,
)
def test_every_job_that_runs_again_is_told_with_its_cause(edit, mini, monkeypatch):
    for key, value in (edit(mini) or {}).items():
        monkeypatch.setenv(key, value)
    before = state(mini)
    found = told(mini)
    print(command.table(list(found.values()), 2))
    assert set(found) == reruns.EXPECTED[edit]
    assert state(mini) == before
    causes = {cause for one in found.values() for cause in one.causes}
    expected = CAUSES[edit.__name__] if found else []
    assert {cause for cause in causes if not cause.startswith(tuple(expected))} == set()
    assert [start for start in expected if not any(cause.startswith(start) for cause in causes)] == []
    for one in found.values():
        assert one.causes or one.follows
        assert {command._name(job) for job in one.follows} <= set(found)


def test_it_is_what_snakemake_would_run_and_says_what_is_missing_or_older(mini):
    (mini / "results/figure/mini/target.svg").unlink()
    (mini / "results/table/mini/fates.json").write_text("other content")
    (mini / "results/report/numbers.csv").write_text("other numbers")
    found = told(mini)
    assert (mini / "results/report/numbers.csv").read_text() == "other numbers"
    assert set(found) == jobs_run(snakemake(mini, "--dry-run").stdout)
    assert found["summary"].causes == ("results/report/numbers.csv: altered since it was made",)
    assert found["figure/mini/target"].causes == ("results/figure/mini/target.svg: missing",)
    assert found["manifest"].follows == (("figure", "mini/target"),)
    assert not found["manifest"].causes


def test_links_into_a_cache_are_no_reason_to_run(mini, tmp_path):
    for path in (mini / "results/train/mini").glob("*.npz"):
        path.symlink_to(shutil.move(path, tmp_path / path.name))
    assert told(mini) == {}


def test_the_recipe_of_what_stands_there_is_found_among_others(mini):
    replace(mini, reruns.STUDY, "    label: narrow\n", "    label: narrow\n    optimizer: {learning_rate: 0.05}\n")
    snakemake(mini, "--dry-run")
    replace(mini, reruns.STUDY, "learning_rate: 0.05", "learning_rate: 0.02")
    assert told(mini)["train/mini/narrow"].causes == (f"{STUDY}variants.narrow.optimizer.learning_rate: 0.1 -> 0.02",)
    replace(mini, reruns.STUDY, "    optimizer: {learning_rate: 0.02}\n", "")
    assert told(mini) == {}


def test_a_build_elsewhere_is_new_and_its_time_is_estimated(mini):
    found = told(mini, config=["results=results/quick", "steps=10"])
    assert {one.causes for one in found.values()} == {("not made before",)}
    assert not any(one.measured for one in found.values())
    assert not (mini / "results/quick").exists()


def test_a_setting_of_the_command_line_is_told_as_such_and_its_time_grows_with_it(mini):
    found = told(mini, config=["replicas=1"])
    assert found["train/mini/wide"].causes == ("--config: replicas: 2 -> 1",)
    assert found["train/mini/wide"].measured
    longer = told(mini, config=["replicas=1", "steps=10"])
    assert longer["train/mini/wide"].causes == ("--config: steps: 20 -> 10", "--config: replicas: 2 -> 1")
    assert longer["train/mini/wide"].seconds < found["train/mini/wide"].seconds


def test_what_is_wrong_with_the_configuration_is_told_in_the_words_of_the_build(mini):
    with pytest.raises(UserError) as error:
        command.found(mini, config=["replicas=x"])
    lines = str(error.value).splitlines()
    assert lines[0] == "the configuration has problems:"
    assert lines[1].endswith("replicas: wrong value 'x'; allowed: a whole number")
    assert len(lines) == 2
    with pytest.raises(UserError, match=r"nowhere\.yaml: no such file"):
        command.found(mini, configfiles=["nowhere.yaml"])


assert CAUSES.keys() == {edit.__name__ for edit in reruns.EXPECTED}
