"""The claims of the study "Training dynamics": each decides one statement of the chapter from the numbers of all replicas."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from scripts.common.findings import Finding, Runs
from scripts.common.levels import slopes
from scripts.common.statistics import paired_ratio

FITS = ("fit_gradient_descent", "fit_gradient_descent_log", "fit_momentum", "fit_adam")
"""The tuned rivals of natural gradient descent in the fit of a normal distribution."""
MOMENTUM = ("network_momentum_001", "network_momentum_003", "network_momentum_01", "network_momentum_03")
ADAM = ("network_adam_001", "network_adam_003", "network_adam_01", "network_adam_03")
REACHED = "0.03"
"""The train loss that networks are trained down to: three times the variance of the noise."""
WIDTHS = {"width_32": 32, "width_256": 256, "width_2048": 2048}
SCALES = ("alpha_01", "alpha_03", "alpha_1", "alpha_3", "alpha_10", "alpha_30", "alpha_100")
EARLY = 68
"""A step by which the leading components of the target are learned and little else."""


# --- phase 1: gradient descent against natural gradient


def natural_gradient_needs_fewer_steps_in_the_fit(runs: Runs) -> Finding:
    """The steps of natural gradient descent against those of the best tuned rival, in the fit of a normal distribution."""
    rival = _best(runs, FITS, "steps_to_tolerance")
    return runs.median(
        paired_ratio(runs.values("fit_natural", "steps_to_tolerance"), runs.values(rival, "steps_to_tolerance")),
        below=0.5,
        statement="Natural gradient descent fits the normal distribution in fewer than half the steps of its best rival.",
        quantity="steps to the tolerance, relative to the best tuned rival on the same sample",
        reason="a step of natural gradient costs at most twice that of a gradient here",
    )


def its_gain_is_a_learning_rate_that_is_stable(runs: Runs) -> Finding:
    """The steps of natural gradient descent against those of gradient descent, at the same learning rate."""
    steps = [runs.values(variant, "steps_by_rate", index="0.1") for variant in ("fit_natural", "fit_gradient_descent")]
    return runs.median(
        paired_ratio(*steps),
        above=0.5,
        statement="At one and the same learning rate natural gradient descent saves less than half of the steps of this fit.",
        quantity="steps to the tolerance at a learning rate of 0.1, relative to gradient descent on the same sample",
        reason="its advantage at the best rates is larger than that",
    )


def momentum_does_not_help_the_fit(runs: Runs) -> Finding:
    """The steps of momentum against those of plain gradient descent, in the fit of a normal distribution."""
    return runs.median(
        paired_ratio(runs.values("fit_momentum", "steps_to_tolerance"), runs.values("fit_gradient_descent", "steps_to_tolerance")),
        above=1,
        statement="In this fit momentum 0.9 needs more steps than plain gradient descent, each at its best learning rate.",
        quantity="steps to the tolerance, relative to gradient descent on the same sample",
        reason="momentum is then the slower one",
    )


def too_large_a_rate_never_arrives(runs: Runs) -> Finding:
    """Where gradient descent at a large rate does not arrive, against the sample's variance, which is the limit of the rate."""
    never = ~np.isfinite(runs.values("fit_oscillating", "steps_to_tolerance"))
    beyond = runs.values("fit_oscillating", "best_learning_rate") > runs.values("fit_oscillating", "sample_variance")
    return runs.every(
        never == beyond,
        statement="Gradient descent fails exactly where its learning rate is above the variance of the sample, in every replica.",
        quantity="no arrival where the rate exceeds the variance, and arrival where it does not",
        reason="the largest eigenvalue of the Hessian at the best fit is 2 / s²",
    )


def natural_path_is_invariant_to_first_order(runs: Runs) -> Finding:
    """The slope of the difference between natural gradient paths in two coordinates, over the step size."""
    return runs.every(
        np.abs(runs.values("paths", "path_difference_slope") - 1) <= 0.05,
        statement="The paths of natural gradient in two coordinates differ by an amount proportional to the step size, in every replica.",
        quantity="slope of the difference over the step size within 0.05 of 1",
        reason="a first-order method follows an invariant flow with an error of the first order",
    )


def natural_flow_is_invariant(runs: Runs) -> Finding:
    """The largest difference between the natural gradient flows in two coordinates."""
    return runs.every(
        runs.values("paths", "flow_difference") <= 1e-10,
        statement="The natural gradient flows in two coordinates are one and the same path, in every replica.",
        quantity="largest difference of the flows at most 1e-10",
        reason="the accuracy to which the two differential equations are solved",
    )


