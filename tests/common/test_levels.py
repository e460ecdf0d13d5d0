import numpy as np
import pytest

from scripts.common.levels import largest_stable, level_labels, slopes


def test_labels_have_no_point_where_they_are_whole():
    assert level_labels([16, 1000000.0, 0.1, 0.0001, 2.5]).tolist() == ["16", "1000000", "0.1", "0.0001", "2.5"]


def test_slopes_are_those_of_powers():
    levels = np.array([1.0, 2.0, 8.0])
    np.testing.assert_allclose(slopes(levels, np.stack([3 * levels**-0.5, levels**2])), [-0.5, 2.0])
    noisy = np.array([1.0, 3.0, 5.0])
    assert slopes(levels, noisy[None])[0] == pytest.approx(np.polyfit(np.log(levels), np.log(noisy), 1)[0])


def test_what_is_not_positive_and_finite_is_left_out():
    levels = [1.0, 2.0, 4.0, 8.0]
    values = np.array([[1.0, 0.0, 4.0, np.inf], [1.0, np.nan, np.inf, 0.0], [np.inf] * 4])
    found = slopes(levels, values)
    assert found[0] == pytest.approx(1)
    assert np.isnan(found[1:]).all()


def test_largest_stable_level_is_the_last_that_is_stable():
    losses = np.array(
        [
            [0.1, 0.1, 0.1, 0.1],
            [0.1, 0.1, 0.1, 2.3],
            [0.1, np.nan, 0.1, 0.1],
            [0.1, 0.1, -np.inf, 0.1],
            [1.0, 0.1, 0.1, 0.1],
            [0.1, np.inf, np.nan, np.inf],
        ]
    )
    assert largest_stable([0.01, 0.1, 1.0, 3.0], losses, limit=1.0).tolist() == [3.0, 1.0, 3.0, 3.0, 3.0, 0.01]
    assert largest_stable([0.01, 0.1], [[1.0, np.nan]], limit=1.0).tolist() == [0.0]


def test_largest_stable_level_is_that_of_a_plain_loop():
    generator = np.random.default_rng(0)
    losses = generator.standard_normal((50, 6)) ** 2
    levels = np.array([0.003, 0.01, 0.03, 0.1, 0.3, 1.0])
    for row, found in zip(losses, largest_stable(levels, losses, limit=2.0), strict=True):
        largest = 0.0
        for level, loss in zip(levels, row, strict=True):
            if loss < 2.0:
                largest = level
        assert found == largest


@pytest.mark.parametrize("levels", [[1.0, 0.1], [0.0, 1.0], [1.0, 1.0], [1.0]])
def test_levels_have_to_be_positive_and_ascending(levels):
    with pytest.raises(ValueError, match="positive and ascending"):
        largest_stable(levels, np.ones((3, 2)), limit=2.0)
