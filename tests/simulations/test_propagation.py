import numpy as np
import pytest
import torch

from scripts.common import mean_field, random_networks, storage
from scripts.common.errors import UserError
from scripts.common.seeds import replica_seeds
from scripts.simulations.propagation import KIND, simulate

DEPTHS = [2, 4, 7]
FUNCTIONS = {"tanh": torch.tanh, "relu": torch.relu, "leaky_relu": lambda z: torch.nn.functional.leaky_relu(z, 0.25)}


def by_automatic_differentiation(seed, *, kind, variance, depth, width=12, samples=5, bias_variance=0.3):
    """Mean squares of pre-activations and of gradients by layer, by a loop over layers in PyTorch with the same draws."""
    generator = np.random.default_rng(seed)
    x, labels = random_networks.task(generator, inputs=width, outputs=10, samples=samples)
    drawn = [(generator.standard_normal((width, width)), generator.standard_normal((width, 1))) for _ in range(DEPTHS[-1])]
    last = generator.standard_normal((10, width)) / np.sqrt(width)
    values, befores = torch.as_tensor(x), []
    for weight, bias in drawn[:depth]:
        before = np.sqrt(variance / width) * torch.as_tensor(weight) @ values + np.sqrt(bias_variance) * torch.as_tensor(bias)
        befores.append(before.requires_grad_())
        values = FUNCTIONS[kind](before)
    loss = torch.nn.functional.cross_entropy((torch.as_tensor(last) @ values).T, torch.as_tensor(labels))
    gradients = torch.autograd.grad(loss, befores)
    return [one.square().mean().item() for one in befores], [one.square().mean().item() for one in gradients]


@pytest.mark.parametrize("kind", FUNCTIONS)
def test_profiles_are_those_of_automatic_differentiation(kind, tmp_path):
    seeds = replica_seeds(0, 2)
    levels = {"slopes": [0.25], "weight_variances": [1.5]} if kind == "leaky_relu" else {"weight_variances": [0.7, 1.5]}
    found = simulate(seeds, activation=kind, depths=DEPTHS, bias_variance=0.3, width=12, samples=5, **levels)
    level = len(found["level"]) - 1
    for replica, seed in enumerate(seeds):
        for place, depth in enumerate(DEPTHS):
            forward, backward = by_automatic_differentiation(seed, kind=kind, variance=1.5, depth=depth)
            assert found["first_layer_square"][replica, level, place] == pytest.approx(backward[0] / backward[-1])
        np.testing.assert_allclose(found["forward_square"][replica, level], forward)
        np.testing.assert_allclose(found["backward_square"][replica, level], np.array(backward) / backward[-1])
        assert found["forward_factor"][replica, level] == pytest.approx((forward[-1] / forward[0]) ** (1 / 6))
        factor = (backward[0] / backward[-1]) ** (1 / 6)
        assert found["backward_factor"][replica, level] == pytest.approx(factor)
        assert found["gradient_ratio"][replica, level] == pytest.approx(factor**3)
        assert found["depth_scale"][replica, level] == pytest.approx(1 / abs(np.log(factor)))
    storage.save(tmp_path / "propagation.npz", found, kind=KIND, digest="d")


def test_wide_networks_do_what_theory_says():
    found = simulate(replica_seeds(0, 6), activation="tanh", weight_variances=[0.8, 2.0], depths=[2, 12], bias_variance=0.1, width=300)
    for name in ("forward_square", "backward_square", "first_layer_square"):
        np.testing.assert_allclose(np.median(found[name], axis=0), found[f"{name}_theory"], rtol=0.25)
    for name in ("forward_factor", "backward_factor"):
        np.testing.assert_allclose(np.median(found[name], axis=0), found[f"{name}_theory"][0], rtol=0.02)


def test_theory_by_hand_for_rectified_units():
    found = simulate([0], activation="relu", weight_variances=[1.0, 3.0], depths=[3, 5], width=10)
    np.testing.assert_allclose(found["forward_square_theory"], [[0.5**layer for layer in range(5)], [3 * 1.5**layer for layer in range(5)]])
    np.testing.assert_allclose(found["first_layer_square_theory"], [[0.25, 0.0625], [2.25, 1.5**4]])
    np.testing.assert_allclose(found["backward_factor_theory"], [[0.5, 1.5]])
    np.testing.assert_allclose(found["depth_scale_theory"], [[mean_field.depth_scale(0.5), mean_field.depth_scale(1.5)]])


def test_levels_of_slopes_have_their_gain():
    seeds = replica_seeds(0, 1)
    matched = simulate(seeds, activation="leaky_relu", slopes=[0.0, 0.5], depths=[2, 3], width=8)
    assert matched["level"].tolist() == ["0", "0.5"]
    np.testing.assert_allclose(matched["forward_factor_theory"], 1)
    given = simulate(seeds, activation="leaky_relu", slopes=[0.0, 0.5], weight_variances=[2.0, 1.6], depths=[2, 3], width=8)
    np.testing.assert_array_equal(matched["forward_square"], given["forward_square"])
    of_relu = simulate(seeds, activation="relu", weight_variances=[2.0], depths=[2, 3], width=8)
    np.testing.assert_array_equal(of_relu["forward_square"][:, 0], given["forward_square"][:, 0])
    one = simulate(seeds, activation="leaky_relu", slopes=[0.0, 0.5], weight_variances=[2.0], depths=[2, 3], width=8)
    np.testing.assert_allclose(one["forward_factor_theory"], [[1.0, 1.25]])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"depths": [1, 5], "weight_variances": [1.0]}, "depths must be at least 2, and ascending; given are 1, 5"),
        ({"depths": [5, 3], "weight_variances": [1.0]}, "depths must be at least 2, and ascending; given are 5, 3"),
        ({"depths": [3]}, "there are no levels; give 'weight_variances' or 'slopes'"),
        (
            {"depths": [3], "weight_variances": [1.0, 2.0], "slopes": [0.0, 0.1, 0.2]},
            "there are 2 weight variances for 3 slopes; give one, or one for each",
        ),
    ],
)
def test_what_does_not_go_together(options, message):
    with pytest.raises(UserError, match=message):
        simulate([0], activation="leaky_relu", **options)
