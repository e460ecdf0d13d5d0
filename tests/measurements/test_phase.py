import numpy as np
import pytest

from scripts.common import linearization, storage
from scripts.measurements.phase import KIND, measure

NETWORK = {"kind": "perceptron", "hidden": [3], "activation": "tanh"}
TARGETS = np.array([[-2.0], [2.0], [0.0], [0.0]])
"""Their variance, the loss of the best constant, is 2."""


def measured(losses, *, spreads=None, **options):
    """What is measured of replicas with these train losses (E, R), whose outputs vary so much, as a share of the targets' spread."""
    losses = np.array(losses, dtype=np.float64)
    spreads = np.ones(losses.shape[1]) if spreads is None else np.array(spreads)
    test_x = np.array([[-1e-3], [1e-3]])
    parameters = np.zeros((2, losses.shape[1], 10))  # weights, biases, output weights, output bias
    parameters[:, :, 0] = 1.0
    parameters[:, :, 6] = spreads * np.sqrt(2) * 1e3
    train = {
        "step": np.array([0, 9]),
        "parameters": parameters,
        "train_loss": losses,
        "diverged_at": np.where(np.isfinite(parameters[-1]).all(axis=1), -1, 5),
    }
    return measure({"train_y": TARGETS, "test_x": test_x}, train, NETWORK, **options)


def phases(found):
    return [found["index_phase"][holds].tolist() for holds in found["exists_phase"]]


@pytest.mark.parametrize(
    ("course", "spread", "expected"),
    [
        ([2.0, 0.9, 0.99], 1.0, "trains"),
        ([2.0, 2.0, 1.01], 1.0, "undecided"),
        ([2.0, 2.0, 1.01], 0.09, "constant"),
        ([2.0, 2.0, 1.01], 0.11, "undecided"),
        ([2.0, 2.0, 2.49], 0.0, "constant"),
        ([2.0, 2.0, 2.51], 0.0, "diverges"),
        ([2.0, 2.51, 2.0], 0.0, "diverges"),
        ([2.0, 2.51, 0.9], 1.0, "trains"),
        ([40.0, 49.0, 2.0], 0.0, "constant"),
        ([40.0, 51.0, 2.0], 0.0, "diverges"),
        ([2.0, np.nan, 2.0], 0.0, "diverges"),
        ([2.0, np.inf, 0.1], 1.0, "diverges"),
        ([2.0, 2.0, 0.1], np.nan, "diverges"),
    ],
)
def test_each_phase(course, spread, expected):
    assert phases(measured([[loss] for loss in course], spreads=[spread])) == [[expected]]


def test_all_that_is_measured(tmp_path):
    found = measured([[2.0, 2.0, 2.0], [0.5, 2.0, np.nan]], spreads=[1.5, 0.01, np.nan])
    assert found["trained"].tolist() == [1, 0, 0]
    np.testing.assert_allclose(found["relative_loss"], [0.25, 1.0, np.nan])
    np.testing.assert_allclose(found["output_spread"], [1.5, 0.01, np.nan], rtol=1e-5)
    assert found["exists_output_spread"].tolist() == [True, True, False]
    np.testing.assert_array_equal(found["phase"], found["exists_phase"])
    storage.save(tmp_path / "phase.npz", found, kind=KIND, digest="d")


def test_thresholds_are_options():
    course = [[2.0], [1.2]]
    assert phases(measured(course)) == [["undecided"]]
    assert phases(measured(course, learned=0.7)) == [["trains"]]
    assert phases(measured(course, flat=2.0)) == [["constant"]]
    assert phases(measured([[2.0], [2.8]], worse=1.5, flat=2.0)) == [["constant"]]


def test_the_spread_is_that_of_the_predictions():
    parameters = np.random.default_rng(0).normal(size=(2, 10))
    x = np.linspace(-1, 1, 7)[:, None]
    train = {"step": np.array([9]), "parameters": parameters[None], "train_loss": np.ones((1, 2)), "diverged_at": np.array([-1, -1])}
    found = measure({"train_y": TARGETS, "test_x": x}, train, NETWORK)["output_spread"]
    expected = [linearization.predict(own, x, network=NETWORK)[:, 0].std() / np.sqrt(2) for own in parameters]
    np.testing.assert_allclose(found, expected)
