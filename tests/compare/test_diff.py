import shutil
import subprocess
import sys

import pytest

from scripts import diff
from scripts.common import checkout
from scripts.common.checkout import Overlay
from scripts.common.errors import UserError
from tests.builds import git, replace, snakemake
from tests.compare import made_up
from tests.compare.test_verify import planted


@pytest.fixture
def builds(project, monkeypatch):
    """Results of a project, and the clones that were built of it."""
    made_up.with_page(made_up.results(project / "results"))
    found = []

    def build(clone, *_, **__):
        found.append(clone)
        made_up.with_page(made_up.results(clone / "results"))
        (clone / "results/recipe/report").mkdir(parents=True)
        (clone / "results/recipe/report/html.0123.json").write_text("{}")

    monkeypatch.setattr(checkout, "build", build)
    return found


def other(project, against, **options):
    results = project / "results"
    return diff.other_results(project, results, against, options=options.get("options", Overlay()), cores="1", say=print)


def test_a_revision_is_built_once_and_kept(project, builds):
    first, name = other(project, "HEAD")
    assert other(project, "main") == (first, name)
    assert len(builds) == 1
    assert not builds[0].exists()
    assert name.endswith(" (First words)")
    assert first.parent == project / "results/comparison"
    assert {path.relative_to(first).as_posix() for path in first.rglob("*") if path.is_file()} == {
        "recipe/report/html.0123.json",
        "report/claims.json",
        "report/manifest.json",
        "report/numbers.csv",
        "report/report.html",
    }


def test_another_configuration_is_another_build(project, builds):
    one, _ = other(project, "HEAD")
    two, _ = other(project, "HEAD", options=Overlay((), ("replicas=1",)))
    assert one != two
    assert len(builds) == 2


def test_a_folder_is_taken_as_it_is(project, builds):
    assert other(project, str(project / "results")) == (project / "results", str(project / "results"))
    assert builds == []


@pytest.mark.usefixtures("builds")
def test_what_is_neither_a_folder_nor_a_revision_is_an_error(project):
    with pytest.raises(UserError, match=r"^'nowhere' is no folder, and as a revision: 'nowhere': no such revision"):
        other(project, "nowhere")
    with pytest.raises(UserError, match="nothing to compare with"):
        other(project, "")


def command(project, *arguments, code):
    done = subprocess.run([sys.executable, "-m", "scripts.diff", *arguments], cwd=project, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout + done.stderr


def test_what_changed_between_two_folders_is_told(mini):
    shutil.copytree(mini / "results", mini / "former")
    assert "Result: nothing changed" in command(mini, "former", code=0)
    planted(mini / "results")
    text = command(mini, "former", code=1)
    for words in (
        "mini.wide_beats_narrow: supported -> refuted",
        "mini, narrow, test_loss (step 20)",
        "before Two networks learn a function., now Both networks learn a function.",
        "Result: changed: 1 verdict, 1 claim, 1 quantity of runs, 1 paragraph",
    ):
        assert words in text
    assert (mini / "results/comparison/diff.html").is_file()
    (mini / "former/report/report.html").write_text("<html></html>")
    assert "is not a report of this project" in command(mini, "former", code=2)
    assert "has no report" in command(mini, "config", code=2)


@pytest.mark.long
def test_what_a_learning_rate_changed_is_told(mini):
    replace(mini, "config/studies/mini.yaml", "    label: narrow\n", "    label: narrow\n    optimizer: {learning_rate: 0.01}\n")
    git(mini, "commit", "--quiet", "--all", "--message", "slower")
    snakemake(mini)
    before = {path: path.read_bytes() for path in (mini / "results").rglob("*") if path.is_file()}
    text = command(mini, "HEAD~1", code=1)
    assert "studies.mini.variants.narrow.optimizer.learning_rate: 0.1 -> 0.01" in text
    assert "mini, narrow, test_loss" in text
    assert "mini, wide" not in text, "the other network is as it was"
    assert "fit_narrow, curves" in text
    assert {path: path.read_bytes() for path in before} == before, "results are as they were"
    assert "Building" not in command(mini, "HEAD~1", code=1)
