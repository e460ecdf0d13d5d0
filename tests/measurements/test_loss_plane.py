"""Losses on the plane and on lines, each against one network at a time in float64."""

import numpy as np
import pytest
from sklearn.decomposition import PCA

from scripts.common import forward_pass, networks, storage
from scripts.measurements import loss_plane
from scripts.measurements.loss_plane import measure

NETWORK = {"kind": "convolutional", "channels": [2, 3], "kernel": 3, "activation": "relu"}
LOSS = {"kind": "cross_entropy"}
REPLICAS, SAVED = 3, 9


def example(network=NETWORK):
    generator = np.random.default_rng(0)
    data = {}
    for part, count in (("train", 70), ("test", 9)):
        data[f"{part}_x"] = generator.random((count, 64))
        data[f"{part}_y"] = np.eye(4)[generator.integers(4, size=count)]
    shapes = networks.shapes(network, inputs=64, outputs=4)
    count = sum(int(np.prod(shape)) for shape in shapes.values())
    steps = generator.standard_normal((SAVED, REPLICAS, count)) * 0.3 * np.geomspace(1, 0.05, SAVED)[:, None, None]
    train = {
        "step": np.arange(SAVED) * 5,
        "parameters": steps.cumsum(axis=0).astype(np.float32),
        "diverged_at": np.full(REPLICAS, -1),
    }
    return data, train


def loss_of(parameters, data, part, network=NETWORK):
    prediction = forward_pass.predict_all(parameters[None], data[f"{part}_x"], network=network, outputs=4)[0]
    odds = np.exp(prediction - prediction.max(axis=1, keepdims=True))
    return float(-np.mean(np.log((odds / odds.sum(axis=1, keepdims=True))[data[f"{part}_y"] == 1])))


@pytest.mark.parametrize("network", [NETWORK, {"kind": "perceptron", "hidden": [5], "activation": "tanh"}], ids=lambda one: one["kind"])
def test_the_plane_is_that_of_the_first_two_components_through_the_end(network):
    data, train = example(network)
    found = measure(data, train, network, LOSS, grid=5, margin=0.5, moments=3, points=2)
    points = train["parameters"][:, 0].astype(np.float64)
    library = PCA(2, svd_solver="full").fit(points)
    first, second = library.components_
    expected = (points - points[-1]) @ library.components_.T
    sign = np.sign(np.sum(found["plane_path"] * expected, axis=0))
    np.testing.assert_allclose(found["plane_path"], expected * sign, atol=1e-8)
    assert found["plane_path"][-1].tolist() == [0, 0]
    for g, h in ((0, 0), (4, 1), (2, 3)):
        place = points[-1] + sign[0] * found["plane_first"][g] * first + sign[1] * found["plane_second"][h] * second
        assert found["plane_test_loss"][h, g] == pytest.approx(loss_of(place, data, "test", network), rel=1e-5)
    off = points - points[-1] - expected @ library.components_
    np.testing.assert_allclose(found["plane_distance"], np.linalg.norm(off, axis=1), atol=1e-8)
    for axis, grid in enumerate(("plane_first", "plane_second")):
        path = found["plane_path"][:, axis]
        room = 0.5 * (path.max() - path.min())
        assert (found[grid][0], found[grid][-1]) == pytest.approx((path.min() - room, path.max() + room))


def test_barriers_are_what_the_loss_rises_by_on_the_line_to_the_end():
    data, train = example()
    found = measure(data, train, NETWORK, LOSS, grid=2, moments=4, points=3)
    chosen = np.searchsorted(train["step"], found["step"])
    assert (found["step"][0], found["step"][-1], len(chosen)) == (0, 40, 4)
    for place, at in enumerate(chosen):
        for replica in range(REPLICAS):
            start, end = (train["parameters"][when, replica].astype(np.float64) for when in (at, -1))
            losses = [loss_of(start + share * (end - start), data, "train") for share in (0, 1 / 3, 2 / 3, 1)]
            assert found["barrier"][place, replica] == pytest.approx(max(losses) - max(losses[0], losses[-1]), abs=1e-6)
            straight = losses[0] + np.array([0, 1 / 3, 2 / 3, 1]) * (losses[-1] - losses[0])
            assert found["line_bend"][place, replica] == pytest.approx((losses - straight).max(), abs=1e-6)
    assert (found["barrier"][-1] == 0).all()
    for early, settled in ((0.0, slice(None)), (0.5, found["step"] >= 20)):
        bends = measure(data, train, NETWORK, LOSS, grid=2, moments=4, points=3, early=early)["settled_bend"]
        np.testing.assert_allclose(bends, found["line_bend"][settled].max(axis=0))


def test_a_barrier_between_two_equal_networks_whose_units_are_in_another_order():
    """Both predict the same, and are right; what lies between them is not."""
    network = {"kind": "perceptron", "hidden": [5], "activation": "tanh"}
    data, train = example(network)
    shapes = networks.shapes(network, inputs=64, outputs=4)
    start = np.random.default_rng(3).standard_normal(train["parameters"].shape[2])
    tensors, begin = [], 0
    for shape in shapes.values():
        tensors.append(start[begin : begin + np.prod(shape)].reshape(shape))
        begin += np.prod(shape)
    order = [1, 2, 3, 4, 0]
    end = np.concatenate([tensors[0][order].ravel(), tensors[1][order], tensors[2][:, order].ravel(), tensors[3]])
    train["parameters"][0], train["parameters"][-1] = start, end
    data["train_y"] = np.eye(4)[forward_pass.predict_all(start[None], data["train_x"], network=network, outputs=4)[0].argmax(axis=1)]
    found = measure(data, train, network, LOSS, grid=2, moments=2, points=8)
    ends = [loss_of(parameters, data, "train", network) for parameters in (start, end)]
    assert ends[0] == pytest.approx(ends[1])
    middle = loss_of((start + end) / 2, data, "train", network)
    assert middle - ends[0] > 0.1
    assert found["barrier"][0, 0] >= middle - ends[0] - 1e-5
    assert found["line_bend"][0, 0] == pytest.approx(found["barrier"][0, 0], abs=1e-5)


def test_of_a_replica_that_diverged_there_is_nothing():
    data, train = example()
    whole = measure(data, train, NETWORK, LOSS, grid=3, moments=3, points=2)
    train["parameters"][4:, 1] = np.nan
    train["diverged_at"][1] = 20
    found = measure(data, train, NETWORK, LOSS, grid=3, moments=3, points=2)
    assert found["exists_barrier"].tolist() == [[True, False, True]] * 3
    np.testing.assert_array_equal(found["barrier"][:, [0, 2]], whole["barrier"][:, [0, 2]])
    np.testing.assert_array_equal(found["plane_test_loss"], whole["plane_test_loss"])
    train["parameters"][4:, 0] = np.inf
    train["diverged_at"][0] = 20
    found = measure(data, train, NETWORK, LOSS, grid=3, moments=3, points=2)
    assert np.isnan(found["plane_test_loss"]).all()
    assert found["plane_test_loss"].shape == (3, 3)


@pytest.mark.parametrize("saved", [2, 3])
def test_what_is_measured_is_a_file_of_its_kind(saved, tmp_path):
    data, train = example()
    train = train | {"step": train["step"][:saved], "parameters": train["parameters"][:saved]}
    found = measure(data, train, NETWORK, LOSS, grid=3, moments=4, points=2)
    storage.save(tmp_path / "plane.npz", found, kind=loss_plane.KIND, digest="d")
    assert storage.quantities(tmp_path / "plane.npz") == {"barrier": "S R", "line_bend": "S R", "settled_bend": "R"}
