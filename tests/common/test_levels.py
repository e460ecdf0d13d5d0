import numpy as np
import pytest

from scripts.common.levels import level_labels, slopes


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
