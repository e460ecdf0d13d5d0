"""Negative controls: real measurements, perturbed until each claim reaches each of the three verdicts.

The measurements stand in ``linear_features_numbers.csv``: rows of ``numbers.csv`` of a full build that the claims read.
``python -m tests.claims.test_linear_features`` writes that file anew from ``results/report/numbers.csv``.
"""

from functools import partial

import pytest

from scripts.claims import linear_features
from tests.claims import controls
from tests.claims.controls import lacking, scaled, store

verdict = partial(controls.verdict, linear_features)
LAST = 150_000


LOSS = {
    "error_falls_from_10_to_20": ("one_20", "one_10"),
    "error_falls_from_20_to_40": ("one_40", "one_20"),
    "error_falls_from_40_to_160": ("one_160", "one_40"),
    "error_falls_with_width_in_two_layers": ("two_40", "two_10"),
    "two_layers_beat_one_at_width_10": ("two_10", "one_10"),
    "two_layers_beat_one_at_width_20": ("two_20", "one_20"),
    "two_layers_beat_one_at_width_40": ("two_40", "one_40"),
    "two_layers_beat_one_with_as_many_parameters": ("two_20", "one_160"),
    "learned_features_beat_fixed_ones_at_width_10": ("one_10", "one_10_output"),
    "learned_features_beat_fixed_ones_at_width_40": ("one_40", "one_40_output"),
    "learned_features_beat_fixed_ones_at_width_160": ("one_160", "one_160_output"),
    "learned_features_beat_fixed_ones_in_two_layers": ("two_40", "two_40_output"),
    "source_biases_cost_accuracy": ("two_40", "two_40_as_in_source"),
    "sine_needs_two_layers": ("sine_two_40", "sine_one_40"),
    "more_samples_help": ("samples_800_noise_01", "samples_50_noise_01"),
    "noise_hurts_few_samples": ("samples_50_noise_0", "samples_50_noise_03"),
    "noise_hurts_many_samples": ("samples_800_noise_0", "samples_800_noise_03"),
}
"""Claims that one variant's test loss is below another's: both variants."""

OTHERS = {
    "learned_features_beat_the_exact_output_at_width_10": (scaled, "one_10_output", "exact_test_loss", 1e-6, {}),
    "learned_features_beat_the_exact_output_at_width_40": (scaled, "one_40_output", "exact_test_loss", 1e-6, {}),
    "learned_features_beat_the_exact_output_in_two_layers": (scaled, "two_40_output", "exact_test_loss", 1e-6, {}),
    "exact_output_overfits_at_width_160": (scaled, "one_160_output", "exact_test_loss", 1e-7, {}),
    "ten_features_align_with_the_target_in_one_layer": (lacking, "one_40", "alignment", 1e-3, {"step": 0, "index": ["10"]}),
    "ten_features_align_with_the_target_in_two_layers": (lacking, "two_40", "alignment", 1e-3, {"step": 0, "index": ["10"]}),
    "learned_units_align_with_the_target_in_one_layer": (lacking, "one_40", "output_alignment", 1e-3, {"step": 0, "index": ["5"]}),
    "learned_units_align_with_the_target_in_two_layers": (lacking, "two_40", "output_alignment", 1e-3, {"step": 0, "index": ["5"]}),
    "tangent_features_get_better_in_one_layer": (scaled, "one_40", "feature_test_loss", 1e-3, {"step": 0}),
    "tangent_features_get_better_in_two_layers": (scaled, "two_40", "feature_test_loss", 1e-3, {"step": 0}),
    "elbows_gather": (scaled, "one_40", "elbow_groups", 10, {"step": LAST}),
    "features_move_far": (scaled, "one_40", "jacobian_change", 1e-2, {"step": LAST}),
    "wide_networks_move_less": (scaled, "one_160", "jacobian_change", 10, {"step": LAST}),
    "output_layer_approaches_the_exact_solution": (scaled, "one_40_output", "exact_train_loss", 0.01, {}),
    "training_beats_the_tangent_features_in_one_layer": (scaled, "one_40", "tangent_test_loss", 1e-6, {"step": 0, "index": ["all"]}),
    "training_beats_the_tangent_features_in_two_layers": (scaled, "two_40", "tangent_test_loss", 1e-9, {"step": 0, "index": ["all"]}),
    "source_biases_leave_units_without_a_kink": (scaled, "two_40_as_in_source", "kinks_inside", 3, {"step": 0}),
    "training_beats_the_linearized_network_in_one_layer": (scaled, "one_40", "linearized_test_loss", 1e-3, {}),
    "training_beats_the_linearized_network_at_width_160": (scaled, "one_160", "linearized_test_loss", 1e-3, {}),
    "training_beats_the_linearized_network_in_two_layers": (scaled, "two_40", "linearized_test_loss", 1e-3, {}),
    "one_point_carries_much_of_the_error": (scaled, "two_40", "test_loss_without_points", 3, {"step": LAST}),
}
"""Other claims: a perturbation, its variant and quantity, a factor that makes the claim false, and the rows; its inverse makes it true."""

