import numpy as np
import pytest

from scripts.common import storage
from scripts.datasets.two_moons import generate


def example(seed=0, **options):
    return generate(**{"seed": seed, "samples": 100, "test_samples": 1000, "noise": 0.2, "grid_samples": 15} | options)


def arcs():
    """Return many points of both half circles."""
    angles = np.linspace(0, np.pi, 20_001)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1), np.stack([1 - np.cos(angles), 0.5 - np.sin(angles)], axis=1)


def distances(points):
    return np.stack([np.linalg.norm(points[:, None] - arc, axis=2).min(axis=1) for arc in arcs()], axis=1)


def test_points_without_noise_lie_on_the_half_circle_of_their_class():
    data = example(noise=0.0)
    for part in ("train", "test"):
        found = distances(data[f"{part}_x"][:100])
        np.testing.assert_allclose((found * data[f"{part}_y"][:100]).sum(axis=1), 0, atol=2e-4)
        assert (found * (1 - data[f"{part}_y"][:100])).sum(axis=1).min() > 0.2


def test_noise_has_its_deviation_and_classes_are_halves():
    data, plain = example(noise=0.2), example(noise=0.0)
    assert data["train_y"].sum(axis=0).tolist() == [50, 50]
    assert set(data["train_y"].ravel()) == {0.0, 1.0}
    assert (data["train_y"] == plain["train_y"]).all()
    assert (data["train_x"] - plain["train_x"]).std() == pytest.approx(0.2, rel=0.15)


def test_the_grid_is_a_square_of_the_classes_of_the_nearer_half_circle():
    data = example()
    grid = data["grid_x"].reshape(15, 15, 2)
    assert (np.diff(grid[:, :, 1], axis=0) > 0).all()
    assert (np.diff(grid[:, :, 0], axis=1) > 0).all()
    np.testing.assert_allclose(np.ptp(grid, axis=(0, 1)), 4.5)
    near = distances(data["grid_x"])
    clear = np.abs(near[:, 0] - near[:, 1]) > 1e-3
    assert clear.sum() > 200
    assert (data["grid_y"].argmax(axis=1) == near.argmin(axis=1))[clear].all()
    assert np.abs(data["test_x"] - [0.5, 0.25]).max() < 2.25


def test_points_come_from_the_seed_and_test_points_are_others():
    assert all(np.array_equal(values, example()[key]) for key, values in example().items())
    assert not np.array_equal(example()["train_x"], example(1)["train_x"])
    assert not set(map(bytes, example()["train_x"])) & set(map(bytes, example()["test_x"]))


def test_data_are_a_file_of_their_kind(tmp_path):
    storage.save(tmp_path / "data.npz", example(), kind=storage.DATA, digest="d")
    assert storage.load(tmp_path / "data.npz", kind="data", digest="d")["grid_x"].shape == (225, 2)
