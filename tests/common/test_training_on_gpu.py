"""Training on a GPU: what of it can be tested without one, on stand-ins, and on one where there is one.

Results on a GPU and a processor differ by rounding, which grows with training. In float64 and the few steps here it stays below RTOL.
"""

import gc
import json
import subprocess
import sys

import numpy as np
import pytest
import torch

from scripts.common import autograd, cuda_graphs, divergence, stacked, stretches
from scripts.common.engine import BatchesOnGpu, Task
from scripts.common.errors import UserError
from scripts.common.exactness import exact_on
from scripts.common.places import PROJECT
from scripts.common.training import train
from tests import tape
from tests.examples import TINY, pieces, pieces_settings, tiny_data, tiny_settings
from tests.pretended_gpu import ADAM, NTK, UPDATES, a_task

RTOL = 1e-8
WILD = {
    "network": {**TINY, "hidden": [6, 6, 6], "activation": "relu"},
    "initialization": {"kind": "uniform", "scale": 2.0, "seed": 5},
    "optimizer": {"kind": "sgd", "learning_rate": 0.3, "momentum": 0.9},
    "precision": "float32",
    "replicas": 12,
    "steps": 200,
    "evaluate_every": 50,
}
"""Some replicas diverge in the middle of a stretch."""
STACKED = {
    "sgd": {},
    "float32": {"precision": "float32"},
    "adam": {"optimizer": ADAM, "steps": 150},
    "all samples": {"batches": {"kind": "full", "seed": 0}},
    "cross entropy": {"loss": {"kind": "cross_entropy"}, "batches": {"kind": "independent", "size": 5, "seed": 0}},
    "ntk": {"network": {**TINY, **NTK}, "initialization": {"kind": "standard_normal", "seed": 1}},
    "leaky": {"network": {**TINY, "activation": "leaky_relu"}},
    "sigmoid": {"network": {**TINY, "activation": "sigmoid"}},
    "wild": WILD,
}
AUTOGRAD = {
    "plain": {},
    "adam": {"optimizer": ADAM, "network": {**TINY, "normalization": "layer"}},
    "batch normalization": {"network": {**TINY, "normalization": "batch"}, "steps": 150},
    "prelu": {"network": {**TINY, "activation": "prelu"}},
    "all samples": {"batches": {"kind": "full", "seed": 0}},
    "wild": WILD,
}
DRAWING = {
    "dropout": {"network": {**TINY, "dropout": {"kind": "dropout", "rate": 0.3}}, "steps": 150},
    "dropped connections": {"network": {**TINY, "dropout": {"kind": "drop_connect", "rate": 0.3}}},
    "mixup": {"augmentation": {"kind": "mixup", "alpha": 0.5}},
    "wild mixup": {"augmentation": {"kind": "mixup", "alpha": 0.5}, **WILD},
}
"""With random numbers of each update, and so without recordings."""
CASES = [pytest.param(changes, id=name) for name, changes in STACKED.items()] + [
    pytest.param({**changes, "engine": "autograd"}, id=f"autograd {name}") for name, changes in (AUTOGRAD | DRAWING).items()
]


@pytest.fixture
def stand_in(monkeypatch):
    """Let the processor be taken for a GPU, with tapes as graphs."""
    monkeypatch.setattr(Task, "on_gpu", lambda _task: True)
    monkeypatch.setattr(cuda_graphs, "record", tape.record)
    tape.RECORDED.clear()


def same(found, expected, **tolerance):
    assert list(found) == list(expected)
    for key, array in expected.items():
        if tolerance and array.dtype.kind == "f":
            np.testing.assert_allclose(found[key], array, **tolerance, err_msg=key)
        else:
            np.testing.assert_array_equal(found[key], array, err_msg=key)


# on stand-ins