def descent_path_depends_on_the_coordinates(runs: Runs) -> Finding:
    """The difference between the paths of plain gradient descent in two coordinates, at the smallest step size."""
    return runs.median(
        runs.values("paths", "descent_path_difference", index="0.0001"),
        above=0.1,
        statement="The path of plain gradient descent depends on the coordinates, however small its steps.",
        quantity="largest Fisher distance of the paths in two coordinates, at the smallest step size",
        reason="it is then thousands of times that of natural gradient, and no matter of the step size",
    )


def descent_shrinks_below_its_limit_and_grows_beyond(runs: Runs) -> Finding:
    """What a step multiplies the steepest component by, one percent below and one percent beyond the limit of the learning rate."""
    below, beyond = (runs.values("learning_rate_limit", "growth_factor", index=share) for share in ("0.99", "1.01"))
    return runs.every(
        (below < 1) & (beyond > 1),
        statement="Along the steepest direction jumps shrink one percent below the limit and grow one percent beyond it, in every replica.",
        quantity="growth along the steepest direction below 1 at 0.99 of the limit, and above 1 at 1.01",
        reason="a growth of 1 is that of the limit itself",
    )


def one_natural_step_solves_least_squares(runs: Runs) -> Finding:
    """The steps of natural gradient descent on least squares, at all condition numbers."""
    return runs.every(
        (runs.vectors("squares_natural", "steps_to_tolerance") == 1).all(axis=1),
        statement="One natural gradient step solves the least squares problem at every condition number, in every replica.",
        quantity="one step at every condition number",
        reason="the natural gradient step is the Gauss-Newton step, which is exact where the model is linear",
    )


def descent_steps_grow_with_the_condition_number(runs: Runs) -> Finding:
    """The slope of the steps of gradient descent over the condition number."""
    return _growth(runs, "squares_gradient_descent", "gradient descent", 1.0, "log((κ + 1) / (κ - 1)) is about 2 / κ")


def momentum_steps_grow_with_its_square_root(runs: Runs) -> Finding:
    """The slope of the steps of momentum over the condition number."""
    return _growth(runs, "squares_momentum", "the best momentum", 0.5, "a step shrinks the error by (√κ - 1) / (√κ + 1)")


def theory_bounds_the_steps(runs: Runs) -> Finding:
    """The steps of gradient descent and of momentum against those that theory has for the worst start."""
    variants = ("squares_gradient_descent", "squares_momentum")
    pairs = [(runs.vectors(variant, "steps_to_tolerance"), runs.vectors(variant, "predicted_steps")) for variant in variants]
    return runs.every(
        np.all([(steps <= predicted).all(axis=1) for steps, predicted in pairs], axis=0),
        statement="Neither gradient descent nor momentum needs more steps than theory has for the worst start, in every replica.",
        quantity="measured steps at most those of theory, at every condition number",
        reason="the worst case is a bound",
    )


def natural_gradient_needs_fewer_steps_in_a_network(runs: Runs) -> Finding:
    """The steps of natural gradient descent against those of the best tuned rival, in a network."""
    return _against_best(
        runs, "steps_to_loss", "In a network, too, natural gradient descent needs fewer steps than momentum and Adam, tuned.", "steps"
    )


def natural_gradient_is_faster_in_a_network(runs: Runs) -> Finding:
    """The time of natural gradient descent against that of the best tuned rival, in a network."""
    return _against_best(runs, "seconds_to_loss", "Natural gradient descent is also faster by the clock.", "seconds")


def _against_best(runs: Runs, quantity: str, statement: str, unit: str) -> Finding:
    rival = _best(runs, (*MOMENTUM, *ADAM), quantity, index=REACHED)
    return runs.ratio(
        runs.values("network_natural", quantity, index=REACHED),
        runs.values(rival, quantity, index=REACHED),
        below=1,
        statement=statement,
        quantity=f"{unit} to a train loss of {REACHED}, relative to the best tuned rival",
        reason=f"natural gradient then needs fewer {unit}",
    )


def _best(runs: Runs, variants: Sequence[str], quantity: str, *, index: str = "") -> str:
    """Return the variant with the smallest median of a quantity."""
    return min(variants, key=lambda variant: float(np.median(runs.values(variant, quantity, index=index))))


