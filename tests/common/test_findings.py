import json
import math

import numpy as np
import pytest

from scripts.common.findings import EVERY, Finding, Runs
from scripts.common.formatting import FATES
from scripts.common.numbers import Row, from_csv, to_csv
from scripts.common.statistics import median_interval, ratio_interval, share_interval

WORDS = {"statement": "It is so.", "quantity": "how much", "reason": "because"}
REPLICAS = 20


def runs(rows=()):
    return Runs(from_csv(to_csv(rows)), seed=0, resamples=500)


def study():
    """Two variants of three replicas; of `wild` two diverge: they have no norm at the last step, and a loss that is not finite."""
    rows = []
    for variant in ("calm", "wild"):
        for replica in range(3):
            diverged = variant == "wild" and replica > 0
            loss = math.nan if diverged else 0.5
            rows += [Row("s", variant, replica, 0, "loss", None, 1.0 + replica), Row("s", variant, replica, 10, "loss", None, loss)]
            for index in (2, 10, 1):
                rows.append(Row("s", variant, replica, 0, "norm", index, 100.0 * replica + index))
                if not diverged:
                    rows.append(Row("s", variant, replica, 10, "norm", index, 1000.0 + index))
            rows.append(Row("s", variant, replica, None, "fate", "diverged" if diverged else "fine", 1))
            if diverged:
                rows.append(Row("s", variant, replica, None, "diverged_at", None, 3 + replica))
    rows += [Row("s", "gone", replica, step, "loss", None, math.inf) for replica in range(3) for step in (0, 10)]
    rows += [Row("s", "gone", replica, 0, "norm", index, 1.0) for replica in range(3) for index in (1, 2)]
    return runs(rows)


def test_values_are_one_a_replica_in_their_order():
    np.testing.assert_array_equal(study().values("calm", "loss", step=0), [1, 2, 3])
    np.testing.assert_array_equal(study().values("calm", "loss", step="last"), [0.5, 0.5, 0.5])
    np.testing.assert_array_equal(study().values("calm", "norm", step=0, index=10), [10, 110, 210])


def test_vectors_have_ranks_in_the_order_of_numbers():
    np.testing.assert_array_equal(study().vectors("calm", "norm", step=0), [[1, 2, 10], [101, 102, 110], [201, 202, 210]])


def test_what_a_replica_does_not_have_is_nan_and_the_replica_is_not_dropped():
    np.testing.assert_array_equal(study().values("wild", "norm", step="last", index=1), [1001, np.nan, np.nan])
    np.testing.assert_array_equal(study().values("wild", "diverged_at"), [np.nan, 4, 5])
    np.testing.assert_array_equal(study().values("calm", "diverged_at"), [np.nan] * 3)


def test_the_last_step_is_that_of_the_variant_and_not_of_what_is_left_of_a_quantity():
    """Of `gone` no replica has a norm at the last step: what it had before is not given out for it."""
    assert np.isnan(study().values("gone", "norm", step="last", index=1)).all()
    assert study().vectors("gone", "norm", step="last").shape == (3, 2)
    np.testing.assert_array_equal(study().values("gone", "loss", step="last"), [np.inf] * 3)


def test_what_exists_is_told():
    found = study()
    assert found.exists("wild", "norm", step="last")
    assert found.exists("wild", "norm", step="last", replica=0)
    assert not found.exists("wild", "norm", step="last", replica=1)
    assert not found.exists("gone", "norm", step="last")
    assert found.exists("wild", "loss", step="last", replica=1)
    assert not found.exists("calm", "diverged_at")


