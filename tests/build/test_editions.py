"""An assignment has the questions and nothing of the answers, in the text of both outputs."""

import json
import re
import subprocess

import pytest
import yaml

from scripts.common.places import PROJECT
from tests.builds import copy_project, jobs_run, snakemake, with_mini_study


@pytest.fixture(scope="module")
def assignment(tmp_path_factory):
    project = copy_project(tmp_path_factory.mktemp("assignment"))
    done = snakemake(project, "--config", "edition=assignment", "results=results/assignment")
    return project / "results/assignment", jobs_run(done.stdout)


@pytest.fixture(scope="module")
def texts(assignment):
    folder = assignment[0] / "report"
    page = re.sub(r"<(style|script).*?</\1>", "", (folder / "report.html").read_text(encoding="utf-8"), flags=re.DOTALL)
    pdf = subprocess.run(["pdftotext", "-layout", folder / "report.pdf", "-"], check=True, capture_output=True, text=True).stdout
    return {"html": re.sub(r"<[^>]+>", " ", page), "pdf": pdf}


pytestmark = pytest.mark.slow


def test_nothing_is_trained_for_an_assignment(assignment):
    given = {"init_depth/target", "init_depth/training_data", "linear_features/pieces", "techniques/mixed_digits"}
    studies = {figure.partition("/")[0] for figure in given}
    settings = {study: yaml.safe_load((PROJECT / f"config/studies/{study}.yaml").read_text(encoding="utf-8")) for study in studies}
    assert assignment[1] == {
        *(f"data/{study}/{name}" for study in studies for name in settings[study]["data"]),
        *(f"figure/{name}" for name in given),
        "report/html",
        "report/pdf",
    }


def test_an_assignment_has_no_explorer_and_no_script(assignment):
    page = (assignment[0] / "report/report.html").read_text(encoding="utf-8")
    assert re.findall(r"<script[^>]*>", page) == ['<script type="application/json" id="manifest">']
    assert "script-src" not in page


@pytest.mark.parametrize("kind", ["html", "pdf"])
def test_every_question_is_there(texts, kind):
    chapter = (PROJECT / "templates/chapters/init_depth.md.jinja").read_text(encoding="utf-8")
    titles = re.findall(r'call (?:question|task)\("([^"]+)"', chapter)
    assert len(titles) == 14
    text = re.sub(r"\s+", " ", texts[kind])
    for title in titles:
        assert title in text


@pytest.mark.parametrize("kind", ["html", "pdf"])
def test_no_answer_claim_or_result_is_there(texts, kind, built_report):
    text = re.sub(r"\s+", " ", texts[kind])
    chapter = (PROJECT / "templates/chapters/init_depth.md.jinja").read_text(encoding="utf-8")
    answers = re.findall(r"<% call answer\([^)]*\) %>(.*?)<% endcall %>", chapter, flags=re.DOTALL)
    assert len(answers) == 14
    for answer in answers:
        for sentence in re.split(r"<<.*?>>|(?<=[.:])\s|[\n`$@]", answer, flags=re.DOTALL):
            if len(sentence.split()) >= 5:
                assert " ".join(sentence.split()) not in text, sentence
    for word in ("supported", "refuted", "inconclusive", "95 % interval", "replicas;"):
        assert word not in text
    for claim in json.loads((built_report / "claims.json").read_text(encoding="utf-8"))["claims"]:
        assert claim["statement"] not in text


def test_a_result_outside_of_an_answer_is_an_error(tmp_path):
    project = with_mini_study(copy_project(tmp_path / "project"))
    path = project / "templates/chapters/mini.md.jinja"
    path.write_text(path.read_text(encoding="utf-8") + '\nThe loss is << value("wide", "test_loss") >>.\n', encoding="utf-8")
    done = snakemake(project, "--config", "edition=assignment", check=False)
    assert done.returncode != 0
    assert "an assignment may not show a result" in done.stdout
    assert "Traceback" not in done.stdout
