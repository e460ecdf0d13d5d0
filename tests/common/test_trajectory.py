"""All from the Gram matrix of steps, against the same from the points themselves, and principal components against scikit-learn's."""

import numpy as np
import pytest
from sklearn.decomposition import PCA

from scripts.common import trajectory


def points(count=12, dimension=40, seed=0):
    generator = np.random.default_rng(seed)
    return generator.standard_normal((count, dimension)).cumsum(axis=0) * np.linspace(2, 0.1, dimension)


@pytest.mark.parametrize(("count", "dimension"), [(12, 40), (40, 12), (12, 12), (301, 500)])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_principal_components_are_those_of_scikit_learn_to_sign(count, dimension, dtype):
    path = points(count, dimension).astype(dtype)
    found = trajectory.principal(trajectory.gram_of_steps(path), 5)
    library = PCA(5, svd_solver="full").fit(path.astype(np.float64))
    expected = library.transform(path.astype(np.float64))
    np.testing.assert_allclose(found.share, library.explained_variance_ratio_, rtol=1e-10)
    sign = np.sign(np.sum(found.coordinate * expected, axis=0))
    np.testing.assert_allclose(found.coordinate, expected * sign, atol=1e-9 * np.abs(expected).max())
    directions = trajectory.directions(path, found.coordinate)
    np.testing.assert_allclose(directions, library.components_ * sign[:, None], atol=1e-9)
    largest = np.abs(found.coordinate).argmax(axis=0)
    assert (found.coordinate[largest, range(5)] > 0).all()


def test_small_components_are_exact_beside_a_large_one():
    path = points(30, 200) * np.append(1e4, np.ones(199))
    found = trajectory.principal(trajectory.gram_of_steps(path), 8)
    library = PCA(8, svd_solver="full").fit(path)
    np.testing.assert_allclose(found.share, library.explained_variance_ratio_, rtol=1e-6)


def test_directions_that_there_are_not_are_nan():
    line = np.outer(np.arange(6.0) ** 2, np.ones(9))
    found = trajectory.principal(trajectory.gram_of_steps(line), 3)
    assert found.share[0] == pytest.approx(1)
    assert np.isnan(found.share[1:]).all()
    assert np.isnan(found.coordinate[:, 1:]).all()
    assert np.isnan(trajectory.principal(trajectory.gram_of_steps(np.ones((4, 3))), 2).share).all()
    assert trajectory.principal(trajectory.gram_of_steps(line[:2]), 3).share[0] == pytest.approx(1)


def test_shuffled_steps_are_the_same_steps():
    path = points()
    steps = np.diff(path, axis=0)
    order = np.random.Generator(np.random.PCG64(7)).permutation(len(steps))
    shuffled = np.concatenate([path[:1], path[:1] + steps[order].cumsum(axis=0)])
    found = trajectory.gram_of_shuffled(trajectory.gram_of_steps(path), seed=7)
    np.testing.assert_allclose(found, trajectory.gram_of_steps(shuffled), atol=1e-12)
    np.testing.assert_allclose(shuffled[-1], path[-1])
    assert not np.allclose(found, trajectory.gram_of_shuffled(trajectory.gram_of_steps(path), seed=8))


def test_a_walk_has_the_lengths_and_no_direction():
    lengths = np.linspace(3, 0.5, 60)
    gram = trajectory.gram_of_walk(lengths, dimension=5000, seed=1)
    np.testing.assert_allclose(np.sqrt(gram.diagonal()), lengths)
    cosine = (gram / np.outer(lengths, lengths))[~np.eye(60, dtype=bool)]
    assert abs(cosine.mean()) < 0.002
    assert cosine.std() == pytest.approx(5000**-0.5, rel=0.1)
    assert np.array_equal(gram, trajectory.gram_of_walk(lengths, dimension=5000, seed=1))
    assert not np.array_equal(gram, trajectory.gram_of_walk(lengths, dimension=5000, seed=2))


def test_a_long_walk_of_equal_steps_has_the_components_of_theory():
    """Antognini and Sohl-Dickstein 2018: shares 6 / (pi k)^2, and coordinates that are cosines of k half periods."""
    found = trajectory.principal(trajectory.gram_of_walk(np.ones(400), dimension=20_000, seed=0), 4)
    rank = np.arange(1, 5)
    np.testing.assert_allclose(found.share, 6 / (np.pi * rank) ** 2, rtol=0.08)
    cosine = np.cos(np.pi * rank * (np.arange(401)[:, None] + 0.5) / 401)
    alike = [abs(np.corrcoef(found.coordinate[:, place], cosine[:, place])[0, 1]) for place in range(4)]
    assert min(alike) > 0.98


def test_distances_angles_and_sums():
    path = points().astype(np.float32)
    exact = path.astype(np.float64)
    gram, steps = trajectory.gram_of_steps(path), np.diff(exact, axis=0)
    np.testing.assert_allclose(trajectory.distances_to_end(gram), np.linalg.norm(exact - exact[-1], axis=1), rtol=1e-12, atol=1e-12)
    unit = steps / np.linalg.norm(steps, axis=1)[:, None]
    np.testing.assert_allclose(trajectory.cosines(gram), np.sum(unit[1:] * unit[:-1], axis=1), rtol=1e-10, atol=1e-12)
    group = np.array([0, 0, 0, 1, 1, 3, 3, 3, 3, 4, 4])
    sums = np.stack([steps[group == place].sum(axis=0) for place in range(5)])
    np.testing.assert_allclose(trajectory.sums_of_steps(gram, group, 5), sums @ sums.T, rtol=1e-10, atol=1e-10)


def test_a_step_of_no_length_has_no_angle():
    path = points()
    path[5] = path[4]
    assert np.flatnonzero(np.isnan(trajectory.cosines(trajectory.gram_of_steps(path)))).tolist() == [3, 4]
