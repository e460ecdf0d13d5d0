import numpy as np

from scripts.common import storage
from scripts.datasets.sine import generate
from tests import oracle


def example(frequency=20.0):
    return generate(frequency=frequency, seed=1, samples=200, noise=0.1, test_samples=1000, grid_samples=500)


def test_data_are_those_of_the_source_to_the_last_bit():
    data = example()
    expected = dict(zip(("train_x", "train_y", "test_x", "test_y"), oracle.pieces_data("sin(20x)"), strict=True))
    for key, values in expected.items():
        np.testing.assert_array_equal(data[key], values.reshape(-1, 1), err_msg=key)


def test_data_are_a_file_of_their_kind(tmp_path):
    storage.save(tmp_path / "data.npz", example(), kind=storage.DATA, digest="d")
    np.testing.assert_array_equal(storage.load(tmp_path / "data.npz", kind="data", digest="d")["grid_y"], example()["grid_y"])


def test_frequency_is_that_of_the_wave():
    data = example(3.0)
    np.testing.assert_array_equal(data["grid_y"], np.sin(3.0 * data["grid_x"]))
    assert 0.08 < (data["train_y"] - np.sin(3.0 * data["train_x"])).std() < 0.12
