import json

import numpy as np
import pytest

from scripts import why as command
from scripts.common import dry_run, storage, why
from scripts.common.why import MISSING, Explained

OUTPUT = """\
Building DAG of jobs...
[Sun Nov 22 19:34:26 2026]
localrule claim:
    input: results/number/mini.csv, results/recipe/claim/mini.0123456789abcdef.json
    output: results/claim/mini.json
    jobid: 6
    reason: Missing output files: results/claim/mini.json
    wildcards: study=mini
    resources: tmpdir=/tmp, gpu=0
[Sun Nov 22 19:34:26 2026]
rule measure:
    input: results/train/mini/wide.npz, results/recipe/measure/mini/wide/loss.0123456789abcdef.json
    output: results/measure/mini/wide/loss.npz
    reason: Input files updated by another job: results/train/mini/wide.npz
    wildcards: variant=mini/wide, measurement=loss

rule all:
    input: results/report/report.html
    reason: Rules with neither input nor output files are always executed.
"""


def test_jobs_are_read_from_what_snakemake_says():
    claim, measure = dry_run.parse(OUTPUT)
    assert (claim.step, claim.name, claim.outputs) == ("claim", "mini", ("results/claim/mini.json",))
    assert claim.reason == "Missing output files: results/claim/mini.json"
    assert (measure.step, measure.name) == ("measure", "mini/wide/loss")
    assert measure.inputs[0] == "results/train/mini/wide.npz"


def test_a_mirror_has_every_file_with_its_time_and_takes_what_is_written(tmp_path):
    project = tmp_path / "project"
    for name in ("Snakefile", "config/report.yaml", "results/quick/train/a.npz", "results/other.txt", "results/quick/recipe/a.json"):
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text(name)
    (project / ".snakemake/metadata").mkdir(parents=True)
    (project / ".snakemake/metadata/record").write_text("record")
    (project / ".snakemake/locks").mkdir()
    (project / ".snakemake/locks/0.lock").write_text("held")
    with dry_run.mirror(project, "results/quick") as folder:
        for name in ("Snakefile", "config/report.yaml", "results/quick/train/a.npz", "results/other.txt", "results/quick/recipe/a.json"):
            assert (folder / name).read_text() == name
        times = [(root / "results/quick/train/a.npz").lstat().st_mtime_ns for root in (folder, project)]
        assert times[0] == times[1]
        assert (folder / ".snakemake/metadata/record").read_text() == "record"
        assert not (folder / ".snakemake/locks").exists()
        (folder / "results/quick/recipe/a.json").touch()
        (folder / "results/quick/recipe/a.json").write_text("new")
        (folder / "results/quick/recipe/b.json").write_text("new")
    assert (project / "results/quick/recipe/a.json").read_text() == "results/quick/recipe/a.json"
    assert not (project / "results/quick/recipe/b.json").exists()
    assert not folder.exists()


def test_differences_are_told_by_path_and_whole_blocks_at_once():
    old = {"a": {"b": 1, "c": [1, 2]}, "gone": {"x": 1}, "same": None}
    new = {"a": {"b": 2, "c": [1, 3]}, "new": {"y": 2}, "same": None}
    assert list(why.differences(old, new)) == [
        (("a", "b"), 1, 2),
        (("a", "c"), [1, 2], [1, 3]),
        (("gone",), {"x": 1}, MISSING),
        (("new",), MISSING, {"y": 2}),
    ]


def test_code_is_told_by_definition_and_by_its_kind(tmp_path):
    (tmp_path / "losses.py").write_text("LIMIT = 3\n\ndef mse():\n    return LIMIT\n\nclass Loss:\n    pass\n")
    old = {"losses.py:mse": "1", "losses.py:LIMIT": "1", "losses.py:Loss": "1", "losses.py:": "1", "other.py:gone": "1"}
    new = {"losses.py:mse": "2", "losses.py:LIMIT": "2", "losses.py:Loss": "2", "losses.py:": "2"}
    assert list(why.code_changes(old, new, tmp_path)) == [
        "losses.py: what stands outside of definitions changed",
        "losses.py: constant LIMIT changed",
        "losses.py: class Loss changed",
        "losses.py: function mse changed",
        "other.py: definition gone used no more",
    ]
    assert list(why.code_changes({"losses.py": "1"}, {"losses.py": "2"}, tmp_path)) == ["losses.py: module changed"]
    assert next(why.code_changes({"losses.py": "1"}, new, tmp_path)).startswith("code: the recipe of what stands there says it in another")
    assert list(why.code_changes(new, new, tmp_path)) == []


