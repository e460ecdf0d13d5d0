"""Negative controls: real measurements, perturbed until each claim reaches each of the three verdicts.

The measurements stand in ``init_depth_numbers.csv``: rows of ``numbers.csv`` of a full build that the claims read.
``python -m tests.claims.test_init_depth`` writes that file anew from ``results/report/numbers.csv``.
"""

from functools import partial

import pytest

from scripts.claims import init_depth
from tests.claims import controls
from tests.claims.controls import FEW, fated, scaled, store

REPLICAS = 20
verdict = partial(controls.verdict, init_depth)


LAST = 468
BEYOND_THE_FIRST = [str(rank) for rank in range(2, 51)]

OTHER_SIDE = {
    "small_gradients_are_tiny": ("supported", scaled("deep_small", "gradient_norm", 1e6)),
    "small_loss_stays": ("supported", scaled("deep_small", "train_loss", 0.1, step=LAST)),
    "small_has_one_dominant_singular_value": ("supported", scaled("deep_small", "singular_value", 100, step=0, index=["2"])),
    "small_features_are_constant": ("supported", scaled("deep_small", "feature_variation", 1e4, step=0)),
    "large_gradients_are_huge": ("supported", scaled("deep_large", "gradient_norm", 1e-7)),
    "large_singular_values_are_scaled_up": ("supported", scaled("deep_large", "singular_value", 1e-3, step=0, index=["1"])),
    "large_spectrum_is_as_alike_as_two_proper_ones": ("supported", scaled("deep_large", "spectrum_distance", 20, step=0)),
    "balance_sets_he_apart": ("refuted", scaled("deep_small", "gradient_norm", 1e-3, step=0, index=["0.weight"])),
    "he_beats_shallow": ("supported", scaled("deep_he", "test_loss", 100, step=LAST)),
    "he_spectrum_is_diverse": ("supported", scaled("deep_he", "singular_value", 1e-6, step=LAST, index=BEYOND_THE_FIRST)),
    "deep_features_have_more_pieces": ("supported", scaled("deep_he", "segments", 0.01, step=LAST)),
    "deep_features_have_more_pieces_at_initialization": ("supported", scaled("deep_default", "segments", 0.01, step=0)),
    "fit_fails_outside": ("supported", scaled("deep_he_ood", "test_loss_outside", 1e-5, step=LAST)),
    "fit_inside_is_unharmed": ("supported", scaled("deep_he_ood", "test_loss_inside", 1000, step=LAST)),
    "features_are_largest_outside": ("supported", scaled("deep_he_ood", "singular_value", 1e-3, step=LAST, index=["1"])),
    "deep_extrapolates_better_than_shallow": ("supported", scaled("deep_he_ood", "test_loss_outside", 1000, step=LAST)),
}
"""Claims of a location: the verdict on the real measurements, and a perturbation that takes all replicas to the other side."""

ONE_COUNTEREXAMPLE = {
    "small_predicts_a_constant": fated("deep_small", "fine"),
    "large_diverges": fated("deep_large", "blown up"),
    "he_slow_trains_in_every_run": fated("deep_he_slow", "collapsed"),
    "rank_is_at_most_four_at_initialization": scaled("deep_he", "rank", 2, step=0),
}
"""Claims about every replica that hold for the real measurements, and a perturbation that makes a replica a counterexample."""


THREE_OF_THEIR_OWN = ("he_gradients_are_balanced", "he_trains_in_every_run", "he_beats_default")


def test_every_claim_has_its_controls():
    assert sorted([*OTHER_SIDE, *ONE_COUNTEREXAMPLE, *THREE_OF_THEIR_OWN]) == sorted(controls.names("init_depth"))


@pytest.mark.parametrize("name", OTHER_SIDE)
def test_a_claim_of_a_location_reaches_all_three_verdicts(name, table):
    real, perturb = OTHER_SIDE[name]
    assert verdict(name, table) == real
    assert verdict(name, perturb(table, REPLICAS)) == {"supported": "refuted", "refuted": "supported"}[real]
    assert verdict(name, perturb(table, REPLICAS // 2)) == "inconclusive"


@pytest.mark.parametrize("name", ONE_COUNTEREXAMPLE)
def test_a_claim_about_every_replica_reaches_all_three_verdicts(name, table):
    controls.reaches_all_three_verdicts_by_one(partial(verdict, name), table, ONE_COUNTEREXAMPLE[name])


def test_the_claim_that_every_run_trains_reaches_all_three_verdicts(table):
    name = "he_trains_in_every_run"
    assert verdict(name, table) == "refuted"
    mended = fated("deep_he", "fine")(table, REPLICAS)
    assert verdict(name, mended) == "supported"
    assert verdict(name, mended[mended["replica"] < FEW]) == "inconclusive"


def test_the_claim_that_gradients_are_balanced_reaches_all_three_verdicts(table):
    name = "he_gradients_are_balanced"
    assert verdict(name, table) == "refuted"
    rows = (table["variant"] == "deep_he") & (table["quantity"] == "gradient_norm")
    even = table.assign(value=table["value"].where(~rows, 1.0))
    assert verdict(name, even) == "supported"
    assert verdict(name, even[even["replica"] < FEW]) == "inconclusive"


def test_the_claim_on_the_default_initialization_reaches_all_three_verdicts(table):
    name = "he_beats_default"
    assert verdict(name, table) == "inconclusive"
    assert verdict(name, scaled("deep_he", "test_loss", 1e-3, step=LAST)(table, REPLICAS)) == "supported"
    assert verdict(name, scaled("deep_he", "test_loss", 1e3, step=LAST)(table, REPLICAS)) == "refuted"


def test_a_loss_that_is_not_finite_counts_as_infinite(table):
    worst = scaled("deep_he", "test_loss", float("nan"), step=LAST)(table, REPLICAS)
    assert verdict("he_beats_shallow", worst) == "refuted"


if __name__ == "__main__":
    store("init_depth", init_depth)
