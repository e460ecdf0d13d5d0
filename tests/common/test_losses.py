import numpy as np
import pytest
import torch
from torch import nn

from scripts.common import losses, parts

EXPECTED = {"mse": nn.MSELoss(), "cross_entropy": nn.CrossEntropyLoss()}


@pytest.fixture
def batch():
    generator = torch.Generator().manual_seed(0)
    prediction = torch.randn(4, 3, 10, generator=generator, dtype=torch.float64)
    target = torch.randn(3, 10, generator=generator, dtype=torch.float64).softmax(dim=0)
    return prediction, target


@pytest.mark.parametrize("kind", EXPECTED)
def test_value_and_gradient_of_each_replica_are_those_of_torch(kind, batch):
    prediction, target = batch
    loss = parts.call(losses, {"kind": kind})
    values, gradient = loss.value(prediction, target), torch.empty_like(prediction)
    loss.gradient(prediction, target, gradient)
    for replica in range(4):
        alone = prediction[replica].T.clone().requires_grad_()  # (N, C)
        expected = EXPECTED[kind](alone, target.T)
        expected.backward()
        torch.testing.assert_close(values[replica], expected.detach(), rtol=1e-13, atol=0)
        torch.testing.assert_close(gradient[replica], alone.grad.T, rtol=1e-12, atol=1e-16)


@pytest.mark.parametrize("kind", EXPECTED)
def test_gradient_may_overwrite_the_prediction(kind, batch):
    prediction, target = batch
    loss = parts.call(losses, {"kind": kind})
    apart, within = torch.empty_like(prediction), prediction.clone()
    loss.gradient(prediction, target, apart)
    loss.gradient(within, target, within)
    torch.testing.assert_close(within, apart, rtol=0, atol=0)


@pytest.mark.parametrize("kind", EXPECTED)
@pytest.mark.parametrize("size", [1e-3, 1.0, 1e3, 1e12])
def test_loss_keeps_the_bound_that_divergence_rests_on(kind, size, batch):
    prediction, target = batch[0] * size, batch[1]
    value = parts.call(losses, {"kind": kind}).value(prediction, target)
    bound = (prediction.abs() + target.abs() + 1).square().sum(dim=1).mean(dim=1)
    assert (value <= bound).all()


@pytest.mark.parametrize("kind", EXPECTED)
def test_numpy_and_torch_give_the_same(kind, batch):
    loss = parts.call(losses, {"kind": kind})
    prediction, target = batch
    out, gradient = np.empty(prediction.shape), torch.empty_like(prediction)
    loss.gradient(prediction.numpy(), target.numpy(), out)
    loss.gradient(prediction, target, gradient)
    np.testing.assert_allclose(out, gradient, rtol=1e-12, atol=1e-17)
    np.testing.assert_allclose(loss.value(prediction.numpy(), target.numpy()), loss.value(prediction, target), rtol=1e-13)
