import itertools

import numpy as np
import pytest

from scripts.common import infinite_width, linearization, parametrization
from scripts.common.errors import UserError

DEPTHS = (1, 2, 3, 4, 5)
BIAS_VARIANCES = (0.0, 0.01, 1.0)
WEIGHT_VARIANCE = 2.0
POINTS = np.array([[0.3, -1.2, 0.5], [0.31, -1.2, 0.5], [-0.3, 1.2, -0.5], [1.5, 0.1, 0.2], [-0.2, 0.4, 2.0]])
"""Two that nearly coincide, one opposite to the first, and two others."""


def kernels(x, other=None, *, depth, bias_variance=0.1, **options):
    return infinite_width.kernels(x, other, depth=depth, weight_variance=WEIGHT_VARIANCE, bias_variance=bias_variance, **options)


# --- the recursion by numerical integration: no closed form but that of the normal density


def legendre(edges, order=40):
    nodes, weights = np.polynomial.legendre.leggauss(order)
    low, high = np.array(edges[:-1])[:, None], np.array(edges[1:])[:, None]
    return ((low + high) / 2 + (high - low) / 2 * nodes).ravel(), ((high - low) / 2 * weights).ravel()


def density(z):
    return np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)


def expectations(covariance):
    """E[relu(u) relu(v)] and E[1(u > 0) 1(v > 0)] for (u, v) = (a p, b p + c q) with p and q independent and standard normal.

    Either integrand is smooth for p > 0, and for each p for q above the kink of v: both integrals begin there. Near p = 0 the kink runs
    through as fast as b / c, which graded intervals follow.
    """
    a = np.sqrt(covariance[0, 0])
    b = covariance[0, 1] / a
    c = np.sqrt(max(covariance[1, 1] - b**2, 0.0))
    p, weight = legendre([0.0, *np.geomspace(1e-7, 1.0, 22), *np.linspace(1.0, 13.0, 13)[1:]])
    if c < 1e-12:
        v = b * p
        inner = np.maximum(v, 0.0), (v > 0).astype(float)
    else:
        kink = np.clip(-b * p / c, -13.0, 13.0)
        share, share_weight = legendre(np.linspace(0.0, 1.0, 7))
        q = kink[:, None] + (13.0 - kink)[:, None] * share
        mass = (13.0 - kink)[:, None] * share_weight * density(q)
        inner = np.sum((b * p[:, None] + c * q) * mass, axis=1), np.sum(mass, axis=1)
    mass = weight * density(p)
    return np.sum(a * p * inner[0] * mass), np.sum(inner[1] * mass)


def integrated(x, bias_variance):
    """NNGP and NTK of x (N, D) for one more hidden layer each time, entry by entry."""
    count = len(x)
    nngp = WEIGHT_VARIANCE * x @ x.T / x.shape[1] + bias_variance
    ntk = nngp.copy()
    while True:
        squares, slopes = np.empty((2, count, count))
        for i, j in itertools.product(range(count), repeat=2):
            squares[i, j], slopes[i, j] = expectations(nngp[np.ix_([i, j], [i, j])])
        nngp = WEIGHT_VARIANCE * squares + bias_variance
        ntk = nngp + WEIGHT_VARIANCE * slopes * ntk
        yield nngp, ntk


@pytest.mark.parametrize("bias_variance", BIAS_VARIANCES)
def test_kernels_are_those_of_the_recursion_integrated_numerically(bias_variance):
    for depth, expected in zip(DEPTHS, integrated(POINTS, bias_variance), strict=False):
        found = kernels(POINTS, depth=depth, bias_variance=bias_variance)
        for kernel, oracle in zip(found, expected, strict=True):
            np.testing.assert_allclose(kernel, oracle, rtol=1e-8, atol=1e-8 * np.abs(oracle).max())


# --- random networks


