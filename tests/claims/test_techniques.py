"""Negative controls: real measurements, perturbed until each claim reaches each of the three verdicts.

The measurements stand in ``techniques_numbers.csv``: rows of ``numbers.csv`` of a full build that the claims read.
``python -m tests.claims.test_techniques`` writes that file anew from ``results/report/numbers.csv``.
"""

from functools import partial

import pandas as pd
import pytest

from scripts.claims import techniques
from tests.claims import controls
from tests.claims.controls import lacking, raised, scaled, store

verdict = partial(controls.verdict, techniques)
ALL = 20

REAL = {
    "gradients_are_stable_at_a_tenth": "refuted",
    "gradients_are_stable_at_one": "refuted",
    "xavier_keeps_gradients_of_sigmoid": "refuted",
    "xavier_trains_sigmoid": "refuted",
    "xavier_beats_small_weights_with_sigmoid": "inconclusive",
    "samples_come_together_in_fifty_layers": "inconclusive",
    "he_is_the_best_in_fifty_layers": "refuted",
    "lsuv_trains_fifty_layers": "refuted",
    "batch_normalization_falls_behind_at_two_images": "inconclusive",
    "batch_normalization_is_the_best_on_large_batches": "inconclusive",
    "layer_normalization_is_better_on_small_batches": "refuted",
    "layer_normalization_is_better_in_an_attention_block": "inconclusive",
    "layer_normalization_helps_an_attention_block": "inconclusive",
    "drop_block_keeps_the_mean_of_an_output": "refuted",
    "dropout_lowers_the_test_loss": "inconclusive",
    "dropout_prevents_overfitting": "inconclusive",
    "dropout_raises_accuracy_with_little_data": "inconclusive",
    "drop_block_beats_dropout_on_images": "refuted",
    "dropout_improves_calibration": "inconclusive",
    "dropout_does_more_in_fully_connected_layers": "inconclusive",
    "cutmix_raises_accuracy": "inconclusive",
    "mixup_improves_calibration": "refuted",
    "cutmix_improves_calibration": "refuted",
    "early_stopping_finds_the_best_state": "inconclusive",
    "baseline_reads_digits_with_enough_of_them": "inconclusive",
    "he_is_better_than_xavier_with_relu": "inconclusive",
    "dropout_lowers_the_loss_in_combination": "refuted",
    "mixup_lowers_the_loss_in_combination": "inconclusive",
    "layer_normalization_raises_the_accuracy_in_combination": "inconclusive",
    "normalization_matters_most": "refuted",
    "initialization_matters_less_with_batch_normalization": "inconclusive",
    "techniques_together_bring_less_than_their_sum": "inconclusive",
    "best_combination_is_better_than_the_best_single_technique": "inconclusive",
}
"""The verdicts on the real measurements that are not "supported"."""

FACTORIAL = techniques.FACTORIAL


def in_all_sweeps(_, quantity, factor, *, index):
    """Return a perturbation as `scaled` does, of the same rows of all sweeps of the factorial experiment."""

    def perturb(table, replicas):
        for sweep in FACTORIAL:
            table = scaled(sweep, quantity, factor, index=index)(table, replicas)
        return table

    return perturb


def at_a_level(_, quantity, level):
    """Return a perturbation: half of a quantity wherever a level is part of the combination, in all sweeps of the factorial experiment."""
    names = [f"{one}/{other}" for one in techniques.LEVELS[0] for other in techniques.LEVELS[1]]
    return in_all_sweeps(_, quantity, 0.5, index=[name for name in names if level in name.split("/")])


def alike(variant, quantity, factor, *, index=None):
    """Return a perturbation: the values of one sweep in all sweeps of the factorial experiment, and in that one times a factor."""

    def perturb(table, replicas):
        rows = (table["quantity"] == quantity) & (table["replica"] < replicas) & table["variant"].isin(FACTORIAL)
        rows &= table["index"].isin(index or table["index"].unique())
        assert rows.any()
        own = table[rows & (table["variant"] == variant)].set_index(["replica", "index"])["value"]
        keys = pd.MultiIndex.from_frame(table.loc[rows, ["replica", "index"]])
        values = table["value"].copy()
        values[rows] = own.loc[keys].to_numpy()
        return scaled(variant, quantity, factor, index=index)(table.assign(value=values), replicas)

    return perturb


