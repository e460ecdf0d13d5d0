import numpy as np
import pytest

from scripts.common import storage
from scripts.datasets.sum_of_sines import generate
from tests import oracle
from tests.examples import sines


@pytest.mark.parametrize(("seed", "high"), [(10, 1.0), (50, 0.4)])
def test_data_are_those_of_the_source_to_the_last_bit(seed, high):
    data = sines(seed, high)
    train_x, train_y = oracle.training_data(seed, high)
    test_x, test_y = oracle.noise_free_data()
    for key, expected in {"train_x": train_x, "train_y": train_y, "test_x": test_x, "test_y": test_y}.items():
        np.testing.assert_array_equal(data[key], expected[:, None], err_msg=key)


def test_data_are_a_file_of_their_kind(tmp_path):
    storage.save(tmp_path / "data.npz", sines(), kind=storage.DATA, digest="d")
    loaded = storage.load(tmp_path / "data.npz", kind="data", digest="d")
    np.testing.assert_array_equal(loaded["grid_y"], sines()["grid_y"])


def test_training_samples_lie_in_their_range_and_the_targets_of_test_and_grid_are_free_of_noise():
    data = sines(50, 0.4)
    assert data["train_x"].min() >= -1
    assert data["train_x"].max() < 0.4
    assert data["test_x"].min() == -1
    assert data["test_x"].max() == 1
    residual = data["train_y"] - np.interp(data["train_x"], data["grid_x"][:, 0], data["grid_y"][:, 0])
    assert 0.09 < residual.std() < 0.11
    np.testing.assert_allclose(data["grid_y"], -data["grid_y"][::-1], atol=1e-12, err_msg="the function is odd")


def test_first_of_the_five_sines_is_zero_everywhere():
    data = sines()
    basis = np.sin(np.pi * data["grid_x"] * np.arange(1, 5))
    weights = np.linalg.lstsq(basis, data["grid_y"], rcond=None)[0]
    np.testing.assert_allclose(basis @ weights, data["grid_y"], atol=1e-12)


def test_a_subset_is_the_first_of_the_samples_and_nothing_else_changes():
    options = {"coefficient_seed": 0, "coefficients": 5, "seed": 10, "samples": 1500, "low": -1.0, "high": 1.0, "noise": 0.1}
    options |= {"test_samples": 500, "grid_samples": 1000, "test_low": -1.0, "test_high": 1.0}
    found, whole = generate(**options, kept=100), sines()
    for key, expected in whole.items():
        np.testing.assert_array_equal(found[key], expected[:100] if key.startswith("train") else expected)
