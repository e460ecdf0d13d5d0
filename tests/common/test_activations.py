import numpy as np
import pytest
import torch

from scripts.common import activations, parts

EXPECTED = {
    "relu": torch.relu,
    "leaky_relu": torch.nn.functional.leaky_relu,
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "linear": lambda z: z,
}
POINTS = torch.cat([torch.linspace(-5, 5, 41, dtype=torch.float64), torch.tensor([-1e30, 1e30], dtype=torch.float64)])


@pytest.mark.parametrize("kind", EXPECTED)
def test_value_and_derivative_are_those_of_torch(kind):
    activation = parts.call(activations, {"kind": kind})
    z = POINTS.clone().requires_grad_()
    expected = EXPECTED[kind](z)
    expected.backward(torch.full_like(z, 3.0))
    out = torch.empty_like(POINTS)
    activation.apply(POINTS, out)
    torch.testing.assert_close(out, expected.detach(), rtol=1e-15, atol=0)
    gradient = torch.full_like(POINTS, 3.0)
    activation.chain(gradient, out)
    torch.testing.assert_close(gradient, z.grad, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("kind", EXPECTED)
def test_value_may_overwrite_its_argument_and_keeps_the_bound_that_divergence_rests_on(kind):
    values = POINTS.clone()
    parts.call(activations, {"kind": kind}).apply(values, values)
    torch.testing.assert_close(values, EXPECTED[kind](POINTS))
    assert (values.abs() <= POINTS.abs().clamp(min=1.0)).all()


@pytest.mark.parametrize("kind", EXPECTED)
def test_what_is_not_a_number_stays_so(kind):
    values = torch.tensor([torch.nan])
    parts.call(activations, {"kind": kind}).apply(values, values)
    assert values.isnan().all()


def test_leaky_relu_takes_its_slope():
    values = torch.tensor([-2.0, 2.0])
    activations.leaky_relu(slope=0.25).apply(values, values)
    assert values.tolist() == [-0.5, 2.0]


@pytest.mark.parametrize("kind", EXPECTED)
def test_numpy_and_torch_give_the_same(kind):
    activation = parts.call(activations, {"kind": kind})
    results = []
    for points, gradient in ((POINTS.clone(), torch.full_like(POINTS, 3.0)), (POINTS.numpy().copy(), np.full(len(POINTS), 3.0))):
        activation.apply(points, points)
        activation.chain(gradient, points)
        results += [np.asarray(points), np.asarray(gradient)]
    np.testing.assert_allclose(results[2], results[0], rtol=1e-14)
    np.testing.assert_allclose(results[3], results[1], rtol=1e-12, atol=1e-15)


def test_relu_clears_a_gradient_that_has_overflowed_at_a_unit_that_is_not_active():
    for gradient, output in ((torch.tensor([torch.inf, torch.inf]), torch.tensor([0.0, 2.0])), (np.full(2, np.inf), np.array([0.0, 2.0]))):
        activations.relu().chain(gradient, output)
        assert gradient.tolist() == [0.0, float("inf")]
