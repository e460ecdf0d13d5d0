"""Builds that share a cache: what is taken from it, and what is not."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from scripts.common import cache
from tests.builds import checksums, jobs_run, replace, snakemake

STUDY = "config/studies/mini.yaml"
HEAVY = [f"results/{step}/mini/{variant}.npz" for step in ("train", "jacobian") for variant in ("narrow", "wide")]


def clone(project, destination):
    """Copy a project without what is built in it."""
    return Path(shutil.copytree(project, destination, ignore=lambda folder, _: {"results", ".snakemake"} if folder == str(project) else ()))


def build(project, shared, *targets):
    """Build with the cache `shared`; return which jobs of cached rules did their work, rather than take its result from there."""
    shutil.rmtree(project / "results/log", ignore_errors=True)
    done = snakemake(project, *targets, "--cache", environment={cache.LOCATION: str(shared)})
    assert "Symlinking output file" in done.stdout
    logs = [path.relative_to(project / "results/log") for path in (project / "results/log").rglob("*.log") if path.stat().st_size]
    return {path.with_suffix("").as_posix() for path in logs if path.parts[0] in cache.STEPS}


@pytest.fixture(scope="module")
def shared(mini_build, tmp_path_factory):
    """A cache that one clone of the project has filled."""
    folder = tmp_path_factory.mktemp("shared") / "cache"
    folder.mkdir()
    first = clone(mini_build, folder.parent / "first")
    assert build(first, folder, *HEAVY) == {"train/mini/narrow", "train/mini/wide", "jacobian/mini/narrow", "jacobian/mini/wide"}
    assert len(list(folder.iterdir())) == 4
    return folder


@pytest.fixture
def second(mini_build, tmp_path):
    """Another clone, in which nothing is built."""
    return clone(mini_build, tmp_path / "second")


def test_a_second_clone_builds_the_report_without_training_and_to_the_same_bytes(second, shared, mini_build):
    leftover = second / "results/resume/mini/wide.0123456789abcdef"
    leftover.mkdir(parents=True)
    assert build(second, shared) == set()
    assert all((second / path).is_symlink() and (second / path).resolve().parent == shared for path in HEAVY)
    assert checksums(second) == checksums(mini_build)
    assert not leftover.parent.parent.exists(), "what was kept of a training whose result came from the cache"
    for arguments in (["--cache"], []):
        again = snakemake(second, "--dry-run", *arguments, environment={cache.LOCATION: str(shared)})
        assert jobs_run(again.stdout) == set()


def test_what_differs_in_nothing_but_a_seed_or_its_name_has_an_entry_of_its_own_and_a_sweep_has_one_too(second, shared):
    other = '  {name}:\n    label: {name}\n    color: "#000000"\n'
    seeded = other.format(name="seeded") + "    initialization: {seed: 3}\n"
    sweep = "\nsweeps:\n  rates: {variant: narrow, over: [{name: learning rate, settings: {optimizer.learning_rate: [0.01, 0.2]}}]}\n"
    replace(second, STUDY, "\nmeasurements:", seeded + other.format(name="renamed") + sweep + "\nmeasurements:")
    targets = [f"results/train/mini/{name}.npz" for name in ("narrow", "seeded", "renamed")] + ["results/sweep/mini/rates.npz"]
    assert build(second, shared, *targets) == {"train/mini/seeded", "train/mini/renamed", "sweep/mini/rates"}
    assert len({(second / target).resolve() for target in targets}) == 4
    narrow, seeded, renamed = (values(second / target) for target in targets[:3])
    assert narrow == renamed != seeded
    assert (second / "results/benchmark/sweep/mini/rates.tsv").read_text().startswith("s\n"), "which a rule that is cached cannot do"
    shutil.rmtree(second / "results")
    assert build(second, shared, *targets) == set()


def values(path):
    """Return the parameters of a stored training, as bytes."""
    with np.load(path) as archive:
        return archive["parameters"].tobytes()


def test_an_edit_in_an_imported_module_trains_anew_and_going_back_does_not(second, shared):
    wide, path = "results/train/mini/wide.npz", "scripts/common/initializations.py"
    assert build(second, shared, wide) == set()
    before, text = values(second / wide), (second / path).read_text()
    replace(second, path, "kaiming_normal_(weight, a=slope", "kaiming_normal_(weight, a=slope + 1.0")
    assert build(second, shared, wide) == {"train/mini/wide"}
    assert values(second / wide) != before
    (second / path).write_text(text)
    assert build(second, shared, wide) == set()
    assert values(second / wide) == before


def test_results_in_another_folder_are_the_same_entries(second, shared):
    assert build(second, shared, "results/elsewhere/jacobian/mini/wide.npz", "--config", "results=results/elsewhere") == set()
    assert not (second / "results/elsewhere/log/train/mini/wide.log").read_text()
    assert (second / "results/elsewhere/jacobian/mini/wide.npz").resolve().parent == shared


def test_a_damaged_entry_is_told_when_it_is_used_and_mended_by_the_next_build(second, shared, tmp_path):
    own = Path(shutil.copytree(shared, tmp_path / "cache"))
    for path in own.iterdir():
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        path.write_bytes(content)
    target = "results/measure/mini/narrow/loss.npz"
    failed = snakemake(second, target, "--cache", environment={cache.LOCATION: str(own)}, check=False)
    assert failed.returncode != 0
    (line,) = {line.strip() for line in failed.stdout.splitlines() if line.strip().startswith("measure: results/train")}
    assert "damaged" in line or "altered since it was saved" in line
    assert line.endswith("; it is removed now: run the same command again to have it made anew")
    assert build(second, own, target) == {"train/mini/narrow"}


def test_a_cache_that_is_gone_is_told_before_anything_runs(second, shared, tmp_path):
    own = Path(shutil.copytree(shared, tmp_path / "cache"))
    target = "results/train/mini/wide.npz"
    build(second, own, target)
    shutil.rmtree(own)
    failed = snakemake(second, target, check=False)
    assert failed.returncode != 0
    assert "results/train/mini/wide.npz: no more in the cache (" in failed.stdout
    assert "Traceback" not in failed.stdout
    assert jobs_run(failed.stdout) == set()


PLAIN = """
rule all:
    input: expand("out/{seed}.txt", seed=config["seeds"])
rule train:
    output: "out/{seed}.txt"
    cache: True
    script: "train.py"
"""


SCRIPT = """
import sys
from pathlib import Path
sys.path.insert(0, ".")
from helper import WORD
Path(snakemake.output[0]).write_text(WORD + snakemake.wildcards.seed)
"""


def test_what_the_cache_does_on_its_own_is_not_enough(tmp_path):
    """The two failures that a plain workflow has, so that the tests above are known to look for what there is."""
    (tmp_path / "cache").mkdir()
    (tmp_path / "Snakefile").write_text(PLAIN)
    (tmp_path / "train.py").write_text(SCRIPT)
    (tmp_path / "helper.py").write_text("WORD = 'seed '\n")
    environment = {cache.LOCATION: str(tmp_path / "cache")}
    snakemake(tmp_path, "--config", "seeds=1", "--cache", environment=environment)
    snakemake(tmp_path, "--config", "seeds=2", "--cache", environment=environment)
    assert (tmp_path / "out/2.txt").read_text() == "seed 1", "the file of another seed"
    (tmp_path / "helper.py").write_text("WORD = 'grain '\n")
    shutil.rmtree(tmp_path / "out")
    snakemake(tmp_path, "--config", "seeds=1", "--cache", environment=environment)
    assert (tmp_path / "out/1.txt").read_text() == "seed 1", "a result of former code"
