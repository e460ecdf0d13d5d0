"""Every step run as Snakemake runs it, on the small study: its main block, its files, and what it says of files that it cannot use."""

import json
import runpy
import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from scripts.common import numbers, storage, typesetting
from scripts.common.plan import Plan
from scripts.common.yaml_file import read_yaml
from tests.copies import forget, mini_copy, working_in

pytestmark = pytest.mark.slow
assert typesetting, "imported before the project moves, as it remembers where its templates stand"

OUTPUTS = {
    "data": {0: "results/data/{name}.npz"},
    "train": {0: "results/train/{name}.npz"},
    "jacobian": {0: "results/jacobian/{name}.npz"},
    "measure": {0: "results/measure/{name}.npz"},
    "number": {0: "results/number/{name}.csv"},
    "claim": {0: "results/claim/{name}.json"},
    "figure": {"svg": "results/figure/{name}.svg", "json": "results/figure/{name}.json", "csv": "results/report/data/{name}.csv"},
    "table": {0: "results/table/{name}.json"},
    "summary": {"numbers": "results/report/numbers.csv", "claims": "results/report/claims.json"},
    "manifest": {0: "results/report/manifest.json"},
    "report": {0: "results/report/report.{name}"},
    "crate": {
        "metadata": "results/report/ro-crate-metadata.json",
        "configuration": "results/report/configuration.json",
        "source": "results/report/source",
    },
}
"""What each rule declares, by name or by place."""


class Files(dict):
    """Files of a rule, as Snakemake gives them: by place, by name, and as attributes."""

    __getattr__ = dict.__getitem__

    def __iter__(self):
        return iter(self.values())


def planned(**changes):
    """Return the plan of what stands in the project now, its recipes written."""
    forget()
    plan = Plan(read_yaml("config/report.yaml") | changes)
    plan.write_recipes()
    return plan