def random_network(depth, width, bias_variance, generator):
    """Return K = J J^T and the covariance of the output given the hidden layers, of one wide network in the NTK parametrization."""
    widths = [POINTS.shape[1], *[width] * depth, 1]
    below, slopes, squares = POINTS, [], [POINTS @ POINTS.T / POINTS.shape[1]]
    for fan_in, fan_out in itertools.pairwise(widths[:-1]):
        weight = generator.standard_normal((fan_in, fan_out)) * np.sqrt(WEIGHT_VARIANCE / fan_in)
        sums = below @ weight + np.sqrt(bias_variance) * generator.standard_normal(fan_out)
        slopes.append((weight, sums > 0))
        below = np.maximum(sums, 0.0)
        squares.append(below @ below.T / fan_out)
    back = np.repeat(generator.standard_normal((1, width)) * np.sqrt(WEIGHT_VARIANCE / width), len(POINTS), axis=0)
    ntk = nngp = WEIGHT_VARIANCE * squares[-1] + bias_variance
    for (weight, active), square in zip(reversed(slopes), reversed(squares[:-1]), strict=True):
        back = back * active
        ntk = ntk + (back @ back.T) * (WEIGHT_VARIANCE * square + bias_variance)
        back = back @ weight.T
    return nngp, ntk


@pytest.mark.parametrize("bias_variance", BIAS_VARIANCES)
@pytest.mark.parametrize("depth", DEPTHS)
def test_kernels_are_the_means_of_those_of_wide_networks(depth, bias_variance):
    """Within five standard errors of a mean over draws, and what is of the order of 1 / width."""
    width, draws = 400, 40
    generator = np.random.default_rng(10 * depth)
    drawn = np.array([random_network(depth, width, bias_variance, generator) for _ in range(draws)])
    for place, kernel in enumerate(kernels(POINTS, depth=depth, bias_variance=bias_variance)):
        error = drawn[:, place].std(axis=0, ddof=1) / np.sqrt(draws)
        allowed = 5 * error + 2 * depth / width * np.abs(kernel).max()
        assert (np.abs(drawn[:, place].mean(axis=0) - kernel) < allowed).all()
        assert allowed.max() < 0.25 * np.abs(kernel).max()  # it could have failed


def explicit_kernel(network, width_scale=1.0, *, seed=0):
    """J J^T of a network whose effective weights have the variances of the kernels, with J by its own derivatives."""
    inputs = POINTS.shape[1]
    sizes = [inputs, *network["hidden"], 1]
    size = sum((fan_in + 1) * fan_out for fan_in, fan_out in itertools.pairwise(sizes))
    stored = np.random.default_rng(seed).standard_normal(size)
    if parametrization.is_standard(network):
        scales = {**network, "parametrization": "ntk", "weight_variance": WEIGHT_VARIANCE, "bias_variance": 0.1, "output_scale": 1.0}
        stored = stored * parametrization.scales(scales, inputs=inputs, outputs=1)
    jacobian = linearization.jacobian(stored, POINTS, network=network)[:, 0]
    return jacobian @ jacobian.T / width_scale


NTK = {"activation": "relu", "parametrization": "ntk", "weight_variance": WEIGHT_VARIANCE, "bias_variance": 0.1, "output_scale": 3.0}


def test_kernel_of_a_network_is_near_that_of_its_limit():
    network = {**NTK, "hidden": [1500, 1500]}
    exact = infinite_width.of_network(network, POINTS)
    found = np.mean([explicit_kernel(network, seed=seed) for seed in range(3)], axis=0)
    assert np.linalg.norm(found - exact) < 0.1 * np.linalg.norm(exact)


def test_kernel_of_the_standard_parametrization_is_near_its_limit():
    width = 1000
    terms = infinite_width.standard_terms([POINTS.shape[1], width, width])
    options = {"weight_variance": WEIGHT_VARIANCE, "bias_variance": 0.1}
    exact = infinite_width.tangent_kernel(POINTS, terms=terms, **options) / width
    limit = infinite_width.tangent_kernel(POINTS, terms=infinite_width.standard_limit_terms(2), **options)
    np.testing.assert_allclose(exact, limit, rtol=0.02)
    found = np.mean([explicit_kernel({"activation": "relu", "hidden": [width, width]}, width, seed=seed) for seed in range(4)], axis=0)
    assert np.linalg.norm(found - exact) < 0.1 * np.linalg.norm(exact)