@pytest.mark.parametrize(
    ("path", "job"),
    [
        ("train/mini/wide.npz", ("train", "mini/wide")),
        ("measure/mini/wide/loss.npz", ("measure", "mini/wide/loss")),
        ("number/mini.csv", ("number", "mini")),
        ("figure/mini/fit.svg", ("figure", "mini/fit")),
        ("report/data/mini/fit.csv", ("figure", "mini/fit")),
        ("report/numbers.csv", ("summary", "report")),
        ("report/manifest.json", ("manifest", "report")),
        ("report/report.pdf", ("report", "pdf")),
        ("train/data/figure.npz", ("train", "data/figure")),
    ],
)
def test_the_maker_of_a_file_is_told_by_its_path(path, job):
    assert why.maker(path) == job


def test_a_stored_file_says_what_it_was_made_under(tmp_path):
    digest = "ab" * 32
    kind = storage.Kind("kind", {"x": storage.Array("N", "float64")})
    storage.save(tmp_path / "a.npz", {"x": np.zeros(3)}, kind=kind, digest=digest)
    storage.save_json(tmp_path / "a.json", {"x": 1, "digest": digest})
    storage.save_numbers(tmp_path / "a.csv", "study\n", digest=digest)
    (tmp_path / "a.html").write_text(f"<p>Built from recipe <code>{digest}</code></p>")
    for suffix in ("npz", "json", "csv", "html"):
        assert why.made_under(tmp_path / f"a.{suffix}") == digest
        (tmp_path / f"a.{suffix}").write_bytes(b"not what it was")
        assert why.made_under(tmp_path / f"a.{suffix}") is None
    assert why.made_under(tmp_path / "none.npz") is None


def explained(name, seconds, *follows):
    return Explained(("step", name), () if follows else ("cause",), tuple(("step", other) for other in follows), seconds, measured=True)


def test_the_time_on_several_cores_is_that_of_a_schedule():
    jobs = [explained("a", 4.0), explained("b", 3.0), explained("c", 2.0), explained("d", 1.0, "a", "c")]
    assert why.wall_seconds(jobs, 1) == 10
    assert why.wall_seconds(jobs, 2) == 6  # a and b, c behind b, then d
    assert why.wall_seconds(jobs, 8) == 5
    chain = [explained(str(place), 1.0, *([str(place - 1)] if place else [])) for place in range(5)]
    assert why.wall_seconds(chain, 8) == 5


def test_the_table_has_causes_first_and_totals_last():
    text = command.table([explained("a", 4.0), explained("b", 3.0, "a")], 2)
    assert text.splitlines() == [
        "cause",
        "    step/a      4.0 s",
        "",
        "What follows from these",
        "    step/b      3.0 s  reads step/a",
        "",
        "2 jobs, about 7.0 s of one core, 7.0 s on 2 cores; an estimate: 2 from earlier runs",
    ]
    assert command.table([], 2) == "Nothing to be done: no job would run.\n"


def test_the_results_folder_is_the_last_one_given(tmp_path):
    (tmp_path / "config").mkdir()
    (tmp_path / "config/report.yaml").write_text("results: results\n")
    assert command._results(tmp_path, [], []) == "results"
    assert command._results(tmp_path, [{"results": "results/quick"}], []) == "results/quick"
    assert command._results(tmp_path, [{"results": "results/quick"}], ["steps=3", "results=other/place"]) == "other/place"
    assert command._results(tmp_path, [], ["results=../out"]) == "results"
    assert json.dumps(command._content(tmp_path / "config/report.yaml")) == '{"results": "results"}'
