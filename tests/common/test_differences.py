import numpy as np
import pytest

from scripts.common.differences import difference, level, ratio

BOOTSTRAP = {"seed": 0, "resamples": 200}


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([0.01, 0.02, 0.03], "+0.0200 (0.0100 to 0.0300)"),
        ([-0.01, -0.02, -0.03], "−0.0200 (−0.0300 to −0.0100)"),
        ([-0.01, 0.0, 0.03], "0.0000 (−0.0100 to 0.0300)"),
        ([0.5, 0.5, 0.5], "+0.5000"),
        ([1e-7, 1e-7], "0.0000"),
        ([-1e-7, -1e-7], "0.0000"),
        ([np.inf, np.inf, np.inf], "infinite"),
        ([0.1, 0.2, np.nan], "+0.2000 (0.1000 to infinity)"),
    ],
)
def test_differences_have_a_sign_and_fixed_decimals(values, words):
    assert difference(values, bootstrap=BOOTSTRAP) == words


def test_levels_have_no_sign():
    assert level([0.9, 0.91, 0.95], bootstrap=BOOTSTRAP) == "0.9100 (0.9000 to 0.9500)"
    assert level([0.9, 0.9], bootstrap=BOOTSTRAP) == "0.9000"


def test_ratios_have_three_digits():
    assert ratio([0.5, 1.0, 2.0], bootstrap=BOOTSTRAP) == "× 1 (0.500 to 2)"
    assert ratio([0.1 * 3, 0.3], bootstrap=BOOTSTRAP) == "× 0.300"
    assert ratio([np.inf] * 3, bootstrap=BOOTSTRAP) == "× infinite"
