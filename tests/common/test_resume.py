import json
import os
import signal
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from scripts.common import resume as resuming
from scripts.common import storage
from scripts.common.places import PROJECT
from scripts.common.recipe import Recipe, Source
from scripts.common.resume import Resume, StoppedError, notice
from scripts.common.training import train
from tests.examples import TINY, pieces, pieces_settings, tiny_data, tiny_settings, validated

OUTPUT = Path("results/train/study/wide.npz")
FOLDER = Path("results/resume/study")


class KilledError(Exception):
    pass


class Always(Resume):
    """Kept files of a training that keeps what it has reached whenever it looks, and is killed after it has kept so many."""

    def __init__(self, *arguments, killed_after=None, **keywords):
        super().__init__(*arguments, **keywords)
        self.left = killed_after

    def is_due(self):
        return True

    def save(self, first, last, arrays):
        super().save(first, last, arrays)
        self.left = self.left and self.left - 1
        if self.left == 0:
            raise KilledError


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def keeping(say=print, *, digest="d" * 64, output=OUTPUT, kind=Always, **keywords):
    return kind(output, digest=digest, say=say, **keywords)


def tiny(data=None, **changes):
    return data or tiny_data(), tiny_settings(**({"save_every": 4, "save_at": [2], "evaluate_every": 3} | changes))


def kernel(**changes):
    return pieces(), pieces_settings(6, 5, **({"steps": 40, "save_every": 7, "save_at": [1, 2], "evaluate_every": 5} | changes))


STOPPING = {
    "steps": 120,
    "evaluate_every": 5,
    "save_every": None,
    "loss": {"kind": "cross_entropy"},
    "optimizer": {"kind": "sgd", "learning_rate": 0.5, "momentum": 0.5},
    "early_stopping": {"score": "validation_loss", "mode": "min", "patience": 3, "minimal_change": 1e-4},
}

DIVERGING = {
    "network": {"kind": "perceptron", "hidden": [6, 6, 6], "activation": "relu"},
    "initialization": {"kind": "uniform", "scale": 1.0, "seed": 5},
    "optimizer": {"kind": "sgd", "learning_rate": 2.0, "momentum": 0.9},
    "precision": "float32",
    "steps": 60,
    "evaluate_every": 8,
    "save_every": None,
    "save_at": [],
    "replicas": 6,
    "early_stopping": {"score": "validation_loss", "mode": "min", "patience": 1, "minimal_change": 1e-4},
}
"""Replicas that stop, and would diverge if they went on."""

CASES = {
    "sgd": tiny(),
    "adam": tiny(optimizer={"kind": "adam", "learning_rate": 0.01}, batches={"kind": "independent", "size": 5, "seed": 0}),
    "float32": tiny(precision="float32"),
    "no saved steps": tiny(precision="float32", save_every=None, save_at=[], evaluate_every=25),
    "diverging": tiny(
        network={"kind": "perceptron", "hidden": [6, 6, 6], "activation": "relu"},
        initialization={"kind": "uniform", "scale": 2.0, "seed": 5},
        optimizer={"kind": "sgd", "learning_rate": 0.3, "momentum": 0.9},
        precision="float32",
        replicas=12,
    ),
    "natural gradient": tiny(engine="gauss_newton", optimizer={"kind": "natural_gradient"}, batches={"kind": "full", "seed": 0}),
    "parametrized": tiny(
        network={"kind": "perceptron", "hidden": [5, 4], "activation": "tanh", "parametrization": "ntk"}
        | {"weight_variance": 2.0, "bias_variance": 0.1, "output_scale": 0.5},
        batches={"kind": "full", "seed": 0},
    ),
    "normalized": tiny(engine="autograd", network={**TINY, "normalization": "batch"}),
    "masks": tiny(engine="autograd", network={**TINY, "normalization": "layer", "dropout": {"kind": "dropout", "rate": 0.3}}),
    "dropped connections": tiny(engine="autograd", network={**TINY, "dropout": {"kind": "drop_connect", "rate": 0.3}}),
    "mixtures": tiny(engine="autograd", augmentation={"kind": "mixup", "alpha": 0.5}),
    "early stopping": tiny(validated(), **STOPPING),
    "early stopping before divergence": tiny(validated(), **DIVERGING),
    "early stopping by autograd": tiny(validated(), engine="autograd", **STOPPING),
    "kernel": kernel(),
    "kernel with momentum": kernel(optimizer={"kind": "sgd", "learning_rate": 0.02, "momentum": 0.9}, precision="float64"),
    "kernel of an odd batch": kernel(batches={"kind": "subsets", "share": 0.205, "seed": 0}),
    "kernel of the output layer": kernel(trained="output_layer", optimizer={"kind": "sgd", "learning_rate": 0.2, "momentum": 0.5}),
    "kernel without saved steps": kernel(steps=4000, save_every=None, save_at=[], evaluate_every=1700),
}


