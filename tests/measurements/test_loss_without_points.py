import numpy as np
import pytest

from scripts.common import linearization, storage
from scripts.common.errors import UserError
from scripts.measurements import loss_without_points
from tests.examples import bending, wave

MSE = {"kind": "mse"}


def test_loss_is_the_mean_over_the_other_points(tmp_path):
    network, train = bending([5, 4])
    data = wave()
    data["test_y"][-1] += 5  # the point of a jump
    found = loss_without_points.measure(data, train, network, MSE, without=[1.0, 0.25])
    kept = [i for i in range(41) if i not in (10, 40)]
    for here in np.ndindex(3, 2):
        errors = linearization.predict(train["parameters"][here], data["test_x"], network=network) - data["test_y"]
        np.testing.assert_allclose(found["test_loss_without_points"][here], np.mean(errors[kept] ** 2), rtol=1e-12)
        assert found["test_loss_without_points"][here] < np.mean(errors**2) - 0.1
    storage.save(tmp_path / "loss_without_points.npz", found, kind=loss_without_points.KIND, digest="d")


def test_without_none_it_is_the_loss_on_all():
    network, train = bending([5])
    found = loss_without_points.measure(wave(), train, network, MSE, without=[])
    errors = linearization.predict(train["parameters"][2, 1], wave()["test_x"], network=network) - wave()["test_y"]
    np.testing.assert_allclose(found["test_loss_without_points"][2, 1], np.mean(errors**2), rtol=1e-12)


def test_points_that_are_written_with_rounding_are_found():
    network, train = bending([5])
    data = wave() | {"test_x": np.cumsum(np.full((41, 1), 0.1))[:, None]}
    assert 0.3 not in data["test_x"]
    loss_without_points.measure(data, train, network, MSE, without=[0.3])


def test_points_that_are_not_there_and_leaving_none_are_refused():
    network, train = bending([5])
    with pytest.raises(UserError, match=r"no test point at x = 0.333, 2.0"):
        loss_without_points.measure(wave(), train, network, MSE, without=[0.333, 1.0, 2.0])
    with pytest.raises(UserError, match="no test point is left"):
        loss_without_points.measure(wave(), train, network, MSE, without=np.linspace(0, 1, 41).tolist())


def test_a_replica_that_has_diverged_has_no_finite_loss():
    network, train = bending([5])
    train["parameters"][2, 1] = 1e200
    found = loss_without_points.measure(wave(), train, network, MSE, without=[1.0])["test_loss_without_points"]
    assert np.isfinite(found[:2]).all()
    assert not np.isfinite(found[2, 1])