def _growth(runs: Runs, variant: str, label: str, expected: float, why: str) -> Finding:
    conditions = [10.0**power for power in range(2, 7)]
    steps = np.stack([runs.values(variant, "steps_to_tolerance", index=f"{condition:.0f}") for condition in conditions], axis=1)
    return runs.near(
        slopes(conditions, steps),
        expected,
        within=0.1,
        statement=f"The steps of {label} on least squares grow as the condition number κ to the power {expected:g}.",
        quantity=f"distance of the slope of the steps over κ, from 100 on, from {expected:g}",
        reason=f"theory: {why}; a tenth leaves room for logarithms",
    )


# --- phase 2: lazy and rich regimes


def kernel_converges_at_the_predicted_rate(runs: Runs) -> Finding:
    """The slope over the width of the distance of a random network's kernel from its limit, one hidden layer."""
    return _rate(runs, "infinite_depth_1", "ntk_distance_slope", "The tangent kernel of networks with one hidden layer")


def kernel_of_three_layers_converges_at_the_predicted_rate(runs: Runs) -> Finding:
    """The slope over the width of the distance of a random network's kernel from its limit, three hidden layers."""
    return _rate(runs, "infinite_depth_3", "ntk_distance_slope", "The tangent kernel of networks with three hidden layers")


def standard_kernel_converges_at_the_predicted_rate(runs: Runs) -> Finding:
    """The slope over the width of the distance of the kernel in the standard parametrization from its limit, three hidden layers."""
    return _rate(runs, "infinite_depth_3", "standard_distance_slope", "In the standard parametrization, too, the kernel")


def covariance_converges_at_the_predicted_rate(runs: Runs) -> Finding:
    """The slope over the width of the distance of a random network's covariance from the NNGP kernel, three hidden layers."""
    return _rate(runs, "infinite_depth_3", "nngp_distance_slope", "The covariance of networks with three hidden layers")


def distance_from_the_limit_is_there_at_initialization(runs: Runs) -> Finding:
    """The distance of a network's kernel from the limit before training, against that after it."""
    return runs.median(
        paired_ratio(*(runs.values("width_32", "kernel_distance", step=step) for step in (0, "last"))),
        above=0.5,
        statement="More than half of the distance of the kernel of 32 units from the infinite one is there before anything is learned.",
        quantity="distance from the infinite kernel at initialization, relative to that after training",
        reason="the distance then tells of the width more than of learning",
    )


def kernel_moves_less_in_wider_networks(runs: Runs) -> Finding:
    """The change of the kernel in training over the width."""
    change = np.stack([runs.values(variant, "kernel_change", step="last") for variant in WIDTHS], axis=1)
    return runs.median(
        slopes(list(WIDTHS.values()), change),
        below=-0.5,
        statement="The kernel moves less in wider networks, and less than 1 / √width.",
        quantity="slope of the relative change of the kernel over the width",
        reason="the bound of Lee et al. (2019) has a slope of -1/2",
    )


def kernel_moves_less_with_a_larger_output_scale(runs: Runs) -> Finding:
    """The change of the kernel in training over the output scale."""
    change = np.stack([runs.values(variant, "kernel_change", step="last") for variant in SCALES], axis=1)
    return runs.every(
        (np.diff(change, axis=1) < 0).all(axis=1),
        statement="The kernel moves less with every larger output scale, in every replica.",
        quantity="change of the kernel smaller at each of the seven output scales than at the one before",
        reason="replicas share their initial networks",
    )


def lazy_kernel_moves_as_the_root_of_the_output_scale(runs: Runs) -> Finding:
    """The slope of the change of the kernel over the output scale, from 10 to 100."""
    scales = {"alpha_10": 10.0, "alpha_30": 30.0, "alpha_100": 100.0}
    change = np.stack([runs.values(variant, "kernel_change", step="last") for variant in scales], axis=1)
    return runs.near(
        slopes(list(scales.values()), change),
        -0.5,
        within=0.25,
        statement="In the lazy limit the kernel of this network moves as 1 / √α, and not as 1 / α.",
        quantity="distance of the slope of the change over α, from 10 to 100, from -1/2",
        reason="halfway to the slope of -1 of smooth models (Chizat et al., 2019)",
    )


def rich_kernel_aligns_with_the_target(runs: Runs) -> Finding:
    """The alignment of the kernel with the target after training less that before, at the smallest output scale."""
    last, first = (runs.values("alpha_01", "kernel_alignment", step=step) for step in ("last", 0))
    return runs.median(
        last - first,
        above=0,
        statement="In the rich regime the kernel is better aligned with the target after training than before.",
        quantity="centered alignment of the kernel with the targets after training less that before, α = 0.1",
        reason="the alignment has then grown",
    )