def as_bytes(arrays):
    return {key: values.tobytes() for key, values in arrays.items()}


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_a_training_that_is_killed_again_and_again_goes_on_and_ends_with_the_same_bytes(case):
    data, settings = CASES[case]
    expected = train(data, **settings)
    if case == "diverging":
        assert len(set(expected["diverged_at"])) > 2
    if "early_stopping" in settings:
        assert len(set(expected["stopped_at"])) > 2
    reached = 0
    for killed_after in (1, 2, 1, 5, 3, 9, 40, 40, 40):
        told = []
        try:
            found = train(data, **settings, keep=keeping(told.append, killed_after=killed_after), report=told.append)
        except KilledError:
            found = None
        if reached:
            assert told[0] == f"goes on from step {reached} of {settings['steps']}, which was reached before"
        if found is not None:
            break
        reached = max(int(path.stem.split("-")[1]) for path in next(FOLDER.iterdir()).iterdir())
    assert reached > 0
    assert as_bytes(found) == as_bytes(expected)


@pytest.mark.parametrize("case", ["sgd", "natural gradient", "early stopping by autograd", "kernel"])
def test_a_training_that_is_told_to_stop_keeps_where_it_is_and_goes_on_from_there(case):
    data, settings = CASES[case]
    expected, steps = train(data, **settings), settings["steps"]
    looks = iter([False] * 4 + [True] * 2)
    with pytest.raises(StoppedError) as stopped:
        train(data, **settings, keep=keeping(kind=Resume, told=lambda: next(looks)))
    (path,) = next(FOLDER.iterdir()).iterdir()
    first, last = map(int, path.stem.split("-"))
    assert first == 0 < last < steps
    assert str(stopped.value) == f"told to stop at step {last} of {steps}, which is kept; run the same command again to go on from there"
    told = []
    found = train(data, **settings, keep=keeping(told.append, kind=Resume), report=told.append)
    assert told[0].startswith(f"goes on from step {last} of {steps},")
    assert as_bytes(found) == as_bytes(expected)


def test_what_is_kept_is_a_chain_of_files_without_repetition():
    data, settings = CASES["kernel"]
    expected = train(data, **settings)
    kept = keeping()
    train(data, **settings, keep=kept)
    (folder,) = FOLDER.iterdir()
    assert folder.name == "wide." + "d" * 16
    steps = [0, 1, 2, 5, 7, 10, 14, 15, 20, 21, 25, 28, 30, 35]
    assert {path.name for path in folder.iterdir()} == {f"{first}-{last}.npz" for first, last in pairwise(steps)}
    chain = list(kept.load())
    assert [(first, last) for first, last, _ in chain] == list(pairwise(steps))
    checkpoints = np.concatenate([arrays["checkpoints"] for *_, arrays in chain])
    np.testing.assert_array_equal(checkpoints, expected["parameters"][1:-1])
    scores = np.concatenate([arrays["scores"] for *_, arrays in chain], axis=1)
    np.testing.assert_array_equal(scores, np.stack([expected["train_loss"], expected["test_loss"]])[:, 1:-1])
    kept.remove()
    assert list(Path("results").iterdir()) == []
    kept.remove()