AFTER = {"step": "last"}
FIVE = {"index": ["5"]}
RATE_03 = {"index": ["0.3"]}
HALF = {"index": ["0.5"]}
RATES = list(techniques.RATES)

LOCATIONS = {
    "small_scale_vanishes": (scaled, "flow_tanh", "gradient_ratio", 1, 1e15, {"index": ["0.01"]}),
    "large_scale_explodes": (scaled, "flow_tanh", "gradient_ratio", 1, 1e-3, {"index": ["2"]}),
    "gradients_are_stable_at_a_tenth": (scaled, "flow_tanh", "gradient_ratio", 5e4, 1, {"index": ["0.1"]}),
    "gradients_are_stable_at_one": (scaled, "flow_tanh", "gradient_ratio", 0.1, 10, {"index": ["1"]}),
    "gradients_are_stable_at_the_edge": (scaled, "flow_tanh", "gradient_ratio", 5, 1e-3, {"index": ["0.316"]}),
    "weight_gradients_are_alike_in_all_layers": (scaled, "flow_tanh", "weight_gradient_ratio", 1, 1e3, {"index": ["0.01"]}),
    "theory_predicts_tanh": (scaled, "propagation_tanh", "forward_factor", 1, 2, {}),
    "theory_predicts_relu": (scaled, "propagation_relu", "backward_factor", 1, 2, {}),
    "theory_predicts_linear": (scaled, "propagation_linear", "forward_factor", 1, 2, {}),
    "edge_is_where_theory_has_it": (scaled, "edge_of_chaos", "edge", 1, 2, {}),
    "xavier_keeps_gradients_of_tanh": (scaled, "initialized_tanh", "gradient_ratio", 1, 1e-3, {"index": ["xavier_uniform"]}),
    "xavier_keeps_gradients_of_sigmoid": (scaled, "initialized_sigmoid", "gradient_ratio", 300, 1, {"index": ["xavier_uniform"]}),
    "uniform_and_normal_weights_do_the_same": (scaled, "initialized_tanh", "gradient_ratio", 1, 2, {"index": ["xavier_uniform"]}),
    "small_weights_lose_the_gradients_of_tanh": (scaled, "initialized_tanh", "gradient_ratio", 1, 10, {"index": ["uniform"]}),
    "xavier_trains_tanh": (scaled, "tanh_xavier_uniform", "test_accuracy", 1, 0.5, AFTER),
    "xavier_trains_sigmoid": (scaled, "sigmoid_xavier_uniform", "test_accuracy", 9, 0.5, AFTER),
    "xavier_beats_small_weights_with_tanh": (scaled, "tanh_uniform", "test_accuracy", 0.5, 2, AFTER),
    "xavier_beats_small_weights_with_sigmoid": (scaled, "sigmoid_uniform", "test_accuracy", 0.5, 2, AFTER),
    "zeros_do_not_learn_with_tanh": (scaled, "tanh_zeros", "test_accuracy", 1, 5, AFTER),
    "zeros_do_not_learn_with_sigmoid": (scaled, "sigmoid_zeros", "test_accuracy", 1, 5, AFTER),
    "he_keeps_the_mean_square": (scaled, "activation_histograms", "mean_square", 1, 2, {"index": ["He"]}),
    "xavier_halves_the_mean_square": (scaled, "activation_histograms", "mean_square", 1, 2, {"index": ["Xavier"]}),
    "he_keeps_gradients_over_a_hundred_layers": (scaled, "propagation_relu", "gradient_ratio", 1, 1e-3, {"index": ["2"]}),
    "gain_of_relu_is_too_large_for_a_slope": (scaled, "gain_of_relu", "forward_factor", 1, 1.2, {"index": ["0.25"]}),
    "gain_by_slope_keeps_the_mean_square": (scaled, "gain_by_slope", "forward_factor", 1, 1.2, {}),
    "samples_come_together_in_fifty_layers": (scaled, "initialized_deep", "signal_ratio", 0.1, 100, {"index": ["he_normal"]}),
    "he_is_better_than_xavier_in_fifty_layers": (scaled, "deep_xavier", "test_accuracy", 0.1, 10, AFTER),
    "he_is_the_best_in_fifty_layers": (scaled, "deep_he", "test_accuracy", 10, 0.1, AFTER),
    "lsuv_trains_fifty_layers": (scaled, "deep_lsuv", "test_accuracy", 10, 0.1, AFTER),
    "lsuv_is_better_than_he": (scaled, "deep_lsuv", "test_accuracy", 10, 0.1, AFTER),
    "zero_branches_train_fifty_layers": (scaled, "deep_fixup", "test_accuracy", 1, 0.5, AFTER),
    "batch_normalization_raises_the_largest_stable_rate": (scaled, "rate_batch", "train_loss", 1e-6, 1e6, {"index": RATES}),
    "batch_normalization_widens_the_range_of_good_rates": (scaled, "rate_baseline", "test_accuracy", 1e6, 0.0, {"index": RATES}),
    "batch_normalization_speeds_up_training_at_small_rates": (scaled, "rate_batch", "train_loss", 0.01, 100, {"index": ["0.003"]}),
    "batch_normalization_improves_the_best_accuracy": (scaled, "rate_batch", "test_accuracy", 1.5, 0.5, {"index": RATES}),
    "batch_normalization_falls_behind_at_two_images": (scaled, "batch_size_batch", "test_accuracy", 0.5, 1.5, {"index": ["2"]}),
    "batch_normalization_is_the_best_on_large_batches": (scaled, "batch_size_batch", "test_accuracy", 2, 0.5, {"index": ["256"]}),
    "group_normalization_does_not_need_large_batches": (scaled, "batch_size_group", "test_accuracy", 1, 2, {"index": ["2"]}),
    "group_normalization_helps_on_small_batches": (scaled, "batch_size_group", "test_accuracy", 1.5, 0.5, {"index": ["2"]}),
    "layer_normalization_is_better_on_small_batches": (scaled, "batch_size_layer", "test_accuracy", 1.5, 0.5, {"index": ["2"]}),
    "layer_normalization_is_better_in_a_recurrent_network": (scaled, "recurrent_layer", "test_accuracy", 1.5, 0.5, AFTER),
    "layer_normalization_helps_a_recurrent_network": (scaled, "recurrent_layer", "test_accuracy", 1.5, 0.5, AFTER),
    "layer_normalization_is_better_in_an_attention_block": (scaled, "attention_layer", "test_accuracy", 1.5, 0.5, AFTER),
    "layer_normalization_helps_an_attention_block": (scaled, "attention_layer", "test_accuracy", 1.5, 0.5, AFTER),
    "layer_normalization_is_better_in_a_perceptron": (scaled, "batch_size_units_layer", "test_accuracy", 1.5, 0.5, {"index": ["2"]}),
    "batch_normalization_needs_larger_batches_in_a_perceptron": (
        scaled,
        "batch_size_units_batch",
        "test_accuracy",
        0.5,
        2,
        {"index": ["2"]},
    ),
    "batch_normalization_reduces_shift": (scaled, "batch", "covariate_shift", 0.01, 100, {}),
    "dropout_keeps_the_mean_of_an_output": (scaled, "noise_dropout", "output_ratio", 1, 2, HALF),
    "drop_block_keeps_the_mean_of_an_output": (scaled, "noise_drop_block", "output_ratio", 1.2, 1, HALF),
    "unscaled_drop_connect_shrinks_outputs": (scaled, "noise_unscaled", "output_ratio", 1, 2, HALF),
    "dropout_adds_the_predicted_variance": (scaled, "noise_dropout", "averaging_variance", 1, 2, HALF),
    "drop_block_adds_more_to_an_average": (scaled, "noise_drop_block", "averaging_variance", 10, 0.1, {"index": ["0.2"]}),
    "dropout_lowers_the_test_loss": (scaled, "dropout_300", "test_loss", 0.1, 10, RATE_03),
    "dropout_prevents_overfitting": (scaled, "dropout_300", "test_loss", 0.1, 10, RATE_03),
    "dropout_raises_accuracy_with_little_data": (lacking, "dropout_100", "test_accuracy", 0.1, 5, RATE_03),
    "dropout_helps_more_with_less_data": (lacking, "dropout_100", "test_accuracy", 0.1, 5, RATE_03),
    "drop_block_beats_dropout_on_images": (lacking, "drop_block_300", "test_accuracy", 0.1, 10, {}),
    "dropout_improves_calibration": (scaled, "dropout_300", "calibration_error", 0.01, 100, RATE_03),
    "mixup_raises_accuracy": (lacking, "mixup", "test_accuracy", 0.1, 10, AFTER),
    "cutmix_raises_accuracy": (lacking, "cutmix", "test_accuracy", 0.1, 10, AFTER),
    "mixup_improves_calibration": (scaled, "mixup", "calibration_error", 0.01, 100, AFTER),
    "cutmix_improves_calibration": (scaled, "cutmix", "calibration_error", 0.01, 100, AFTER),
    "baseline_is_overconfident": (raised, "baseline", "overconfidence", 1, -1, AFTER),
    "mixup_is_underconfident": (raised, "mixup", "overconfidence", -1, 1, AFTER),
    "strong_mixup_is_worse_calibrated_than_none": (scaled, "mixup_by_alpha", "calibration_error", 100, 0.001, {"index": ["4"]}),
    "mixup_softens_the_boundary": (scaled, "moons_mixup", "boundary_slope", 0.1, 100, {}),
    "mixup_shortens_the_boundary": (scaled, "moons_mixup", "boundary_length", 0.1, 10, {}),
    "dropout_does_more_in_fully_connected_layers": (scaled, "units_dropout", "test_loss", 0.01, 100, AFTER),
    "training_to_the_end_overfits": (scaled, "overfitting", "last_test_loss", 10, 0.01, {}),
    "early_stopping_ends_overfitting": (scaled, "early_stopping", "test_loss", 0.01, 100, AFTER),
    "early_stopping_costs_little_accuracy": (scaled, "early_stopping", "test_accuracy", 1.5, 0.5, AFTER),
    "early_stopping_costs_little_accuracy_on_right_labels": (scaled, "stopped", "test_accuracy", 1.5, 0.5, AFTER),
    "early_stopping_lowers_the_loss_on_right_labels": (scaled, "stopped", "test_loss", 0.01, 100, AFTER),
    "early_stopping_saves_updates": (scaled, "early_stopping", "steps_saved", 2, 0.01, FIVE),
    "early_stopping_finds_the_best_state": (scaled, "overfitting", "restored_test_loss", 0.5, 10, FIVE),
    "restoring_the_best_state_matters": (scaled, "overfitting", "stopped_test_loss", 10, 0.01, FIVE),
    "too_little_patience_stops_too_early": (scaled, "overfitting", "restored_test_loss", 10, 0.01, {"index": ["1"]}),
    "ensemble_is_better_than_its_members": (scaled, "members", "average_accuracy", 1.5, 0.5, FIVE),
    "averaging_reduces_variance_as_one_over_the_size": (scaled, "members", "prediction_variance", 1.2, 100, {"index": ["10"]}),
    "further_members_bring_less": (scaled, "members", "average_accuracy", 1.5, 0.5, FIVE),
    "average_is_better_than_a_vote": (scaled, "members", "vote_accuracy", 0.5, 1.5, FIVE),
    "vote_of_two_is_no_better_than_one": (scaled, "members", "vote_accuracy", 0.5, 1.5, {"index": ["2"]}),
    "stacking_is_better_than_averaging": (scaled, "members", "stacked_accuracy", 1.5, 0.5, FIVE),
    "averaging_improves_calibration": (scaled, "members", "average_calibration_error", 0.01, 100, FIVE),
    "averaging_logits_has_the_higher_loss": (scaled, "members", "logits_loss", 100, 0.01, FIVE),
    "baseline_reads_digits_with_enough_of_them": (lacking, "full", "test_accuracy", 0.1, 10, AFTER),
    "no_technique_replaces_data": (scaled, "full", "test_accuracy", 1.5, 0.5, AFTER),
    "he_is_better_than_xavier_with_relu": (scaled, "he", "test_accuracy", 1.5, 0.5, AFTER),
    "dropout_lowers_the_loss_in_combination": (
        in_all_sweeps,
        "factorial_he",
        "test_loss",
        0.01,
        100,
        {"index": [f"{one}/dropout" for one in techniques.LEVELS[0]]},
    ),
    "mixup_lowers_the_loss_in_combination": (
        in_all_sweeps,
        "factorial_he",
        "test_loss",
        0.01,
        100,
        {"index": [f"{one}/mixup" for one in techniques.LEVELS[0]]},
    ),
    "batch_normalization_raises_the_accuracy_in_combination": (
        in_all_sweeps,
        "factorial_he",
        "test_accuracy",
        1.5,
        0.5,
        {"index": [f"batch/{one}" for one in techniques.LEVELS[1]]},
    ),
    "layer_normalization_raises_the_accuracy_in_combination": (
        in_all_sweeps,
        "factorial_he",
        "test_accuracy",
        1.5,
        0.5,
        {"index": [f"layer/{one}" for one in techniques.LEVELS[1]]},
    ),
    "normalization_matters_most": (at_a_level, "factorial_he", "test_accuracy", "batch", "dropout", {}),
    "initialization_matters_in_a_shallow_network": (alike, "factorial_he", "test_accuracy", 0.5, 1, {}),
    "initialization_matters_less_with_batch_normalization": (
        alike,
        "factorial_he",
        "test_loss",
        1,
        100,
        {"index": [f"batch/{one}" for one in techniques.LEVELS[1]]},
    ),
    "techniques_together_bring_less_than_their_sum": (
        in_all_sweeps,
        "factorial_he",
        "test_accuracy",
        0.5,
        1.5,
        {"index": ["batch/dropout"]},
    ),
    "best_combination_is_better_than_the_best_single_technique": (
        in_all_sweeps,
        "factorial_he",
        "test_accuracy",
        1.5,
        0.5,
        {"index": [f"{one}/{other}" for one in ("batch", "layer") for other in ("dropout", "mixup")]},
    ),
}
"""Claims of a location: a perturbation, its variant and quantity, how much makes the claim true and how much false, and the rows."""

