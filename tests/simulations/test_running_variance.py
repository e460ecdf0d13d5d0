"""The running variance against PyTorch's layer and the source's, transcribed; and where the source's layer fails."""

import copy

import numpy as np
import pytest
import torch
from torch import nn

from scripts.common import storage
from scripts.common.errors import UserError
from scripts.common.seeds import replica_seeds
from scripts.simulations import running_variance

SEEDS = replica_seeds(0, 3)
SIZES = [2, 3, 16]
OPTIONS = {"batch_sizes": SIZES, "channels": 5, "steps": 12, "test_samples": 200}


class SourceBatchNorm(nn.Module):
    """The source's layer, transcribed."""

    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(num_features))
        self.beta = nn.Parameter(torch.zeros(num_features))
        self.register_buffer("running_mean", torch.zeros(num_features))
        self.register_buffer("running_var", torch.ones(num_features))
        self.eps = eps
        self.momentum = momentum

    def forward(self, x):
        if self.training:
            batch_mean = x.mean(dim=0)
            batch_var = x.var(dim=0, unbiased=False)
            self.running_mean = (1 - self.momentum) * self.running_mean + self.momentum * batch_mean
            self.running_var = (1 - self.momentum) * self.running_var + self.momentum * batch_var
            x_normalized = (x - batch_mean) / torch.sqrt(batch_var + self.eps)
        else:
            x_normalized = (x - self.running_mean) / torch.sqrt(self.running_var + self.eps)
        return self.gamma * x_normalized + self.beta


def found_by(layer, seed, size):
    """Return the running variance after each step and the deviation of new values, by a layer for batches (N, 5) in float64."""
    generator = np.random.default_rng([seed, size])
    layer, course = layer.double(), []
    with torch.no_grad():
        for batch in generator.normal(1.0, 2.0, (12, 5, size)):
            layer(torch.from_numpy(batch.T))
            course.append(layer.running_var.mean().item())
        layer.eval()
        new = layer(torch.from_numpy(generator.normal(1.0, 2.0, (200, 5)))).numpy()
    return course, new.std(axis=0).mean()


@pytest.mark.parametrize(("unbiased", "layer"), [(True, nn.BatchNorm1d), (False, SourceBatchNorm)])
def test_statistics_are_those_of_the_layer(unbiased, layer, tmp_path):
    found = running_variance.simulate(SEEDS, unbiased=unbiased, **OPTIONS)
    told = [int(step) - 1 for step in found["index_variance_by_step"]]
    assert told == [0, 1, 2, 4, 6, 9]
    for replica, seed in enumerate(SEEDS):
        for place, size in enumerate(SIZES):
            course, deviation = found_by(layer(5), seed, size)
            assert found["running_variance"][replica, place] == pytest.approx(course[-1], rel=1e-10)
            assert found["evaluation_deviation"][replica, place] == pytest.approx(deviation, rel=1e-10)
            if place == 0:
                np.testing.assert_allclose(found["variance_by_step"][replica], np.array(course)[told], rtol=1e-10)
    storage.save(tmp_path / "variance.npz", found, kind=running_variance.KIND, digest="d")


@pytest.mark.parametrize("unbiased", [True, False])
def test_the_mean_over_many_channels_is_what_theory_expects(unbiased):
    found = running_variance.simulate([1], batch_sizes=[2, 8], unbiased=unbiased, channels=20000, test_samples=1, steps=30)
    np.testing.assert_allclose(found["running_variance"], found["expected_variance"], rtol=0.01)
    np.testing.assert_allclose(found["variance_by_step"], found["expected_by_step"], rtol=0.02)
    assert found["expected_variance"][0, 0] == pytest.approx(0.9**30 + (1 - 0.9**30) * (4 if unbiased else 2))


def test_biased_and_unbiased_differ_by_n_over_n_less_one():
    biased, unbiased = (running_variance.simulate(SEEDS, unbiased=way, **OPTIONS | {"steps": 300}) for way in (False, True))
    ratio = unbiased["running_variance"] / biased["running_variance"]
    np.testing.assert_allclose(ratio, np.tile([2, 1.5, 16 / 15], (3, 1)), rtol=1e-10)


@pytest.mark.parametrize("sizes", [[1, 2], [4, 2], [2, 2]])
def test_sizes_have_a_variance_and_an_order(sizes):
    with pytest.raises(UserError, match="at least 2, in ascending order"):
        running_variance.simulate(SEEDS, batch_sizes=sizes, unbiased=True)


# where the source's layer fails


def in_a_network(layer):
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 3), layer, nn.Linear(3, 1))


def train_once(network, x):
    network.train()
    network(x).sum().backward()


def test_the_layer_of_the_source_keeps_the_graph_so_that_copies_and_evaluation_fail():
    x = torch.randn(6, 4, generator=torch.Generator().manual_seed(1))
    for layer, fails in ((SourceBatchNorm(3), True), (nn.BatchNorm1d(3), False)):
        network = in_a_network(layer)
        copy.deepcopy(network)  # before training all is well
        train_once(network, x)
        assert layer.running_mean.requires_grad is fails
        network.eval()
        if fails:
            with pytest.raises(RuntimeError, match="deepcopy"):
                copy.deepcopy(network)
            with pytest.raises(RuntimeError, match="backward through the graph a second time"):
                network(x).sum().backward()
        else:
            copy.deepcopy(network)
            network(x).sum().backward()


def test_the_graph_that_the_layer_of_the_source_keeps_grows_with_every_step():
    x = torch.randn(6, 4, generator=torch.Generator().manual_seed(1))
    layer = SourceBatchNorm(3)
    network, lengths = in_a_network(layer), []
    for _ in range(5):
        train_once(network, x)
        length, node = 0, layer.running_mean.grad_fn
        while node is not None and node.next_functions:  # back through (1 - momentum) running_mean
            node, length = node.next_functions[0][0], length + 1
        lengths.append(length)
    assert (np.diff(lengths) == 2).all()  # an addition and a product


def test_without_gradients_the_layer_of_the_source_normalizes_like_that_of_pytorch():
    x = torch.randn(6, 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    torch.testing.assert_close(SourceBatchNorm(3).double()(x), nn.BatchNorm1d(3).double()(x), rtol=1e-12, atol=1e-12)


def test_the_layer_of_the_source_takes_no_images():
    images = torch.randn(2, 3, 4, 4, generator=torch.Generator().manual_seed(1))
    nn.BatchNorm2d(3)(images)
    with pytest.raises(RuntimeError, match="must match the size"):
        SourceBatchNorm(3)(images)