def test_terms_of_all_layers_add_up_to_the_kernel():
    options = {"weight_variance": WEIGHT_VARIANCE, "bias_variance": 0.1}
    layers = np.eye(4)
    parts = [
        infinite_width.tangent_kernel(POINTS, terms=infinite_width.Terms(tuple(WEIGHT_VARIANCE * row), tuple(0.1 * row)), **options)
        for row in layers
    ]
    np.testing.assert_allclose(sum(parts), kernels(POINTS, depth=3).ntk, rtol=1e-12)
    assert all((part > 0).any() for part in parts)


# --- numerics


@pytest.mark.parametrize("inputs", [1, 3])
@pytest.mark.parametrize("bias_variance", [0.0, 0.1])
def test_kernels_are_symmetric_to_the_last_bit_and_have_no_eigenvalue_below_zero(inputs, bias_variance):
    x = np.random.default_rng(0).standard_normal((301, inputs))
    for kernel in kernels(x, depth=3, bias_variance=bias_variance):
        np.testing.assert_array_equal(kernel, kernel.T)
        values = np.linalg.eigvalsh(kernel)
        assert values[0] > -1e-8 * values[-1]


def test_kernels_between_other_points_are_those_of_all_points():
    x = np.random.default_rng(0).standard_normal((300, 2))
    for kernel, whole in zip(kernels(x[:200], x[200:], depth=2), kernels(x, depth=2), strict=True):
        np.testing.assert_allclose(kernel, whole[:200, 200:], rtol=1e-12, atol=1e-12)


def test_the_diagonal_is_exact():
    x = np.random.default_rng(0).standard_normal((300, 4))
    found = kernels(x, depth=2, bias_variance=0.0)
    square = 2 * np.sum(x**2, axis=1) / 4
    np.testing.assert_allclose(np.diag(found.nngp), square, rtol=1e-14)  # a variance of 2 keeps the size
    np.testing.assert_allclose(np.diag(found.ntk), 3 * square, rtol=1e-14)


def test_points_that_stand_twice_and_points_that_nearly_coincide():
    x = np.array([[0.7, 0.2], [0.7, 0.2], [0.7 * (1 + 1e-9), 0.2]])
    found = kernels(x, depth=3)
    for kernel in found:
        np.testing.assert_allclose(kernel, kernel[0, 0], rtol=3e-8)


def test_at_the_origin_a_network_without_biases_is_zero():
    x = np.array([[0.0, 0.0], [1.0, 2.0]])
    for kernel in (*kernels(x, depth=2, bias_variance=0.0), *kernels(x, x[::-1], depth=2, bias_variance=0.0)):
        assert np.isfinite(kernel).all()
        assert (kernel == 0).sum() == 3
    standard = infinite_width.tangent_kernel(x, weight_variance=2.0, bias_variance=0.0, terms=infinite_width.standard_terms([2, 9, 9]))
    assert (standard == 1).sum() == 3  # the derivative with respect to the last bias


def test_the_output_scale_multiplies_both_kernels_by_its_square():
    for scaled, plain in zip(kernels(POINTS, depth=2, output_scale=3.0), kernels(POINTS, depth=2), strict=True):
        np.testing.assert_allclose(scaled, 9 * plain, rtol=1e-14)


@pytest.mark.parametrize("change", [{"activation": "tanh"}, {"parametrization": "standard"}])
def test_a_network_without_such_a_limit(change):
    with pytest.raises(UserError, match="that of ReLU in the NTK parametrization"):
        infinite_width.of_network({**NTK, "hidden": [5], **change}, POINTS)
