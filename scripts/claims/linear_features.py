"""The claims of the study "Linearized features": each decides one statement of the chapter from the numbers of all replicas."""

import numpy as np
from numpy.typing import NDArray

from scripts.common.findings import Finding, Runs
from scripts.common.statistics import paired_ratio


def error_falls_from_10_to_20(runs: Runs) -> Finding:
    """The test loss of width 20 against width 10, one hidden layer."""
    return _better(runs, "one_20", "one_10", "With one hidden layer the test error falls when the width grows from 10 to 20.", "width 10")


def error_falls_from_20_to_40(runs: Runs) -> Finding:
    """The test loss of width 40 against width 20, one hidden layer."""
    return _better(runs, "one_40", "one_20", "With one hidden layer the test error falls when the width grows from 20 to 40.", "width 20")


def error_falls_from_40_to_160(runs: Runs) -> Finding:
    """The test loss of width 160 against width 40, one hidden layer."""
    return _better(runs, "one_160", "one_40", "With one hidden layer the test error falls when the width grows from 40 to 160.", "width 40")


def error_falls_with_width_in_two_layers(runs: Runs) -> Finding:
    """The test loss of width 40 against width 10, two hidden layers."""
    return _better(runs, "two_40", "two_10", "With two hidden layers the test error falls when the width grows from 10 to 40.", "width 10")


def two_layers_beat_one_at_width_10(runs: Runs) -> Finding:
    """The test loss of two hidden layers against one, at width 10."""
    return _better(runs, "two_10", "one_10", "At width 10, two hidden layers fit better than one.", "one hidden layer")


def two_layers_beat_one_at_width_20(runs: Runs) -> Finding:
    """The test loss of two hidden layers against one, at width 20."""
    return _better(runs, "two_20", "one_20", "At width 20, two hidden layers fit better than one.", "one hidden layer")


def two_layers_beat_one_at_width_40(runs: Runs) -> Finding:
    """The test loss of two hidden layers against one, at width 40."""
    return _better(runs, "two_40", "one_40", "At width 40, two hidden layers fit better than one.", "one hidden layer")


def two_layers_beat_one_with_as_many_parameters(runs: Runs) -> Finding:
    """The test loss of 2 × 20 against 1 × 160, which has as many parameters."""
    return _better(runs, "two_20", "one_160", "With 481 parameters each, 2 × 20 fits better than 1 × 160.", "1 × 160")


def learned_features_beat_fixed_ones_at_width_10(runs: Runs) -> Finding:
    """The test loss of all parameters trained against the output layer alone trained, one hidden layer of 10."""
    return _learned(runs, "one_10", "1 × 10")


def learned_features_beat_fixed_ones_at_width_40(runs: Runs) -> Finding:
    """The test loss of all parameters trained against the output layer alone trained, one hidden layer of 40."""
    return _learned(runs, "one_40", "1 × 40")


def learned_features_beat_fixed_ones_at_width_160(runs: Runs) -> Finding:
    """The test loss of all parameters trained against the output layer alone trained, one hidden layer of 160."""
    return _learned(runs, "one_160", "1 × 160")


def learned_features_beat_fixed_ones_in_two_layers(runs: Runs) -> Finding:
    """The test loss of all parameters trained against the output layer alone trained, two hidden layers of 40."""
    return _learned(runs, "two_40", "2 × 40")


def learned_features_beat_the_exact_output_at_width_10(runs: Runs) -> Finding:
    """The test loss of all parameters trained against the exact output layer, one hidden layer of 10."""
    return _exact(runs, "one_10", "1 × 10")


def learned_features_beat_the_exact_output_at_width_40(runs: Runs) -> Finding:
    """The test loss of all parameters trained against the exact output layer, one hidden layer of 40."""
    return _exact(runs, "one_40", "1 × 40")


def learned_features_beat_the_exact_output_in_two_layers(runs: Runs) -> Finding:
    """The test loss of all parameters trained against the exact output layer, two hidden layers of 40."""
    return _exact(runs, "two_40", "2 × 40")


