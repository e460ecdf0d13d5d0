import math

import numpy as np
import pandas as pd
import pytest

from scripts.common import numbers, published
from scripts.common.comparison import (
    Item,
    Sides,
    Status,
    close,
    compare_array,
    compare_claims,
    compare_drawings,
    compare_groups,
    compare_numbers,
    compare_texts,
    compare_values,
    in_order,
    tally,
    worst,
)
from tests.compare.made_up import CLAIM, ROWS, SVG

SIDES = Sides("results", "commit")
TABLE = numbers.from_csv(numbers.to_csv(ROWS))


def told(items):
    return [(item.kind, item.name, item.status) for item in items if item.status]


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (1.0, 1.0, True),
        (1.0, 1.0 + 9e-7, True),
        (1.0, 1.0 + 2e-6, False),
        (-1.0, 1.0, False),
        (0.0, 1e-300, False),
        (math.nan, math.nan, True),
        (math.nan, 1.0, False),
        (math.inf, math.inf, True),
        (math.inf, -math.inf, False),
        (math.inf, 1e300, False),
    ],
)
def test_close_is_a_share_of_the_greater_number(one, other, expected):
    assert bool(close(one, other, 1e-6)) == bool(close(other, one, 1e-6)) == expected


def test_the_worst_is_the_status_of_all_and_flipped_claims_come_first():
    items = [
        Item("page", "p", Status.DIFFERENT),
        Item("array", "", Status.IDENTICAL, count=4),
        Item("claim", "near", Status.WITHIN),
        Item("claim", "moved", Status.DIFFERENT),
        Item("claim", "turned", Status.DIFFERENT, flipped=True),
    ]
    assert worst(items) is Status.DIFFERENT
    assert worst([]) is Status.IDENTICAL
    assert [item.name for item in in_order(items)] == ["turned", "moved", "p", "near"]
    assert tally(items)["array"] == {Status.IDENTICAL: 4}
    assert tally(items)["claim"] == {Status.DIFFERENT: 2, Status.WITHIN: 1}


# claims


@pytest.mark.parametrize(
    ("change", "status", "words", "flipped"),
    [
        ({}, Status.IDENTICAL, "", False),
        ({"verdict": "refuted"}, Status.DIFFERENT, "verdict: results refuted, commit supported", True),
        ({"threshold": 2.0}, Status.DIFFERENT, "threshold: results 2.0, commit 1.0", False),
        ({"estimate": 0.5 + 1e-9}, Status.WITHIN, "estimate: results 0.500000001, commit 0.5", False),
        ({"interval": [0.4, 0.7]}, Status.DIFFERENT, "interval 2: results 0.7, commit 0.6", False),
        ({"statement": "It falls."}, Status.DIFFERENT, "statement: results It falls., commit The loss falls.", False),
        ({"estimate": "inf"}, Status.DIFFERENT, "estimate: results inf, commit 0.5", False),
    ],
)
def test_what_differs_in_a_claim_is_named_with_both_values(change, status, words, flipped):
    (item,) = compare_claims([CLAIM | change], [CLAIM], sides=SIDES)
    assert (item.name, item.status, item.flipped) == ("one.falls", status, flipped)
    assert words in "".join(item.details)


def test_a_claim_on_one_side_is_different():
    assert told(compare_claims([], [CLAIM], sides=SIDES)) == [("claim", "one.falls", Status.DIFFERENT)]
    assert compare_claims([CLAIM], [], sides=SIDES)[0].details == ("only in results",)


# numbers


def test_equal_numbers_are_counted():
    assert [(item.status, item.count) for item in compare_numbers(TABLE, TABLE.copy(), sides=SIDES)] == [(Status.IDENTICAL, 4)]


@pytest.mark.parametrize("change, status", [(1e-9, Status.WITHIN), (1e-3, Status.DIFFERENT)])  # noqa: PT006
def test_a_number_that_differs_is_named_with_both_values(change, status):
    edited = TABLE.copy()
    edited.loc[2, "value"] *= 1 + change
    same, item = compare_numbers(edited, TABLE, sides=SIDES)
    assert (same.status, same.count) == (Status.IDENTICAL, 3)
    assert (item.name, item.status, item.count) == ("one, wide, loss", status, 1)
    assert item.details == (
        f"replica 1, step 0: results {edited.loc[2, 'value']!r}, commit 0.75".replace("np.float64(", "").replace(")", ""),
    )


def test_numbers_on_one_side_are_different_whatever_their_order():
    shorter = TABLE.drop(index=1)
    items = compare_numbers(shorter.iloc[::-1], TABLE, sides=SIDES)
    assert [(item.status, item.count) for item in items] == [(Status.IDENTICAL, 3), (Status.DIFFERENT, 1)]
    assert items[1].details[0].startswith("replica 0, step 10: results none, commit 0.13")


def test_numbers_that_are_not_finite_equal_themselves_alone():
    strange = TABLE.assign(value=[math.nan, math.inf, -math.inf, 0.0])
    assert worst(compare_numbers(strange, strange.copy(), sides=SIDES)) is Status.IDENTICAL
    swapped = strange.assign(value=[math.inf, math.nan, -math.inf, 0.0])
    assert [item.count for item in compare_numbers(strange, swapped, sides=SIDES)] == [2, 2]


