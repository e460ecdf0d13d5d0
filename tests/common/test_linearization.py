import itertools

import numpy as np
import pytest
import torch

from scripts.common import linearization, losses, parts
from tests.torch_models import INPUTS, LOSSES, MODULES, OUTPUTS, SAMPLES, example_batch, network, torch_model


@pytest.mark.parametrize("activation", MODULES)
def test_predictions_are_those_of_torch(activation):
    parameters, x, _ = example_batch()
    found = linearization.predict(parameters[0], x.numpy(), network=network(activation))
    expected = torch_model(activation, (5, 7), parameters[0])(x).detach().numpy()
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("activation", MODULES)
@pytest.mark.parametrize("loss", LOSSES)
def test_loss_gradient_is_that_of_autograd(activation, loss):
    parameters, x, y = example_batch()
    chosen = parts.call(losses, {"kind": loss})
    found = linearization.loss_gradient(parameters[0], x.numpy(), y.numpy(), network=network(activation), loss=chosen)
    model = torch_model(activation, (5, 7), parameters[0])
    LOSSES[loss](model(x), y).backward()
    expected = torch.cat([parameter.grad.ravel() for parameter in model.parameters()]).numpy()
    np.testing.assert_allclose(found, expected, rtol=1e-11, atol=1e-14)


@pytest.mark.parametrize("activation", MODULES)
def test_jacobian_is_that_of_autograd_sample_by_sample(activation):
    parameters, x, _ = example_batch()
    found = linearization.jacobian(parameters[0], x.numpy(), network=network(activation))
    assert found.shape == (SAMPLES, OUTPUTS, parameters.shape[1])
    model = torch_model(activation, (5, 7), parameters[0])
    for sample, output in itertools.product(range(SAMPLES), range(OUTPUTS)):
        model.zero_grad()
        model(x[sample])[output].backward()
        expected = torch.cat([parameter.grad.ravel() for parameter in model.parameters()]).numpy()
        np.testing.assert_allclose(found[sample, output], expected, rtol=1e-11, atol=1e-14)


def test_jacobian_of_parameters_that_are_not_finite_is_nan():
    parameters, x, _ = example_batch()
    parameters[0, 3] = np.inf
    assert np.isnan(linearization.jacobian(parameters[0], x.numpy(), network=network("relu"))).all()


def test_slices_cut_the_flat_parameters_as_torch_does():
    parameters, _, _ = example_batch()
    model = torch_model("relu", (5, 7), parameters[0])
    found = linearization.slices(network("relu"), inputs=INPUTS, outputs=OUTPUTS)
    assert list(found) == [name for name, _ in model.named_parameters()]
    for name, tensor in model.named_parameters():
        np.testing.assert_array_equal(parameters[0, found[name]], tensor.detach().numpy().ravel())