def exact_output_overfits_at_width_160(runs: Runs) -> Finding:
    """The test loss of the exact output layer against the one that SGD has reached, one hidden layer of 160."""
    return runs.ratio(
        runs.values("one_160_output", "exact_test_loss"),
        _final(runs, "one_160_output"),
        above=1,
        statement="On the fixed features of 1 × 160 the exact output layer has a larger test error than the one that SGD has reached.",
        quantity="test loss of the exact output layer, relative to the one trained by SGD",
        reason="the exact solution is then the worse one on new points, though no output layer has a smaller train error",
    )


def ten_features_align_with_the_target_in_one_layer(runs: Runs) -> Finding:
    """The share of the target that ten leading features leave unexplained, after training against before, 1 × 40."""
    return _aligned(runs, "one_40", "1 × 40")


def ten_features_align_with_the_target_in_two_layers(runs: Runs) -> Finding:
    """The share of the target that ten leading features leave unexplained, after training against before, 2 × 40."""
    return _aligned(runs, "two_40", "2 × 40")


def learned_units_align_with_the_target_in_one_layer(runs: Runs) -> Finding:
    """The share of the target that leading features of the output layer leave unexplained, after training against before, 1 × 40."""
    return _aligned_units(runs, "one_40", "1 × 40")


def learned_units_align_with_the_target_in_two_layers(runs: Runs) -> Finding:
    """The share of the target that leading features of the output layer leave unexplained, after training against before, 2 × 40."""
    return _aligned_units(runs, "two_40", "2 × 40")


def tangent_features_get_better_in_one_layer(runs: Runs) -> Finding:
    """The test loss of the target regressed on the best number of principal features, after training against before, 1 × 40."""
    return _best_number(runs, "one_40", "1 × 40")


def tangent_features_get_better_in_two_layers(runs: Runs) -> Finding:
    """The test loss of the target regressed on the best number of principal features, after training against before, 2 × 40."""
    return _best_number(runs, "two_40", "2 × 40")


def elbows_gather(runs: Runs) -> Finding:
    """The number of groups of elbows after training against that before, 1 × 40."""
    first, last = (runs.values("one_40", "elbow_groups", step=step) for step in (0, "last"))
    return runs.median(
        paired_ratio(last, first),
        below=0.75,
        statement="In training the elbows of 1 × 40 gather in fewer places.",
        quantity="groups of elbows that lie within 0.01 of each other, after training over before",
        reason="a quarter fewer places is more than some elbows passing each other by chance",
    )


def features_move_far(runs: Runs) -> Finding:
    """The relative change of the Jacobian over the whole training, 1 × 40."""
    return runs.median(
        runs.values("one_40", "jacobian_change", step="last"),
        above=0.5,
        statement="Training moves the features of the network 1 × 40 far from where they were.",
        quantity="change of the Jacobian relative to its norm at initialization",
        reason="a change of half its own norm is no small one; the linear model at initialization then no longer describes the network",
    )


def wide_networks_move_less(runs: Runs) -> Finding:
    """The relative change of the Jacobian of the widest network, against one of a quarter of its width."""
    return runs.ratio(
        runs.values("one_160", "jacobian_change", step="last"),
        runs.values("one_40", "jacobian_change", step="last"),
        below=1,
        statement="The features of 1 × 160 move less than those of 1 × 40.",
        quantity="relative change of the Jacobian of 1 × 160 over that of 1 × 40",
        reason="the wide network has then moved less",
    )


def output_layer_approaches_the_exact_solution(runs: Runs) -> Finding:
    """The train loss of the output layer after SGD, against the exact solution, 1 × 40."""
    return runs.median(
        paired_ratio(runs.values("one_40_output", "train_loss", step="last"), runs.values("one_40_output", "exact_train_loss")),
        below=1.1,
        statement="After all its updates, the output layer of 1 × 40 trained by SGD is within ten percent of the exact solution.",
        quantity="train loss over that of the exact solution",
        reason="ten percent more loss is hardly seen in a fit",
    )


