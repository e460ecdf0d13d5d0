import shutil
import subprocess
import sys

import pytest

from scripts import verify
from scripts.common import checkout
from scripts.common.checkout import Overlay
from scripts.common.comparison import Status, worst
from scripts.common.errors import UserError
from tests.builds import git
from tests.compare import made_up
from tests.compare.made_up import PAGE, edit, edit_arrays, edit_json


@pytest.fixture
def built(project, monkeypatch):
    """A project with results, of which a build makes the same."""
    made_up.with_page(made_up.results(project / "results"))
    monkeypatch.setattr(checkout, "build", lambda clone, *_, **__: made_up.with_page(made_up.results(clone / "results", commit="d" * 40)))
    (project / ".gitignore").write_text("results/\n")
    git(project, "add", "--all")
    git(project, "commit", "--quiet", "--message", "ignore")
    return project


def run(project, **options):
    usual = {"results": None, "report": None, "commit": None, "options": Overlay(), "cores": "1", "tolerance": 1e-6}
    return verify.verify(project, **usual | options, say=print)


def test_results_of_the_commit_are_identical_whatever_commit_they_name(built):
    found = run(built)
    assert worst(found.items) is Status.IDENTICAL
    assert dict(found.facts)["Their manifest names"] == f"commit {'c' * 40} (not compared)"
    assert found.page == built / "results/comparison/verify.html"


def test_uncommitted_changes_are_refused_unless_a_commit_is_named(built):
    (built / "Snakefile").write_text("")
    with pytest.raises(UserError, match=r"^not committed: Snakefile\. What is verified is a commit"):
        run(built)
    found = run(built, commit="HEAD")
    assert worst(found.items) is Status.IDENTICAL
    assert found.notes == ["1 files are not as they were committed; these changes are not verified"]


@pytest.mark.parametrize("name", ["results/report/report.html", "results"])
def test_without_a_report_there_is_nothing_to_verify(built, name):
    path = built / name
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    with pytest.raises(UserError, match=r"no report to verify \(.*report\.html is missing\); build the report first"):
        run(built)


def test_a_published_report_has_to_be_one(built, tmp_path):
    with pytest.raises(UserError, match=r"no report to verify; name the report\.html of a build"):
        run(built, report=tmp_path / "none.html")
    (tmp_path / "page.html").write_text("<html></html>")
    with pytest.raises(UserError, match="is not a report of this project"):
        run(built, report=tmp_path / "page.html")


def test_a_published_report_is_verified(built, tmp_path):
    (tmp_path / "page.html").write_text(PAGE.replace("Two <em>", "Both <em>"))
    found = run(built, report=tmp_path / "page.html")
    assert [item.name for item in found.items if item.kind == "page" and item.status] == ["report.html, under 'First'"]


def test_results_that_the_commit_builds_elsewhere_are_refused(built):
    with pytest.raises(UserError, match="is no folder of the project"):
        run(built, options=Overlay((), ("results=/elsewhere",)))


def test_an_unknown_commit_is_refused(built):
    with pytest.raises(UserError, match="no such revision"):
        run(built, commit="nowhere")


def planted(results):
    """Plant one change of each kind that a reader would mind."""

    def weight(arrays):
        arrays["parameters"][1, 0, 3] += 0.01

    edit_arrays(results / "train/mini/narrow.npz", weight)
    text = (results / "report/numbers.csv").read_text()
    line = next(line for line in text.splitlines() if line.startswith("mini,narrow,1,20,test_loss,,0."))
    place = len("mini,narrow,1,20,test_loss,,0.") + 1
    other = "1" if line[place] != "1" else "2"
    edit(results / "report/numbers.csv", line, line[:place] + other + line[place + 1 :])
    edit(results / "figure/mini/curves.svg", "#0072b2", "#cc79a7")
    edit_json(results / "report/claims.json", lambda content: content["claims"][0].update(threshold=0.5, verdict="refuted"))
    edit(results / "report/report.html", "Two networks learn", "Both networks learn")


def command(project, *arguments, code):
    """Run the command in a project; its standard output."""
    done = subprocess.run(
        [sys.executable, "-m", "scripts.verify", "--cores", "2", *arguments], cwd=project, capture_output=True, text=True, check=False
    )
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout


def test_what_is_planted_is_named_by_a_true_verification(mini):
    """The one build from nothing of every test run: all that was not touched is identical, and what was touched is named."""
    planted(mini / "results")
    text = command(mini, code=3)
    lines = [line for line in text.splitlines() if line.startswith(("FLIPPED", "different", "within"))]
    assert lines == [
        "FLIPPED    claim mini.wide_beats_narrow",
        "different  number mini, narrow, test_loss",
        "different  array train/mini/narrow.npz: parameters",
        "different  figure mini/curves",
        "different  page report.html, under '1 A small study'",
    ]
    for words in ("threshold: results 0.5, commit 1", "most at [1, 0, 3]", "results #cc79a7", "results Both networks learn"):
        assert words in text
    page = (mini / "results/comparison/verify.html").read_text()
    assert page.count("<figure>") == 3


@pytest.mark.long
def test_a_fresh_build_and_its_page_are_identical(mini, tmp_path):
    assert "Result: identical: every item is the same" in command(mini, code=0)
    shutil.copyfile(mini / "results/report/report.html", tmp_path / "published.html")
    shutil.rmtree(mini / "results")
    assert "Result: identical: every item is the same" in command(mini, "--report", str(tmp_path / "published.html"), code=0)


@pytest.mark.long
def test_errors_are_told_without_a_traceback(mini):
    command(mini, "--commit", "nowhere", code=2)
    command(mini, "--config", "replicas=5", code=2)
    command(mini, "--cores", "no", code=2)
    command(mini, "--tolerance", "-1", code=2)
    command(mini, "--results", "nowhere", code=2)
    edit(mini / "config/studies/mini.yaml", "steps: 20", "steps: many")
    git(mini, "commit", "--quiet", "--all", "--message", "wrong")
    command(mini, code=2)
