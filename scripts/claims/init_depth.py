"""The claims of the study "Initialization and depth": each decides one statement of the chapter from the numbers of all replicas."""

import numpy as np
from numpy.typing import NDArray

from scripts.common.findings import Finding, Runs
from scripts.common.statistics import paired_ratio


def small_gradients_are_tiny(runs: Runs) -> Finding:
    """The largest gradient norm over the layers, before training."""
    return runs.median(
        _gradients(runs, "deep_small").max(axis=1),
        below=1e-3,
        statement="With a small initialization the loss gradient of every weight matrix is tiny.",
        quantity="largest gradient norm over the layers",
        reason="a gradient of that norm, followed in one direction through the whole training, moves a matrix by less than one of its "
        "entries would need",
    )


def small_loss_stays(runs: Runs) -> Finding:
    """The change of the train loss over the whole training, relative to the loss at the start."""
    first, last = (runs.values("deep_small", "train_loss", step=step) for step in (0, "last"))
    return runs.median(
        np.abs(last - first) / first,
        below=0.05,
        statement="With a small initialization the train loss stays where it was.",
        quantity="relative change of the train loss",
        reason="a fit of any use lowers the loss by most of its value; the noise of single batches moves it by some percent",
    )


def small_predicts_a_constant(runs: Runs) -> Finding:
    """Whether each replica collapsed to a constant."""
    return runs.every(
        _met(runs, "deep_small", "collapsed"),
        statement="Trained from a small initialization, the network predicts one value for any input, in every replica.",
        quantity="predictions vary less than 0.001 of the standard deviation of the targets",
        reason="one replica that follows the input is a counterexample",
    )


def small_has_one_dominant_singular_value(runs: Runs) -> Finding:
    """The second singular value before training, relative to the first."""
    values = runs.vectors("deep_small", "singular_value", step=0)
    return runs.median(
        values[:, 1] / values[:, 0],
        below=0.1,
        statement="With a small initialization one singular value dominates.",
        quantity="second singular value over the first",
        reason="an order of magnitude is what dominates means here; with a He initialization the ratio is above one half",
    )


def small_features_are_constant(runs: Runs) -> Finding:
    """How much the first principal feature varies over the points before training."""
    return runs.median(
        runs.values("deep_small", "feature_variation", step=0),
        below=0.01,
        statement="With a small initialization the leading principal feature is constant.",
        quantity="standard deviation of the first feature over its root mean square",
        reason="a variation of one percent does not show in a figure",
    )


def large_gradients_are_huge(runs: Runs) -> Finding:
    """The smallest gradient norm over the layers with a large initialization, against that of He's."""
    return runs.ratio(
        _gradients(runs, "deep_large").min(axis=1),
        _gradients(runs, "deep_he").min(axis=1),
        above=1e3,
        statement="With a large initialization the loss gradient of every weight matrix is huge.",
        quantity="smallest gradient norm over the layers, relative to a He initialization",
        reason="three orders of magnitude above a network that trains at this learning rate",
    )


def large_diverges(runs: Runs) -> Finding:
    """Whether each replica became non-finite."""
    return runs.every(
        _met(runs, "deep_large", "diverged"),
        statement="From a large initialization training diverges to non-finite numbers, in every replica.",
        quantity="a parameter or the loss is not finite",
        reason="one replica that stays finite is a counterexample",
    )


def large_singular_values_are_scaled_up(runs: Runs) -> Finding:
    """The largest singular value before training, against He's."""
    return runs.ratio(
        runs.values("deep_large", "singular_value", step=0, index=1),
        runs.values("deep_he", "singular_value", step=0, index=1),
        above=10,
        statement="With a large initialization the singular values are scaled up.",
        quantity="largest singular value, relative to a He initialization",
        reason="an order of magnitude, far outside the spread over seeds of either",
    )


def large_spectrum_is_as_alike_as_two_proper_ones(runs: Runs) -> Finding:
    """How far rescaled spectra of the large and the proper initialization are apart, against two proper ones."""
    return runs.ratio(
        runs.values("deep_large", "spectrum_distance", step=0),
        runs.values("deep_he", "spectrum_distance", step=0),
        below=2,
        statement="Rescaled, the spectrum of a large initialization differs from that of a He initialization no more than two of these do.",
        quantity="distance of the rescaled spectra, relative to two He initializations",
        reason="twice the distance of the control is the most that may pass for its own spread",
    )


