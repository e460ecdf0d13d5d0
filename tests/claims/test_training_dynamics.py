"""Negative controls: real measurements, perturbed until each claim reaches each of the three verdicts.

The measurements stand in ``training_dynamics_numbers.csv``: rows of ``numbers.csv`` of a full build that the claims read.
``python -m tests.claims.test_training_dynamics`` writes that file anew from ``results/report/numbers.csv``.
"""

from functools import partial

import pytest

from scripts.claims import training_dynamics
from tests.claims import controls
from tests.claims.controls import lacking, raised, scaled, store

verdict = partial(controls.verdict, training_dynamics)
ALL = 20

REAL = {
    "natural_gradient_is_faster_in_a_network": "refuted",
    "rich_kernel_aligns_with_the_target": "inconclusive",
    "infinite_kernel_predicts_a_wide_network_to_the_end": "refuted",
    "feature_learning_helps_on_this_target": "refuted",
    "network_beats_its_infinite_kernel": "refuted",
    "first_stage_explores": "refuted",
    "stages_are_sharp": "refuted",
}
"""The verdicts on the real measurements that are not "supported"."""


TO_LOSS = {"index": ["0.03"]}
AFTER = {"step": "last"}
BEFORE = {"step": 0}
EARLY = {"step": training_dynamics.EARLY}
STEEPEST = {"index": ["1000000"]}

LOCATIONS = {
    "natural_gradient_needs_fewer_steps_in_the_fit": (scaled, "fit_natural", "steps_to_tolerance", 0.1, 10, {}),
    "its_gain_is_a_learning_rate_that_is_stable": (scaled, "fit_natural", "steps_by_rate", 10, 0.1, {"index": ["0.1"]}),
    "momentum_does_not_help_the_fit": (scaled, "fit_momentum", "steps_to_tolerance", 10, 0.1, {}),
    "descent_path_depends_on_the_coordinates": (scaled, "paths", "descent_path_difference", 10, 0.01, {"index": ["0.0001"]}),
    "descent_steps_grow_with_the_condition_number": (scaled, "squares_gradient_descent", "steps_to_tolerance", 1, 100, STEEPEST),
    "momentum_steps_grow_with_its_square_root": (scaled, "squares_momentum", "steps_to_tolerance", 1, 100, STEEPEST),
    "natural_gradient_needs_fewer_steps_in_a_network": (scaled, "network_natural", "steps_to_loss", 0.01, 100, TO_LOSS),
    "natural_gradient_is_faster_in_a_network": (scaled, "network_natural", "seconds_to_loss", 0.01, 100, TO_LOSS),
    "kernel_converges_at_the_predicted_rate": (scaled, "infinite_depth_1", "ntk_distance_slope", 1, 2, {}),
    "kernel_of_three_layers_converges_at_the_predicted_rate": (scaled, "infinite_depth_3", "ntk_distance_slope", 1, 2, {}),
    "standard_kernel_converges_at_the_predicted_rate": (scaled, "infinite_depth_3", "standard_distance_slope", 1, 2, {}),
    "covariance_converges_at_the_predicted_rate": (scaled, "infinite_depth_3", "nngp_distance_slope", 1, 2, {}),
    "distance_from_the_limit_is_there_at_initialization": (scaled, "width_32", "kernel_distance", 10, 0.1, BEFORE),
    "kernel_moves_less_in_wider_networks": (scaled, "width_2048", "kernel_change", 0.01, 100, AFTER),
    "lazy_kernel_moves_as_the_root_of_the_output_scale": (scaled, "alpha_100", "kernel_change", 1, 100, AFTER),
    "rich_kernel_aligns_with_the_target": (scaled, "alpha_01", "kernel_alignment", 2, 0.5, AFTER),
    "wide_kernel_keeps_its_alignment": (scaled, "width_2048", "kernel_alignment", 1, 2, AFTER),
    "small_eigenvalues_move_where_the_kernel_hardly_does": (scaled, "width_2048", "ntk_eigenvalue", 0.1, 10, {**AFTER, "index": ["20"]}),
    "infinite_kernel_predicts_a_wide_network_early": (scaled, "width_2048", "kernel_prediction_gap", 0.1, 10, EARLY),
    "infinite_kernel_predicts_a_wide_network_to_the_end": (scaled, "width_2048", "kernel_prediction_gap", 0.1, 10, AFTER),
    "wider_networks_are_predicted_better": (scaled, "width_2048", "kernel_prediction_gap", 0.1, 10, EARLY),
    "feature_learning_helps_on_this_target": (scaled, "alpha_01", "test_loss", 0.1, 10, AFTER),
    "network_beats_its_infinite_kernel": (scaled, "width_256", "test_loss", 0.1, 10, AFTER),
    "network_reads_digits": (lacking, "convolutional", "test_accuracy", 0.1, 10, AFTER),
    "path_slows_down": (scaled, "convolutional", "speed_ratio", 10, 0.01, {}),
    "fast_path_slows_down": (scaled, "convolutional_fast", "speed_ratio", 10, 0.01, {}),
    "loss_falls_in_the_first_stage": (lacking, "convolutional", "early_loss_share", 0.1, 6, {}),
    "first_stage_explores": (scaled, "convolutional", "early_epoch_cosine", 0.1, 1, {}),
    "stages_are_sharp": (lacking, "convolutional", "two_speeds_fit", 0.1, 1, {}),
    "random_walk_gives_the_same_curves": (scaled, "convolutional", "path_crossings", 1, 3, {}),
    "explained_variance_is_no_evidence": (lacking, "convolutional", "path_variance", 5, 0.01, {"index": ["1"]}),
    "path_is_straighter_than_a_random_walk": (scaled, "convolutional", "directness", 2, 0.1, {}),
    "path_settles_early_in_one_basin": (raised, "convolutional", "settled_bend", 0, 0.1, {}),
}
"""Claims of a location: a perturbation, its variant and quantity, how much makes the claim true and how much false, and the rows.

A factor of 1, or an amount of 0, leaves what was measured: a distance from a target is not made smaller by a factor.
"""