def wide_kernel_keeps_its_alignment(runs: Runs) -> Finding:
    """The alignment of the kernel with the target after training less that before, at width 2,048."""
    last, first = (runs.values("width_2048", "kernel_alignment", step=step) for step in ("last", 0))
    return runs.near(
        last - first,
        0,
        within=0.005,
        statement="The alignment of the kernel of 2,048 units does not change in training.",
        quantity="change of the centered alignment",
        reason="half a percent of full alignment is nothing to see",
    )


def small_eigenvalues_move_where_the_kernel_hardly_does(runs: Runs) -> Finding:
    """The twentieth eigenvalue of the kernel after training against that before, at width 2,048."""
    last, first = (runs.values("width_2048", "ntk_eigenvalue", step=step, index=20) for step in ("last", 0))
    return runs.median(
        paired_ratio(last, first),
        below=0.8,
        statement="At width 2,048 the twentieth eigenvalue falls by more than a fifth.",
        quantity="twentieth eigenvalue after training, relative to that before",
        reason="a fifth is many times the relative change of the whole kernel",
    )


def infinite_kernel_predicts_a_wide_network_early(runs: Runs) -> Finding:
    """The distance of a wide network's predictions from those of the infinite kernel, early in training."""
    return _predicted(runs, EARLY, f"After {EARLY} steps the infinite kernel predicts the network of 2,048 units.")


def infinite_kernel_predicts_a_wide_network_to_the_end(runs: Runs) -> Finding:
    """The distance of a wide network's predictions from those of the infinite kernel, after training."""
    return _predicted(runs, "last", "After training the infinite kernel still predicts the network of 2,048 units.")


def wider_networks_are_predicted_better(runs: Runs) -> Finding:
    """The distance of a network's predictions from those of the infinite kernel, early in training, at widths 2,048 and 32."""
    wide, narrow = (runs.values(variant, "kernel_prediction_gap", step=EARLY) for variant in ("width_2048", "width_32"))
    return runs.ratio(
        wide,
        narrow,
        below=0.5,
        statement="The infinite kernel predicts the network of 2,048 units better than that of 32.",
        quantity=f"root mean square difference of predictions after {EARLY} steps, relative to width 32",
        reason="half is beyond the spread over seeds",
    )


def feature_learning_helps_on_this_target(runs: Runs) -> Finding:
    """The test loss of the richest network against that of the laziest."""
    return runs.median(
        paired_ratio(*(runs.values(variant, "test_loss", step="last") for variant in ("alpha_01", "alpha_100"))),
        below=1,
        statement="Feature learning helps on this target: the rich network has a smaller test error than the lazy one.",
        quantity="test loss at α = 0.1 after training, relative to that at α = 100 with the same initial network",
        reason="the rich network is then the better one",
    )


def network_beats_its_infinite_kernel(runs: Runs) -> Finding:
    """The test loss of a network of 256 units against that of regression with the infinite kernel."""
    return runs.median(
        paired_ratio(runs.values("width_256", "test_loss", step="last"), runs.values("width_256", "infinite_test_loss", step="last")),
        below=1,
        statement="After as many steps the network of 256 units has a smaller test error than gradient descent with the infinite kernel.",
        quantity="test loss, relative to that of gradient descent with the infinite kernel",
        reason="learned features are then better than those of the limit",
    )


def _rate(runs: Runs, variant: str, quantity: str, subject: str) -> Finding:
    return runs.near(
        runs.values(variant, quantity),
        -0.5,
        within=0.1,
        statement=f"{subject} goes to its infinite-width limit as 1 / √width.",
        quantity="distance of the slope over the width from -1/2",
        reason="terms of the order of 1 / width shift the slope by some hundredths",
    )


def _predicted(runs: Runs, step: int | str, statement: str) -> Finding:
    return runs.median(
        runs.values("width_2048", "kernel_prediction_gap", step=step),
        below=0.02,
        statement=statement,
        quantity="root mean square difference of the predictions on the test points",
        reason="five percent of the standard deviation of the targets",
    )


# --- phase 3: the path of SGD


def network_reads_digits(runs: Runs) -> Finding:
    """The test accuracy of the convolutional network after training."""
    return runs.median(
        runs.values("convolutional", "test_accuracy", step="last"),
        above=0.95,
        statement="The convolutional network classifies more than 95 % of new digits rightly.",
        quantity="test accuracy",
        reason="what makes its training worth looking at",
    )


def path_slows_down(runs: Runs) -> Finding:
    """The speed in the first tenth of the updates against that in the last half."""
    return _slows_down(runs, "convolutional", "at a learning rate of 0.02")