def he_gradients_are_balanced(runs: Runs) -> Finding:
    """Whether the largest gradient norm before training is less than ten times the smallest, in each replica."""
    return runs.every(
        _imbalance(runs, "deep_he") < 10,
        statement="With a He initialization the gradient norms of all layers are within one order of magnitude, in every replica.",
        quantity="largest gradient norm of the layers less than 10 times the smallest",
        reason="layers whose gradients differ by less than ten can share one learning rate",
    )


def balance_sets_he_apart(runs: Runs) -> Finding:
    """The imbalance of the small initialization against that of He's."""
    return runs.ratio(
        _imbalance(runs, "deep_small"),
        _imbalance(runs, "deep_he"),
        above=1,
        statement="Balance across layers sets a He initialization apart: with a small one the layers are less balanced.",
        quantity="largest over smallest gradient norm with a small initialization, relative to a He initialization",
        reason="the small initialization is then the less balanced one",
    )


def he_trains_in_every_run(runs: Runs) -> Finding:
    """Whether each replica of He's initialization ends fine at the source's learning rate."""
    return runs.every(
        _met(runs, "deep_he", "fine"),
        statement="From a He initialization training is stable in every replica, at the source's learning rate.",
        quantity="neither diverged, nor blown up, nor collapsed to a constant",
        reason="one replica that fails is a counterexample",
    )


def he_slow_trains_in_every_run(runs: Runs) -> Finding:
    """Whether each replica of He's initialization ends fine at a lower learning rate."""
    return runs.every(
        _met(runs, "deep_he_slow", "fine"),
        statement="From a He initialization training is stable in every replica, at the lower learning rate.",
        quantity="neither diverged, nor blown up, nor collapsed to a constant",
        reason="one replica that fails is a counterexample",
    )


def he_beats_shallow(runs: Runs) -> Finding:
    """The test loss of the properly initialized deep network, against the shallow one's."""
    return runs.ratio(
        runs.values("deep_he", "test_loss", step="last"),
        runs.values("shallow", "test_loss", step="last"),
        below=1,
        statement="The deep network with a He initialization fits better than the shallow one.",
        quantity="test loss after training, relative to the shallow network",
        reason="the deep network is then the better one; runs that diverged count as infinitely bad",
    )


def he_beats_default(runs: Runs) -> Finding:
    """The test loss under He's initialization, against PyTorch's default with the same seeds."""
    return runs.median(
        paired_ratio(runs.values("deep_he", "test_loss", step="last"), runs.values("deep_default", "test_loss", step="last")),
        below=1,
        statement="The deep network fits better from a He initialization than from PyTorch's default.",
        quantity="test loss after training, relative to PyTorch's default with the same seeds",
        reason="the He initialization is then the better one; replicas are paired by their seeds",
    )


def he_spectrum_is_diverse(runs: Runs) -> Finding:
    """The number of singular values above one percent of the largest, after training."""
    return runs.ratio(
        _above_one_per_cent(runs, "deep_he"),
        _above_one_per_cent(runs, "shallow"),
        above=1,
        statement="After training, the deep network with a He initialization has more large singular values than the shallow one.",
        quantity="number of singular values above 1 % of the largest, relative to the shallow network",
        reason="the deep network has then the richer set of features",
    )


def deep_features_have_more_pieces(runs: Runs) -> Finding:
    """The number of linear pieces of the principal features after training."""
    return runs.ratio(
        _pieces(runs, "deep_he", step="last"),
        _pieces(runs, "shallow", step="last"),
        above=1,
        statement="After training, the principal features of the deep network have more linear pieces than those of the shallow one.",
        quantity="linear pieces of the leading features, relative to the shallow network",
        reason="the deep network has then more pieces",
    )


