import numpy as np
import pytest
import torch

from scripts.common import random_networks

KINDS = [{"kind": "tanh"}, {"kind": "relu"}, {"kind": "leaky_relu", "slope": 0.2}, {"kind": "sigmoid"}, {"kind": "linear"}]
FUNCTIONS = {
    "tanh": torch.tanh,
    "relu": torch.relu,
    "leaky_relu": lambda z: torch.nn.functional.leaky_relu(z, 0.2),
    "sigmoid": torch.sigmoid,
    "linear": lambda z: z,
}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind["kind"])
def test_values_and_gradients_are_those_of_automatic_differentiation(kind):
    generator = np.random.default_rng(0)
    x, labels = random_networks.task(generator, inputs=4, outputs=3, samples=7)
    sizes = [(5, 4), (6, 5), (3, 6)]
    weights = [generator.standard_normal((2, *size)) for size in sizes]  # two networks at once
    biases = [generator.standard_normal((2, size[0], 1)) for size in sizes]
    last = generator.standard_normal((3, 3))
    layers = random_networks.forward(weights, biases, x, activation=kind)
    gradient = random_networks.cross_entropy_gradient(last @ layers[-1][1], labels)
    found = random_networks.backward(weights, layers, last.T @ gradient, activation=kind)

    for network in range(2):
        values, befores = torch.as_tensor(x), []
        for weight, bias in zip(weights, biases, strict=True):
            befores.append((torch.as_tensor(weight[network]) @ values + torch.as_tensor(bias[network])).requires_grad_())
            values = FUNCTIONS[kind["kind"]](befores[-1])
        loss = torch.nn.functional.cross_entropy((torch.as_tensor(last) @ values).T, torch.as_tensor(labels))
        expected = torch.autograd.grad(loss, befores)
        for place in range(3):
            np.testing.assert_allclose(layers[place][0][network], befores[place].detach().numpy(), rtol=1e-12)
            np.testing.assert_allclose(found[place][network], expected[place].numpy(), rtol=1e-10, atol=1e-15)


def test_a_shallower_network_is_the_beginning_of_a_deeper_one():
    generator = np.random.default_rng(1)
    weights = [generator.standard_normal((3, 3)) for _ in range(4)]
    layers = random_networks.forward(weights, [np.zeros((3, 1))] * 4, generator.standard_normal((3, 5)), activation={"kind": "tanh"})
    arriving = generator.standard_normal((3, 5))
    found = random_networks.backward(weights, layers[:2], arriving, activation={"kind": "tanh"})
    assert len(found) == 2
    np.testing.assert_allclose(found[1], arriving * (1 - np.tanh(layers[1][0]) ** 2))
    np.testing.assert_allclose(found[0], (weights[1].T @ found[1]) * (1 - np.tanh(layers[0][0]) ** 2))


def test_mean_squares_by_layer():
    values = [np.full((2, 3, 4), 2.0), np.stack([np.zeros((5, 4)), np.ones((5, 4))])]
    np.testing.assert_array_equal(random_networks.mean_squares(values), [[4, 0], [4, 1]])