def fast_path_slows_down(runs: Runs) -> Finding:
    """The speed in the first tenth of the updates against that in the last half, at the larger learning rate."""
    return _slows_down(runs, "convolutional_fast", "at a learning rate of 0.05")


def loss_falls_in_the_first_stage(runs: Runs) -> Finding:
    """The share of the fall of the train loss that happens in the first tenth of the updates."""
    return runs.median(
        runs.values("convolutional", "early_loss_share"),
        above=0.5,
        statement="More than half of the train loss is lost in the first tenth of the updates.",
        quantity="share of the fall of the train loss in the first tenth of the updates",
        reason="that is then the stage in which most is learned",
    )


def first_stage_explores(runs: Runs) -> Finding:
    """The cosine between the displacements of successive epochs early in training less that late in training."""
    early, late = (_turning(runs, f"{stage}_epoch_cosine") for stage in ("early", "late"))
    return runs.median(
        early - late,
        below=0,
        statement="The path turns more in the first tenth of the updates than in the last half: it explores, then converges.",
        quantity="mean cosine between successive epochs' displacements, early less late",
        reason="exploring means turning",
    )


def stages_are_sharp(runs: Runs) -> Finding:
    """How well two constant speeds describe the speed along training, less how well an exponential fall does."""
    two, one = (runs.values("convolutional", quantity) for quantity in ("two_speeds_fit", "exponential_fit"))
    return runs.median(
        two - one,
        above=0,
        statement="Two stages with a speed each describe the path better than a speed that falls all the time.",
        quantity="explained share of the variance of the log speed, two constant speeds less one exponential fall",
        reason="both have as many free numbers but for the moment of change, so that two stages have the advantage",
    )


def random_walk_gives_the_same_curves(runs: Runs) -> Finding:
    """The changes of sign of the first three principal components, of the path and of a random walk with its step lengths."""
    path, walk = (runs.vectors("convolutional", f"{which}_crossings")[:, :3] for which in ("path", "walk"))
    return runs.near(
        np.abs(path - walk).sum(axis=1),
        0,
        within=0.5,
        statement="The first three components of a random walk change their signs as often as those of the path.",
        quantity="difference between the numbers of changes of sign of the first three components",
        reason="less than one change; the smooth curve in three dimensions is then no evidence of stages",
    )


def explained_variance_is_no_evidence(runs: Runs) -> Finding:
    """The share of variance along the first component, of the path less that of the same steps in random order."""
    path, shuffled = (runs.values("convolutional", f"{which}_variance", index=1) for which in ("path", "shuffled"))
    return runs.median(
        path - shuffled,
        below=0,
        statement="The same steps in random order have more of their variance along the first component than the path.",
        quantity="share of variance along the first component, path less shuffled steps",
        reason="a large share is then no sign of an ordered path",
    )


def path_is_straighter_than_a_random_walk(runs: Runs) -> Finding:
    """The share of the length of the path that leads from its start to its end, against that of a random walk."""
    return runs.median(
        paired_ratio(runs.values("convolutional", "directness"), runs.values("convolutional", "walk_directness")),
        above=2,
        statement="The path leads more directly from its start to its end than a random walk with the same step lengths.",
        quantity="distance from start to end over length of the path, relative to the random walk",
        reason="twice as direct is far beyond the spread over seeds",
    )


def path_settles_early_in_one_basin(runs: Runs) -> Finding:
    """How far the train loss rises on straight lines from points after the first tenth of the updates to the end of the path."""
    return runs.median(
        runs.values("convolutional", "settled_bend"),
        below=0.01,
        statement="From the first tenth of the updates on, the path is in the basin where it ends.",
        quantity="largest rise of the train loss above a straight line on the way to the end",
        reason="a hundredth is less than half a percent of the loss of guessing, 2.3",
    )


def _turning(runs: Runs, quantity: str) -> NDArray[np.float64]:
    """Return the mean cosine of a stage, nan where a training is too short to have two epochs in it."""
    if not runs.exists("convolutional", quantity):
        return np.full(runs.replicas("convolutional"), np.nan)
    return runs.values("convolutional", quantity)


def _slows_down(runs: Runs, variant: str, words: str) -> Finding:
    speed: NDArray[np.float64] = paired_ratio(runs.values(variant, "speed_ratio"), runs.values(variant, "shuffled_speed_ratio"))
    return runs.median(
        speed,
        above=2,
        statement=f"The path is fast, then slow, {words}: more so than the same steps in random order.",
        quantity="speed in the first tenth of the updates over that in the last half, relative to the same steps in random order",
        reason="half as fast is a stage of its own",
    )
