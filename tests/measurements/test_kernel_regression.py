from typing import Any

import numpy as np
import pytest

from scripts.common import infinite_width, linearization, storage
from scripts.common.errors import UserError
from scripts.measurements.kernel_regression import KIND, measure
from tests.measurements.descent import BATCHES, LOSS, NETWORK, OPTIMIZER, RATE, STEPS, descended, points


def measured(outputs: int = 1, train: Any = None, **changed: Any) -> storage.Arrays:
    settings = {"network": NETWORK, "optimizer": OPTIMIZER, "batches": BATCHES, "loss_function": LOSS}
    return measure(points(outputs), train or descended(outputs), **settings | changed)


def iterated(begin: Any, kernel: Any, y: Any, rate: float, steps: int) -> Any:
    """Predictions of gradient descent with a kernel between all points (Q + ..., Q), training points first, one step after another."""
    now = begin.copy()
    for _ in range(steps):
        now = now - 2 * rate / y.size * kernel @ (now[: y.size] - y)
    return now


@pytest.mark.parametrize("outputs", [1, 2])
@pytest.mark.parametrize("name", ["infinite", "linearized"])
def test_predictions_are_those_of_gradient_descent_step_by_step(outputs: int, name: str) -> None:
    data, train, found = points(outputs), descended(outputs), measured(outputs)
    gap, loss = {
        "infinite": ("kernel_prediction_gap", "infinite_test_loss"),
        "linearized": ("linearized_prediction_gap", "linearized_test_loss_at"),
    }[name]
    everywhere = np.concatenate([data[f"{part}_x"] for part in ("train", "test", "grid")])
    y, size = data["train_y"].ravel(), data["train_y"].size
    for replica in range(2):
        start = train["parameters"][0, replica]
        if name == "infinite":
            kernel = np.kron(infinite_width.of_network(NETWORK, everywhere, data["train_x"]), np.eye(outputs))
        else:
            jacobian = linearization.jacobian(start, everywhere, network=NETWORK).reshape(len(everywhere) * outputs, -1)
            kernel = jacobian @ jacobian[:size].T
        begin = linearization.predict(start, everywhere, network=NETWORK).ravel()
        for place, steps in enumerate(STEPS):
            predicted = iterated(begin, kernel, y, RATE, steps)[size:].reshape(-1, outputs)
            test, grid = predicted[: len(data["test_x"])], predicted[len(data["test_x"]) :]
            np.testing.assert_allclose(found[f"{name}_prediction_grid"][place, replica], grid[:, 0], rtol=1e-9, atol=1e-9)
            network = linearization.predict(train["parameters"][place, replica], data["test_x"], network=NETWORK)
            assert found[gap][place, replica] == pytest.approx(np.sqrt(np.mean((network - test) ** 2)), abs=1e-9)
            assert found[loss][place, replica] == pytest.approx(np.mean((test - data["test_y"]) ** 2))
    assert np.ptp(found[loss], axis=0).min() > 1e-4


def test_at_initialization_all_predict_what_the_network_does() -> None:
    found = measured()
    np.testing.assert_allclose(found["kernel_prediction_gap"][0], 0, atol=1e-13)
    np.testing.assert_allclose(found["linearized_prediction_gap"][0], 0, atol=1e-13)


def test_with_a_large_output_scale_the_network_follows_its_linearization() -> None:
    """Of networks that are 0 at initialization; the gap falls no faster than the root of the scale, since kinks move with parameters."""
    drawn = np.random.default_rng(3).standard_normal((2, 30, 4))
    weight, bias, output = drawn[:, :, :2], drawn[:, :, 2], drawn[:, :, 3]
    twice = [np.concatenate(halves, axis=1).reshape(2, -1) for halves in ((weight, weight), (bias, bias), (output, -output))]
    start = np.concatenate([*twice, np.zeros((2, 1))], axis=1)
    gaps = []
    for scale in (1.0, 1e4):
        network, rate = {**NETWORK, "hidden": [60], "output_scale": scale}, 0.2 / scale**2
        train = descended(1, network=network, rate=rate, start=start)
        found = measured(1, train, network=network, optimizer={"kind": "sgd", "learning_rate": rate})
        assert (found["linearized_test_loss_at"][-1] < 0.7 * found["linearized_test_loss_at"][0]).all()
        gaps.append(found["linearized_prediction_gap"][-1])
    assert (gaps[1] < 0.05 * gaps[0]).all()


def test_a_rate_that_is_too_large_makes_predictions_grow_without_a_warning() -> None:
    found = measured(optimizer={"kind": "sgd", "learning_rate": 50.0})
    assert (found["infinite_test_loss"][2] > 1e6 * found["infinite_test_loss"][0]).all()
    values = iterated_growth()
    np.testing.assert_allclose(found["linearized_prediction_grid"][1, 0], values, rtol=1e-6)


def iterated_growth() -> Any:
    data, start = points(1), descended(1)["parameters"][0, 0]
    everywhere = np.concatenate([data["train_x"], data["grid_x"]])
    jacobian = linearization.jacobian(start, everywhere, network=NETWORK)[:, 0]
    begin = linearization.predict(start, everywhere, network=NETWORK)[:, 0]
    size = len(data["train_x"])
    return iterated(begin, jacobian @ jacobian[:size].T, data["train_y"][:, 0], 50.0, STEPS[1])[size:]


def test_of_a_replica_that_diverged_nothing_exists_afterwards() -> None:
    train = descended(1)
    train["diverged_at"][1] = 3
    train["parameters"][-1, 1] = np.nan
    found = measured(1, train)
    for quantity in (key for key, array in KIND.arrays.items() if array.quantity):
        assert found[f"exists_{quantity}"].tolist() == [[True, True], [True, False], [True, False]]


@pytest.mark.parametrize(
    "changed",
    [
        {"optimizer": {"kind": "adam"}},
        {"optimizer": {"kind": "sgd", "learning_rate": 0.1, "momentum": 0.9}},
        {"batches": {"kind": "permutations", "size": 5, "seed": 0}},
        {"loss_function": {"kind": "cross_entropy"}},
        {"network": {**NETWORK, "parametrization": "standard"}},
    ],
    ids=["adam", "momentum", "batches", "loss", "parametrization"],
)
def test_another_training_has_no_such_prediction(changed: dict[str, Any]) -> None:
    with pytest.raises(UserError, match=r"kernel regression is compared with training by 'sgd'|that of ReLU in the NTK"):
        measured(**changed)


def test_the_arrays_are_a_file_of_their_kind(tmp_path: Any) -> None:
    storage.save(tmp_path / "one.npz", measured(), kind=KIND, digest="d")
