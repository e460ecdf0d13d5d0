import numpy as np
import pytest
import torch
from torch import nn

from scripts.common import storage
from scripts.common.seeds import replica_seeds
from scripts.simulations.activation_distribution import KIND, simulate


def source_run(seed=42):
    """The source's function without its plots, line by line: by name what it would draw, mean and deviation."""
    torch.manual_seed(seed)
    x = torch.randn(1000, 100)
    init_methods = {
        "He": lambda w: nn.init.kaiming_normal_(w, nonlinearity="relu"),
        "Xavier": nn.init.xavier_normal_,
        "Small (0.01)": lambda w: nn.init.normal_(w, std=0.01),
        "Large (1.0)": lambda w: nn.init.normal_(w, std=1.0),
    }
    found = {}
    for name, init_fn in init_methods.items():
        layer = nn.Linear(100, 100)
        init_fn(layer.weight)
        nn.init.zeros_(layer.bias)
        with torch.no_grad():
            output = nn.functional.relu(layer(x))
        mean_val = output.mean().item()
        std_val = output.std().item()
        found[name] = output.numpy().flatten(), mean_val, std_val
    return found


@pytest.fixture(scope="module")
def found():
    return simulate(replica_seeds(42, 6))


@pytest.mark.parametrize("replica", [0, 3])
def test_means_and_deviations_are_those_of_the_source(found, replica):
    expected = source_run(replica_seeds(42, 6)[replica])
    assert found["level"].tolist() == list(expected)
    for level, (values, mean, deviation) in enumerate(expected.values()):
        assert found["activation_mean"][replica, level] == pytest.approx(mean, rel=1e-6)
        assert found["activation_deviation"][replica, level] == pytest.approx(deviation, rel=1e-6)
        assert found["mean_square"][replica, level] == pytest.approx(np.mean(values.astype(np.float64) ** 2), rel=1e-6)


def test_histograms_are_those_of_the_source(found, tmp_path):
    for level, (values, _, _) in enumerate(source_run().values()):
        counts, edges = np.histogram(values, bins=50)
        np.testing.assert_array_equal(found["counts"][level], counts)
        np.testing.assert_allclose(found["edges"][level], edges, rtol=1e-6)
    storage.save(tmp_path / "distribution.npz", found, kind=KIND, digest="d")


def test_theory_is_near_what_many_draws_give(found):
    for name in ("activation_mean", "activation_deviation", "mean_square"):
        np.testing.assert_allclose(found[name].mean(axis=0), found[f"{name}_theory"][0], rtol=0.03)
    np.testing.assert_allclose(found["mean_square_theory"][0], [1, 0.5, 0.005, 50])