@pytest.mark.parametrize("changes", CASES)
def test_recorded_updates_are_those_of_the_processor(changes, stand_in, monkeypatch):
    assert stand_in is None
    found = train(tiny_data(), **tiny_settings(**changes))
    assert len(tape.RECORDED) == ("augmentation" not in changes and "dropout" not in changes.get("network", {}))
    monkeypatch.undo()
    expected = train(tiny_data(), **tiny_settings(**changes))
    if changes.get("optimizer") == ADAM:  # whose two factors are numbers there, and tensors here
        same(found, expected, rtol=1e-12, atol=1e-14)
    else:
        same(found, expected)
    if changes.get("replicas") == 12:
        assert 0 < (expected["diverged_at"] > 0).sum() < 12
        assert (expected["diverged_at"][expected["diverged_at"] > 0] % stretches.LENGTH > 1).any()


@pytest.mark.parametrize(("engine", "look"), [("stacked", (divergence.Watch, "look")), ("autograd", (autograd.Autograd, "_look"))])
def test_replicas_that_have_diverged_are_waited_for_no_more(engine, look, stand_in, monkeypatch):
    assert stand_in is None
    looked, really = [], getattr(*look)
    monkeypatch.setattr(*look, lambda self, step: (looked.append(step), really(self, step)))
    settings = WILD | {"optimizer": {"kind": "sgd", "learning_rate": 0.03}, "engine": engine}
    diverged_at = train(tiny_data(), **tiny_settings(**settings))["diverged_at"]
    assert (diverged_at > 0).sum() == 1, "and all others stay small"
    assert diverged_at.max() in looked
    assert len(looked) < 20


def test_a_batch_that_came_in_other_memory_would_be_seen(stand_in, monkeypatch):
    """What the tapes are good for: an update that reads its batch from new memory each time gives other results."""
    assert stand_in is None

    def choose(self, step):
        self._chosen = torch.as_tensor(self._indices[step - 1])

    monkeypatch.setattr(BatchesOnGpu, "choose", choose)
    found = train(tiny_data(), **tiny_settings())
    monkeypatch.undo()
    assert not np.allclose(found["train_loss"], train(tiny_data(), **tiny_settings())["train_loss"], rtol=0.01)


def test_indices_go_to_the_gpu_many_steps_at_a_time(monkeypatch):
    monkeypatch.setattr("scripts.common.engine.BYTES_OF_INDICES", 3 * 4 * 8 * 8)
    task = a_task()
    indices = task.batch_indices()
    batches = BatchesOnGpu(task, task.x, indices)
    for step in (1, 2, 3, 4, 9, 5, 4, 25, 1):
        batches.choose(step)
        x, y = batches.chosen()
        for replica in range(4):
            torch.testing.assert_close(x[replica], task.x[:, indices[step - 1, replica]])
            torch.testing.assert_close(y[replica], task.y[:, indices[step - 1, replica]])
        assert len(batches._of_block) <= 3


def test_nothing_of_this_is_used_on_a_processor(monkeypatch):
    for module in (stacked, autograd):
        monkeypatch.setattr(module, "Stretches", pytest.fail)
        monkeypatch.setattr(module, "BatchesOnGpu", pytest.fail)
    monkeypatch.setattr(cuda_graphs, "record", pytest.fail)
    for changes in (
        {},
        {"engine": "autograd"},
        {"engine": "gauss_newton", "optimizer": {"kind": "natural_gradient"}, "batches": {"kind": "full", "seed": 0}},
    ):
        train(tiny_data(), **tiny_settings(**changes))
    train(pieces(), **pieces_settings(6, 5))
    assert not torch.are_deterministic_algorithms_enabled(), "the setting is for GPUs"


@pytest.fixture(scope="module")
def pretended():
    """What `tests.pretended_gpu` says."""
    done = subprocess.run([sys.executable, "-m", "tests.pretended_gpu"], cwd=PROJECT, check=True, capture_output=True, text=True)
    return json.loads(done.stdout)


DRAWN = ["aten._to_copy.default", "aten.detach.default", "aten.ge_.Scalar", "aten.lift_fresh.default", "prim.device.default"]
OF_LAMBDA = ["aten.mean.dim", "aten.rsub.Scalar"]
"""What is done with random numbers before they are on the GPU."""


@pytest.mark.parametrize("case", UPDATES)
def test_an_update_is_on_the_gpu_from_end_to_end_and_waits_for_no_number_of_it(case, pretended):
    changes = UPDATES[case][1]
    draws = "dropout" in changes.get("network", {}) or "augmentation" in changes
    assert isinstance(pretended["updates"][case], list), pretended["updates"][case]
    assert set(pretended["updates"][case]) <= {*DRAWN, *OF_LAMBDA} if draws else pretended["updates"][case] == []


