import math

import pytest

from scripts.common.errors import UserError
from scripts.common.formatting import (
    check_lengths,
    counted,
    counted_range,
    divergence,
    fate_counts,
    interval,
    listing,
    misfortunes,
    moment,
    number,
    seeds_of,
    sentence,
)
from tests import synthetic


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (0.0123, "0.0123"),
        (4.56e-5, "4.56 × 10⁻⁵"),
        (-1.5, "−1.50"),
        (0, "0"),
        (20.0, "20"),
        (1500, "1500"),
        (12345.6, "12346"),
        (271828.18, "2.72 × 10⁵"),
        (1e6, "1.00 × 10⁶"),
        (0.0009999, "0.00100"),
        (99999.9, "1.00 × 10⁵"),
        (math.inf, "infinite"),
        (-math.inf, "minus infinite"),
        (math.nan, "not a number"),
    ],
)
def test_number(value: float, words: str) -> None:
    assert number(value) == words


def test_number_of_digits() -> None:
    assert number(0.123456, 2) == "0.12"
    assert number(0.123456, 5) == "0.12346"


def test_interval() -> None:
    assert interval(0.1, 0.25) == "0.100 to 0.250"
    assert interval(0.5, math.inf) == "0.500 to infinity"
    assert interval(math.inf, math.inf) == "infinite"


def test_words() -> None:
    assert (counted(1, "update"), counted(3, "update")) == ("1 update", "3 updates")
    assert (listing([]), listing(["a"]), listing(["a", "b"]), listing(["a", "b", "c"])) == ("", "a", "a and b", "a, b and c")
    assert sentence("the loss falls") == sentence("the loss falls.") == "The loss falls."
    assert [moment(step, 20) for step in (0, 5, 20)] == ["at initialization", "after 5 updates", "after training"]


def test_fates() -> None:
    good, wild = synthetic.fate(3, diverged=False), synthetic.fate(3, diverged=True)
    assert fate_counts(wild) == {"fine": 0, "diverged": 3, "blown up": 0, "collapsed": 0}
    assert divergence(wild) == "diverged after 1 to 3 updates in 3 of 3"
    assert divergence(wild, replica=1) == "diverged after 2 updates"
    assert divergence(good) == divergence(good, replica=0) == misfortunes(good) == ""


def test_misfortunes_of_several_kinds() -> None:
    fate = synthetic.fate(3, diverged=False)
    fate["exists_fate"] = fate["fate"].astype(bool)[:, [1, 2, 3, 0]]
    fate["exists_fate"][0] = [False, True, False, False]
    fate["exists_diverged_at"][0] = True
    assert misfortunes(fate) == "diverged after 1 update in 1 of 3; collapsed in 2 of 3"


def test_lists_that_go_together_are_equally_long() -> None:
    check_lengths(widths=[1, 2], depths=("a", "b"))
    with pytest.raises(
        UserError, match="widths, depths and names go together and need equally many entries; they have: widths 2, depths 1 and names 2"
    ):
        check_lengths(widths=[1, 2], depths=[1], names=["a", "b"])


@pytest.mark.parametrize(
    ("counts", "words"), [([8, 8], "8 replicas"), ([8, 4, 8], "4 to 8 replicas"), ([1], "1 replica"), ([1, 3], "1 to 3 replicas")]
)
def test_counts_that_differ(counts, words):
    assert counted_range(counts, "replica") == words


def test_replica_0_alone_has_the_seeds_of_the_source():
    assert seeds_of(0).startswith("the source's seeds")
    assert seeds_of(1) == "derived seeds"
