import numpy as np
import pytest

from scripts.common import normal_model, storage
from scripts.common.errors import UserError
from scripts.common.seeds import replica_seeds
from scripts.simulations import natural_paths

SEEDS = replica_seeds(0, 3)
SIZES = [0.1, 0.01, 0.001, 0.0001]


@pytest.fixture(scope="module")
def found():
    return natural_paths.simulate(SEEDS, step_sizes=SIZES, flow_time=2.0)


def test_the_difference_of_natural_paths_falls_with_slope_one(found):
    assert (np.abs(found["path_difference_slope"] - 1) < 0.05).all()
    assert (found["path_difference"][:, -1] < 1e-3 * found["path_difference"][:, 0] * 1.2).all()
    fitted = np.polyfit(np.log(SIZES), np.log(found["path_difference"][1]), 1)[0]
    assert found["path_difference_slope"][1] == pytest.approx(fitted)


def test_paths_of_gradient_descent_stay_apart(found):
    assert (found["descent_path_difference"] > 0.1).all()
    assert (np.abs(found["descent_path_difference_slope"]) < 0.05).all()


def test_both_flows_agree_to_ten_digits_and_with_the_closed_form(found):
    assert (found["flow_difference"] < 1e-10).all()
    assert (found["flow_error"] < 1e-10).all()
    assert (found["flow_difference"] > 0).all()  # two solutions, not one twice


def test_paths_are_those_of_a_plain_loop_with_a_solved_fisher_matrix(found):
    values = np.random.default_rng(SEEDS[2]).normal(2.0, 0.5, 100)
    one, two = -1.0, np.log(3.0)
    for _ in range(100):  # 10 times the largest step, in coordinates (mu, log sigma)
        sigma = np.exp(two)
        gradient = -np.array([np.mean(values - one) / sigma**2, np.mean((values - one) ** 2) / sigma**2 - 1])
        one, two = np.array([one, two]) - 0.01 * np.linalg.solve(np.diag([1 / sigma**2, 2.0]), gradient)
    np.testing.assert_allclose(found["natural_path"][1, 1, 10, 2], [one, np.exp(two)], rtol=1e-10)
    assert found["time"][10] == pytest.approx(1.0)


def test_natural_paths_come_nearer_to_the_flow(found):
    away = normal_model.fisher_distance(found["natural_path"], found["flow"]).max(axis=2)  # (X, 2, R)
    assert (away[:-1] > 5 * away[1:]).all()
    np.testing.assert_allclose(found["natural_path"][:, :, 0], np.broadcast_to([-1.0, 3.0], (4, 2, 3, 2)))


def test_it_is_stored(found, tmp_path):
    storage.save(tmp_path / "paths.npz", found, kind=natural_paths.KIND, digest="d")
    assert found["index_path_difference"].tolist() == ["0.1", "0.01", "0.001", "0.0001"]
    assert found["natural_path"].shape == (4, 2, 21, 3, 2)


def test_a_path_that_breaks_off_is_infinitely_far():
    made = natural_paths.simulate(SEEDS, step_sizes=[4.0, 0.1], flow_time=40.0, start_mean=2.0, start_deviation=0.6)
    assert np.isinf(made["descent_path_difference"][:, 0]).all()


def test_step_sizes_that_do_not_meet():
    with pytest.raises(UserError, match=r"step size 0\.03 does not divide 0\.1"):
        natural_paths.simulate(SEEDS, step_sizes=[0.1, 0.03])
    with pytest.raises(UserError, match=r"step size 0\.1 does not divide 0\.25"):
        natural_paths.simulate(SEEDS, step_sizes=[0.1], flow_time=0.25)
