import numpy as np
import pytest

from scripts.common import storage
from scripts.measurements import test_range as measurement
from tests.examples import DEEP, SHALLOW, sines, source_run


@pytest.mark.parametrize("boundary", [0.4, -0.2])
def test_losses_inside_and_outside_make_up_the_loss_on_all_test_points(boundary, tmp_path):
    train = source_run("shallow")
    found = measurement.measure(sines(), train, SHALLOW, {"kind": "mse"}, boundary=boundary)
    share = (sines()["test_x"] <= boundary).mean()
    together = share * found["test_loss_inside"] + (1 - share) * found["test_loss_outside"]
    np.testing.assert_allclose(together, train["test_loss"][[0, -1]], rtol=1e-4)
    storage.save(tmp_path / "test_range.npz", found, kind=measurement.KIND, digest="d")


def test_a_point_on_the_boundary_is_inside():
    data = {"test_x": np.array([[0.0], [0.4], [0.5]]), "test_y": np.array([[1.0], [3.0], [2.0]])}
    train = {"step": np.array([0]), "parameters": np.zeros((1, 1, 61), dtype=np.float32)}
    found = measurement.measure(data, train, SHALLOW, {"kind": "mse"}, boundary=0.4)
    assert found["test_loss_inside"].tolist() == [[5.0]]
    assert found["test_loss_outside"].tolist() == [[4.0]]


def test_loss_of_a_replica_that_has_diverged_is_not_finite():
    found = measurement.measure(sines(), source_run("deep_large"), DEEP, {"kind": "mse"}, boundary=0.4)
    assert not np.isfinite(found["test_loss_outside"][1]).any()
