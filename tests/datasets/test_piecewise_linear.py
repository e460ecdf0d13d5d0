import numpy as np
import pytest

from scripts.common import storage
from scripts.datasets.piecewise_linear import generate
from tests import oracle
from tests.examples import pieces


@pytest.mark.parametrize(("samples", "noise"), [(200, 0.1), (50, 0.0), (800, 0.3)])
def test_data_are_those_of_the_source_to_the_last_bit(samples, noise):
    data = pieces(samples=samples, noise=noise)
    expected = dict(zip(("train_x", "train_y", "test_x", "test_y"), oracle.pieces_data(n_samples=samples, sigma=noise), strict=True))
    for key, values in expected.items():
        np.testing.assert_array_equal(data[key], values.reshape(-1, 1), err_msg=key)


def test_data_are_a_file_of_their_kind(tmp_path):
    storage.save(tmp_path / "data.npz", pieces(), kind=storage.DATA, digest="d")
    np.testing.assert_array_equal(storage.load(tmp_path / "data.npz", kind="data", digest="d")["grid_x"], pieces()["grid_x"])


def test_training_points_are_among_the_test_points_and_all_are_sorted():
    data = pieces()
    assert len(data["test_x"]) == 1200
    assert set(data["train_x"][:, 0]) <= set(data["test_x"][:, 0])
    for key in ("train_x", "test_x", "grid_x"):
        assert (np.diff(data[key], axis=0) >= 0).all()
    assert data["grid_x"][[0, -1], 0].tolist() == [0.0, 1.0]


def test_the_function_is_linear_between_multiples_of_a_tenth_and_0_there():
    data = generate(seed=1, samples=5, noise=0.0, test_samples=1, grid_samples=1001)
    x, y = data["grid_x"][:, 0], data["grid_y"][:, 0]
    for piece in range(10):
        inside = slice(100 * piece + 1, 100 * piece + 100)
        ends = np.polynomial.polynomial.polyfit(x[inside], y[inside], 1)
        heights = np.polynomial.polynomial.polyval([piece / 10, (piece + 1) / 10], ends)
        np.testing.assert_allclose(heights, np.sin(12345 * np.array([piece, piece + 1])), atol=1e-10)
    assert y[-1] == 0


def test_another_multiplier_is_another_function():
    assert np.abs(pieces(multiplier=7)["grid_y"] - pieces()["grid_y"]).max() > 0.5
