"""Outputs are those of a linear classifier in place of the network: one row of weights for each class, flat."""

import numpy as np
import pytest

from scripts.common import forward_pass, storage
from scripts.common.errors import UserError
from scripts.measurements import calibration

REPLICAS, SAMPLES, INPUTS, CLASSES = 3, 200, 4, 3
NETWORK = {"kind": "linear"}
generator = np.random.default_rng(1)


@pytest.fixture(autouse=True)
def linear(monkeypatch):
    def predict_all(parameters, x, *, network, outputs):
        assert network is NETWORK
        return np.einsum("nd,rcd->rnc", x, parameters.reshape(len(parameters), outputs, x.shape[1]).astype(np.float64))

    monkeypatch.setattr(forward_pass, "predict_all", predict_all, raising=False)


def example(scales=(0.0, 1.0, 2.0)):
    """Return data whose classes are drawn with the probabilities of some weights, and networks with multiples of these weights."""
    x, weights = generator.normal(size=(SAMPLES, INPUTS)), generator.normal(size=(CLASSES, INPUTS))
    powers = np.exp(x @ weights.T)
    share = powers / powers.sum(axis=1, keepdims=True)
    labels = np.array([generator.choice(CLASSES, p=row) for row in share])
    data = {"test_x": x, "test_y": np.eye(CLASSES)[labels]}
    parameters = np.array(scales)[:, None, None] * np.stack([weights.ravel() * (replica + 1) for replica in range(REPLICAS)])
    return data, {"step": np.arange(len(scales)) * 10, "parameters": parameters}


def by_hand(data, weights, bins):
    """Return error, overconfidence and the samples of each bin of one network, sample by sample."""
    held = [[] for _ in range(bins)]
    for x, y in zip(data["test_x"], data["test_y"], strict=True):
        powers = np.exp(weights.reshape(CLASSES, INPUTS) @ x)
        confidence = powers.max() / powers.sum()
        held[int(np.ceil(confidence * bins)) - 1].append((confidence, powers.argmax() == y.argmax()))
    error = sum(abs(sum(one[0] for one in some) - sum(one[1] for one in some)) for some in held) / SAMPLES
    everything = [one for some in held for one in some]
    return error, np.mean([one[0] for one in everything]) - np.mean([one[1] for one in everything]), [len(some) for some in held]


@pytest.mark.parametrize("bins", [5, 15])
def test_values_are_those_counted_by_hand_at_the_first_and_last_step(bins, tmp_path):
    data, train = example()
    found = calibration.measure(data, train, NETWORK, bins=bins)
    assert found["step"].tolist() == [0, 20]
    for replica in range(REPLICAS):
        for place, moment in enumerate((0, -1)):
            error, excess, samples = by_hand(data, train["parameters"][moment, replica], bins)
            assert found["calibration_error"][place, replica] == pytest.approx(error)
            assert found["overconfidence"][place, replica] == pytest.approx(excess)
        assert found["bin_samples"][replica].tolist() == samples
    storage.save(tmp_path / "calibration.npz", found, kind=calibration.KIND, digest="d")


def test_larger_outputs_are_overconfident():
    found = calibration.measure(*example((1.0, 1.0)), NETWORK)
    assert found["calibration_error"][-1, 0] < 0.15
    assert found["calibration_error"][-1, 2] > found["calibration_error"][-1, 0]
    assert found["overconfidence"][-1, 2] > 0.05


def test_diverged_networks_have_no_error_and_one_step_is_one_step():
    data, train = example((1.0,))
    train["parameters"][-1, 1, 0] = np.nan
    found = calibration.measure(data, train, NETWORK)
    assert found["step"].tolist() == [0]
    assert np.isnan(found["calibration_error"][0]).tolist() == [False, True, False]
    assert np.isnan(found["overconfidence"][0]).tolist() == [False, True, False]
    assert found["bin_samples"].sum(axis=1).tolist() == [SAMPLES, 0, SAMPLES]


def test_one_output_is_refused():
    data, train = example()
    with pytest.raises(UserError, match="this data set has one output"):
        calibration.measure({"test_x": data["test_x"], "test_y": data["test_y"][:, :1]}, train, NETWORK)