def deep_features_have_more_pieces_at_initialization(runs: Runs) -> Finding:
    """The number of linear pieces of the principal features before training."""
    return runs.ratio(
        _pieces(runs, "deep_default", step=0),
        _pieces(runs, "shallow", step=0),
        above=1,
        statement="Before training, too, the features of the deep network have more linear pieces, if biases are drawn at random.",
        quantity="linear pieces of the leading features, relative to the shallow network",
        reason="the deep network has then more pieces",
    )


def rank_is_at_most_four_at_initialization(runs: Runs) -> Finding:
    """The rank of the Jacobian before training, with zero biases."""
    return runs.every(
        runs.values("deep_he", "rank", step=0) <= 4,
        statement="With zero biases the Jacobian at initialization has rank four at most, in every replica.",
        quantity="rank at most 4",
        reason="the network is linear on each side of 0, so each side adds two independent rows at most",
    )


def fit_fails_outside(runs: Runs) -> Finding:
    """The test loss outside the training range, against that inside."""
    return runs.median(
        paired_ratio(
            runs.values("deep_he_ood", "test_loss_outside", step="last"), runs.values("deep_he_ood", "test_loss_inside", step="last")
        ),
        above=10,
        statement="Trained on the shifted range, the deep network fails outside of it.",
        quantity="test loss outside the training range over test loss inside",
        reason="an order of magnitude is no mere loss of precision",
    )


def fit_inside_is_unharmed(runs: Runs) -> Finding:
    """The test loss inside the shifted training range, against the network trained on the whole range."""
    return runs.median(
        paired_ratio(runs.values("deep_he_ood", "test_loss_inside", step="last"), runs.values("deep_he", "test_loss_inside", step="last")),
        below=1.5,
        statement="Inside the shifted range the deep network is about as good as one that was trained on the whole range.",
        quantity="test loss inside, relative to the network trained on the whole range with the same seeds",
        reason="a ratio of 1.5 is within the spread over seeds",
    )


def features_are_largest_outside(runs: Runs) -> Finding:
    """The largest singular value on the points of the whole range, against that on the network's own training points."""
    return runs.median(
        paired_ratio(
            runs.values("deep_he_ood", "singular_value", step="last", index=1),
            runs.values("deep_he_ood", "singular_value_own_points", step="last", index=1),
        ),
        above=1,
        statement="The features of the deep network trained on the shifted range are larger on the whole range than on its own points.",
        quantity="largest singular value on the whole range, relative to that on as many own training points",
        reason="point for point the largest feature is then larger where there is no training point",
    )


def deep_extrapolates_better_than_shallow(runs: Runs) -> Finding:
    """The test loss outside the training range of the deep network, against the shallow one's."""
    return runs.ratio(
        runs.values("deep_he_ood", "test_loss_outside", step="last"),
        runs.values("shallow_ood", "test_loss_outside", step="last"),
        below=1,
        statement="Outside the training range the deep network errs less than the shallow one.",
        quantity="test loss outside the training range, relative to the shallow network",
        reason="the deep network errs then less",
    )


def _gradients(runs: Runs, variant: str) -> NDArray[np.float64]:
    return runs.vectors(variant, "gradient_norm", step=0)


def _imbalance(runs: Runs, variant: str) -> NDArray[np.float64]:
    norms = _gradients(runs, variant)
    return np.asarray(norms.max(axis=1) / norms.min(axis=1))


def _met(runs: Runs, variant: str, fate: str) -> NDArray[np.bool_]:
    return np.arange(runs.replicas(variant)) < runs.count(variant, fate)


def _pieces(runs: Runs, variant: str, *, step: int | str) -> NDArray[np.float64]:
    """Return the median number of pieces over the features that exist, of each replica; 1 for a replica without features."""
    pieces = runs.vectors(variant, "segments", step=step)
    return np.array([np.nanmedian(row) if np.isfinite(row).any() else 1.0 for row in pieces])


def _above_one_per_cent(runs: Runs, variant: str) -> NDArray[np.float64]:
    """Return the number of singular values above 1 % of the largest after training; 0 where there is no spectrum."""
    values = runs.vectors(variant, "singular_value", step="last")
    return np.asarray((values > 0.01 * np.nanmax(np.where(np.isnan(values), 0.0, values), axis=1, keepdims=True)).sum(axis=1))