def test_nothing_is_kept_of_a_training_that_is_shorter_than_the_time_between():
    data, settings = CASES["kernel"]
    train(data, **settings, keep=keeping(kind=Resume))
    assert not Path("results").exists()


def test_a_state_is_kept_every_so_often_but_not_for_more_than_a_share_of_the_time(monkeypatch):
    now, took = [100.0], 0.01
    monkeypatch.setattr(resuming.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(storage, "save", lambda *_, **__: now.__setitem__(0, now[0] + took))
    kept = keeping(kind=Resume)
    for seconds, expected in ((9.9, False), (0.2, True)):
        now[0] += seconds
        assert kept.is_due() is expected
    kept.save(0, 1, {})
    now[0] += 9.9
    assert not kept.is_due()
    now[0] += 0.2
    assert kept.is_due()
    took = 1.0
    kept.save(1, 2, {})
    now[0] += 49.9
    assert not kept.is_due(), "a second of keeping in fifty"
    now[0] += 0.2
    assert kept.is_due()


def cut(path):
    path.write_bytes(path.read_bytes()[:-100])


def change(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 3] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("damage", "file", "before"),
    [
        (cut, "0-1", None),
        (cut, "30-35", 30),
        (change, "14-15", 14),
        (Path.unlink, "14-15", 14),
        (lambda path: path.write_bytes(b""), "5-7", 5),
    ],
    ids=["first cut", "last cut", "changed", "gone", "empty"],
)
def test_a_damaged_file_is_told_and_neither_it_nor_any_after_it_is_used(damage, file, before):
    data, settings = CASES["kernel"]
    expected = train(data, **settings)
    train(data, **settings, keep=keeping())
    path = FOLDER / f"wide.{'d' * 16}/{file}.npz"
    damage(path)
    told = []
    found = train(data, **settings, keep=keeping(told.append, kind=Resume), report=told.append)
    assert as_bytes(found) == as_bytes(expected)
    if damage is not Path.unlink:
        assert told.pop(0).startswith(f"not used: {path}: ")
    assert told[0].startswith(f"goes on from step {before} of 40" if before else "step 40 of 40")


def test_a_chain_may_go_on_beside_a_damaged_file():
    data, settings = CASES["kernel"]
    expected = train(data, **settings)
    train(data, **settings, keep=keeping())
    folder = FOLDER / f"wide.{'d' * 16}"
    cut(folder / "14-15.npz")
    looks = iter([False] * 3 + [True] * 2)
    with pytest.raises(StoppedError):
        train(data, **settings, keep=keeping(kind=Resume, told=lambda: next(looks)))
    assert (folder / "14-25.npz").is_file()
    told = []
    found = train(data, **settings, keep=keeping(told.append, kind=Resume), report=told.append)
    assert told[0].startswith("goes on from step 35 of 40"), "the files from step 25 on are as good as they were"
    assert as_bytes(found) == as_bytes(expected)


def test_files_of_another_recipe_are_removed_and_those_of_other_variants_left():
    data, settings = CASES["kernel"]
    others = [Path("results/train/study/wide_output.npz"), Path("results/train/other/wide.npz")]
    for output in (OUTPUT, *others):
        train(data, **settings, keep=keeping(output=output))
    told = []
    train(data, **settings, keep=keeping(digest="e" * 64), report=told.append)
    assert told[0] == "step 40 of 40, 0 s left"
    assert {path.name for path in FOLDER.iterdir()} == {"wide." + "e" * 16, "wide_output." + "d" * 16}
    assert Path("results/resume/other").is_dir()
    assert all((FOLDER.parent / output.parent.name / f"{output.stem}.{'d' * 16}/30-35.npz").is_file() for output in others)


def test_sigterm_is_a_notice_within_and_what_it_was_before_outside():
    before = signal.getsignal(signal.SIGTERM)
    with notice() as told:
        assert not told()
        for _ in range(2):
            os.kill(os.getpid(), signal.SIGTERM)
            assert told()
    assert signal.getsignal(signal.SIGTERM) is before