ONE_COUNTEREXAMPLE = {
    "too_large_a_rate_never_arrives": scaled("fit_oscillating", "sample_variance", 10),  # of a replica that never arrives
    "natural_path_is_invariant_to_first_order": scaled("paths", "path_difference_slope", 2),
    "natural_flow_is_invariant": scaled("paths", "flow_difference", 1e6),
    "descent_shrinks_below_its_limit_and_grows_beyond": scaled("learning_rate_limit", "growth_factor", 0.9, index=["1.01"]),
    "one_natural_step_solves_least_squares": scaled("squares_natural", "steps_to_tolerance", 2, index=["1000000"]),
    "theory_bounds_the_steps": scaled("squares_momentum", "steps_to_tolerance", 10, index=["100"]),
    "kernel_moves_less_with_a_larger_output_scale": scaled("alpha_100", "kernel_change", 100, step=2000),
}
"""Claims about every replica that hold for the real measurements, and a perturbation that makes a replica a counterexample.

One replica decides between supported and refuted; that these claims are open takes fewer replicas than were measured.
"""

RIVALS = {
    "natural_gradient_needs_fewer_steps_in_the_fit": ("steps_to_tolerance", training_dynamics.FITS),
    "natural_gradient_needs_fewer_steps_in_a_network": ("steps_to_loss", training_dynamics.MOMENTUM + training_dynamics.ADAM),
    "natural_gradient_is_faster_in_a_network": ("seconds_to_loss", training_dynamics.MOMENTUM + training_dynamics.ADAM),
}
"""Claims of natural gradient against the best of its rivals: the quantity, and the rivals."""


def test_every_claim_has_its_controls():
    assert sorted([*LOCATIONS, *ONE_COUNTEREXAMPLE]) == sorted(controls.names("training_dynamics"))


@pytest.mark.parametrize("name", controls.names("training_dynamics"))
def test_the_verdict_on_the_real_measurements(name, table):
    assert verdict(name, table) == REAL.get(name, "supported")


@pytest.mark.parametrize("name", LOCATIONS)
def test_a_claim_of_a_location_reaches_all_three_verdicts(name, table):
    controls.reaches_all_three_verdicts(partial(verdict, name), table, LOCATIONS[name])


@pytest.mark.parametrize("name", ONE_COUNTEREXAMPLE)
def test_a_claim_about_every_replica_reaches_all_three_verdicts(name, table):
    controls.reaches_all_three_verdicts_by_one(partial(verdict, name), table, ONE_COUNTEREXAMPLE[name])


@pytest.mark.parametrize(("name", "rival"), [(name, rival) for name, (_, rivals) in RIVALS.items() for rival in rivals])
def test_natural_gradient_is_held_against_any_rival_that_is_the_best(name, rival, table):
    quantity, _ = RIVALS[name]
    rows = (table["variant"] == rival) & (table["quantity"] == quantity)
    assert verdict(name, table.assign(value=table["value"].where(~rows, 1e-3))) == "refuted"


@pytest.mark.parametrize("name", RIVALS)
def test_a_descent_that_never_arrives_is_slower_than_any(name, table):
    kind, variant, quantity, *_, rows = LOCATIONS[name]
    assert verdict(name, kind(variant, quantity, float("inf"), **rows)(table, ALL)) == "refuted"


if __name__ == "__main__":
    store("training_dynamics", training_dynamics)
