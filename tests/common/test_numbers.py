import math

import numpy as np
import pytest

from scripts.common.numbers import MOST_SINGULAR_VALUES, Row, from_csv, rows, to_csv


def test_a_quantity_of_steps_and_replicas_has_a_row_for_each():
    arrays = {"step": np.array([0, 5]), "loss": np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])}
    found = rows("s", "v", arrays, {"loss": "S R"})
    assert found[0] == Row("s", "v", 0, 0, "loss", None, 1.0)
    assert {(row.step, row.replica): row.value for row in found} == {(0, 0): 1, (0, 1): 2, (0, 2): 3, (5, 0): 4, (5, 1): 5, (5, 2): 6}


def test_elements_have_their_labels_or_their_rank():
    arrays = {
        "step": np.array([0]),
        "norm": np.array([[[1.0, 2.0]]]),
        "index_norm": np.array(["0.weight", "2.weight"]),
        "value": np.array([[[9.0, 8.0]]]),
    }
    found = rows("s", "v", arrays, {"norm": "S R L", "value": "S R K"})
    assert [(row.quantity, row.index, row.value) for row in found] == [
        ("norm", "0.weight", 1),
        ("norm", "2.weight", 2),
        ("value", 1, 9),
        ("value", 2, 8),
    ]


def test_a_quantity_without_steps_has_none():
    arrays = {"ended": np.array([3, 7]), "fate": np.array([[1, 0], [0, 1]]), "index_fate": np.array(["fine", "diverged"])}
    found = rows("s", "v", arrays, {"ended": "R", "fate": "R X"})
    assert [(row.replica, row.step, row.index, row.value) for row in found] == [
        (0, None, None, 3),
        (1, None, None, 7),
        (0, None, "fine", 1),
        (0, None, "diverged", 0),
        (1, None, "fine", 0),
        (1, None, "diverged", 1),
    ]
    assert all(type(row.value) is int for row in found)


@pytest.mark.parametrize(
    ("mask", "left"),
    [
        (np.array([[True, False], [False, True]]), {(0, 0, 1), (0, 0, 2), (5, 1, 1), (5, 1, 2)}),
        (np.array([[[True, False], [False, False]], [[False, True], [False, False]]]), {(0, 0, 1), (5, 0, 2)}),
    ],
    ids=["of leading axes", "of every element"],
)
def test_what_does_not_exist_has_no_row(mask, left):
    arrays = {"step": np.array([0, 5]), "value": np.zeros((2, 2, 2)), "exists_value": mask}
    assert {(row.step, row.replica, row.index) for row in rows("s", "v", arrays, {"value": "S R K"})} == left
    assert arrays["exists_value"] is mask


def test_a_mask_of_replicas_alone():
    arrays = {"ended": np.array([3, -1]), "exists_ended": np.array([True, False])}
    assert [row.replica for row in rows("s", "v", arrays, {"ended": "R"})] == [0]


def test_of_singular_values_the_first_are_enough():
    arrays = {"step": np.array([0]), "singular_value": np.ones((1, 1, 60)), "other": np.ones((1, 1, 60))}
    found = rows("s", "v", arrays, {"singular_value": "S R K", "other": "S R K"})
    assert [sum(row.quantity == name for row in found) for name in ("singular_value", "other")] == [MOST_SINGULAR_VALUES, 60]


VALUES = [
    0.1,
    1 / 3,
    5e-324,
    1.7976931348623157e308,
    -0.0,
    1e-5,
    123456789.12345678,
    float(np.float32(0.1)),
    math.nan,
    math.inf,
    -math.inf,
    2**53 + 1,
    7,
]


def test_every_value_reads_back_exactly():
    values = VALUES + np.random.default_rng(0).integers(0, 2**62, 2000).view(np.float64).tolist()
    table = from_csv(to_csv([Row("s", "v", r, None, "q", None, value) for r, value in enumerate(values)]))
    assert np.array(values, dtype=np.float64).tobytes() == table["value"].to_numpy().tobytes()
    assert list(table["replica"]) == list(range(len(values)))


def test_values_are_written_as_short_as_they_can_be_and_non_finite_ones_as_words():
    text = to_csv([Row("s", "v", r, 0, "q", None, value) for r, value in enumerate([0.1, 1e-5, math.nan, math.inf, -math.inf, 3])])
    assert [line.rpartition(",")[2] for line in text.splitlines()] == ["value", "0.1", "1e-05", "nan", "inf", "-inf", "3"]


def test_cells_that_mean_nothing_are_empty_and_others_are_told_apart():
    table = from_csv(
        to_csv([Row("s", "NA", 0, None, "nan", None, 1.0), Row("s", "null", 0, 0, "a,b", 'x"y', 2.0), Row("s", "null", 0, 0, "q", 3, 1.0)])
    )
    assert list(table.columns) == ["study", "variant", "replica", "step", "quantity", "index", "value"]
    assert list(table["variant"]) == ["NA", "null", "null"]
    assert list(table["quantity"]) == ["nan", "a,b", "q"]
    assert list(table["index"]) == ["", 'x"y', "3"]
    assert table["step"].isna().tolist() == [True, False, False]
    assert table["step"].iloc[1] == 0


def test_rows_are_sorted_with_ranks_as_numbers():
    given = [
        Row("b", "v", 0, 0, "q", None, 1.0),
        Row("a", "v", 1, 0, "q", None, 1.0),
        Row("a", "v", 0, 10, "q", None, 1.0),
        Row("a", "v", 0, 9, "q", 10, 1.0),
        Row("a", "v", 0, 9, "q", 9, 1.0),
        Row("a", "v", 0, 9, "p", "z", 1.0),
        Row("a", "v", 0, 9, "p", "b", 1.0),
        Row("a", "v", 0, None, "q", None, 1.0),
    ]
    expected = [given[i] for i in (7, 6, 5, 4, 3, 2, 1, 0)]
    assert to_csv(given) == to_csv(reversed(given))
    lines = [
        f"{r.study},{r.variant},{r.replica},{'' if r.step is None else r.step},{r.quantity},{'' if r.index is None else r.index}"
        for r in expected
    ]
    assert [line.rpartition(",")[0] for line in to_csv(given).splitlines()[1:]] == lines
