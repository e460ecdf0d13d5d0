import numpy as np
import pytest
import torch
from torch import nn

from scripts.common import linearization, losses, parametrization, parts
from scripts.common.training import train
from tests.examples import tiny_data, tiny_settings

NETWORK = {"kind": "perceptron", "hidden": [6, 4], "activation": "relu"}
SCALED = NETWORK | {"parametrization": "ntk", "weight_variance": 1.7, "bias_variance": 0.3, "output_scale": 2.5}
INPUTS, OUTPUTS = 2, 3


class Scaled(nn.Module):
    """The same network written plainly: parameters of order 1, scaled in the forward pass."""

    def __init__(self, parameters):
        super().__init__()
        shapes = [(6, 2), (6,), (4, 6), (4,), (3, 4), (3,)]
        ends = np.cumsum([np.prod(shape) for shape in shapes])
        tensors = [torch.as_tensor(part.reshape(shape)) for part, shape in zip(np.split(parameters, ends[:-1]), shapes, strict=True)]
        self.tensors = nn.ParameterList([nn.Parameter(tensor.clone()) for tensor in tensors])

    def forward(self, x):
        for layer in range(3):
            weight, bias = self.tensors[2 * layer], self.tensors[2 * layer + 1]
            x = (1.7 / x.shape[1]) ** 0.5 * x @ weight.T + 0.3**0.5 * bias
            x = torch.relu(x) if layer < 2 else 2.5 * x
        return x


def parameters(seed=0):
    return np.random.default_rng(seed).normal(size=3 * 6 + 7 * 4 + 5 * 3)


def test_predictions_gradients_and_jacobians_are_those_of_the_plain_network():
    data, theta = tiny_data(inputs=INPUTS, outputs=OUTPUTS), parameters()
    x, y = torch.as_tensor(data["train_x"]), torch.as_tensor(data["train_y"])
    model = Scaled(theta)
    np.testing.assert_allclose(linearization.predict(theta, data["train_x"], network=SCALED), model(x).detach().numpy(), rtol=1e-12)
    nn.MSELoss()(model(x), y).backward()
    gradient = torch.cat([tensor.grad.ravel() for tensor in model.tensors]).numpy()
    loss = parts.call(losses, {"kind": "mse"})
    np.testing.assert_allclose(
        linearization.loss_gradient(theta, data["train_x"], data["train_y"], network=SCALED, loss=loss), gradient, rtol=1e-10, atol=1e-14
    )
    jacobian = linearization.jacobian(theta, data["train_x"], network=SCALED)
    for sample, output in ((0, 0), (3, 1), (29, 2)):
        model.zero_grad()
        model(x[sample : sample + 1])[0, output].backward()
        expected = torch.cat([tensor.grad.ravel() for tensor in model.tensors]).numpy()
        np.testing.assert_allclose(jacobian[sample, output], expected, rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize("optimizer", [{"kind": "sgd", "learning_rate": 0.05, "momentum": 0.9}, {"kind": "adam", "learning_rate": 0.05}])
@pytest.mark.parametrize("batches", [{"kind": "full", "seed": 0}, {"kind": "permutations", "size": 8, "seed": 2}])
def test_training_is_that_of_the_plain_network(optimizer, batches):
    data = tiny_data(inputs=INPUTS, outputs=OUTPUTS)
    run = train(
        data, **tiny_settings(network=SCALED, initialization={"kind": "standard_normal", "seed": 1}, optimizer=optimizer, batches=batches)
    )
    model = Scaled(run["parameters"][0, 1])
    rule = (
        torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
        if optimizer["kind"] == "sgd"
        else torch.optim.Adam(model.parameters(), lr=0.05)
    )
    x, y = torch.as_tensor(data["train_x"]), torch.as_tensor(data["train_y"])
    order = np.random.RandomState(run["batch_seed"][1])
    drawn = np.concatenate([order.permutation(30) for _ in range(10)])
    for step in range(25):
        chosen = slice(None) if batches["kind"] == "full" else drawn[8 * step : 8 * step + 8]
        rule.zero_grad()
        nn.MSELoss()(model(x[chosen]), y[chosen]).backward()
        rule.step()
    found = torch.cat([tensor.detach().ravel() for tensor in model.tensors]).numpy()
    np.testing.assert_allclose(run["parameters"][-1, 1], found, rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(run["train_loss"][-1, 1], nn.MSELoss()(model(x), y).item(), rtol=1e-8)


def test_scales_stand_in_the_order_of_the_parameters():
    scales = parametrization.scales(SCALED, inputs=INPUTS, outputs=OUTPUTS)
    assert scales.shape == parameters().shape
    np.testing.assert_allclose(
        scales[[0, 12, 18, 42, 46, -1]], [(1.7 / 2) ** 0.5, 0.3**0.5, (1.7 / 6) ** 0.5, 0.3**0.5, 2.5 * (1.7 / 4) ** 0.5, 2.5 * 0.3**0.5]
    )
    assert parametrization.scales(NETWORK, inputs=INPUTS, outputs=OUTPUTS) is None


@pytest.mark.parametrize("units", [6, 7])
def test_an_antisymmetric_network_is_zero_at_initialization_and_not_its_jacobian(units):
    network = SCALED | {"hidden": [5, units]}
    settings = tiny_settings(network=network, initialization={"kind": "standard_normal_antisymmetric", "seed": 1}, steps=3)
    data = tiny_data(inputs=INPUTS, outputs=OUTPUTS)
    run = train(data, **settings)
    start = run["parameters"][0, 2]
    assert np.abs(linearization.predict(start, data["test_x"], network=network)).max() < 1e-12
    assert np.abs(linearization.jacobian(start, data["test_x"], network=network)).max() > 0.1
    assert np.abs(linearization.predict(run["parameters"][-1, 2], data["test_x"], network=network)).max() > 1e-3
