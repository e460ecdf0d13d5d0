import numpy as np
import pytest

from scripts.common import normal_model
from scripts.common.normal_model import COORDINATES, DEVIATION, LOG_DEVIATION, Sample

VALUES = np.random.default_rng(3).normal(1.5, 0.7, 40)
SAMPLE = Sample(np.array([VALUES.mean()]), np.array([VALUES.var()]))
PLACES = [(-1.0, 3.0), (1.4, 0.6), (4.0, 0.3)]


def log_density(x, point, coordinates):
    """The log density of N(mu, sigma^2), straight from its definition."""
    deviation = point[1] if coordinates == DEVIATION else np.exp(point[1])
    return -0.5 * np.log(2 * np.pi * deviation**2) - (x - point[0]) ** 2 / (2 * deviation**2)


def slope(function, point, width=1e-6):
    """The gradient of a function at a point by central differences, one row a direction."""
    steps = width * np.eye(2)
    return np.array([(function(point + step) - function(point - step)) / (2 * width) for step in steps])


def expected_score_squares(point, coordinates):
    """The Fisher information from its definition: the expected product of two scores, by Gauss-Hermite quadrature."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(20)
    deviation = point[1] if coordinates == DEVIATION else np.exp(point[1])
    x = point[0] + deviation * nodes
    scores = slope(lambda at: log_density(x, at, coordinates), point)  # (2, nodes)
    return scores * (weights / weights.sum()) @ scores.T


def point_of(place, coordinates):
    return normal_model.from_plane(np.array(place), coordinates)


def explicit(point, coordinates):
    """The closed form as a full matrix."""
    return np.diag(normal_model.fisher(point[None], coordinates)[0])


def loss(point, coordinates):
    return -log_density(VALUES, point, coordinates).mean()


def test_samples_are_drawn_from_the_seeds_alone():
    drawn = normal_model.draw_samples([5, 9], samples=50, mean=-2.0, deviation=3.0)
    values = np.random.default_rng(9).normal(-2.0, 3.0, 50)
    assert drawn.mean[1] == values.mean()
    assert drawn.variance[1] == pytest.approx(np.mean((values - values.mean()) ** 2))
    assert normal_model.draw_samples([9], samples=50, mean=-2.0, deviation=3.0).mean[0] == drawn.mean[1]


@pytest.mark.parametrize("place", PLACES)
def test_excess_loss_is_that_above_the_smallest_in_both_coordinates(place):
    best = (SAMPLE.mean[0], np.sqrt(SAMPLE.variance[0]))
    found = normal_model.excess_loss(np.array([place]), SAMPLE)[0]
    for coordinates in COORDINATES:
        assert found == pytest.approx(loss(point_of(place, coordinates), coordinates) - loss(point_of(best, coordinates), coordinates))
    assert normal_model.excess_loss(np.array([best]), SAMPLE)[0] == pytest.approx(0, abs=1e-15)


@pytest.mark.parametrize("place", PLACES)
def test_excess_loss_is_a_divergence(place):
    """Of the best fit from the point: the integral of p log(p / q)."""
    best = np.array([SAMPLE.mean[0], np.sqrt(SAMPLE.variance[0])])
    x = best[0] + best[1] * np.linspace(-12, 12, 20001)
    p, ratio = np.exp(log_density(x, best, DEVIATION)), log_density(x, best, DEVIATION) - log_density(x, np.array(place), DEVIATION)
    assert normal_model.excess_loss(np.array([place]), SAMPLE)[0] == pytest.approx(np.trapezoid(p * ratio, x), rel=1e-6)


@pytest.mark.parametrize("coordinates", COORDINATES)
@pytest.mark.parametrize("place", PLACES)
def test_gradient_is_that_of_the_mean_negative_log_likelihood(place, coordinates):
    point = point_of(place, coordinates)
    found = normal_model.gradient(point[None], SAMPLE, coordinates)[0]
    np.testing.assert_allclose(found, slope(lambda at: loss(at, coordinates), point), rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("coordinates", COORDINATES)
@pytest.mark.parametrize("place", PLACES)
def test_fisher_information_is_the_expected_product_of_scores(place, coordinates):
    point = point_of(place, coordinates)
    matrix = explicit(point, coordinates)
    np.testing.assert_allclose(matrix, expected_score_squares(point, coordinates), rtol=1e-6, atol=1e-6 * matrix.max())


@pytest.mark.parametrize("coordinates", COORDINATES)
def test_fisher_information_agrees_with_a_sample_of_scores(coordinates):
    """Monte Carlo, with a tolerance of five standard errors."""
    point = point_of((0.5, 2.0), coordinates)
    x = np.random.default_rng(0).normal(0.5, 2.0, 100_000)
    scores = slope(lambda at: log_density(x, at, coordinates), point)
    products = scores[:, None] * scores[None]  # (2, 2, n)
    error = np.abs(products.mean(axis=2) - explicit(point, coordinates))
    assert (error < 5 * products.std(axis=2) / np.sqrt(x.size)).all()


@pytest.mark.parametrize("coordinates", COORDINATES)
@pytest.mark.parametrize("place", PLACES)
def test_natural_gradient_solves_the_explicit_fisher_matrix(place, coordinates):
    point = point_of(place, coordinates)
    found = normal_model.natural_gradient(point[None], SAMPLE, coordinates)[0]
    gradient = normal_model.gradient(point[None], SAMPLE, coordinates)[0]
    np.testing.assert_allclose(found, np.linalg.solve(explicit(point, coordinates), gradient), rtol=1e-12)
    measured = np.linalg.solve(expected_score_squares(point, coordinates), slope(lambda at: loss(at, coordinates), point))
    np.testing.assert_allclose(found, measured, rtol=1e-5, atol=1e-6)


def test_natural_flow_is_the_limit_of_small_steps():
    start, time = np.array([[-1.0, 3.0]]), np.array([0.0, 0.5, 2.0])
    found = normal_model.natural_flow(start, SAMPLE, time)
    np.testing.assert_allclose(found[0], start)
    point, size, path = start.copy(), 1e-3, [start]
    for count in range(1, 2001):  # the midpoint rule, with an error of the order of the square of its step
        middle = point - size / 2 * normal_model.natural_gradient(point, SAMPLE, DEVIATION)
        point = point - size * normal_model.natural_gradient(middle, SAMPLE, DEVIATION)
        if count in (500, 2000):
            path.append(point)
    np.testing.assert_allclose(found, np.stack(path), atol=1e-6)


def test_distance_is_the_length_of_the_shortest_way():
    one, other = np.array([0.3, 0.5]), np.array([0.3, 2.0])
    assert normal_model.fisher_distance(one, other) == pytest.approx(np.sqrt(2) * np.log(4))  # the shortest way is straight up
    far = np.array([4.0, 1.0])
    squares = (far[0] - one[0]) ** 2 / 2 + (far[1] - one[1]) ** 2
    assert normal_model.fisher_distance(one, far) == pytest.approx(np.sqrt(2) * np.arccosh(1 + squares / (2 * one[1] * far[1])))
    assert normal_model.fisher_distance(one, one) == 0
    near = one + np.array([3e-9, -2e-9])
    quadratic = (near - one) @ explicit(one, DEVIATION) @ (near - one)
    assert normal_model.fisher_distance(one, near) == pytest.approx(np.sqrt(quadratic), rel=1e-6)


def test_points_go_from_one_to_other_coordinates_and_back():
    plane = np.array([[1.0, 2.0], [-3.0, 0.1]])
    for coordinates in COORDINATES:
        np.testing.assert_allclose(normal_model.to_plane(normal_model.from_plane(plane, coordinates), coordinates), plane)
    assert normal_model.from_plane(plane, LOG_DEVIATION)[0, 1] == pytest.approx(np.log(2))


def test_what_is_no_distribution_is_nan():
    points = np.array([[1.0, -0.5], [1.0, 0.0], [np.inf, 1.0], [1.0, 1.0]])
    assert np.isnan(normal_model.to_plane(points, DEVIATION)).all(axis=1).tolist() == [True, True, True, False]
    with np.errstate(over="ignore"):
        assert np.isnan(normal_model.to_plane(np.array([[0.0, 1e4], [0.0, -1e4]]), LOG_DEVIATION)).all()
