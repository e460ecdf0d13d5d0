import numpy as np
import pytest
import torch
from torch import nn

from scripts.common import storage
from scripts.common.errors import UserError
from scripts.measurements import elbows
from tests.examples import bending, tiny_data, wave

DENSE = np.linspace(0, 1, 400_001)


def brute_force(hidden, parameters):
    """The places on a very dense grid where the input of each unit of the second layer changes its sign."""
    model = nn.Sequential(nn.Linear(1, hidden[0]), nn.ReLU(), nn.Linear(hidden[0], hidden[1])).double()
    nn.utils.vector_to_parameters(torch.as_tensor(parameters[: sum(p.numel() for p in model.parameters())]), model.parameters())
    with torch.no_grad():
        positive = model(torch.as_tensor(DENSE[:, None])).numpy() > 0
    return [DENSE[:-1][changes] for changes in np.diff(positive.astype(int), axis=0).T != 0]


@pytest.mark.parametrize("seed", range(5))
def test_kinks_are_the_sign_changes_on_a_very_dense_grid(seed, tmp_path):
    network, train = bending([7, 6], seed=seed)
    found = elbows.measure(train, network, wave())
    for here in np.ndindex(3, 2):
        expected = brute_force(network["hidden"], train["parameters"][here])
        places = np.sort(np.concatenate(expected))
        kinks = found["kink"][here]
        assert np.isfinite(kinks).sum() == len(places)
        np.testing.assert_allclose(kinks[: len(places)], places, atol=2 * DENSE[1])
        assert np.isnan(kinks[len(places) :]).all()
        assert found["kinks_inside"][here] == sum(len(unit) > 0 for unit in expected)
    storage.save(tmp_path / "elbows.npz", found, kind=elbows.KIND, digest="d")


def test_some_units_have_several_kinks_and_some_none():
    counts = [len(unit) for seed in range(5) for unit in brute_force([7, 6], bending([7, 6], seed=seed)[1]["parameters"][0, 0])]
    assert {0, 1, 2} <= set(counts)


def test_elbows_are_where_the_input_of_a_unit_is_zero(tmp_path):
    network, train = bending([5])
    train["parameters"][1, 0, :5] = [2.0, -2.0, 0.0, 4.0, -1.0]
    train["parameters"][1, 0, 5:10] = [-1.0, 0.0, 3.0, 1.0, 1.5]
    found = elbows.measure(train, network, wave())
    np.testing.assert_allclose(found["elbow"][1, 0], [0.5, 0.0, np.nan, -0.25, 1.5])
    assert found["elbows_inside"][1, 0] == 2  # 0 is on the border, and inside
    assert found["elbows_inside"][0].tolist() == [5, 5]
    assert "kink" not in found
    storage.save(tmp_path / "elbows.npz", found, kind=elbows.KIND, digest="d")


@pytest.mark.parametrize(
    ("places", "groups"),
    [([0.1, 0.2, 0.3], 3), ([0.3, 0.105, 0.1, 0.301], 2), ([0.1, 0.109, 0.118], 1), ([0.1, -0.5, 1.5, 0.9], 2), ([-1, 2, 3, 4], 0)],
)
def test_elbows_that_lie_close_together_are_one_group(places, groups):
    network, train = bending([len(places)])
    train["parameters"][2, 1, : len(places)] = 1
    train["parameters"][2, 1, len(places) : 2 * len(places)] = -np.array(places)
    assert elbows.measure(train, network, wave())["elbow_groups"][2, 1] == groups
    assert elbows.measure(train, network, wave(), apart=3.0)["elbow_groups"][2, 1] == min(groups, 1)


@pytest.mark.parametrize(
    ("values", "places"),
    [
        ([-1, 1, 1], [0.5]),
        ([-1, 3, -1], [0.25, 1.75]),
        ([1, 0, 1], []),
        ([1, 0, -1], [1.0]),
        ([0, 1, 2], []),
        ([0, 0, 0], []),
        ([1, 0, 0, -1], [1.0]),
        ([0, -1, 0, 0, 1, 0], [2.0]),
    ],
)
def test_a_kink_is_a_change_of_sign(values, places):
    found = elbows._crossings(np.arange(len(values), dtype=float), np.array(values, dtype=float))
    np.testing.assert_allclose(found, places)


def test_a_replica_that_has_diverged_has_no_elbows(tmp_path):
    network, train = bending([4, 3])
    train["parameters"][2, 1, -1] = np.nan
    train["diverged_at"][1] = 15
    found = elbows.measure(train, network, wave())
    for key in ("exists_elbows_inside", "exists_kinks_inside"):
        assert found[key].tolist() == [[True, True], [True, True], [True, False]]
    assert np.isnan(found["elbow"][2, 1]).all()
    assert np.isnan(found["kink"][2, 1]).all()
    storage.save(tmp_path / "elbows.npz", found, kind=elbows.KIND, digest="d")


def test_a_network_whose_second_layer_never_bends_has_no_kinks(tmp_path):
    network, train = bending([4, 3])
    train["parameters"][:, :, 8:20] = 0
    train["parameters"][:, :, 20:23] = 1
    found = elbows.measure(train, network, wave())
    assert found["kink"].shape == (3, 2, 0)
    assert not found["kinks_inside"].any()
    storage.save(tmp_path / "elbows.npz", found, kind=elbows.KIND, digest="d")


def test_networks_that_have_no_elbows_are_refused():
    network, train = bending([5, 4])
    with pytest.raises(UserError, match="one input, this one has 2"):
        elbows.measure(train, network, tiny_data())
    with pytest.raises(UserError, match="this one has tanh"):
        elbows.measure(train, network | {"activation": "tanh"}, wave())
