import numpy as np
import pytest

from scripts.common import normal_model, storage
from scripts.common.seeds import replica_seeds
from scripts.simulations import normal_fit

SEEDS = replica_seeds(0, 4)
SETTINGS = {"samples": 50, "mean": 2.0, "deviation": 0.5, "start_mean": -1.0, "start_deviation": 3.0, "tolerance": 1e-6}


def simulate(method="gradient_descent", rates=(0.1,), **options):
    return normal_fit.simulate(SEEDS, method=method, learning_rates=list(rates), **(SETTINGS | {"steps": 500} | options))


def slowly(seed, method, rate, coordinates, steps):
    """One replica's path, with one number after the other: gradients of the sample itself, and a solved Fisher matrix."""
    values = np.random.default_rng(seed).normal(2.0, 0.5, 50)
    one, two = -1.0, 3.0 if coordinates == "deviation" else np.log(3.0)
    path, velocity = [(-1.0, 3.0)], np.zeros(2)
    for _ in range(steps):
        sigma = two if coordinates == "deviation" else np.exp(two)
        scores = np.array([(values - one) / sigma**2, (values - one) ** 2 / sigma**3 - 1 / sigma])
        fisher = np.diag([1 / sigma**2, 2 / sigma**2])
        change = np.diag([1.0, 1.0 if coordinates == "deviation" else sigma])  # d (mu, sigma) / d coordinates
        gradient, fisher = change @ -scores.mean(axis=1), change @ fisher @ change
        if method == "natural_gradient":
            gradient = np.linalg.solve(fisher, gradient)
        velocity = (0.9 if method == "momentum" else 0.0) * velocity + gradient
        one, two = np.array([one, two]) - rate * velocity
        path.append((one, two if coordinates == "deviation" else np.exp(two)))
    return np.array(path)


@pytest.mark.parametrize("coordinates", ["deviation", "log_deviation"])
@pytest.mark.parametrize(("method", "rate"), [("gradient_descent", 0.1), ("momentum", 0.02), ("natural_gradient", 0.5)])
def test_path_is_that_of_a_plain_loop(method, rate, coordinates):
    found = simulate(method, [rate], coordinates=coordinates)
    for replica in (0, 3):
        own = slowly(SEEDS[replica], method, rate, coordinates, 12)
        np.testing.assert_allclose(found["path"][:13, replica], own, rtol=1e-9)


def test_steps_are_those_to_the_first_point_within_the_tolerance():
    found = simulate()
    sample = normal_model.draw_samples(SEEDS, samples=50, mean=2.0, deviation=0.5)
    np.testing.assert_allclose(found["sample_deviation"] ** 2, sample.variance)
    np.testing.assert_allclose(found["excess_loss"], normal_model.excess_loss(found["path"], sample))
    for replica, steps in enumerate(found["steps_to_tolerance"]):
        within = np.flatnonzero(found["excess_loss"][:, replica] <= 1e-6)
        assert steps == found["step"][within[0]] > 10
    assert found["step"][-1] == found["steps_to_tolerance"].max()


def test_natural_gradient_finds_the_mean_in_one_step_and_the_deviation_by_herons_rule():
    found = simulate("natural_gradient", [1.0])
    np.testing.assert_allclose(found["path"][1, :, 0], found["sample_mean"])
    sigma, variance = found["path"][1:, :, 1], found["sample_deviation"] ** 2
    np.testing.assert_allclose(sigma[1:], (sigma[:-1] + variance / sigma[:-1]) / 2)
    assert (found["steps_to_tolerance"] < 10).all()


def test_the_best_rate_is_that_with_the_smallest_median():
    found = simulate(rates=[0.01, 0.05, 0.1])
    assert found["index_steps_by_rate"].tolist() == ["0.01", "0.05", "0.1"]
    medians = np.median(found["steps_by_rate"], axis=0)
    assert np.isinf(medians[0])
    assert medians[2] < medians[1]
    assert found["best_learning_rate"].tolist() == [0.1] * 4
    np.testing.assert_array_equal(found["steps_to_tolerance"], found["steps_by_rate"][:, 2])
    alone = simulate(rates=[0.1])
    np.testing.assert_array_equal(found["path"], alone["path"])


def test_steps_do_not_depend_on_coordinates_for_the_tolerance_but_for_the_rule():
    one, other = (simulate("gradient_descent", [0.1], coordinates=name) for name in ("deviation", "log_deviation"))
    np.testing.assert_allclose(one["excess_loss"][0], other["excess_loss"][0])
    assert (one["steps_to_tolerance"] != other["steps_to_tolerance"]).all()


def test_a_rate_that_is_too_large_turns_at_each_step_and_never_gets_there():
    """The largest eigenvalue of the Hessian at the best fit is 2 / v, so that above the rate v no step brings a nearby point nearer."""
    found = simulate(rates=[0.3], steps=300)
    assert (found["sample_deviation"] ** 2 < 0.3).all()
    assert np.isinf(found["steps_to_tolerance"]).all()
    assert (found["turns"] > 200).all()
    assert found["step"][-1] == 300
    assert (simulate(rates=[0.01], steps=300)["turns"] == 0).all()


def test_a_run_that_breaks_off_is_never_there_and_nan():
    found = simulate(rates=[20.0])
    assert np.isinf(found["steps_to_tolerance"]).all()
    gone = np.isnan(found["path"]).all(axis=2)
    assert gone[-1].all()
    assert (np.diff(gone.astype(int), axis=0) >= 0).all()  # once gone, gone for good
    assert np.isfinite(found["path"][0]).all()


def test_a_long_path_is_stored_by_some_of_its_steps(tmp_path):
    found = simulate(rates=[0.005], steps=5000)
    assert found["steps_to_tolerance"].max() > 1000
    assert len(found["step"]) <= normal_fit.FIRST_STEPS + normal_fit.LATER_STEPS
    assert found["step"][-1] == found["steps_to_tolerance"].max()
    assert (np.diff(found["step"]) > 0).all()
    assert np.isfinite(found["path"]).all()
    storage.save(tmp_path / "fit.npz", found, kind=normal_fit.KIND, digest="d")


def test_more_replicas_change_none_of_the_first():
    one = normal_fit.simulate(SEEDS[:2], method="adam", learning_rates=[0.1], steps=50)
    more = normal_fit.simulate(SEEDS, method="adam", learning_rates=[0.1], steps=50)
    np.testing.assert_array_equal(one["steps_by_rate"], more["steps_by_rate"][:2])
    np.testing.assert_array_equal(one["path"], more["path"][:, :2])
