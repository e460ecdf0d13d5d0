import math

import numpy as np
import pytest
from scipy import stats

from scripts.common import statistics
from scripts.common.statistics import median_interval, paired_ratio, ratio_interval, share_interval

INF = math.inf


@pytest.mark.parametrize("total", [1, 2, 3, 20, 100])
@pytest.mark.parametrize("level", [0.8, 0.95, 0.99])
def test_the_interval_of_a_share_is_that_of_clopper_and_pearson(total, level):
    for count in range(total + 1):
        expected = stats.binomtest(count, total).proportion_ci(level, method="exact")
        found = share_interval(count, total, level=level)
        assert found.estimate == count / total
        np.testing.assert_allclose(found[1:], (expected.low, expected.high), rtol=1e-9, atol=1e-12)


def test_the_interval_of_a_share_at_its_ends():
    assert share_interval(0, 20).low == 0
    assert share_interval(20, 20).high == 1
    assert share_interval(20, 20).low == pytest.approx(0.8316, abs=1e-4)
    assert share_interval(3, 3).low == pytest.approx(0.2924, abs=1e-4)


@pytest.mark.parametrize(("count", "total"), [(-1, 3), (4, 3), (0, 0)])
def test_a_share_of_nothing_or_more_than_all_is_refused(count, total):
    with pytest.raises(ValueError, match=f"not {count} of {total}"):
        share_interval(count, total)


def test_the_bootstrap_of_the_median_is_that_of_scipy():
    sample = np.random.default_rng(0).lognormal(size=25)
    found = median_interval(sample, seed=1, resamples=20000)
    expected = stats.bootstrap(
        (sample,), np.median, n_resamples=20000, method="percentile", rng=np.random.default_rng(2)
    ).confidence_interval
    assert found.estimate == np.median(sample)
    np.testing.assert_allclose(found[1:], expected, rtol=0.02)


def test_the_bootstrap_interval_covers_the_median_about_as_often_as_it_says():
    generator = np.random.default_rng(3)
    samples = generator.normal(size=(400, 20))
    covered = np.mean([found.low <= 0 <= found.high for found in (median_interval(sample, seed=0, resamples=400) for sample in samples)])
    assert 0.91 < covered < 0.99


def test_the_bootstrap_interval_of_a_ratio_covers_it_about_as_often_as_it_says():
    generator = np.random.default_rng(4)
    above, below = np.exp(generator.normal(1.0, 0.5, size=(300, 20))), np.exp(generator.normal(0.0, 0.5, size=(300, 20)))
    found = [ratio_interval(a, b, seed=0, resamples=400) for a, b in zip(above, below, strict=True)]
    assert 0.91 < np.mean([one.low <= math.e <= one.high for one in found]) < 0.995


def test_intervals_are_the_same_every_time_and_others_for_another_seed():
    sample = np.random.default_rng(0).normal(size=21)
    assert median_interval(sample, seed=5) == median_interval(sample, seed=5)
    assert ratio_interval(np.exp(sample), np.exp(-sample), seed=5) == ratio_interval(np.exp(sample), np.exp(-sample), seed=5)
    assert ratio_interval(np.exp(sample), np.exp(-sample), seed=5) != ratio_interval(np.exp(sample), np.exp(-sample), seed=6)


def test_the_two_samples_of_a_ratio_are_resampled_apart():
    """With the same resamples for both, a sample over itself would be 1 without any interval."""
    sample = np.random.default_rng(0).lognormal(size=20)
    found = ratio_interval(sample, sample, seed=0)
    assert found.estimate == 1
    assert found.low < 0.9
    assert found.high > 1.1


def test_one_value_and_equal_values_have_no_width():
    assert median_interval([3.0], seed=0) == (3, 3, 3)
    assert median_interval([2.0] * 7, seed=0) == (2, 2, 2)


@pytest.mark.parametrize("bad", [math.nan, INF])
def test_what_is_not_finite_counts_as_infinite_and_is_not_dropped(bad):
    assert median_interval([1.0, bad, bad], seed=0).estimate == INF
    found = median_interval([1.0] * 12 + [bad] * 8, seed=0)
    assert (found.estimate, found.high) == (1, INF)
    assert median_interval([1.0] * 19 + [bad], seed=0) == (1, 1, 1)
    assert median_interval([bad] * 4, seed=0) == (INF, INF, INF)
    assert ratio_interval([bad] * 5, [1.0] * 5, seed=0) == (INF, INF, INF)
    assert ratio_interval([1.0] * 5, [bad] * 5, seed=0) == (0, 0, 0)


def test_halfway_to_infinity_is_infinite_and_between_both_infinities_zero():
    assert median_interval([1.0, INF], seed=0).estimate == INF
    assert median_interval([-INF, INF], seed=0).estimate == 0


def test_two_infinite_and_two_zero_values_are_a_tie():
    np.testing.assert_array_equal(
        paired_ratio([1, INF, INF, 0, 0, 1, math.nan], [2, INF, 1, 0, 1, 0, math.nan]),
        [0.5, 1, INF, 1, 0, INF, 1],
    )
    assert ratio_interval([INF] * 3, [INF] * 3, seed=0).estimate == 1
    assert ratio_interval([0.0] * 3, [0.0] * 3, seed=0).estimate == 1


def test_an_interval_of_nothing_is_refused():
    with pytest.raises(ValueError, match="at least one value"):
        median_interval([], seed=0)


def test_the_level_is_95_per_cent():
    assert statistics.LEVEL == 0.95
    sample = np.random.default_rng(0).normal(size=40)
    narrow, wide = (median_interval(sample, seed=0, level=level) for level in (0.5, 0.99))
    assert wide.low < narrow.low < narrow.high < wide.high
