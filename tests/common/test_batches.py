import numpy as np
from numpy.random import PCG64, Generator, RandomState

from scripts.common import batches, sampling


def test_permutations_are_those_of_the_source_joined_end_to_end():
    np.random.seed(150)  # noqa: NPY002
    expected = np.concatenate([np.random.permutation(1500) for _ in range(10)])[: 468 * 32].reshape(468, 32)  # noqa: NPY002
    np.testing.assert_array_equal(batches.permutations(1500, 468, generator=RandomState(150), size=32), expected)


def test_batches_straddle_permutations_and_each_permutation_holds_every_sample_once():
    indices = batches.permutations(10, 7, generator=RandomState(0), size=4)
    assert indices.shape == (7, 4)
    for first in (0, 10):
        assert sorted(indices.ravel()[first : first + 10]) == list(range(10))


def test_a_batch_may_be_larger_than_the_data():
    indices = batches.permutations(3, 2, generator=RandomState(0), size=7)
    np.testing.assert_array_equal(np.bincount(indices.ravel()[:12]), [4, 4, 4])


def test_independent_draws_within_the_data():
    indices = batches.independent(10, 200, generator=RandomState(0), size=4)
    assert indices.shape == (200, 4)
    assert set(indices.ravel()) == set(range(10))


def test_full_is_all_samples_in_order():
    np.testing.assert_array_equal(batches.full(4, 3, generator=RandomState(0)), [[0, 1, 2, 3]] * 3)


def test_subsets_are_a_share_of_the_samples_without_replacement():
    found = batches.subsets(50, 300, generator=Generator(PCG64(3)), share=0.2)
    np.testing.assert_array_equal(found, sampling.subsets(sampling.words(Generator(PCG64(3)), 300, 10), 50))
    assert found.shape == (300, 10)
    assert (np.diff(np.sort(found, axis=1), axis=1) > 0).all()
    assert set(found.ravel()) == set(range(50))