def spectrum_predicts_the_gap(runs: Runs) -> Finding:
    """The measured gap of the output layer to the exact solution, against what the singular values predict, 1 × 40."""
    gap, predicted = (runs.values("one_40_output", quantity, step="last") for quantity in ("output_gap", "output_gap_predicted"))
    return runs.median(
        np.exp(np.abs(np.log(paired_ratio(gap, predicted)))),
        below=1.5,
        statement="What is left between SGD and the exact output layer of 1 × 40 is what its singular values predict.",
        quantity="measured over predicted gap, or its inverse where that is larger",
        reason="gaps vary over orders of magnitude; a factor of 1.5 leaves room for the noise of small batches, and for no other cause",
    )


def training_beats_the_tangent_features_in_one_layer(runs: Runs) -> Finding:
    """The test loss of the regression on the tangent features at initialization, against training, 1 × 40."""
    return _tangent(runs, "one_40", "1 × 40")


def training_beats_the_tangent_features_in_two_layers(runs: Runs) -> Finding:
    """The test loss of the regression on the tangent features at initialization, against training, 2 × 40."""
    return _tangent(runs, "two_40", "2 × 40")


def training_beats_the_linearized_network_in_one_layer(runs: Runs) -> Finding:
    """The test loss of the linearized network after as many updates, against training, 1 × 40."""
    return _linearized(runs, "one_40", "1 × 40")


def training_beats_the_linearized_network_at_width_160(runs: Runs) -> Finding:
    """The test loss of the linearized network after as many updates, against training, 1 × 160."""
    return _linearized(runs, "one_160", "1 × 160")


def training_beats_the_linearized_network_in_two_layers(runs: Runs) -> Finding:
    """The test loss of the linearized network after as many updates, against training, 2 × 40."""
    return _linearized(runs, "two_40", "2 × 40")


def source_biases_leave_units_without_a_kink(runs: Runs) -> Finding:
    """The share of second-layer units with a kink in the range at initialization, with the source's biases."""
    return runs.median(
        runs.values("two_40_as_in_source", "kinks_inside", step=0) / runs.values("two_40", "kinks_inside", step=0),
        below=0.9,
        statement="With the source's biases, units of the second layer have no kink where the data are.",
        quantity="units with a kink inside the range, relative to the right biases",
        reason="the right biases give every unit one; a tenth of the units without is four of forty",
    )


def source_biases_cost_accuracy(runs: Runs) -> Finding:
    """The test loss with the source's biases, against the right ones."""
    return runs.ratio(
        runs.values("two_40_as_in_source", "test_loss", step="last"),
        runs.values("two_40", "test_loss", step="last"),
        above=1,
        statement="The source's error in the second layer's biases costs accuracy after training.",
        quantity="test loss with the source's biases over that with the right ones",
        reason="the source's version is then the worse one",
    )


def sine_needs_two_layers(runs: Runs) -> Finding:
    """The test loss of two hidden layers against one, on the sine."""
    return _better(runs, "sine_two_40", "sine_one_40", "On the sine, too, two hidden layers of 40 fit better than one.", "one hidden layer")


def more_samples_help(runs: Runs) -> Finding:
    """The test loss with 800 samples against 50, at the source's noise."""
    return _better(
        runs, "samples_800_noise_01", "samples_50_noise_01", "With the source's noise, 800 samples give a better fit than 50.", "50 samples"
    )


def noise_hurts_few_samples(runs: Runs) -> Finding:
    """The test loss with three times the source's noise against none, with 50 samples."""
    return _worse(runs, "samples_50_noise_03", "samples_50_noise_0", "With 50 samples, noise of 0.3 makes the fit worse.", "no noise")


def noise_hurts_many_samples(runs: Runs) -> Finding:
    """The test loss with three times the source's noise against none, with 800 samples."""
    return _worse(
        runs, "samples_800_noise_03", "samples_800_noise_0", "With 800 samples, too, noise of 0.3 makes the fit worse.", "no noise"
    )


def one_point_carries_much_of_the_error(runs: Runs) -> Finding:
    """The test loss without the point where the target jumps, against that with it, 2 × 40."""
    return runs.median(
        paired_ratio(*(runs.values("two_40", quantity, step="last") for quantity in ("test_loss_without_points", "test_loss"))),
        below=0.9,
        statement="The one test point at the jump carries more than a tenth of the test error of 2 × 40.",
        quantity="test loss without the point over test loss with it",
        reason="one of 1,200 points would carry less than a thousandth if it were like the others",
    )


