"""The source's table of statistics, its cells transcribed and run in order, and the sets that tell the normalizations apart."""

import numpy as np
import pytest
import torch
from torch import nn

from scripts.common import storage
from scripts.common.seeds import replica_seeds
from scripts.simulations import normalization_statistics as simulation

LAYERS = {"batch": "BatchNorm", "layer": "LayerNorm", "instance": "InstanceNorm", "group": "GroupNorm"}


def source():
    """Run what the source's cells of exercises 3 to 5 draw and compute; return its results and its normalized arrays."""
    torch.manual_seed(42)
    torch.randn(1000, 100)
    init_methods = {
        "He": lambda w: nn.init.kaiming_normal_(w, nonlinearity="relu"),
        "Xavier": nn.init.xavier_normal_,
        "Small (0.01)": lambda w: nn.init.normal_(w, std=0.01),
        "Large (1.0)": lambda w: nn.init.normal_(w, std=1.0),
    }
    for init_fn in init_methods.values():
        layer = nn.Linear(100, 100)
        init_fn(layer.weight)
        nn.init.zeros_(layer.bias)

    batch_size, channels, height, width = 32, 16, 28, 28
    x = torch.randn(batch_size, channels, height, width)
    norms = {
        "BatchNorm": nn.BatchNorm2d(channels),
        "LayerNorm": nn.LayerNorm([channels, height, width]),
        "InstanceNorm": nn.InstanceNorm2d(channels),
        "GroupNorm": nn.GroupNorm(num_groups=4, num_channels=channels),
    }
    results, outputs = {}, {"none": x.numpy()}
    for name, norm_layer in norms.items():
        with torch.no_grad():
            output = norm_layer(x)
            results[name] = {"mean": output.mean().item(), "std": output.std().item(), "shape": output.shape}
            outputs[name] = output.numpy()
    return results, outputs


@pytest.fixture(scope="module")
def found():
    return simulation.simulate(replica_seeds(42, 3))


@pytest.fixture(scope="module")
def printed():
    state = torch.get_rng_state()
    yield source()
    torch.set_rng_state(state)


def test_replica_0_has_the_numbers_of_the_source(found, printed):
    results, outputs = printed
    assert found["index_array_mean"].tolist() == ["none", *LAYERS]
    for place, name in enumerate(LAYERS, start=1):
        assert found["array_deviation"][0, place] == pytest.approx(results[LAYERS[name]]["std"], abs=2e-6)
        assert f"{found['array_deviation'][0, place]:.4f}" == f"{results[LAYERS[name]]['std']:.4f}" == "1.0000"
        assert abs(found["array_mean"][0, place]) < 1e-7 > abs(results[LAYERS[name]]["mean"])  # nothing but rounding
    assert found["array_mean"][0, 0] == pytest.approx(outputs["none"].astype(np.float64).mean(), abs=1e-12)
    assert found["array_deviation"][0, 0] == pytest.approx(outputs["none"].astype(np.float64).std(ddof=1), abs=1e-12)


def test_statistics_by_set_are_those_of_loops_over_the_sets(found, printed):
    outputs = printed[1]
    for name in simulation.NAMES:
        output = outputs[LAYERS.get(name, name)].astype(np.float64)
        sets = {
            "channel": [output[:, c] for c in range(16)],
            "sample": [output[n] for n in range(32)],
            "sample and channel": [output[n, c] for n in range(32) for c in range(16)],
            "sample and group": [output[n, c : c + 4] for n in range(32) for c in range(0, 16, 4)],
        }
        for of, values in sets.items():
            place = found["index_largest_mean"].tolist().index(f"{name}/{of}")
            assert found["largest_mean"][0, place] == pytest.approx(max(abs(one.mean()) for one in values), abs=2e-7)
            change = max(abs(one.std() - 1) for one in values)
            assert found["largest_deviation_change"][0, place] == pytest.approx(change, abs=2e-6)


def test_each_kind_has_its_own_sets_with_mean_0_and_deviation_1(found, tmp_path):
    none = found["largest_mean"] > 1e-4
    normal = {
        label
        for place, label in enumerate(found["index_largest_mean"].tolist())
        if (found["largest_mean"][:, place] < 1e-6).all() and (found["largest_deviation_change"][:, place] < 1e-4).all()
    }
    own = {"batch/channel", "layer/sample", "instance/sample and channel", "group/sample and group"}
    # unions of normal sets of one size are normal as well
    assert normal == own | {"group/sample", "instance/sample", "instance/channel", "instance/sample and group"}
    assert (none == ~np.isin(found["index_largest_mean"], list(normal))).all()
    storage.save(tmp_path / "statistics.npz", found, kind=simulation.KIND, digest="d")


def test_replicas_do_not_depend_on_their_number(found):
    alone = simulation.simulate(replica_seeds(42, 2)[1:])
    np.testing.assert_array_equal(alone["largest_mean"][0], found["largest_mean"][1])
