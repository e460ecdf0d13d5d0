from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from scripts.common import job, storage
from scripts.common.errors import UserError
from scripts.common.recipe import Recipe, Source
from scripts.common.storage import Array, Kind

KIND = Kind("loss", {"x": Array("N", "float64")})
RECIPE = Recipe("measure", "study/a/loss", {"kind": "loss", "n": 3}, {}, {}, {}, {}, "d" * 64)


@pytest.fixture
def given(tmp_path, monkeypatch):
    """What Snakemake gives to the script of a job with three inputs."""
    monkeypatch.chdir(tmp_path)
    storage.save("results/train/a.npz", {"x": np.arange(3.0)}, kind=KIND, digest="a" * 64)
    storage.save_json("results/claim/a.json", {"digest": "b" * 64, "claims": [1]})
    storage.save_numbers("results/number/a.csv", "study\ns\n", digest="c" * 64)
    inputs = {
        "train": {"": Source("results/train/a.npz", "loss", "a" * 64)},
        "claims": {"a": Source("results/claim/a.json", "claim", "b" * 64)},
        "numbers": {"a": Source("results/number/a.csv", "number", "c" * 64)},
    }
    recipe = replace(RECIPE, inputs=inputs)
    storage.save_text(recipe.path("results"), recipe.as_json("results"))
    return SimpleNamespace(
        input=SimpleNamespace(recipe=recipe.path("results")),
        log=["results/log/measure/a.log"],
        rule="measure",
    )


def log(tmp_path):
    return (tmp_path / "results/log/measure/a.log").read_text()


def test_a_job_has_its_settings_and_inputs_and_stores_under_its_digest(given, tmp_path):
    with job.run(given) as running:
        assert running.settings == {"kind": "loss", "n": 3}
        running.settings.pop("kind")
        assert running.settings == {"kind": "loss", "n": 3}
        np.testing.assert_array_equal(running.load("train")["x"], np.arange(3.0))
        assert running.load_each("claims") == {"a": {"digest": "b" * 64, "claims": [1]}}
        assert running.load_each("numbers") == {"a": "study\ns\n"}
        running.save("out.npz", {"x": np.zeros(2)}, KIND)
        running.save_json("out.json", {"a": 1})
        running.say("half way")
    assert storage.read_header("out.npz")["digest"] == RECIPE.digest
    assert storage.load_json("out.json", digest=RECIPE.digest)["a"] == 1
    first, last = log(tmp_path).splitlines()
    assert first == "half way"
    assert last.startswith("done in ")


def test_time_is_recorded_where_the_rule_cannot(given, tmp_path):
    with job.run(given) as running:
        running.record_time(1.23456)
    assert (tmp_path / "results/benchmark/measure/a.tsv").read_text() == "s\n1.2346\n"


def test_what_the_user_can_mend_is_told_in_one_line_on_the_terminal_and_in_the_log(given, tmp_path):
    with pytest.raises(SystemExit) as end, job.run(given):
        raise UserError("x.yaml: is wrong; mend it")
    assert end.value.code == "measure: x.yaml: is wrong; mend it"
    assert log(tmp_path) == "x.yaml: is wrong; mend it\n"


def test_what_nobody_foresaw_has_its_story_in_the_log_and_one_line_on_the_terminal(given, tmp_path):
    with pytest.raises(SystemExit) as end, job.run(given):
        {}["key"]
    assert end.value.code == "measure: failed unexpectedly (KeyError: 'key'); the log has more: results/log/measure/a.log"
    assert "Traceback" in log(tmp_path)
    assert '{}["key"]' in log(tmp_path)


@pytest.mark.parametrize("name", ["train", "claims", "numbers"])
def test_an_input_made_under_another_recipe_is_not_used(given, name, tmp_path):
    recipe = job.from_json((tmp_path / given.input.recipe).read_text(), given.input.recipe)
    inputs = {key: {k: replace(source, digest="e" * 64) for k, source in group.items()} for key, group in recipe.inputs.items()}
    storage.save_text(given.input.recipe, replace(recipe, inputs=inputs).as_json("results"))
    with pytest.raises(SystemExit, match=r"was made under recipe .{12}, this build needs eeeeeeeeeeee"), job.run(given) as running:
        running.load_each(name)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (None, "cannot be read as a recipe ("),
        ("", "cannot be read as a recipe ("),
        ('{"digest": "d"}', "cannot be read as a recipe ("),
        (replace(RECIPE, digest="e" * 64).as_json("results"), "altered since it was written"),
    ],
    ids=["missing", "empty", "cut off", "of another job"],
)
def test_a_recipe_that_cannot_be_used_is_told_and_the_job_does_not_run(given, tmp_path, content, expected):
    path = tmp_path / given.input.recipe
    path.unlink()
    if content is not None:
        path.write_text(content)
    with pytest.raises(SystemExit) as end, job.run(given):
        pytest.fail("the body ran")
    assert end.value.code.startswith(f"measure: {given.input.recipe}: {expected}")
    assert end.value.code.endswith(f"; delete it (rm {given.input.recipe}) and run the same command again")
    assert "\n" not in end.value.code