RUN = """
import itertools, json, runpy, sys, types
from scripts.common import resume, training
resume.SECONDS, resume.SHARE, training.SECONDS_BETWEEN_REPORTS = 0.0, 1e9, 0.0
given = json.loads(sys.argv[1])
recipe = types.SimpleNamespace(recipe=given["recipe"])
own = types.SimpleNamespace(gpu_number=-1)
snakemake = types.SimpleNamespace(input=recipe, output=[given["output"]], log=[given["log"]], resources=own, rule="train")
runpy.run_path(given["script"], init_globals={"snakemake": snakemake}, run_name="__main__")
"""


@pytest.mark.slow
def test_a_process_that_is_killed_or_told_to_stop_goes_on_from_what_is_kept_and_ends_with_the_same_bytes(tmp_path):
    settings = pieces_settings(20, 20, steps=60000, evaluate_every=500, save_every=1000, save_at=[1], replicas=4, device="cpu")
    storage.save(tmp_path / "results/data/study/pieces.npz", pieces(), kind=storage.DATA, digest="a" * 64)
    source = Source("results/data/study/pieces.npz", "data", "a" * 64)
    recipe = Recipe("train", "study/two", settings, {"data": {"": source}}, {}, {}, {}, "d" * 64)
    storage.save_text(tmp_path / recipe.path("results"), recipe.as_json("results"))

    def start(name):
        """Start the process that trains, with its output and log below a folder of its own."""
        given = {
            "recipe": recipe.path("results"),
            "output": f"{name}/train/study/two.npz",
            "log": f"{name}/log/train/study/two.log",
            "script": str(PROJECT / "scripts/train.py"),
        }
        environment = os.environ | {"PYTHONPATH": str(PROJECT), "OMP_NUM_THREADS": "1"}
        command = [sys.executable, "-c", RUN, json.dumps(given)]
        with (tmp_path / f"{name}.said").open("w") as said:
            return subprocess.Popen(command, cwd=tmp_path, env=environment, stderr=said)

    undisturbed = start("undisturbed")
    kept = tmp_path / "results/resume/study" / ("two." + "d" * 16)

    def last_kept():
        return max((int(path.stem.split("-")[1]) for path in kept.glob("[0-9]*.npz")), default=0)

    reached = 0
    for moment, sent in ((1, "KILL"), (9000, "TERM"), (18000, "KILL"), (30000, "TERM"), (45000, "KILL")):
        process = start("results")
        while last_kept() < moment:
            assert process.poll() is None
            time.sleep(0.002)
        process.send_signal(signal.Signals[f"SIG{sent}"])
        process.wait()
        said = (tmp_path / "results.said").read_text()
        log = (tmp_path / "results/log/train/study/two.log").read_text()
        assert not reached or log.startswith(f"goes on from step {reached} of 60000, which was reached before\n")
        steps = [int(line.split()[1]) for line in log.splitlines() if line.startswith("step ")]
        reached = last_kept()
        assert reached <= max(steps) <= reached + 500 < 60000, "what will be repeated is less than one interval"
        assert not (tmp_path / "results/train/study/two.npz").exists()
        assert process.returncode == (1 if sent == "TERM" else -signal.SIGKILL)
        words = f"told to stop at step {reached} of 60000, which is kept; run the same command again to go on from there\n"
        assert said == (f"train: {words}" if sent == "TERM" else "")
        assert log.endswith(words) == (sent == "TERM")
    assert start("results").wait() == 0
    assert undisturbed.wait() == 0
    assert (tmp_path / "results/log/train/study/two.log").read_text().startswith(f"goes on from step {reached} of 60000,")
    files = [(tmp_path / f"{name}/train/study/two.npz").read_bytes() for name in ("results", "undisturbed")]
    assert files[0] == files[1]
    assert not (tmp_path / "results/resume").exists()
