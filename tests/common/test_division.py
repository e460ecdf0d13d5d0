import numpy as np
import pytest
import torch

from scripts.common import division, storage, training
from scripts.common.errors import UserError
from scripts.common.resume import Resume
from scripts.common.training import train
from tests.examples import TINY, tiny_data, tiny_settings


def pretended(fits, tried, error=torch.OutOfMemoryError):
    """Return a training of replicas of which only so many fit."""

    def train_some(some):
        tried.append((some.start, some.stop))
        if len(some) > fits:
            raise error("CUDA error: out of memory\nas it is told")
        numbers = np.arange(some.start, some.stop)
        return {"step": np.array([0, 5]), "diverged_at": numbers, "parameters": np.stack([numbers, 10 * numbers])[:, :, None] + 0.5}

    return train_some


@pytest.mark.parametrize("error", [torch.OutOfMemoryError, RuntimeError])
def test_half_as_many_are_trained_at_a_time_until_they_fit(error):
    tried, said = [], []
    found = division.by_memory(pretended(3, tried, error), 11, kind=storage.TRAIN, report=said.append)
    assert tried == [(0, 11), (0, 6), (0, 3), (3, 6), (6, 9), (9, 11)]
    assert [line.split(" replicas")[0] for line in said] == ["out of GPU memory with 11", "out of GPU memory with 6"]
    whole = pretended(11, [])(range(11))
    assert all(np.array_equal(found[key], whole[key]) for key in whole)


def test_a_replica_that_does_not_fit_alone_is_an_error_of_the_user_s():
    with pytest.raises(UserError, match=r"^device: out of GPU memory with a single replica; allowed here: cpu"):
        division.by_memory(pretended(0, []), 3, kind=storage.TRAIN)


def test_other_errors_are_not_taken_for_a_lack_of_memory():
    def broken(_some):
        raise RuntimeError("shapes do not fit")

    with pytest.raises(RuntimeError, match="shapes do not fit"):
        division.by_memory(broken, 3, kind=storage.TRAIN)


CASES = {
    "stacked": {},
    "float32": {"precision": "float32"},
    "autograd": {"engine": "autograd", "network": {**TINY, "normalization": "batch", "dropout": {"kind": "dropout", "rate": 0.2}}},
    "diverging": {
        "network": {"kind": "perceptron", "hidden": [6, 6, 6], "activation": "relu"},
        "initialization": {"kind": "uniform", "scale": 2.0, "seed": 5},
        "optimizer": {"kind": "sgd", "learning_rate": 0.3, "momentum": 0.9},
        "precision": "float32",
    },
}


@pytest.fixture
def small_gpu(monkeypatch):
    """Let every engine run out of memory with more than 3 replicas, as soon as it makes the update of a certain number."""

    def shrink(at):
        for name, engine in dict(training.ENGINES).items():

            class Small(engine):
                def advance(self, first, last, tell):
                    if last >= at and len(self.task.parameters) > 3:
                        raise torch.OutOfMemoryError("CUDA out of memory")
                    super().advance(first, last, tell)

            monkeypatch.setitem(training.ENGINES, name, Small)

    return shrink


@pytest.mark.parametrize("case", CASES)
def test_a_training_that_is_divided_comes_to_the_same(case, small_gpu):
    settings = tiny_settings(replicas=10, save_every=5, **CASES[case])
    whole = train(tiny_data(), **settings)
    small_gpu(at=11)
    divided = train(tiny_data(), **settings)
    assert list(divided) == list(whole)
    for key, array in whole.items():
        np.testing.assert_array_equal(divided[key], array, err_msg=key)


def test_a_training_that_is_divided_goes_on_from_what_was_kept_before_and_since(tmp_path, small_gpu, monkeypatch):
    data, settings = tiny_data(), tiny_settings(replicas=7, save_every=5, optimizer={"kind": "adam", "learning_rate": 0.01})
    expected = train(data, **settings)
    monkeypatch.setattr(Resume, "is_due", lambda _keep: True)
    lines = []

    def kept(**changes):
        return Resume(tmp_path / "results/train/study/wide.npz", digest="d" * 64, say=lines.append, **changes)

    def told():
        return any("2 at a time" in line for line in lines)

    def until_now():
        found = [line.partition(",")[0] for line in lines if line.startswith(("out", "goes"))]
        lines.clear()
        return found

    small_gpu(at=20)
    with pytest.raises(UserError, match="told to stop at step 16"):
        train(data, **settings, keep=kept(told=told), report=lines.append)
    divided = ["out of GPU memory with 7 replicas at once; goes on with 4 at a time", "goes on from step 15 of 25"]
    divided += ["out of GPU memory with 4 replicas at once; goes on with 2 at a time"]
    assert until_now() == [*divided, "goes on from step 15 of 25"]
    found = train(data, **settings, keep=kept(), report=lines.append)
    begins = [f"goes on from step {step} of 25" for step in (15, 16, 15, 15, 15)]
    assert until_now() == [begins[0], *divided, *begins[1:]]
    for key, array in expected.items():
        np.testing.assert_array_equal(found[key], array, err_msg=key)
    kept().remove()
    assert not list(tmp_path.rglob("*.npz"))
