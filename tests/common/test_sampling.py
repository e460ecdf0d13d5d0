import numpy as np
import pytest
from numpy.random import PCG64, Generator

from scripts.common import sampling


def generator(seed=5):
    return Generator(PCG64(seed))


@pytest.mark.parametrize(("samples", "share", "expected"), [(200, 0.2, 40), (50, 0.2, 10), (800, 0.2, 160), (7, 0.5, 4), (3, 0.01, 1)])
def test_size_is_the_share_of_the_samples(samples, share, expected):
    assert sampling.subset_size(samples, share) == expected


def test_words_are_the_same_drawn_at_once_or_in_parts():
    whole, parts = generator(), generator()
    expected = sampling.words(whole, 11, 3)
    found = np.concatenate([sampling.words(parts, steps, 3) for steps in (1, 4, 0, 6)])
    np.testing.assert_array_equal(found, expected)
    assert whole.bit_generator.state == parts.bit_generator.state


def test_subsets_are_those_of_a_partial_fisher_yates_shuffle():
    words = sampling.words(generator(), 50, 8)
    found = sampling.subsets(words, 20)
    for row, subset in zip(words.tolist(), found.tolist(), strict=True):
        order = list(range(20))
        for position, word in enumerate(row):
            chosen = position + (word * (20 - position) >> 32)
            order[position], order[chosen] = order[chosen], order[position]
        assert subset == order[:8]


def test_the_least_and_the_largest_words_choose_the_first_and_the_last_sample_that_is_left():
    words = np.array([[0, 0, 0], [2**32 - 1] * 3], dtype=np.uint32)
    np.testing.assert_array_equal(sampling.subsets(words, 3), [[0, 1, 2], [2, 0, 1]])


def test_every_sample_and_every_pair_is_as_likely_as_any_other():
    steps, size, samples = 40000, 4, 10
    found = sampling.subsets(sampling.words(generator(), steps, size), samples)
    assert (np.diff(np.sort(found, axis=1), axis=1) > 0).all(), "without replacement"
    chosen = np.zeros((steps, samples))
    np.put_along_axis(chosen, found, 1.0, axis=1)
    together = chosen.T @ chosen / steps
    single, pair = size / samples, size * (size - 1) / samples / (samples - 1)
    expected = np.where(np.eye(samples, dtype=bool), single, pair)
    deviation = np.sqrt(expected * (1 - expected) / steps)
    assert (np.abs(together - expected) < 4.5 * deviation).all()
    by_place = np.stack([np.bincount(column, minlength=samples) for column in found.T]) / steps
    assert (np.abs(by_place - 1 / samples) < 4.5 * np.sqrt(0.09 / steps)).all(), "at every place of the subset"
