import numpy as np
import pytest
import torch

from scripts.common import storage
from scripts.common.errors import UserError
from scripts.common.quadratics import Problem, draw_problem
from scripts.common.seeds import replica_seeds
from scripts.simulations import least_squares

SEEDS = replica_seeds(0, 3)
LINEAR = ["gradient_descent", "momentum", "natural_gradient"]


def slowly(method, condition, replica, tolerance=1e-3, most=5000):
    """Steps of one replica in a plain loop, with a gradient at each step."""
    problem = draw_problem(SEEDS, dimension=6, condition=condition)
    hessian, place = problem.hessian[replica], problem.start[replica].copy()
    small, large = np.linalg.eigvalsh(hessian)[[0, -1]]
    rate, momentum = 2 / (small + large), 0.0
    if method == "momentum":
        rate = 4 / (np.sqrt(small) + np.sqrt(large)) ** 2
        momentum = ((np.sqrt(large) - np.sqrt(small)) / (np.sqrt(large) + np.sqrt(small))) ** 2
    first, velocity = np.linalg.norm(place), np.zeros(6)
    for count in range(1, most + 1):
        gradient = hessian @ place
        if method == "natural_gradient":
            gradient, rate = np.linalg.solve(hessian, gradient), 1.0
        velocity = momentum * velocity + gradient
        place = place - rate * velocity
        if np.linalg.norm(place) <= tolerance * first:
            return count
    return np.inf


@pytest.mark.parametrize("method", LINEAR)
def test_steps_are_those_of_a_plain_loop(method, tmp_path):
    found = least_squares.simulate(SEEDS, method=method, conditions=[1, 30, 1000], dimension=6)
    expected = [[slowly(method, condition, replica) for condition in (1, 30, 1000)] for replica in range(3)]
    np.testing.assert_array_equal(found["steps_to_tolerance"], expected)
    assert found["index_steps_to_tolerance"].tolist() == ["1", "30", "1000"]
    storage.save(tmp_path / "squares.npz", found, kind=least_squares.KIND, digest="d")


def test_a_natural_step_is_the_solution_of_the_explicit_fisher_matrix():
    found = least_squares.simulate(SEEDS, method="natural_gradient", conditions=[1, 1e3, 1e6])
    assert (found["steps_to_tolerance"] == 1).all()
    assert (found["predicted_steps"] == 1).all()


@pytest.mark.parametrize("method", ["gradient_descent", "momentum"])
def test_no_start_takes_longer_than_theory_says_and_the_worst_takes_as_long(method):
    conditions = [10, 100, 10000]
    found = least_squares.simulate(replica_seeds(1, 10), method=method, conditions=conditions)
    assert (found["steps_to_tolerance"] <= found["predicted_steps"]).all()
    assert (found["steps_to_tolerance"] > 0.5 * found["predicted_steps"]).all()
    for place, condition in enumerate(conditions):
        problem = draw_problem([0], dimension=4, condition=condition)
        worst = Problem(problem.hessian, problem.eigenvalues, problem.vectors, problem.vectors[:, :, -1])
        rate, momentum = least_squares.optimal_settings(method, condition)
        steps = least_squares._linear(worst, method, rate=rate, momentum=momentum, tolerance=1e-3, steps=100_000)
        assert steps[0] == pytest.approx(found["predicted_steps"][0, place], abs=1)


def test_steps_grow_as_the_condition_number_and_as_its_root():
    conditions = [100, 10000]
    for method, growth in (("gradient_descent", 100), ("momentum", 10)):
        steps = least_squares.simulate(SEEDS, method=method, conditions=conditions)["steps_to_tolerance"]
        assert 0.9 * growth < np.median(steps[:, 1] / steps[:, 0]) < 1.4 * growth


@pytest.mark.slow
def test_adam_is_that_of_pytorch_at_its_best_rate():
    found = least_squares.simulate(SEEDS, method="adam", conditions=[50], learning_rates=[0.003, 0.3, 0.03], dimension=5, steps=600)
    problem = draw_problem(SEEDS, dimension=5, condition=50)
    steps = np.array([[by_torch(problem, rate, replica) for replica in range(3)] for rate in (0.003, 0.3, 0.03)])
    best = int(np.median(steps, axis=1).argmin())
    assert found["best_learning_rate"][:, 0].tolist() == [[0.003, 0.3, 0.03][best]] * 3
    np.testing.assert_array_equal(found["steps_to_tolerance"][:, 0], steps[best])
    assert not found["exists_predicted_steps"].any()


def by_torch(problem, rate, replica):
    place = torch.tensor(problem.start[replica], requires_grad=True)
    hessian, first = torch.tensor(problem.hessian[replica]), float(np.linalg.norm(problem.start[replica]))
    optimizer = torch.optim.Adam([place], lr=rate)
    for count in range(1, 601):
        optimizer.zero_grad()
        (place @ hessian @ place / 2).backward()
        optimizer.step()
        if float(place.detach().norm()) <= 1e-3 * first:
            return count
    return np.inf


def test_what_is_not_reached_is_infinite():
    found = least_squares.simulate(SEEDS, method="gradient_descent", conditions=[2, 1000], steps=70)
    assert np.isfinite(found["steps_to_tolerance"][:, 0]).all()
    assert np.isinf(found["steps_to_tolerance"][:, 1]).all()
    full = least_squares.simulate(SEEDS, method="gradient_descent", conditions=[1000])["steps_to_tolerance"]
    most = int(np.sort(full[:, 0])[1])
    cut = least_squares.simulate(SEEDS, method="gradient_descent", conditions=[1000], steps=most)["steps_to_tolerance"]
    np.testing.assert_array_equal(cut, np.where(full <= most, full, np.inf))
    adam = least_squares.simulate(SEEDS, method="adam", conditions=[1e6], learning_rates=[0.01, 0.1], steps=20)
    assert np.isinf(adam["steps_to_tolerance"]).all()


def test_settings_that_make_no_sense():
    with pytest.raises(UserError, match=r"at least 1, not 0\.5"):
        least_squares.simulate(SEEDS, method="momentum", conditions=[0.5, 10])
    with pytest.raises(UserError, match="the method is momentum"):
        least_squares.simulate(SEEDS, method="momentum", conditions=[10], learning_rates=[0.1])
    with pytest.raises(UserError, match="the method is adam"):
        least_squares.simulate(SEEDS, method="adam", conditions=[10])
