import numpy as np
import pytest
import torch
from torch import nn

from scripts.common import random_networks, storage
from scripts.common.errors import UserError
from scripts.common.seeds import replica_seeds
from scripts.simulations.initialized_layers import KIND, simulate

SEEDS = replica_seeds(5, 2)


def model(name, seed, *, width, depth):
    """A plain model of PyTorch, initialized as the seed has it."""
    torch.manual_seed(seed)
    layers = [nn.Linear(width, width) for _ in range(depth)] + [nn.Linear(width, 10)]
    if name != "torch_default":
        torch.manual_seed(seed)
        for layer in layers:
            {"xavier_uniform": nn.init.xavier_uniform_, "uniform": lambda weight: nn.init.uniform_(weight, -0.3, 0.3)}[name](layer.weight)
            nn.init.zeros_(layer.bias)
    return [layer.double() for layer in layers]


@pytest.mark.parametrize("activation", ["tanh", "sigmoid"])
def test_variances_and_gradients_are_those_of_a_model_in_torch(activation, tmp_path):
    names = ["xavier_uniform", "uniform", "torch_default"]
    found = simulate(SEEDS, activation=activation, initializations=names, depth=3, width=8, samples=20, scale=0.3)
    function = {"tanh": torch.tanh, "sigmoid": torch.sigmoid}[activation]
    for replica, seed in enumerate(SEEDS):
        x, labels = random_networks.task(np.random.default_rng(seed), inputs=8, outputs=10, samples=20)
        for level, name in enumerate(names):
            *hidden, last = model(name, seed, width=8, depth=3)
            values, befores, afters = torch.as_tensor(x.T), [], []
            for layer in hidden:
                befores.append(layer(values))
                afters.append(values := function(befores[-1]))
            gradients = torch.autograd.grad(nn.functional.cross_entropy(last(values), torch.as_tensor(labels)), befores)
            place = replica, level
            np.testing.assert_allclose(found["activation_variance"][place], [one.var(correction=0).item() for one in afters], rtol=1e-6)
            np.testing.assert_allclose(
                found["signal_variance"][place], [one.var(dim=0, correction=0).mean().item() for one in afters], rtol=1e-6
            )
            expected = [one.square().mean().item() for one in gradients]
            np.testing.assert_allclose(found["backward_square"][place], expected, rtol=1e-6)
            assert found["gradient_ratio"][place] == pytest.approx(np.sqrt(expected[0] / expected[-1]), rel=1e-6)
    storage.save(tmp_path / "layers.npz", found, kind=KIND, digest="d")


def test_lsuv_has_unit_variance_on_these_inputs_and_a_tenth_of_room():
    found = simulate(SEEDS, activation="linear", initializations=["lsuv"], depth=4, width=16)
    np.testing.assert_allclose(found["activation_variance"], 1, atol=0.1)


def test_zeros_have_no_ratio():
    found = simulate(SEEDS, activation="tanh", initializations=["zeros", "xavier_normal"], depth=2, width=4, samples=3)
    assert not found["activation_variance"][:, 0].any()
    assert not found["backward_square"][:, 0].any()
    assert found["exists_gradient_ratio"].tolist() == [[False, True]] * 2
    assert found["exists_signal_ratio"].tolist() == [[False, True]] * 2


def test_unknown_initializations_are_refused_unlike_in_the_source():
    with pytest.raises(UserError, match="unknown initialization 'xavier'"):
        simulate(SEEDS, activation="tanh", initializations=["xavier"], depth=2)
