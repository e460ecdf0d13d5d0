import numpy as np
import pytest

from scripts.common import linearization, storage
from scripts.common.errors import UserError
from scripts.measurements import exact_output
from tests.examples import bending, tiny_data, wave

RATE = 0.3
NETWORKS = {"one layer": [6], "two layers": [7, 5], "more features than points": [40]}


def hidden_features(parameters, x, hidden):
    """The outputs of the last hidden layer and 1, (N, K), layer by layer."""
    values, rest = x, parameters
    for fan_in, fan_out in zip([x.shape[1], *hidden], hidden, strict=False):
        weight, bias, rest = np.split(rest, [fan_in * fan_out, (fan_in + 1) * fan_out])
        values = np.maximum(values @ weight.reshape(fan_out, fan_in).T + bias, 0)
    return np.column_stack([values, np.ones(len(x))])


def descended(hidden, *, steps=(0, 1, 5, 40, 300), rate=RATE, replicas=2):
    """A run in which full-batch gradient descent on the output layer alone has been simulated, sample by sample."""
    network, train = bending(hidden, moments=1, replicas=replicas)
    data = wave()
    outputs = hidden[-1] + 1
    initial = train["parameters"][0]
    saved = []
    moving = initial[:, -outputs:].copy()
    for step in range(max(steps) + 1):
        if step in steps:
            saved.append(np.column_stack([initial[:, :-outputs], moving]))
        for replica, weights in enumerate(moving):
            features = hidden_features(initial[replica], data["train_x"], hidden)
            gradient = sum(2 * (row @ weights - y) * row for row, y in zip(features, data["train_y"][:, 0], strict=True)) / len(features)
            weights -= rate * gradient
    return network, train | {"step": np.array(steps), "parameters": np.array(saved)}


def measured(network, train, *, rate=RATE, data=None):
    return exact_output.measure(data or wave(), train, network, {"kind": "sgd", "learning_rate": rate, "momentum": 0.0})


@pytest.mark.parametrize("hidden", NETWORKS.values(), ids=NETWORKS)
def test_the_exact_output_layer_is_that_of_lstsq(hidden, tmp_path):
    network, train = bending(hidden, moments=1)
    data = wave()
    found = measured(network, train)
    for replica in range(2):
        features = {part: hidden_features(train["parameters"][0, replica], data[f"{part}_x"], hidden) for part in ("train", "test", "grid")}
        weights, _, rank, values = np.linalg.lstsq(features["train"], data["train_y"], rcond=1e-10)
        for part in ("train", "test"):
            expected = np.mean((features[part] @ weights - data[f"{part}_y"]) ** 2)
            np.testing.assert_allclose(found[f"exact_{part}_loss"][replica], expected, rtol=1e-7, atol=1e-14)
        np.testing.assert_allclose(found["prediction_grid_exact"][replica], (features["grid"] @ weights)[:, 0], rtol=1e-7, atol=1e-9)
        np.testing.assert_allclose(found["hidden_singular_value"][replica, :rank], values[:rank], rtol=1e-5)
        assert found["exists_hidden_singular_value"][replica].sum() == rank
    storage.save(tmp_path / "exact_output.npz", found, kind=exact_output.KIND, digest="d")


@pytest.mark.parametrize("hidden", NETWORKS.values(), ids=NETWORKS)
def test_gap_is_predicted_for_gradient_descent_on_all_samples(hidden, tmp_path):
    rate = RATE / max(1, hidden[-1] / 10)
    network, train = descended(hidden, rate=rate)
    found = measured(network, train, rate=rate)
    assert (np.diff(found["output_gap"], axis=0) < 0).all()
    np.testing.assert_allclose(found["output_gap"], found["output_gap_predicted"], rtol=1e-9)
    storage.save(tmp_path / "exact_output.npz", found, kind=exact_output.KIND, digest="d")


def test_gap_is_the_train_loss_less_the_exact_one():
    network, train = descended([7, 5])
    found = measured(network, train)
    for step, replica in np.ndindex(5, 2):
        residual = linearization.predict(train["parameters"][step, replica], wave()["train_x"], network=network) - wave()["train_y"]
        np.testing.assert_allclose(found["output_gap"][step, replica], np.mean(residual**2) - found["exact_train_loss"][replica], rtol=1e-9)


def test_slow_directions_are_those_of_which_more_than_1_of_e_is_left():
    network, train = descended([7, 5], replicas=6)
    found = measured(network, train)
    left = [np.prod([1 - 2 * RATE * found["hidden_singular_value"] ** 2 / 30] * steps, axis=0) for steps in (300, 600)]
    expected = [(shares > 1 / np.e).sum(axis=1).tolist() for shares in left]
    assert found["slow_directions"].tolist() == expected[0] != expected[1]
    assert 0 < min(expected[0]) <= max(expected[0]) < 6


def test_a_run_that_grows_without_bound_is_not_finite():
    network, train = descended([6], rate=5.0)
    found = measured(network, train, rate=5.0)
    assert found["output_gap"][-1].min() > 1e100
    np.testing.assert_allclose(found["output_gap"][:4], found["output_gap_predicted"][:4], rtol=1e-7)
    train["parameters"][-1, 0, -1] = np.inf
    found = measured(network, train, rate=1e9)
    assert not np.isfinite(found["output_gap"][-1, 0])
    assert np.isinf(found["output_gap_predicted"][-1]).all()
    assert np.isfinite(found["exact_test_loss"]).all()


def test_several_inputs_and_outputs_share_the_features(tmp_path):
    generator = np.random.default_rng(0)
    data, network = tiny_data(), {"kind": "perceptron", "hidden": [5, 4], "activation": "relu"}
    initial = generator.normal(size=(1, 54))
    names = np.array(["0.weight", "0.bias", "2.weight", "2.bias", "4.weight", "4.bias"])
    moved = initial.copy()
    features = hidden_features(initial[0, :39], data["train_x"], [5, 4])
    moved[0, 39:51] = (generator.normal(size=(3, 4))).ravel()
    train = {"step": np.array([0, 3]), "parameters": np.stack([initial, moved]), "parameter_name": names}
    found = measured(network, train, data=data)
    weights = np.linalg.lstsq(features, data["train_y"], rcond=1e-10)[0]
    np.testing.assert_allclose(found["exact_train_loss"], np.mean((features @ weights - data["train_y"]) ** 2), rtol=1e-9)
    output = np.column_stack([moved[0, 39:51].reshape(3, 4), moved[0, 51:]])
    expected = np.mean((features @ output.T - data["train_y"]) ** 2) - found["exact_train_loss"][0]
    np.testing.assert_allclose(found["output_gap"][1, 0], expected, rtol=1e-9)
    storage.save(tmp_path / "exact_output.npz", found, kind=exact_output.KIND, digest="d")


def test_variants_that_train_otherwise_are_refused():
    network, train = descended([6], steps=(0, 1))
    with pytest.raises(UserError, match="sgd without momentum"):
        exact_output.measure(wave(), train, network, {"kind": "adam"})
    with pytest.raises(UserError, match="sgd without momentum"):
        exact_output.measure(wave(), train, network, {"kind": "sgd", "learning_rate": 0.1, "momentum": 0.9})
    train["parameters"][1, 1, 3] += 1e-6
    with pytest.raises(UserError, match="trained: output_layer"):
        measured(network, train)
