"""A new study as `make study` writes it: what it is, what it refuses, and that all checks of the project pass."""

import subprocess
import sys

import pytest

from scripts import study
from scripts.common.configuration import load_report
from scripts.common.errors import UserError
from scripts.common.places import PROJECT
from scripts.common.plan import Plan
from scripts.common.settings import NAME
from scripts.common.yaml_file import read_yaml
from tests.copies import forget, mini_copy, working_in

FILES = ["config/studies/{}.yaml", "templates/chapters/{}.md.jinja", "scripts/claims/{}.py"]


@pytest.fixture
def project(tmp_path):
    with working_in(mini_copy(tmp_path)):
        yield tmp_path


def test_a_new_study_is_right_and_has_all_its_jobs(project):
    written = study.write("waves_2")
    assert written == [path.format("waves_2") for path in FILES]
    forget()
    plan = Plan(read_yaml("config/report.yaml") | {"studies": ["waves_2"]})
    assert plan.studies["waves_2"].title == "Waves 2"
    assert {step for step, _ in plan._recipes} >= {"data", "train", "measure", "number", "claim", "figure", "table", "report", "manifest"}
    for path in written:
        text = (project / path).read_text()
        assert study.TEMPLATE not in text
        assert study.TITLE not in text


@pytest.mark.usefixtures("project")
def test_a_new_study_goes_with_the_others_of_a_report():
    for name in ("first", "second"):
        study.write(name)
    forget()
    studies = load_report(read_yaml("config/report.yaml") | {"studies": ["mini", "first", "second"]})[1]
    assert list(studies) == ["mini", "first", "second"]


@pytest.mark.usefixtures("project")
def test_the_longest_name_makes_no_name_too_long():
    name = "a" * study.LONGEST
    study.write(name)
    forget()
    load_report(read_yaml("config/report.yaml") | {"studies": [name]})


def test_what_is_written_begins_as_editors_want_it_and_passes_the_checks(project):
    written = study.write("waves")
    first = (project / written[0]).read_text().splitlines()[0]
    assert first == "# yaml-language-server: $schema=../../workflow/schemas/study.schema.json"
    assert (project / written[0]).parent.joinpath(first.rpartition("=")[2]).resolve() == project / "workflow/schemas/study.schema.json"
    settings = ["--config", str(PROJECT / "pyproject.toml")]
    for check in (["format", "--check", *settings], ["check", *settings]):
        done = subprocess.run([sys.executable, "-m", "ruff", *check, written[2]], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
def test_claims_pass_the_check_of_types(project):
    (path,) = study.write("waves")[2:]
    command = [sys.executable, "-m", "mypy", "--config-file", str(PROJECT / "pyproject.toml"), "--cache-dir", str(project / ".mypy"), path]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", ["", "My", "1st", "_x", "a-b", "a b", "../x", "a/b", "é", "a\n", "a" * 41, "class", "a;b", "$(x)"])
def test_names_that_cannot_be_are_refused(project, name):
    before = sorted(project.rglob("*"))
    with pytest.raises(UserError, match=r"^NAME: (is missing; name the study|wrong value .*make study NAME=my_)"):
        study.write(name)
    assert sorted(project.rglob("*")) == before


def test_allowed_names_are_those_of_the_rules_wildcards():
    assert f'study="{NAME}"' in (PROJECT / "Snakefile").read_text()


@pytest.mark.parametrize("path", FILES)
def test_a_name_that_is_taken_is_refused_and_nothing_overwritten(project, path):
    taken = project / path.format("waves")
    taken.write_text("mine")
    with pytest.raises(UserError, match=rf"^NAME: wrong value 'waves', which is taken: {path.format('waves')}; choose another name"):
        study.write("waves")
    assert taken.read_text() == "mine"
    assert [other for other in FILES if (project / other.format("waves")).exists()] == [path]


def test_a_link_that_leads_nowhere_is_taken_as_well(project):
    (project / FILES[1].format("waves")).symlink_to(project / "none")
    with pytest.raises(UserError, match="which is taken"):
        study.write("waves")


def test_a_study_that_cannot_be_written_leaves_nothing(project, monkeypatch):
    monkeypatch.setattr(study, "problem_of", lambda _: None)
    taken = project / FILES[2].format("waves")
    taken.write_text("mine")
    with pytest.raises(UserError, match=r"cannot be written or read \(File exists\); no file of study 'waves' was left"):
        study.write("waves")
    assert [path for path in FILES if (project / path.format("waves")).exists()] == [FILES[2]]
    assert taken.read_text() == "mine"


def test_the_command(project):
    def run(*arguments):
        return subprocess.run([sys.executable, "-m", "scripts.study", *arguments], cwd=project, capture_output=True, text=True, check=False)

    done = run("waves")
    assert done.returncode == 0
    assert "snakemake --cores 2 --config studies=[waves] results=results/waves" in done.stdout
    assert "add waves to `studies` in config/report.yaml" in done.stdout
    again = run("waves")
    assert (again.returncode, again.stdout) == (1, "")
    assert again.stderr.startswith("NAME: wrong value 'waves', which is taken: config/studies/waves.yaml,")
    assert run().stderr.strip() == "NAME: is missing; name the study: make study NAME=my_study"
