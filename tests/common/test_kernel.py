import itertools
import platform
from functools import cache

import llvmlite.binding as llvm
import numpy as np
import pytest
import torch
from numpy.random import PCG64, Generator
from torch import nn

from scripts.common import kernel, sampling
from scripts.common.kernel import Kernel

CASES = [
    ([1, 10, 1], 200, 40, 0.0),
    ([1, 40, 40, 1], 200, 40, 0.9),
    ([2, 7, 13, 3], 50, 37, 0.5),
    ([1, 20, 1], 800, 160, 0.0),
    ([3, 33, 17, 2], 11, 2, 0.9),
    ([6, 20, 1], 30, 30, 0.0),
    ([41, 1], 30, 1, 0.9),
]
STEPS = 30


def make(widths, samples, batch, momentum, dtype):
    return Kernel(widths, samples=samples, batch=batch, dtype=np.dtype(dtype), learning_rate=0.05, momentum=momentum)


@cache
def made(widths, *others):
    return make([*widths], *others)


class Example:
    """A kernel with random parameters and data."""

    def __init__(self, widths, samples, batch, momentum, *, dtype="float64", fresh=False):
        self.widths = widths
        self.kernel = make(widths, samples, batch, momentum, dtype) if fresh else made(tuple(widths), samples, batch, momentum, dtype)
        generator = np.random.default_rng(1)
        self.x, self.y = (generator.normal(size=(width, samples)).astype(dtype) for width in (widths[0], widths[-1]))
        self.x /= np.sqrt(widths[0]).astype(dtype)
        self.parameters, self.velocity = self.kernel.parameters(2)
        for layer in self.kernel.layers(self.parameters):
            layer[:] = generator.normal(size=layer.shape) * 0.4
        self.words = sampling.words(Generator(PCG64(2)), STEPS, batch)

    def run(self, words=None, *, limit=-1.0):
        words = self.words if words is None else words
        return self.kernel.run(words, self.x, self.y, self.parameters, self.velocity, limit=limit)

    def flat(self):
        layers = self.kernel.layers(self.parameters)
        return np.concatenate([part for layer in layers for part in (layer[:, :-1].ravel(), layer[:, -1])])


def torch_run(example, momentum):
    """What PyTorch makes of the same parameters, data and words in float64."""
    modules = [module for pair in itertools.pairwise(example.widths) for module in (nn.Linear(*pair), nn.ReLU())]
    model = nn.Sequential(*modules[:-1]).double()
    nn.utils.vector_to_parameters(torch.as_tensor(example.flat().astype(np.float64)), model.parameters())
    optimizer = torch.optim.SGD(model.parameters(), 0.05, momentum=momentum)
    x, y = (torch.as_tensor(values.T.astype(np.float64)) for values in (example.x, example.y))
    for subset in sampling.subsets(example.words, len(x)):
        optimizer.zero_grad()
        nn.MSELoss()(model(x[subset]), y[subset]).backward()
        optimizer.step()
    return nn.utils.parameters_to_vector(model.parameters()).detach().numpy()


@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-13), ("float32", 2e-5)])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_steps_are_those_of_torch(case, dtype, tolerance):
    example = Example(*case, dtype=dtype)
    expected = torch_run(example, momentum=case[3])
    start = example.flat().copy()
    assert example.run() == STEPS
    np.testing.assert_allclose(example.flat(), expected, rtol=tolerance, atol=tolerance)
    assert np.abs(example.flat() - start).max() > 0.01


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("case", CASES[:5], ids=str)
def test_many_steps_at_once_are_those_one_by_one_to_the_last_bit(case, dtype):
    at_once, one_by_one = (Example(*case, dtype=dtype) for _ in range(2))
    at_once.run()
    for row in one_by_one.words:
        one_by_one.run(row[None])
    assert at_once.parameters.tobytes() == one_by_one.parameters.tobytes()
    assert at_once.velocity.tobytes() == one_by_one.velocity.tobytes()


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("block", [(1, 1), (3, 2), (8, 4)])
def test_what_is_kept_in_registers_changes_no_bit(monkeypatch, dtype, block):
    usual = Example(*CASES[2], dtype=dtype)
    monkeypatch.setattr(kernel, "BLOCK", block)
    other = Example(*CASES[2], dtype=dtype, fresh=True)
    for example in (usual, other):
        example.run()
    assert usual.parameters.tobytes() == other.parameters.tobytes()


@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="names processors of one family")
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_processor_with_shorter_vectors_changes_no_bit(monkeypatch, dtype):
    usual = Example(*CASES[1], dtype=dtype)
    features = llvm.get_host_cpu_features()
    shorter = type(features)({name: on and not name.startswith("avx512") for name, on in features.items()})
    monkeypatch.setattr(llvm, "get_host_cpu_name", lambda: "haswell")
    monkeypatch.setattr(llvm, "get_host_cpu_features", lambda: shorter)
    other = Example(*CASES[1], dtype=dtype, fresh=True)
    for example in (usual, other):
        example.run()
    assert usual.parameters.tobytes() == other.parameters.tobytes()


def test_layers_are_views_of_the_parameters_and_what_is_between_them_stays_zero():
    example = Example(*CASES[2])
    shapes = [layer.shape for layer in example.kernel.layers(example.parameters)]
    assert shapes == [(7, 3), (13, 8), (3, 14)]
    example.run()
    stack = np.stack([example.parameters, 2 * example.parameters])
    for layer, both in zip(example.kernel.layers(example.parameters), example.kernel.layers(stack), strict=True):
        np.testing.assert_array_equal(both, [layer, 2 * layer])
        assert np.shares_memory(both, stack)
    for array in (example.parameters, example.velocity):
        for layer in example.kernel.layers(array):
            layer[:] = 0
        assert not array.any()


def squared_norms(case, dtype):
    """The squared norm of all parameters after each step."""
    example = Example(*case, dtype=dtype)
    found = []
    for row in example.words:
        example.run(row[None])
        found.append(np.square(example.flat(), dtype=np.float64).sum())
    return np.array(found)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("case", CASES[1:3], ids=str)
def test_the_kernel_returns_after_the_first_step_whose_norm_is_above_the_limit(case, dtype):
    norms = squared_norms(case, dtype)
    for step in (1, 2, 9):
        limit = float(norms[:step].max() * 1.0001)
        above = np.flatnonzero(norms > limit)
        expected = above[0] + 1 if len(above) else STEPS
        assert Example(*case, dtype=dtype).run(limit=limit) == expected
    assert Example(*case, dtype=dtype).run(limit=norms[0] * 0.999) == 1
    assert Example(*case, dtype=dtype).run(limit=-1.0) == STEPS


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("layer", [0, 1, 2])
def test_what_is_not_finite_is_above_every_limit_and_spreads_as_in_torch(dtype, wrong, layer):
    def start():
        example = Example(*CASES[1], dtype=dtype)
        example.kernel.layers(example.parameters)[layer][3 % (40 if layer < 2 else 1), 0] = wrong
        return example

    assert start().run(limit=1e300) == 1
    example = start()
    expected = torch_run(example, momentum=0.9)
    assert example.run() == STEPS
    np.testing.assert_array_equal(np.isnan(example.flat()), np.isnan(expected))
    assert np.isnan(example.flat()).any()