@pytest.mark.parametrize(
    ("ask", "expected"),
    [
        (lambda found: found.values("calmm", "loss", step=0), "no numbers of variant 'calmm'; known: calm, gone, wild"),
        (lambda found: found.values("calm", "los", step=0), "unknown quantity 'los'; known: diverged_at, fate, loss, norm"),
        (lambda found: found.values("calm", "loss", step=5), "no numbers of 'calm' at step 5; known: 0, 10, or last"),
        (lambda found: found.values("calm", "loss", step="first"), "no numbers of 'calm' at step first; known: 0, 10, or last"),
        (lambda found: found.values("calm", "norm", step=0, index=3), "no 'norm' of 'calm' has the index '3'; known: 1, 2, 10"),
        (lambda found: found.vectors("calm", "los", step=0), "unknown quantity 'los'"),
        (lambda found: found.exists("calmm", "loss"), "no numbers of variant 'calmm'"),
        (lambda found: found.count("calm", "dead"), "unknown fate 'dead'; known: fine, blown up, collapsed, diverged"),
        (lambda found: found.replicas("calmm"), "no numbers of variant 'calmm'"),
    ],
)
def test_a_name_that_there_is_not_is_told_rather_than_counted_as_none(ask, expected):
    with pytest.raises(KeyError) as error:
        ask(study())
    assert error.value.args[0].startswith(expected)


def test_fates_and_replicas_are_counted():
    assert [study().count("wild", fate) for fate in FATES] == [1, 0, 0, 2]
    assert study().replicas("wild") == 3


MEDIANS = {
    "supported": np.linspace(2, 3, REPLICAS),
    "refuted": np.linspace(0.1, 0.2, REPLICAS),
    "inconclusive": np.linspace(0.5, 1.5, REPLICAS),
}


@pytest.mark.parametrize("verdict", MEDIANS)
def test_the_median_of_values_meets_every_verdict_on_either_side(verdict):
    found = runs().median(MEDIANS[verdict], above=1, **WORDS)
    assert found.verdict == verdict
    assert (found.estimate, found.low, found.high) == median_interval(MEDIANS[verdict], seed=0, resamples=500)
    assert (found.threshold, found.direction, found.n, found.method) == (1, "above", REPLICAS, "median, 95 % bootstrap interval")
    opposite = {"supported": "refuted", "refuted": "supported", "inconclusive": "inconclusive"}
    assert runs().median(MEDIANS[verdict], below=1, **WORDS).verdict == opposite[verdict]


@pytest.mark.parametrize("verdict", MEDIANS)
def test_the_ratio_of_medians_meets_every_verdict(verdict):
    other = np.linspace(0.9, 1.1, REPLICAS - 5)
    found = runs().ratio(MEDIANS[verdict], other, above=1, **WORDS)
    assert found.verdict == verdict
    assert (found.estimate, found.low, found.high) == ratio_interval(MEDIANS[verdict], other, seed=0, resamples=500)
    assert found.n == REPLICAS - 5


@pytest.mark.parametrize(("count", "verdict"), [(20, "supported"), (0, "refuted"), (10, "inconclusive")])
def test_a_share_meets_every_verdict(count, verdict):
    found = runs().share(np.arange(REPLICAS) < count, above=0.5, **WORDS)
    assert found.verdict == verdict
    assert (found.estimate, found.low, found.high) == share_interval(count, REPLICAS)


@pytest.mark.parametrize(
    ("count", "total", "verdict"),
    [(20, 20, "supported"), (19, 20, "refuted"), (199, 200, "refuted"), (3, 3, "inconclusive"), (0, 3, "refuted"), (1, 1, "inconclusive")],
)
def test_every_replica_is_refuted_by_one_and_needs_enough_of_them(count, total, verdict):
    found = runs().every(np.arange(total) < count, **WORDS)
    assert found.verdict == verdict
    assert (found.threshold, found.direction, found.n) == (EVERY, "every", total)


def test_a_run_that_is_not_finite_counts_against_a_claim_that_it_is_small():
    values = np.where(np.arange(REPLICAS) < 12, np.nan, 0.1)
    assert runs().median(values, below=1, **WORDS).verdict == "inconclusive"
    assert runs().median(np.full(REPLICAS, np.nan), below=1, **WORDS).verdict == "refuted"


