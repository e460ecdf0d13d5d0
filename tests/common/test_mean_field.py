import math

import numpy as np
import pytest

from scripts.common import mean_field
from scripts.common.errors import UserError

TANH, RELU, SIGMOID = {"kind": "tanh"}, {"kind": "relu"}, {"kind": "sigmoid"}


def leaky(slope):
    return {"kind": "leaky_relu", "slope": slope}


FUNCTIONS = {
    "tanh": (np.tanh, lambda z: 1 - np.tanh(z) ** 2),
    "sigmoid": (lambda z: 1 / (1 + np.exp(-z)), lambda z: np.exp(-z) / (1 + np.exp(-z)) ** 2),
    "relu": (lambda z: z * (z > 0), lambda z: 1.0 * (z > 0)),
}


@pytest.mark.parametrize("variance", [0.01, 1.0, 40.0])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_expectations_are_those_of_a_large_sample(name, variance):
    z = np.sqrt(variance) * np.random.default_rng(0).standard_normal(1_000_000)
    value, slope = FUNCTIONS[name]
    kind = {"kind": name}
    for found, sample in (
        (mean_field.mean_square(variance, activation=kind), value(z) ** 2),
        (mean_field.mean_squared_slope(variance, activation=kind), slope(z) ** 2),
    ):
        assert found == pytest.approx(sample.mean(), abs=5 * sample.std() / 1000)


@pytest.mark.parametrize("variance", [0.01, 0.2, 0.8])
def test_expectations_are_those_of_gauss_and_hermite_where_these_converge(variance):
    points, weights = np.polynomial.hermite_e.hermegauss(120)
    weights = weights / math.sqrt(2 * math.pi)
    for name in ("tanh", "sigmoid"):
        value, slope = FUNCTIONS[name]
        z = math.sqrt(variance) * points
        assert mean_field.mean_square(variance, activation={"kind": name}) == pytest.approx(weights @ value(z) ** 2, rel=1e-7)
        assert mean_field.mean_squared_slope(variance, activation={"kind": name}) == pytest.approx(weights @ slope(z) ** 2, rel=1e-7)


@pytest.mark.parametrize("slope", [0.0, 0.01, 0.25, 1.0])
@pytest.mark.parametrize("variance", [1e-8, 3.0])
def test_leaky_rectified_units_have_closed_forms(slope, variance):
    share = (1 + slope**2) / 2
    assert mean_field.mean_square(variance, activation=leaky(slope)) == pytest.approx(share * variance, rel=1e-12)
    assert mean_field.susceptibility(variance, activation=leaky(slope), weight_variance=3.0) == pytest.approx(3 * share, rel=1e-12)
    by_layer = mean_field.variances(variance, 5, activation=leaky(slope), weight_variance=1.5, bias_variance=0.2)
    expected = [variance]
    for _ in range(4):
        expected.append(1.5 * share * expected[-1] + 0.2)
    np.testing.assert_allclose(by_layer, expected)
    gradients = mean_field.gradient_squares(by_layer, activation=leaky(slope), weight_variance=1.5)
    np.testing.assert_allclose(gradients, (1.5 * share) ** np.arange(4, -1, -1))


def test_units_of_tanh_that_saturate_are_steps():
    # for q -> infinity: E[tanh^2] -> 1 and E[tanh'^2] -> integral of sech^4, 4/3, times the density at zero
    assert mean_field.mean_square(1e4, activation=TANH) == pytest.approx(1, abs=2e-2)
    assert mean_field.mean_squared_slope(1e4, activation=TANH) == pytest.approx(4 / 3 / math.sqrt(2 * math.pi * 1e4), rel=1e-3)


@pytest.mark.parametrize(("weights", "biases"), [(2.0, 0.0), (0.5, 0.3), (1.5, 0.05), (30.0, 1.0)])
@pytest.mark.parametrize("activation", [TANH, SIGMOID])
def test_a_fixed_point_is_where_the_map_comes_to_rest(weights, biases, activation):
    found = mean_field.fixed_point(activation=activation, weight_variance=weights, bias_variance=biases)
    settled = mean_field.variances(5.0, 400, activation=activation, weight_variance=weights, bias_variance=biases)[-1]
    assert found == pytest.approx(settled, rel=1e-9)


def test_signals_die_in_narrow_weights_of_tanh():
    assert mean_field.fixed_point(activation=TANH, weight_variance=0.9) == 0
    with pytest.raises(UserError, match="only bounded activations have a fixed point at all variances; known: tanh, sigmoid"):
        mean_field.fixed_point(activation=RELU, weight_variance=1.0)


@pytest.mark.parametrize("bias_variance", [0.01, 0.05, 0.3, 2.0])
def test_on_the_edge_gradients_neither_shrink_nor_grow(bias_variance):
    edge = mean_field.edge_of_chaos(bias_variance, activation=TANH)
    factors = []
    for weights in (0.95 * edge, edge, 1.05 * edge):
        settled = mean_field.fixed_point(activation=TANH, weight_variance=weights, bias_variance=bias_variance)
        factors.append(mean_field.susceptibility(settled, activation=TANH, weight_variance=weights))
    assert factors[1] == pytest.approx(1, abs=1e-9)
    assert factors[0] < 0.999
    assert factors[2] > 1.001


def test_the_edge_of_tanh_without_biases_is_at_1_and_the_known_one_of_the_paper():
    assert mean_field.edge_of_chaos(0.0, activation=TANH) == pytest.approx(1, abs=1e-9)
    assert mean_field.edge_of_chaos(0.05, activation=TANH) == pytest.approx(1.76, abs=0.005)  # Schoenholz et al. 2017, figures 2 to 5


def test_depth_scale():
    assert mean_field.depth_scale(math.exp(-0.1)) == pytest.approx(10)
    assert mean_field.depth_scale(math.exp(0.5)) == pytest.approx(2)
    assert mean_field.depth_scale(1.0) == math.inf
