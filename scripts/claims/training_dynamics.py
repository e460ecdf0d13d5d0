"""The claims of the study "Training dynamics": each decides one statement of the chapter from the numbers of all replicas."""

from collections.abc import Sequence

import numpy as np

from scripts.common.findings import Finding, Runs
from scripts.common.levels import slopes
from scripts.common.statistics import paired_ratio

FITS = ("fit_gradient_descent", "fit_momentum", "fit_adam")
"""The tuned rivals of natural gradient descent in the fit of a normal distribution."""
MOMENTUM = ("network_momentum_001", "network_momentum_003", "network_momentum_01", "network_momentum_03")
ADAM = ("network_adam_001", "network_adam_003", "network_adam_01", "network_adam_03")
REACHED = "0.03"
"""The train loss that networks are trained down to: three times the variance of the noise."""


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


def momentum_does_not_help_the_fit(runs: Runs) -> Finding:
    """The steps of momentum against those of plain gradient descent, in the fit of a normal distribution."""
    return runs.median(
        paired_ratio(runs.values("fit_momentum", "steps_to_tolerance"), runs.values("fit_gradient_descent", "steps_to_tolerance")),
        above=1,
        statement="In this fit momentum 0.9 needs more steps than plain gradient descent, each at its best learning rate.",
        quantity="steps to the tolerance, relative to gradient descent on the same sample",
        reason="momentum is then the slower one",
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


def descent_oscillates_beyond_its_limit(runs: Runs) -> Finding:
    """The loss of gradient descent on least squares with a learning rate 1 % beyond the limit."""
    return runs.every(
        runs.values("learning_rate_limit", "final_loss_ratio", index="1.01")
        > runs.values("learning_rate_limit", "final_loss_ratio", index="0.99"),
        statement="One percent beyond the limit gradient descent ends higher than one percent below it, in every replica.",
        quantity="loss at 1.01 of the limit above that at 0.99 of it",
        reason="below the limit every component shrinks, beyond it the steepest one grows",
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
    """The slope of the steps of gradient descent over the condition number, from 10 on."""
    return _growth(runs, "squares_gradient_descent", "gradient descent", 1.0, "log((κ + 1) / (κ - 1)) is about 2 / κ")


def momentum_steps_grow_with_its_square_root(runs: Runs) -> Finding:
    """The slope of the steps of momentum over the condition number, from 10 on."""
    return _growth(runs, "squares_momentum", "the best momentum", 0.5, "a step shrinks the error by (√κ - 1) / (√κ + 1)")


def natural_gradient_needs_fewer_steps_in_a_network(runs: Runs) -> Finding:
    """The steps of natural gradient descent against those of the best tuned rival, in a network."""
    rival = _best(runs, (*MOMENTUM, *ADAM), "steps_to_loss")
    return runs.ratio(
        runs.values("network_natural", "steps_to_loss", index=REACHED),
        runs.values(rival, "steps_to_loss", index=REACHED),
        below=1,
        statement="In a network, too, natural gradient descent needs fewer steps than momentum and Adam, tuned.",
        quantity=f"steps to a train loss of {REACHED}, relative to the best tuned rival",
        reason="natural gradient then needs fewer",
    )


def natural_gradient_is_faster_in_a_network(runs: Runs) -> Finding:
    """The time of natural gradient descent against that of the best tuned rival, in a network."""
    rival = _best(runs, (*MOMENTUM, *ADAM), "seconds_to_loss")
    return runs.ratio(
        runs.values("network_natural", "seconds_to_loss", index=REACHED),
        runs.values(rival, "seconds_to_loss", index=REACHED),
        below=1,
        statement="Natural gradient descent is also faster by the clock.",
        quantity=f"seconds to a train loss of {REACHED}, relative to the best tuned rival",
        reason="natural gradient then takes less time",
    )


def _best(runs: Runs, variants: Sequence[str], quantity: str) -> str:
    """Return the variant with the smallest median of a quantity of steps or seconds, of those to a train loss of `REACHED`."""
    index = REACHED if quantity in ("steps_to_loss", "seconds_to_loss") else ""
    return min(variants, key=lambda variant: float(np.median(runs.values(variant, quantity, index=index))))


def _growth(runs: Runs, variant: str, label: str, expected: float, why: str) -> Finding:
    conditions = np.array([10.0**power for power in range(1, 7)])
    steps = np.stack([runs.values(variant, "steps_to_tolerance", index=f"{condition:.0f}") for condition in conditions], axis=1)
    return runs.median(
        np.abs(slopes(conditions, steps) - expected),
        below=0.1,
        statement=f"The steps of {label} on least squares grow as the condition number κ to the power {expected:g}.",
        quantity=f"distance of the slope of steps over κ from {expected:g}",
        reason=f"theory: {why}",
    )
