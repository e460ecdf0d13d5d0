import numpy as np
import pytest
from pydantic import ValidationError

from scripts.common.ranges import MOST_VALUES, values_of
from scripts.common.settings import Factor


def six(values):
    return [float(f"{value:.6g}") for value in values]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("logspace(-3, 1, 50)", six(np.logspace(-3, 1, 50))),
        ("logspace(0.5,-2.25,7)", six(np.logspace(0.5, -2.25, 7))),
        (" logspace( 2 , 2, 3 ) ", [100.0, 100.0, 100.0]),
        ("logspace(-3, 1, 1)", [0.001]),
        ("linspace(0, 1, 11)", six(np.linspace(0, 1, 11))),
        ("linspace(-1e-3, .7, 1000)", six(np.linspace(-1e-3, 0.7, 1000))),
        ("linspace(3, 1, 4)", six(np.linspace(3, 1, 4))),
        ("range(1, 9, 2)", list(range(1, 9, 2))),
        ("range(3, 0, -1)", [3, 2, 1]),
        ("range(-2, 2)", [-2, -1, 0, 1]),
    ],
)
def test_a_range_has_the_values_that_numpy_and_python_have(text, expected):
    found = values_of(text)
    assert found == expected
    assert {type(value) for value in found} == {int if "range" in text else float}


def test_the_ends_of_a_range_are_exact():
    for count in (2, 3, 7, 50, 999):
        assert values_of(f"logspace(-3, 1, {count})")[:: count - 1] == [0.001, 10.0]
        assert values_of(f"linspace(0.1, 0.7, {count})")[:: count - 1] == [0.1, 0.7]


@pytest.mark.parametrize(
    "text",
    [
        *("logspace(-3, 1)", "logspace(-3, 1, 0)", "logspace(-3, 1, 2.5)", "logspace(-400, 1, 3)", "logspace(a, 1, 3)"),
        *(f"linspace(0, 1, {MOST_VALUES + 1})", "linspace(0, 1e999, 3)", "linspace(0, nan, 3)", "linspace(0, 1, 3) + 1"),
        *("range(3)", "range(3, 3)", "range(0, 3, 0)", "range(0, 1.5)", f"range({MOST_VALUES + 1}, 0, -1)", "range(0, 10000000000)"),
        *("__import__('os').getcwd()", "[1, 2]", "", "geomspace(1, 2, 3)", "logspace(-3, 1, \N{ARABIC-INDIC DIGIT FIVE})"),
    ],
)
def test_what_is_no_range_is_an_error_that_says_what_is_one(text):
    with pytest.raises(ValidationError, match=r"a list of values, logspace\(.*\) of whole numbers without the end; a range has 1 to 1,000"):
        Factor.model_validate({"name": "rate", "settings": {"optimizer.learning_rate": text}})


def test_lists_are_left_as_they_are():
    assert Factor.model_validate({"name": "rate", "settings": {"a.b": [1, "x", None]}}).settings == {"a.b": [1, "x", None]}