def test_an_index_and_a_missing_step_are_told():
    rows = TABLE.assign(index=["", "a", "", ""], step=pd.array([0, None, 0, 10], dtype="Int64"))
    (_, item) = compare_numbers(rows.assign(value=[*rows["value"][:1], 9.0, *rows["value"][2:]]), rows, sides=SIDES)
    assert item.details[0].startswith("replica 0, a: results 9.0, commit ")


def test_of_digests_the_group_that_differs_is_named():
    groups = published.described(TABLE)
    assert told(compare_groups(groups, groups, sides=SIDES)) == []
    other = published.described(TABLE.assign(value=TABLE["value"] * 2))
    (item,) = compare_groups(groups, other, sides=SIDES)
    assert (item.name, item.status) == ("one, wide, loss", Status.DIFFERENT)
    assert any("greatest: results 1.5, commit 3" in line for line in item.details)


@pytest.mark.parametrize("column, value", [("replica", 5), ("step", 7), ("index", "x"), ("value", 0.1)])  # noqa: PT006
def test_a_digest_is_of_all_columns(column, value):
    edited = TABLE.copy()
    edited.loc[0, column] = value
    assert published.described(edited)["digest"][0] != published.described(TABLE)["digest"][0]


# arrays


def array(this, that, **options):
    return compare_array("x", np.asarray(this), np.asarray(that), axes="R", sides=SIDES, **options)


def test_of_arrays_the_element_that_differs_most_is_named():
    this = np.arange(1.0, 7.0).reshape(2, 3)
    that = this.copy()
    that[0, 1] += 1e-3
    that[1, 2] += 1.0
    item = array(this, that)
    assert item.status is Status.DIFFERENT
    assert item.details == ("2 of 6 elements (axes R), most at [1, 2]: results 6.0, commit 7.0",)
    assert array(this, that, tolerance=0.2).status is Status.WITHIN


def test_beside_a_diverged_replica_a_small_change_is_still_seen():
    this = np.array([0.5, 0.25, 1e30, np.nan, np.inf, 0.75])
    assert array(this, this.copy()).status is Status.IDENTICAL
    that = this.copy()
    that[0] = 0.6
    assert array(this, that).status is Status.DIFFERENT


def test_rounding_near_zero_is_within_tolerance():
    assert array([1.0, 2.0, 1e-17], [1.0, 2.0, -1e-17]).status is Status.WITHIN


@pytest.mark.parametrize(
    ("this", "that", "words"),
    [
        ([1, 2], [1, 3], "most at [1]: results 2, commit 3"),
        (["a", "b"], ["a", "c"], "results b, commit c"),
        ([True, False], [True, True], "results false, commit true"),
        ([1.0, 2.0], [1.0], "float64 [2], commit float64 [1]"),
        ([1.0], [1], "float64 [1], commit int64 [1]"),
    ],
)
def test_arrays_of_other_types_are_the_same_or_different(this, that, words):
    item = array(this, that)
    assert item.status is Status.DIFFERENT
    assert words in item.details[0]


# texts, drawings, values


@pytest.mark.parametrize(
    ("this", "that", "status"),
    [
        ("m0 0 4.5 1", "m0 0 4.5 1", Status.IDENTICAL),
        ("m0 0 4.5 1", "m0 0 4.5000001 1", Status.WITHIN),
        ("m0 0 4.5 1", "m0 0 4.6 1", Status.DIFFERENT),
        ("m0 0 4.5 1", "m0 0 4.5 1 2", Status.DIFFERENT),
        ("m0 0 4.5 1", "l0 0 4.5 1", Status.DIFFERENT),
    ],
)
def test_texts_may_differ_by_their_numbers(this, that, status):
    assert compare_texts(this, that) is status


def test_another_color_is_named():
    status, details = compare_drawings(SVG.replace("#0072b2", "#CC79A7"), SVG, sides=SIDES)
    assert status is Status.DIFFERENT
    assert details == ["colors of the picture: results #cc79a7 (1 times), commit #0072b2 (1 times)"]


def test_values_are_named_by_their_keys():
    this = {"a": {"b": [1, 2.0]}, "c": "x", "sha256": "0" * 64, "d": {}}
    assert compare_values(this, this, sides=SIDES) == (Status.IDENTICAL, [])
    assert compare_values(this, this | {"sha256": "1" * 64}, sides=SIDES)[0] is Status.WITHIN
    status, details = compare_values(this, {"a": {"b": [1, 3.0]}, "c": "x", "sha256": "0" * 64, "e": None}, sides=SIDES)
    assert status is Status.DIFFERENT
    assert details == ["a.b 2: results 2.0, commit 3.0", "d: results {}, commit none", "e: results none, commit null"]


def test_true_is_not_one():
    assert compare_values({"a": True}, {"a": 1}, sides=SIDES)[0] is Status.DIFFERENT