def test_what_is_infinite_is_large_and_what_is_not_there_is_not():
    assert runs().median(np.full(REPLICAS, np.inf), above=1, **WORDS).verdict == "supported"
    assert runs().median(np.full(REPLICAS, np.nan), above=1, **WORDS).verdict == "inconclusive"
    some = np.where(np.arange(REPLICAS) < 12, np.nan, 2.0)
    assert runs().median(some, above=1, **WORDS).verdict == "inconclusive"
    few = np.where(np.arange(REPLICAS) < 2, np.nan, 2.0)
    found = runs().median(few, above=1, **WORDS)
    assert (found.verdict, found.estimate, found.low) == ("supported", 2, 2)


def test_a_quantity_is_asked_for_with_its_steps_or_without():
    rows = [Row("s", "a", replica, step, quantity, None, 1.0) for replica in range(3) for step, quantity in ((None, "range"), (0, "loss"))]
    found = runs(rows)
    with pytest.raises(KeyError, match="'range' of 'a' has no steps; write step=None in a claim, step=none in a chapter, not step last"):
        found.values("a", "range", step="last")
    with pytest.raises(KeyError, match="'range' of 'a' has no steps"):
        found.exists("a", "range", step="last")
    with pytest.raises(KeyError, match="'loss' of 'a' has steps, and none is asked for; known: 0, or last"):
        found.values("a", "loss")


@pytest.mark.parametrize("threshold", [2.0, 3.0])
def test_an_interval_that_touches_its_threshold_lies_on_neither_side(threshold):
    finding = Finding(**WORDS, estimate=2.5, low=2.0, high=3.0, threshold=threshold, direction="above", method="", n=1)
    assert finding.verdict == "inconclusive"


@pytest.mark.parametrize("sides", [{}, {"above": 1, "below": 2}])
def test_a_finding_is_held_against_one_threshold(sides):
    with pytest.raises(ValueError, match="one threshold: give either above or below"):
        runs().median([1.0], **sides, **WORDS)


def test_a_record_says_all_and_can_be_written_as_json():
    record = runs().median([1.0, np.nan, np.nan], below=1, **WORDS).as_record("claim", "study")
    assert record == {
        "id": "claim",
        "study": "study",
        "statement": "It is so.",
        "quantity": "how much",
        "estimate": "inf",
        "interval": [1.0, "inf"],
        "level": 0.95,
        "method": "median, 95 % bootstrap interval",
        "threshold": 1,
        "direction": "below",
        "reason": "because",
        "n": 3,
        "verdict": "inconclusive",
    }
    json.dumps(record, allow_nan=False)
    assert float(record["estimate"]) == math.inf


@pytest.mark.parametrize(
    ("offset", "verdict"), [(0.0, "supported"), (0.08, "supported"), (0.1, "inconclusive"), (0.2, "refuted"), (-0.2, "refuted")]
)
def test_near_holds_the_distance_of_the_median_from_a_target(offset, verdict):
    values = 2 + offset + np.linspace(-0.02, 0.02, REPLICAS)
    found = runs().near(values, 2.0, within=0.1, **WORDS)
    expected = median_interval(values, seed=0, resamples=500)
    assert found.estimate == pytest.approx(abs(expected.estimate - 2))
    assert found.high == pytest.approx(max(abs(expected.low - 2), abs(expected.high - 2)))
    assert found.low == pytest.approx(0 if offset == 0 else min(abs(expected.low - 2), abs(expected.high - 2)))
    assert (found.verdict, found.threshold, found.direction, found.n) == (verdict, 0.1, "below", REPLICAS)


def test_near_counts_a_value_that_is_not_finite_as_infinitely_far():
    assert runs().near([1.0, *[np.inf] * 19], 1.0, within=0.5, **WORDS).verdict == "refuted"
