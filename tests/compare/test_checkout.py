import os
import signal
import time
from pathlib import Path

import pytest

from scripts.common import checkout, command
from scripts.common.checkout import Overlay
from scripts.common.errors import UserError
from tests.builds import git


def test_a_revision_is_found_by_any_of_its_names(project):
    sha = git(project, "rev-parse", "HEAD").strip()
    assert {checkout.revision(project, name) for name in ("HEAD", "main", sha, sha[:8])} == {sha}
    assert checkout.described(project, sha) == f"{sha[:7]} (First words)"


@pytest.mark.parametrize("name", ["nowhere", "--help", "HEAD~5", ""])
def test_an_unknown_revision_is_an_error_that_tells_the_latest(project, name):
    with pytest.raises(UserError, match=rf"^'{name}': no such revision in this repository; the latest are: \w+ First words$"):
        checkout.revision(project, name)


def test_without_a_repository_there_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    with pytest.raises(UserError, match="is not the root of a git repository"):
        checkout.revision(tmp_path, "HEAD")


def test_without_git_there_is_an_error(project, monkeypatch):
    monkeypatch.setenv("PATH", str(project))
    with pytest.raises(UserError, match="git is not installed"):
        checkout.uncommitted(project)


def test_what_is_not_committed_is_told_where_a_build_reads_it(project):
    assert checkout.uncommitted(project) == []
    (project / "README.md").write_text("")
    git(project, "add", "README.md")
    (project / "notes.txt").write_text("mine")
    (project / "config/studies").mkdir()
    (project / "config/studies/new.yaml").write_text("")
    (project / "Snakefile").write_text("")
    assert checkout.uncommitted(project) == ["Snakefile", "config/studies/new.yaml"]


def test_a_clone_is_as_the_commit_was(project, tmp_path):
    first = checkout.revision(project, "HEAD")
    (project / "config/report.yaml").write_text("title: Other\n")
    git(project, "commit", "--quiet", "--all", "--message", "second")
    checkout.clone(project, first, tmp_path / "clone")
    assert (tmp_path / "clone/config/report.yaml").read_text().startswith("title: T\n")


def test_a_configuration_is_merged_as_snakemake_merges_it(project):
    options = Overlay(("config/quick.yaml",), ("replicas=3", "studies=[a, b]"))
    assert options.merged(project, project) == {"title": "T", "replicas": 3, "results": "results/quick", "studies": ["a", "b"]}
    assert options.options(project, project) == ["--configfile", "config/quick.yaml", "--config", "replicas=3", "studies=[a, b]"]
    assert str(options) == "--configfile config/quick.yaml --config replicas=3 --config studies=[a, b]"


def test_a_file_that_is_not_in_the_commit_is_taken_from_here(project, tmp_path):
    (project / "config/own.yaml").write_text("replicas: 9\n")
    checkout.clone(project, checkout.revision(project, "HEAD"), tmp_path / "clone")
    options = Overlay(("config/own.yaml",))
    assert options.merged(project, tmp_path / "clone")["replicas"] == 9
    assert options.options(project, tmp_path / "clone") == ["--configfile", str(project / "config/own.yaml")]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (Overlay(("config/none.yaml",)), "no such file, neither in the commit nor here"),
        (Overlay((), ("edition",)), "'edition' is no assignment"),
        (Overlay((), ("=x",)), "'=x' is no assignment"),
        (Overlay((), ("a=[",)), "is no YAML"),
    ],
)
def test_options_that_mean_nothing_are_errors(options, words, project):
    with pytest.raises(UserError, match=words):
        options.merged(project, project)


@pytest.mark.parametrize("folder", ["/elsewhere", "../results", "", None, 5])
def test_results_outside_of_a_clone_are_an_error(folder):
    with pytest.raises(UserError, match="is no folder of the project"):
        checkout.own_folder(folder)


def test_another_configuration_is_told_by_its_keys():
    checkout.check_settings({"replicas": 5, "title": "T"}, {"replicas": 5, "strict": False}, place="results", options=Overlay())
    with pytest.raises(UserError, match=r"^results: was built with .* with no options: replicas is 2 there, 5 here\. If it was built with"):
        checkout.check_settings({"replicas": 5}, {"replicas": 2}, place="results", options=Overlay())


@pytest.mark.slow
def test_a_build_that_fails_tells_the_end_of_what_it_said(project):
    (project / "Snakefile").write_text('raise WorkflowError("a wrong key")\n')
    with pytest.raises(UserError, match=r"(?s)the build in a clone failed \(exit code 1\); the end of what it said:.*a wrong key"):
        checkout.build(project, [], cores="1", say=print)


@pytest.mark.slow
def test_a_build_tells_how_far_it_is(project):
    said = []
    checkout.build(project, [], cores="1", say=said.append)
    assert (project / "made").is_file()
    assert said == ["  1 of 1 jobs"]


def test_a_stopped_build_leaves_no_process_behind(project, monkeypatch):
    monkeypatch.setattr(checkout, "PATIENCE", 5)
    seen = []

    def interrupted():
        with checkout._running(["bash", "-c", "sleep 60 & echo $!; wait"], project) as running:
            seen.extend([running, int(running.stdout.readline())])
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    running, child = seen
    assert running.returncode == -signal.SIGTERM
    deadline = time.monotonic() + 10
    while alive(child) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not alive(child)


def alive(process):
    """Whether a process runs; one that has ended may stand in the list until its parent has asked how."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_what_is_taken_over_are_results_and_the_notes_of_snakemake(project, tmp_path):
    for name in (
        "results/train/a.npz",
        "results/recipe/train/a.json",
        "results/log/a.log",
        "results/comparison/x",
        ".snakemake/metadata/a",
    ):
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text(name)
    checkout.clone(project, checkout.revision(project, "HEAD"), tmp_path / "clone")
    checkout.take_over(project, "results", tmp_path / "clone")
    made = {path.relative_to(tmp_path / "clone").as_posix() for path in (tmp_path / "clone").rglob("*") if path.is_file()}
    assert {name for name in made if name.startswith(("results", ".snake"))} == {
        "results/train/a.npz",
        "results/recipe/train/a.json",
        ".snakemake/metadata/a",
    }
    assert os.path.samefile(project / "results/train/a.npz", tmp_path / "clone/results/train/a.npz")  # noqa: PTH121
    assert not os.path.samefile(project / "results/recipe/train/a.json", tmp_path / "clone/results/recipe/train/a.json")  # noqa: PTH121


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (UserError("a: wrong"), 2, "Error: a: wrong"),
        (OSError(28, "No space left on device", "place"), 2, "Error: place: No space left on device"),
        (KeyboardInterrupt(), 130, "Stopped."),
    ],
)
def test_a_command_ends_without_a_traceback(error, code, said, capsys):
    def main():
        raise error

    with pytest.raises(SystemExit) as ended:
        command.run(main)
    assert ended.value.code == code
    assert capsys.readouterr().err.startswith(said)


@pytest.mark.parametrize("text", ["0", "-1", "two", "1.5", "²"])
def test_cores_that_are_no_number_are_an_error(text):
    with pytest.raises(UserError, match="is no number of cores"):
        command.cores(text)
