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
