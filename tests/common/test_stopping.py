import copy
import math

import numpy as np
import pytest
import torch

from scripts.common.stopping import stops
from tests import chapter_code

SEQUENCE = [0.5, 0.4, 0.35, 0.36, 0.37, 0.38, 0.39, 0.40, 0.41]


class Transcribed:
    """The rule of early stopping as it stands in the source, a score at a time, and the position of its best score."""

    def __init__(self, patience, minimal_change, mode):
        self.patience, self.minimal_change, self.mode = patience, minimal_change, mode
        self.counter, self.best_score, self.best, self.seen = 0, None, 0, 0
        self.stopped = False

    def __call__(self, score):
        if self.best_score is None:
            self.best_score = score
        elif self.is_improvement(score):
            self.best_score, self.best, self.counter = score, self.seen, 0
        else:
            self.counter += 1
            if self.counter >= self.patience:
                self.stopped = True
        self.seen += 1
        return self.stopped

    def is_improvement(self, score):
        if self.mode == "min":
            return score < self.best_score - self.minimal_change
        return score > self.best_score + self.minimal_change


def transcribed(scores, **options):
    rule = Transcribed(**options)
    for position, score in enumerate(scores):
        if rule(score):
            return position, rule.best
    return -1, rule.best


def one(scores, **options):
    stopped, best = stops(np.array(scores, dtype=float)[:, None], **options)
    return int(stopped[0]), int(best[0])


@pytest.mark.parametrize("mode", ["min", "max"])
@pytest.mark.parametrize("patience", [1, 2, 5, 50])
@pytest.mark.parametrize("minimal_change", [0.0, 0.1, 0.5])
def test_rule_is_that_of_the_source(mode, patience, minimal_change):
    generator = np.random.default_rng(7)
    drift = np.linspace(0, 3 if mode == "max" else -3, 30)[:, None] * generator.random(40)
    scores = np.round(drift + generator.standard_normal((30, 40)) * 0.3, 1)  # rounded, so that there are ties
    stopped, best = stops(scores, patience=patience, minimal_change=minimal_change, mode=mode)
    expected = [transcribed(scores[:, r], patience=patience, minimal_change=minimal_change, mode=mode) for r in range(40)]
    assert list(zip(stopped.tolist(), best.tolist(), strict=True)) == expected
    assert stopped.dtype == best.dtype == np.int64


def test_random_sequences_stop_and_go_on():
    scores = np.random.default_rng(0).standard_normal((30, 100)) - 0.3 * np.arange(30)[:, None]
    stopped, _ = stops(scores, patience=4, minimal_change=0.0, mode="min")
    assert (stopped < 0).any()
    assert (stopped >= 0).any()


def test_sequence_of_the_source_stops_at_epoch_7():
    assert one(SEQUENCE, patience=5, minimal_change=0.001, mode="min") == (7, 2)
    assert one(SEQUENCE, patience=7, minimal_change=0.001, mode="min") == (-1, 2)
    assert one([-score for score in SEQUENCE], patience=5, minimal_change=0.001, mode="max") == (7, 2)


def test_best_is_the_last_that_was_better_by_enough():
    assert one([1.0, 0.95, 0.8, 0.75, 0.7], patience=9, minimal_change=0.12, mode="min") == (-1, 2)


def test_what_comes_after_the_stop_is_not_looked_at():
    assert one([1.0, 2.0, 2.0, 0.1], patience=2, minimal_change=0.0, mode="min") == (2, 0)


def test_what_is_not_finite_is_no_improvement():
    assert one([1.0, np.nan, np.inf, -np.inf, 0.5], patience=3, minimal_change=0.0, mode="min") == (3, 0)
    assert one([1.0, np.inf, 2.0], patience=9, minimal_change=0.0, mode="max") == (-1, 2)
    assert one([np.nan, np.nan, 0.5, 0.6], patience=9, minimal_change=0.0, mode="min") == (-1, 2)
    assert one([np.nan, np.nan, np.nan], patience=2, minimal_change=0.0, mode="max") == (2, 0)


def test_replicas_do_not_mix():
    scores = np.random.default_rng(1).standard_normal((20, 6))
    together = stops(scores, patience=3, minimal_change=0.1, mode="max")
    apart = [stops(scores[:, [r]], patience=3, minimal_change=0.1, mode="max") for r in range(6)]
    np.testing.assert_array_equal(together[0], [found[0][0] for found in apart])
    np.testing.assert_array_equal(together[1], [found[1][0] for found in apart])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"mode": "least"}, "mode is 'least'; known: min, max"),
        ({"patience": 0}, "patience is 0"),
        ({"minimal_change": -1.0}, "minimal_change is -1"),
    ],
)
def test_wrong_options_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        stops(np.ones((3, 1)), **{"patience": 1, "minimal_change": 0.0, "mode": "min", **options})


def test_scores_need_replicas():
    with pytest.raises(ValueError, match=r"shape \(3,\)"):
        stops(np.ones(3), patience=1, minimal_change=0.0, mode="min")


@pytest.mark.parametrize("mode", ["min", "max"])
def test_code_of_the_chapter_stops_as_the_rule_does_and_restores_the_best_state(mode):
    rule = chapter_code.run("techniques", "EarlyStopping", copy=copy, math=math)
    for seed in range(20):
        scores = np.random.default_rng(seed).standard_normal(25)
        stopper, model = rule(patience=4, minimal_change=0.2, mode=mode), torch.nn.Linear(1, 1)
        stopped = -1
        for epoch, score in enumerate(scores):
            torch.nn.init.constant_(model.weight, epoch)
            if stopper(score, model):
                stopped = epoch
                break
        stopper.restore(model)
        assert (stopped, int(model.weight.item())) == one(scores, patience=4, minimal_change=0.2, mode=mode)