def test_a_number_that_is_waited_for_and_a_tensor_elsewhere_would_be_seen(pretended):
    assert "_local_scalar_dense" in pretended["wrong"]["waits"]
    assert "same device" in pretended["wrong"]["mixes"]
    assert pretended["wrong"]["moves"]


def test_arithmetic_is_exact_and_in_one_order_while_a_gpu_trains():
    def now():
        return (
            torch.are_deterministic_algorithms_enabled(),
            torch.get_float32_matmul_precision(),
            torch.backends.cudnn.enabled,
            torch.utils.deterministic.fill_uninitialized_memory,
        )

    before = now()
    with exact_on("cuda"):
        assert now() == (True, "highest", False, False)
    assert now() == before
    with exact_on("cpu"):
        assert now() == before


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA GPU")
def test_pytorch_without_a_gpu_says_so():
    with pytest.raises(UserError, match=r"^device: wrong value 'cuda', PyTorch .* finds no GPU that it can use; allowed here: cpu; set it"):
        train(tiny_data(), **tiny_settings(device="cuda"))


# on a GPU

on_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA GPU")


@pytest.mark.cuda
@on_gpu
@pytest.mark.parametrize("changes", CASES)
def test_a_gpu_comes_to_what_a_processor_does(changes):
    on_processor, on_gpu = (train(tiny_data(), **tiny_settings(**changes), device=device) for device in ("cpu", "cuda"))
    if changes.get("precision") == "float32":
        tolerance = {"rtol": 1e-3, "atol": 1e-5}
        intact = on_processor["diverged_at"] < 0
        for key in ("train_loss", "test_loss"):
            np.testing.assert_allclose(on_gpu[key][:, intact], on_processor[key][:, intact], **tolerance)
        return
    same(on_gpu, on_processor, rtol=RTOL, atol=RTOL)


@pytest.mark.cuda
@on_gpu
@pytest.mark.parametrize("changes", CASES)
def test_graphs_give_the_same_bits_as_operations_one_by_one(changes, monkeypatch):
    recorded = train(tiny_data(), **tiny_settings(**changes), device="cuda")
    same(train(tiny_data(), **tiny_settings(**changes), device="cuda"), recorded)
    monkeypatch.setattr(cuda_graphs, "record", lambda function: function)
    same(train(tiny_data(), **tiny_settings(**changes), device="cuda"), recorded)


@pytest.mark.cuda
@on_gpu
@pytest.mark.parametrize("engine", ["stacked", "autograd"])
def test_an_update_of_each_engine_can_be_recorded(engine, recwarn):
    train(tiny_data(), **tiny_settings(engine=engine), device="cuda")
    assert [str(one.message) for one in recwarn if "cannot be recorded" in str(one.message)] == []


@pytest.mark.cuda
@on_gpu
def test_what_cannot_be_recorded_is_done_as_it_is():
    places = torch.zeros(3, device="cuda")

    def step():
        places.add_(1.0)
        places.sum().item()

    with pytest.warns(RuntimeWarning, match="cannot be recorded"):
        again = cuda_graphs.record(step)
    before = places.clone()
    again()
    assert torch.equal(places, before + 1)


@pytest.mark.cuda
@on_gpu
def test_a_gpu_that_is_too_small_for_all_replicas_trains_them_in_parts():
    whole = train(tiny_data(), **tiny_settings(replicas=64, network={**TINY, "hidden": [256, 256]}), device="cuda")
    gc.collect()
    torch.cuda.empty_cache()
    _, total = torch.cuda.mem_get_info()
    lines = []
    torch.cuda.set_per_process_memory_fraction((torch.cuda.memory_reserved() + 0.25 * 2**30) / total)
    try:
        settings = tiny_settings(replicas=64, network={**TINY, "hidden": [256, 256]})
        divided = train(tiny_data(), **settings, device="cuda", report=lines.append)
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
    assert any(line.startswith("out of GPU memory") for line in lines)
    same(divided, whole, rtol=RTOL, atol=RTOL)