def _final(runs: Runs, variant: str) -> NDArray[np.float64]:
    return runs.values(variant, "test_loss", step="last")


def _better(runs: Runs, variant: str, other: str, statement: str, against: str) -> Finding:
    return runs.ratio(
        _final(runs, variant),
        _final(runs, other),
        below=1,
        statement=statement,
        quantity=f"test loss after training, relative to {against}",
        reason="it is then the lower one",
    )


def _worse(runs: Runs, variant: str, other: str, statement: str, against: str) -> Finding:
    return runs.ratio(
        _final(runs, variant),
        _final(runs, other),
        above=1,
        statement=statement,
        quantity=f"test loss after training, relative to {against}",
        reason="it is then the higher one",
    )


def _learned(runs: Runs, variant: str, label: str) -> Finding:
    return runs.ratio(
        _final(runs, variant),
        _final(runs, f"{variant}_output"),
        below=1,
        statement=f"Learned features beat fixed ones: {label} fits better with all parameters trained than with its output layer alone.",
        quantity="test loss after training, relative to training the output layer alone",
        reason="learned features are then the better ones, under the same number of updates",
    )


def _exact(runs: Runs, variant: str, label: str) -> Finding:
    return runs.ratio(
        _final(runs, variant),
        runs.values(f"{variant}_output", "exact_test_loss"),
        below=1,
        statement=f"{label} with all parameters trained fits better than with its output layer solved for exactly.",
        quantity="test loss after training, relative to the exact output layer on the features at initialization",
        reason="learned features are then the better ones, though they are trained by SGD and the fixed ones solved for",
    )


def _aligned(runs: Runs, variant: str, label: str) -> Finding:
    return runs.median(
        _unexplained(runs, variant, "alignment", 10),
        below=1,
        statement=f"After training, the ten leading principal features of {label} explain more of the target than before.",
        quantity="share of the target that they leave unexplained, after training over before",
        reason="they explain then more",
    )


def _aligned_units(runs: Runs, variant: str, label: str) -> Finding:
    return runs.median(
        _unexplained(runs, variant, "output_alignment", 5),
        below=1,
        statement=f"After training, the five leading features of the output layer of {label} explain more of the target than before.",
        quantity="share of the target that they leave unexplained, after training over before",
        reason="they explain then more",
    )


def _unexplained(runs: Runs, variant: str, quantity: str, features: int) -> NDArray[np.float64]:
    """Return the share of the target that so many features leave unexplained, after training over before, (R,)."""
    first, last = (1 - runs.values(variant, quantity, step=step, index=features) for step in (0, "last"))
    return paired_ratio(last, first)


def _best_number(runs: Runs, variant: str, label: str) -> Finding:
    first, last = (runs.values(variant, "feature_test_loss", step=step) for step in (0, "last"))
    return runs.median(
        paired_ratio(last, first),
        below=1,
        statement=f"Regression on the tangent features of {label}, with the best number of them, fits better on those after training.",
        quantity="test loss of the regression on the features after training, relative to those at initialization",
        reason="the features at the end are then the better ones",
    )


def _tangent(runs: Runs, variant: str, label: str) -> Finding:
    return runs.ratio(
        _final(runs, variant),
        runs.values(variant, "tangent_test_loss", step=0, index="all"),
        below=1,
        statement=f"Training all parameters of {label} fits better than the regression on its tangent features at initialization.",
        quantity="test loss after training, relative to the minimum-norm regression on the tangent features",
        reason="training is then the better of the two",
    )


def _linearized(runs: Runs, variant: str, label: str) -> Finding:
    return runs.ratio(
        _final(runs, variant),
        runs.values(variant, "linearized_test_loss"),
        below=1,
        statement=f"Training {label} fits better than training its linearization at initialization for as many updates.",
        quantity="test loss after training, relative to that of the linearized network",
        reason="what the features gain by moving is then more than nothing",
    )
