"""The shift against networks of PyTorch, one replica at a time."""

import numpy as np
import pytest
import torch
from torch import nn

from scripts.common import networks, storage
from scripts.measurements.covariate_shift import KIND, measure

REPLICAS, SAVED = 2, 3


def example(network):
    generator = np.random.default_rng(0)
    count = sum(networks.sizes(network, inputs=64, outputs=4).values())
    data = {"train_x": generator.random((30, 64)), "train_y": np.eye(4)[generator.integers(4, size=30)]}
    train = {"step": np.arange(SAVED) * 5, "parameters": generator.uniform(0.1, 0.5, size=(SAVED, REPLICAS, count)).astype(np.float32)}
    return data, train


def model(network):
    layers, below = [], 1
    for channels in network["channels"]:
        layers += [nn.Conv2d(below, channels, 3, padding=1)]
        layers += [nn.BatchNorm2d(channels)] if network.get("normalization") else []
        layers += [nn.ReLU(), nn.MaxPool2d(2)]
        below = channels
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(4 * below, 4)).double()


@pytest.mark.parametrize("options", [{}, {"normalization": "batch"}], ids=["none", "batch"])
def test_it_is_how_far_the_mean_of_the_inputs_moves_relative_to_their_spread(options):
    network = {"kind": "convolutional", "channels": [2, 3], "kernel": 3, "activation": "relu", **options}
    data, train = example(network)
    found = measure(data, train, network)
    for replica in range(REPLICAS):
        means, spreads = [], []
        for saved in train["parameters"][:, replica]:
            one, begin = model(network), 0
            state = one.state_dict()
            for name, shape in networks.shapes(network, inputs=64, outputs=4).items():
                size = int(np.prod(shape))
                state[name].copy_(torch.from_numpy(saved[begin : begin + size].astype(np.float64)).view(shape))
                begin += size
            one.train()
            inputs = one[:-1](torch.from_numpy(data["train_x"]).view(-1, 1, 8, 8)).detach().numpy()
            means.append(inputs.mean(axis=0))
            spreads.append(sum(np.var(column) for column in inputs.T))
        expected = [0.0] + [np.linalg.norm(means[s] - means[s - 1]) / np.sqrt(spreads[s]) for s in (1, 2)]
        np.testing.assert_allclose(found["input_shift"][:, replica], expected, rtol=1e-9)
        assert found["covariate_shift"][replica] == pytest.approx(sum(expected))
        assert expected[1] > 0.01


def test_what_has_diverged_has_shifted_without_end(tmp_path):
    network = {"kind": "perceptron", "hidden": [3], "activation": "relu"}
    data, train = example(network)
    train["parameters"][1, 0] = np.nan
    found = measure(data, train, network)
    assert found["covariate_shift"][0] == np.inf
    assert np.isfinite(found["covariate_shift"][1])
    storage.save(tmp_path / "found.npz", found, kind=KIND, digest="0" * 64)
