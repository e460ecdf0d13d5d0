import subprocess
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from scripts.common import cache, job, storage
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
        (None, "missing"),
        ("", "cannot be read as a recipe ("),
        ('{"digest": "d"}', "cannot be read as a recipe ("),
        (RECIPE.as_json("results").replace('"n": 3', '"n": 4'), "cannot be read as a recipe (altered since it was saved)"),
        (replace(RECIPE, digest="e" * 64).as_json("results"), "altered since it was written"),
    ],
    ids=["missing", "empty", "cut off", "altered", "of another job"],
)
def test_a_recipe_that_cannot_be_used_is_told_and_the_job_does_not_run(given, tmp_path, content, expected):
    path = tmp_path / given.input.recipe
    path.unlink()
    if content is not None:
        path.write_text(content)
    with pytest.raises(SystemExit) as end, job.run(given):
        pytest.fail("the body ran")
    assert end.value.code.startswith(f"measure: {given.input.recipe}: {expected}")
    remedy = (
        "it is removed now: run the same command again to have it made anew" if content is not None else "run the same command again to "
    )
    assert f"; {remedy}" in end.value.code
    assert not path.exists()
    assert "\n" not in end.value.code


def damage(path):
    path.write_bytes(path.read_bytes()[:-5])


def loads(given):
    """Have a job load the input `train`, and return what it says at its end."""
    with pytest.raises(SystemExit) as end, job.run(given) as running:
        running.load("train")
    return end.value.code


def test_an_input_that_is_damaged_is_removed_as_the_next_build_makes_it_anew(given, tmp_path):
    damage(tmp_path / "results/train/a.npz")
    assert loads(given).endswith("; it is removed now: run the same command again to have it made anew")
    assert not (tmp_path / "results/train/a.npz").exists()
    assert loads(given) == "measure: results/train/a.npz: missing; run the same command again to rebuild it"


@pytest.mark.parametrize("known", [True, False])
def test_a_damaged_link_is_removed_with_what_it_leads_to_only_if_that_is_the_cache(known, given, tmp_path, monkeypatch):
    path, elsewhere = tmp_path / "results/train/a.npz", tmp_path / "elsewhere/a.npz"
    elsewhere.parent.mkdir()
    path.rename(elsewhere)
    path.symlink_to(elsewhere)
    damage(elsewhere)
    monkeypatch.setenv(cache.LOCATION, str(elsewhere.parent) if known else "")
    said = loads(given)
    assert ("it is removed now" in said) == known
    assert (f"delete it here and in the cache (rm results/train/a.npz {elsewhere})" in said) != known
    assert (path.is_symlink(), elsewhere.exists()) == (not known, not known)


def test_what_cannot_be_read_or_is_elsewhere_is_never_removed(given, tmp_path):
    own = tmp_path / "own.npz"
    own.write_bytes(b"mine")
    inputs = {"train": {"": Source("results/../own.npz", "loss", "a" * 64)}}
    recipe = replace(RECIPE, inputs=inputs)
    storage.save_text(given.input.recipe, recipe.as_json("results"))
    assert loads(given).endswith("; delete it (rm results/../own.npz) and run the same command again to rebuild it")
    assert own.read_bytes() == b"mine"


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (np._core._exceptions._ArrayMemoryError((2**40,), np.dtype("float64")), "Unable to allocate 8.00 TiB"),
        (MemoryError(), "MemoryError"),
        (
            RuntimeError("[enforce fail at alloc_cpu.cpp:1] . DefaultCPUAllocator: can't allocate memory: you tried to allocate 8 bytes."),
            "8 bytes",
        ),
        (OSError(12, "Cannot allocate memory"), "Cannot allocate memory"),
    ],
    ids=["numpy", "Python", "PyTorch", "the system"],
)
def test_a_lack_of_memory_is_told_with_what_there_is_and_what_helps(error, expected, given, tmp_path):
    with pytest.raises(SystemExit) as end, job.run(given):
        raise error
    assert end.value.code.startswith("measure: out of memory (")
    assert expected in end.value.code
    assert "; allowed here: that of this machine; raise the limit or free memory, run fewer jobs at once (--cores 1)" in end.value.code
    assert "Traceback" in log(tmp_path)


def test_a_log_that_a_full_disk_does_not_take_fails_no_job(given):
    given.log = ["/dev/full"]
    with job.run(given) as running:
        running.say("half way")


def test_what_is_handed_on_has_its_checksum_beside_the_report(given, tmp_path):
    given.output = ["results/report/data/a.csv", "results/table/a.json"]
    for name in given.output:
        storage.save_text(name, "x")
    with job.run(given):
        assert not (tmp_path / "results/checksum").exists()
    (path,) = (tmp_path / "results/checksum").rglob("*.*")
    assert path == tmp_path / "results/checksum/data/a.csv.sha256"
    done = subprocess.run(["sha256sum", "--check", path], cwd="results/report", capture_output=True, text=True, check=False)
    assert done.stdout == "data/a.csv: OK\n"
