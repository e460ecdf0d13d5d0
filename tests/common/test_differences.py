import numpy as np
import pytest

from scripts.common.differences import difference, level, ratio

BOOTSTRAP = {"seed": 0, "resamples": 200}


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([0.01, 0.02, 0.03], "+0.020 (0.010\u00a0to\u00a00.030)"),
        ([-0.01, -0.02, -0.03], "−0.020 (−0.030\u00a0to\u00a0−0.010)"),
        ([-0.01, 0.0, 0.03], "0.000 (−0.010\u00a0to\u00a00.030)"),
        ([0.5, 0.5, 0.5], "+0.500"),
        ([1e-7, 1e-7], "0.000"),
        ([-1e-7, -1e-7], "0.000"),
        ([np.inf, np.inf, np.inf], "infinite"),
        ([0.1, 0.2, np.nan], "+0.200 (0.100\u00a0to\u00a0infinity)"),
    ],
)
def test_differences_have_a_sign_and_fixed_decimals(values, words):
    assert difference(values, bootstrap=BOOTSTRAP) == words


def test_levels_have_no_sign():
    assert level([0.9, 0.91, 0.95], bootstrap=BOOTSTRAP) == "0.910 (0.900\u00a0to\u00a00.950)"
    assert level([0.9, 0.9], bootstrap=BOOTSTRAP) == "0.900"


def test_ratios_have_three_digits():
    assert ratio([0.5, 1.0, 2.0], bootstrap=BOOTSTRAP) == "×\u00a01 (0.500\u00a0to\u00a02)"
    assert ratio([0.1 * 3, 0.3], bootstrap=BOOTSTRAP) == "×\u00a00.300"
    assert ratio([np.inf] * 3, bootstrap=BOOTSTRAP) == "×\u00a0infinite"