ONE_COUNTEREXAMPLE = {
    "source_has_the_smaller_running_variance": scaled("running_biased", "running_variance", 2, index=["2"]),
    "whole_array_cannot_tell_the_normalizations_apart": scaled("normalized_images", "array_deviation", 2, index=["batch"]),
    "sets_tell_the_normalizations_apart": scaled("normalized_images", "largest_mean", 1e9, index=["batch/channel"]),
    "ensemble_loss_is_below_that_of_its_members": scaled("members", "average_loss", 100, index=["5"]),
}
"""Claims about every replica that hold for the real measurements, and a perturbation that makes a replica a counterexample.

One replica decides between supported and refuted; that these claims are open takes fewer replicas than were measured.
"""


def test_every_claim_has_its_controls():
    assert sorted([*LOCATIONS, *ONE_COUNTEREXAMPLE]) == sorted(controls.names("techniques"))


@pytest.mark.parametrize("name", controls.names("techniques"))
def test_the_verdict_on_the_real_measurements(name, table):
    assert verdict(name, table) == REAL.get(name, "supported")


@pytest.mark.parametrize("name", LOCATIONS)
def test_a_claim_of_a_location_reaches_all_three_verdicts(name, table):
    controls.reaches_all_three_verdicts(partial(verdict, name), table, LOCATIONS[name])


@pytest.mark.parametrize("name", ONE_COUNTEREXAMPLE)
def test_a_claim_about_every_replica_reaches_all_three_verdicts(name, table):
    controls.reaches_all_three_verdicts_by_one(partial(verdict, name), table, ONE_COUNTEREXAMPLE[name])


@pytest.mark.parametrize("name", ["drop_block_beats_dropout_on_images", "batch_normalization_improves_the_best_accuracy"])
def test_a_network_without_predictions_reads_nothing(name, table):
    _, variant, quantity, *_ = LOCATIONS[name]
    assert verdict(name, scaled(variant, quantity, float("nan"))(table, ALL)) == "refuted"


if __name__ == "__main__":
    store("techniques", techniques)
