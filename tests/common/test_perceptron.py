import numpy as np
import pytest
import torch

from scripts.common import losses, parts, perceptron
from tests.torch_models import INPUTS, LOSSES, MODULES, OUTPUTS, REPLICAS, SAMPLES, example_batch, network, stacked_layers, torch_model


@pytest.fixture
def example():
    return example_batch()


def test_layers_come_out_as_flat_parameters(example):
    layers = stacked_layers(example[0], (5, 7))
    assert [tuple(layer.shape) for layer in layers] == [(3, 5, 3), (3, 7, 6), (3, 4, 8)]
    np.testing.assert_array_equal(perceptron.to_parameters(layers), example[0])


def test_empty_layers_are_views_of_one_buffer():
    buffer, layers = perceptron.empty_layers([INPUTS, 5, OUTPUTS], REPLICAS, dtype=torch.float64)
    for value, layer in enumerate(layers):
        layer.fill_(value + 1)
        assert layer.is_contiguous()
    assert buffer.tolist() == [1.0] * (3 * 5 * 3) + [2.0] * (3 * 4 * 6)


@pytest.mark.parametrize("activation", MODULES)
def test_predictions_are_those_of_a_torch_model(activation, example):
    parameters, x, _ = example
    layers = stacked_layers(parameters, (5, 7))
    found = perceptron.predict(layers, x.T, activation=perceptron.activation_of(network(activation)))
    for replica in range(REPLICAS):
        expected = torch_model(activation, (5, 7), parameters[replica])(x).detach()
        torch.testing.assert_close(found[replica].T, expected, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("activation", MODULES)
@pytest.mark.parametrize("loss", LOSSES)
def test_gradient_is_that_of_autograd(activation, loss, example):
    parameters, x, y = example
    layers = stacked_layers(parameters, (5, 7))
    gradients = [torch.full_like(layer, torch.nan) for layer in layers]
    compute = perceptron.gradient_function(
        layers,
        gradients,
        samples=SAMPLES,
        activation=perceptron.activation_of(network(activation)),
        loss=parts.call(losses, {"kind": loss}),
    )
    for _ in range(2):  # the second call finds its memory used
        compute(perceptron.with_constant(x.T).expand(REPLICAS, INPUTS + 1, SAMPLES), y.T)
    found = perceptron.to_parameters(gradients)
    for replica in range(REPLICAS):
        model = torch_model(activation, (5, 7), parameters[replica])
        LOSSES[loss](model(x), y).backward()
        expected = torch.cat([parameter.grad.ravel() for parameter in model.parameters()])
        torch.testing.assert_close(found[replica], expected, rtol=1e-11, atol=1e-14)


@pytest.mark.parametrize("activation", MODULES)
@pytest.mark.parametrize("size", [1e-3, 1.0, 1e4])
def test_no_value_of_a_forward_pass_exceeds_its_bound(activation, size, example):
    parameters, x, _ = example
    parameters = parameters * size
    model = torch_model(activation, (5, 7), parameters[0])
    bound = perceptron.output_bound([INPUTS, 5, 7, OUTPUTS], norm=float(np.linalg.norm(parameters[0])), largest_input=x.abs().max().item())
    values = x
    for module in model:
        values = module(values)
        assert values.abs().max() <= bound
