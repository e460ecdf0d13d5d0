import math

import numpy as np
import pytest

from scripts.common import changes, numbers
from scripts.common.errors import UserError
from scripts.common.numbers import Row
from scripts.common.pages import Page
from scripts.common.statistics import median_interval
from tests.compare import made_up
from tests.compare.made_up import CLAIM


def table(values, *, step=10, index=None):
    return numbers.from_csv(numbers.to_csv([Row("one", "wide", r, step, "loss", index, float(value)) for r, value in enumerate(values)]))


def test_the_size_of_a_change_is_the_move_of_the_median_over_half_the_width_of_its_interval():
    generator = np.random.default_rng(0)
    before, now = generator.normal(1, 0.1, 20), generator.normal(2, 0.1, 20)
    (found,) = changes.changed_numbers(table(before), table(now))
    interval = median_interval(before, seed=0)
    assert found.before == pytest.approx(interval)
    assert found.size == pytest.approx(abs(np.median(now) - np.median(before)) / ((interval.high - interval.low) / 2))
    assert (found.name, found.at, found.changed, found.total, found.beyond) == ("one, wide, loss", "step 10", 20, 20, True)


def test_a_change_within_the_interval_is_not_beyond_it():
    before = np.linspace(0, 1, 20)
    (found,) = changes.changed_numbers(table(before), table(before + 0.01))
    assert not found.beyond
    assert 0 < found.size < 0.5


def test_equal_numbers_are_no_change():
    assert changes.changed_numbers(table([1, math.nan, math.inf]), table([1, math.nan, math.inf])) == []


def test_the_moment_is_told_at_which_the_median_moved_most():
    before = [Row("one", "wide", r, step, "loss", index, r + step / 10) for r in range(5) for step in (0, 10) for index in (1, 2)]
    now = [Row(*[*vars_of(row)[:6], row.value + (9 if (row.step, row.index) == (10, 2) else 0.01)]) for row in before]
    (found,) = changes.changed_numbers(*(numbers.from_csv(numbers.to_csv(rows)) for rows in (before, now)))
    assert found.at == "step 10, 2"
    assert found.now.estimate == found.before.estimate + 9


def vars_of(row):
    return [row.study, row.variant, row.replica, row.step, row.quantity, row.index, row.value]


@pytest.mark.parametrize(
    ("before", "now", "size"),
    [
        ([1, 1], [2, 2], math.inf),
        ([1, 2], [math.inf, math.inf], math.inf),
        ([math.inf] * 2, [1, 2], math.inf),
        ([5e13] * 2, [6e300] * 2, math.inf),
    ],
)
def test_changes_without_a_measure_are_without_bound(before, now, size):
    (found,) = changes.changed_numbers(table(before), table(now))
    assert found.size > 1e6
    assert size == math.inf


def test_quantities_on_one_side_are_changes():
    (gone,) = changes.changed_numbers(table([1, 2]), table([]))
    (come,) = changes.changed_numbers(table([]), table([1, 2]))
    assert (gone.before.estimate, gone.now, gone.beyond) == (1.5, None, True)
    assert (come.before, come.now.estimate, come.beyond) == (None, 1.5, True)


def test_the_largest_change_comes_first():
    before = [Row("one", name, r, None, "loss", None, float(r)) for name in ("a", "b") for r in range(5)]
    now = [Row("one", row.variant, row.replica, None, "loss", None, row.value + (5 if row.variant == "b" else 1)) for row in before]
    found = changes.changed_numbers(*(numbers.from_csv(numbers.to_csv(rows)) for rows in (before, now)))
    assert [(change.name, change.at) for change in found] == [("one, b, loss", ""), ("one, a, loss", "")]


def test_verdicts_come_before_estimates_and_equal_claims_are_left_out():
    before = [CLAIM | {"id": name} for name in ("same", "near", "far", "turned", "gone")]
    now = [
        CLAIM | {"id": "same"},
        CLAIM | {"id": "near", "estimate": 0.51},
        CLAIM | {"id": "far", "estimate": 0.9},
        CLAIM | {"id": "turned", "verdict": "refuted"},
        CLAIM | {"id": "new"},
    ]
    found = changes.changed_claims(before, now)
    assert [change.name for change in found] == ["one.turned", "one.gone", "one.new", "one.far", "one.near"]
    assert [change.flipped for change in found] == [True, False, False, False, False]
    assert found[3].size == pytest.approx(4)


def test_infinite_estimates_are_read():
    (found,) = changes.changed_claims([CLAIM], [CLAIM | {"estimate": "inf", "interval": [0.5, "inf"]}])
    assert found.size == math.inf


def test_settings_are_told_by_their_keys():
    before = {"studies": {"one": {"optimizer": {"learning_rate": 0.1}, "steps": 5}}}
    now = {"studies": {"one": {"optimizer": {"learning_rate": 0.2}}}, "new": [1]}
    assert changes.changed_settings(before, now) == [
        ("studies.one.optimizer.learning_rate", 0.1, 0.2),
        ("studies.one.steps", 5, "none"),
        ("new 1", "none", 1),
    ]


def test_figures_are_told_in_the_order_of_the_latter_report():
    before = Page(pictures={"fig:same": "data:a", "fig:gone": "data:b", "fig:other": "data:c"}, captions={"fig:gone": "Gone."})
    now = Page(pictures={"fig:new": "data:d", "fig:other": "data:e", "fig:same": "data:a"}, captions={"fig:other": "Other."})
    assert changes.changed_figures(before, now) == [
        ("fig:new", "", "", "data:d"),
        ("fig:other", "Other.", "data:c", "data:e"),
        ("fig:gone", "Gone.", "data:b", ""),
    ]


def test_a_folder_without_a_report_is_an_error(tmp_path):
    with pytest.raises(UserError, match="has no report"):
        changes.load(made_up.results(tmp_path / "results"), "results")