REAL = {
    "error_falls_from_20_to_40": "inconclusive",
    "learned_features_beat_fixed_ones_at_width_10": "inconclusive",
    "learned_features_beat_fixed_ones_at_width_40": "inconclusive",
    "learned_features_beat_fixed_ones_at_width_160": "inconclusive",
    "learned_features_beat_the_exact_output_at_width_10": "inconclusive",
    "learned_features_beat_the_exact_output_at_width_40": "inconclusive",
    "ten_features_align_with_the_target_in_one_layer": "refuted",
    "ten_features_align_with_the_target_in_two_layers": "refuted",
    "tangent_features_get_better_in_one_layer": "inconclusive",
    "output_layer_approaches_the_exact_solution": "refuted",
    "training_beats_the_linearized_network_at_width_160": "inconclusive",
    "source_biases_cost_accuracy": "inconclusive",
    "noise_hurts_few_samples": "inconclusive",
    "noise_hurts_many_samples": "inconclusive",
}
"""The verdicts on the real measurements that are not "supported"."""


def test_every_claim_has_its_controls():
    assert sorted([*LOSS, *OTHERS, "spectrum_predicts_the_gap"]) == sorted(controls.names("linear_features"))


@pytest.mark.parametrize("name", controls.names("linear_features"))
def test_the_verdict_on_the_real_measurements(name, table):
    assert verdict(name, table) == REAL.get(name, "supported")


def check_all_three(name, table, perturbation, factor):
    """A factor for all replicas makes the claim false, its inverse makes it true, and half of each leaves it open."""
    half = table.loc[table["variant"] == "one_160", "replica"].nunique() // 2  # of the variants with the fewest replicas
    true = perturbation(1 / factor)(table, 8)
    assert verdict(name, perturbation(factor)(table, 8)) == "refuted"
    assert verdict(name, true) == "supported"
    opened = [verdict(name, perturbation(factor**2)(true, replicas)) for replicas in (half, 2 * half)]
    assert "inconclusive" in opened


@pytest.mark.parametrize("name", LOSS)
def test_a_claim_of_the_lower_loss_reaches_all_three_verdicts(name, table):
    lower, _ = LOSS[name]
    last = table.loc[(table["variant"] == lower) & (table["quantity"] == "test_loss"), "step"].max()
    check_all_three(name, table, lambda factor: scaled(lower, "test_loss", factor, step=last), 1e4)


@pytest.mark.parametrize("name", OTHERS)
def test_another_claim_reaches_all_three_verdicts(name, table):
    kind, variant, quantity, factor, rows = OTHERS[name]
    check_all_three(name, table, lambda other: kind(variant, quantity, other, **rows), factor)


def test_the_claim_on_the_predicted_gap_reaches_all_three_verdicts(table):
    name = "spectrum_predicts_the_gap"
    assert verdict(name, table) == "supported"
    for factor in (5, 0.2):
        perturb = scaled("one_40_output", "output_gap", factor, step=LAST)
        assert verdict(name, perturb(table, 8)) == "refuted"
        assert verdict(name, perturb(table, 4)) == "inconclusive"


if __name__ == "__main__":
    store("linear_features", linear_features)