def job(step, name, plan=None):
    """Run the script of a step as its rule does, in this process, and return the files that it has made."""
    plan = plan or planned()
    output = Files({key: path.format(name=name) for key, path in OUTPUTS[step].items()})
    given = SimpleNamespace(
        input=Files(recipe=plan._recipes[step, name].path("results")),
        output=output,
        log=[f"results/log/{step}/{name}.log"],
        resources=SimpleNamespace(gpu_number=-1),
        rule=step,
    )
    runpy.run_path(f"scripts/{step}.py", init_globals={"snakemake": given}, run_name="__main__")
    return list(output.values())


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A copy of the project with every job of the small study run, the files that each left, and the recipes."""
    folder = mini_copy(tmp_path_factory.mktemp("glue"))
    with working_in(folder):
        plan = planned()
        made = {(step, name): job(step, name, plan) for step, name in plan._recipes}
    return folder, made, plan._recipes


@pytest.fixture
def project(built, tmp_path):
    """A copy of what is built, for one test to break."""
    folder = shutil.copytree(built[0], tmp_path / "project")
    with working_in(folder):
        yield folder


def failed(step, name):
    """Return what a job says on the terminal and in its log, both in one line."""
    with pytest.raises(SystemExit) as end:
        job(step, name)
    said, log = str(end.value.code), Path(f"results/log/{step}/{name}.log").read_text()
    assert said == f"{step}: {log.rstrip()}"
    assert "Traceback" not in log
    assert "\n" not in said
    return said.removeprefix(f"{step}: ")


def test_every_job_leaves_its_files_under_its_digest_and_says_when_it_is_done(built):
    folder, made, recipes = built
    assert {step for step, _ in made} == OUTPUTS.keys()
    for (step, name), paths in made.items():
        assert (folder / f"results/log/{step}/{name}.log").read_text().splitlines()[-1].startswith("done in ")
        for path in map(folder.joinpath, paths):
            assert path.stat().st_size > 0, path
            if path.suffix == ".npz":
                assert storage.read_header(path)["digest"] == recipes[step, name].digest
            elif path.suffix == ".json" and step != "summary" and path.name != "ro-crate-metadata.json":
                assert storage.load_json(path)["digest"] == recipes[step, name].digest
            elif step == "number":
                assert storage.load_numbers(path, digest=recipes[step, name].digest)


def test_cached_rules_record_their_time_themselves(built):
    for step in ("train", "jacobian"):
        header, seconds = (built[0] / f"results/benchmark/{step}/mini/wide.tsv").read_text().split()
        assert header == "s"
        assert 0 < float(seconds) < 60


def test_training_tells_its_progress(built):
    assert "step 20 of 20, 0 s left" in (built[0] / "results/log/train/mini/wide.log").read_text()


def test_numbers_claims_and_manifest_stand_beside_the_report(built):
    report = built[0] / "results/report"
    table = numbers.from_csv((report / "numbers.csv").read_text())
    assert set(table["variant"]) == {"narrow", "wide"}
    assert set(table["replica"]) == {0, 1}
    (claim,) = json.loads((report / "claims.json").read_text())["claims"]
    assert (claim["id"], claim["study"], claim["n"]) == ("wide_beats_narrow", "mini", 2)
    manifest = json.loads((report / "manifest.json").read_text())
    figure = manifest["figures"]["mini/curves"]
    assert figure["sha256"] == storage.file_sha256(built[0] / "results/figure/mini/curves.json")
    assert set(figure["seeds"].values()) == {0, 1, 2, 10}
    assert manifest["devices"] == {"train/mini/narrow": "cpu", "train/mini/wide": "cpu"}


def test_the_report_says_what_the_numbers_say(built):
    html = (built[0] / "results/report/report.html").read_text()
    assert "A small study" in html
    assert "Which network learns better?" in html
    assert (built[0] / "results/report/report.pdf").read_bytes().startswith(b"%PDF-")


def flip(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def cut(path):
    path.write_bytes(path.read_bytes()[:-100])


BROKEN = {
    "a flipped bit": (flip, "damaged or not an array file of this project|altered since it was saved"),
    "cut off": (cut, "damaged or not an array file of this project"),
    "empty": (lambda path: path.write_bytes(b""), "damaged or not an array file of this project"),
    "missing": (lambda path: path.unlink(), "missing"),
    "swapped": (lambda path: shutil.copyfile("results/train/mini/narrow.npz", path), "was made under recipe"),
    "of another kind": (lambda path: shutil.copyfile("results/data/mini/sines.npz", path), "is a file of kind 'data', expected 'train'"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_an_array_file_that_cannot_be_used_is_told_in_one_line(project, case):
    damage, expected = BROKEN[case]
    path = project / "results/train/mini/wide.npz"
    damage(path)
    said = failed("measure", "mini/wide/loss")
    assert said.startswith("results/train/mini/wide.npz: ")
    assert any(words in said for words in expected.split("|"))
    removed = not said.startswith("results/train/mini/wide.npz: missing")
    remedy = "it is removed now: run the same command again to have it made anew" if removed else "run the same command again to rebuild it"
    assert said.endswith(f"; {remedy}")
    assert not path.exists()


def test_a_file_made_under_other_settings_is_told_in_one_line(project):
    study = project / "config/studies/mini.yaml"
    study.write_text(study.read_text().replace("learning_rate: 0.1", "learning_rate: 0.2"))
    assert "results/train/mini/wide.npz: was made under recipe " in failed("measure", "mini/wide/loss")


@pytest.mark.parametrize(
    ("path", "damage", "job", "expected"),
    [
        (
            "results/number/mini.csv",
            lambda text: text[:-2] + ("1\n" if text[-2] != "1" else "2\n"),
            ("claim", "mini"),
            "altered since it was saved",
        ),
        ("results/number/mini.csv", lambda text: text[:-20], ("table", "mini/fates"), "altered since it was saved"),
        ("results/claim/mini.json", lambda text: text[:-20], ("summary", "report"), "cannot be read as JSON ("),
        ("results/table/mini/fates.json", lambda text: text[: len(text) // 2], ("report", "html"), "cannot be read as JSON ("),
        ("results/figure/mini/curves.json", lambda _: "[]", ("report", "html"), "altered since it was saved"),
        ("results/figure/mini/curves.svg", lambda text: text.replace("<svg", "<svg ", 1), ("report", "html"), "altered since it was drawn"),
        ("results/report/manifest.json", lambda _: "", ("report", "pdf"), "cannot be read as JSON ("),
    ],
    ids=[
        "a number altered",
        "numbers cut off",
        "claims cut off",
        "a table cut off",
        "another JSON",
        "a picture altered",
        "an empty manifest",
    ],
)
def test_other_files_that_cannot_be_used_are_told_in_one_line(project, path, damage, job, expected):
    (project / path).write_text(damage((project / path).read_text()))
    said = failed(*job)
    assert said.startswith(f"{path}: {expected}")
    assert "run the same command again" in said


def test_a_chapter_that_asks_for_what_there_is_not_is_told_in_one_line(project):
    path = project / "templates/chapters/mini.md.jinja"
    path.write_text(path.read_text().replace('"train_loss"', '"test_loss"') + '\n<< value("wide", "test_loss", step=7) >>\n')
    assert failed("report", "html") == "templates/chapters/mini.md.jinja: no numbers of 'wide' at step 7; known: 0, 10, 20, or last"


def test_a_strict_report_refuses_a_claim_that_is_not_supported(project):
    path = project / "config/report.yaml"
    path.write_text(path.read_text().replace("strict: false", "strict: true"))
    path = project / "results/claim/mini.json"
    content = storage.load_json(path)
    content["claims"][0]["verdict"] = "inconclusive"
    storage.save_json(path, content)
    expected = (
        "strict: true, and not every claim is supported: mini.wide_beats_narrow is inconclusive; correct the text or set strict: false"
    )
    assert failed("summary", "report") == expected


def test_what_nobody_foresaw_is_one_line_on_the_terminal_and_a_story_in_the_log(project, monkeypatch):
    def fail(*_, **__):
        raise ArithmeticError("of no use")

    monkeypatch.setattr("scripts.measurements.loss.measure", fail)
    with pytest.raises(SystemExit) as end:
        job("measure", "mini/wide/loss")
    path = "results/log/measure/mini/wide/loss.log"
    assert end.value.code == f"measure: failed unexpectedly (ArithmeticError: of no use); the log has more: {path}"
    assert "Traceback" in (project / path).read_text()


def test_a_failed_job_leaves_no_output_behind(project, monkeypatch):
    output = project / "results/measure/mini/wide/loss.npz"
    output.unlink()
    monkeypatch.setattr(np, "savez", lambda file, **_: (file.write(b"half"), 1 / 0))
    with pytest.raises(SystemExit):
        job("measure", "mini/wide/loss")
    assert [path.name for path in output.parent.iterdir() if path.name.startswith((".", "loss"))] == []


def test_an_assignment_is_made_from_what_is_given_alone(project):
    for step in ("train", "measure", "number", "claim", "table"):
        shutil.rmtree(project / "results" / step)
    job("report", "html", planned(edition="assignment"))
    html = (project / "results/report/report.html").read_text()
    assert "Which network learns better?" in html
    assert "How the runs ended" not in html
    assert "The wide one" not in html
