from functools import cache
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import nn

from scripts.common import linearization, storage
from scripts.common.training import train
from scripts.jacobian import jacobian
from scripts.measurements import spectrum
from tests import oracle
from tests.examples import SHALLOW, SOURCE, TINY, bending, sines, source_run, source_settings, tiny_data, tiny_run, wave


def few(run, replicas=3):
    """The same run with the first replicas alone."""
    axes = {"parameters": 1, "diverged_at": 0}
    return {key: array.take(range(replicas), axes[key]) if key in axes else array for key, array in run.items()}


def measured(variant, run, data=None):
    network, points = SOURCE[variant][0], sines()["train_x"]
    stored = {"step": run["step"], "jacobian": jacobian(run, points, network=network, replica=0)}
    if data is not None:
        stored["jacobian_own_points"] = jacobian(run, data["train_x"], network=network, replica=0)
    return spectrum.measure(data or sines(), run, stored, network, sines(), features=10)


@cache
def source_spectrum(variant):
    return measured(variant, few(source_run(variant)))


@pytest.mark.slow
@pytest.mark.parametrize("variant", SOURCE)
def test_singular_values_of_replica_0_are_those_of_the_source_at_initialization(variant, tmp_path):
    found = source_spectrum(variant)
    matrix = oracle.linearization(oracle.build(variant).double(), oracle.training_data()[0])
    expected = np.linalg.svd(matrix, compute_uv=False)
    ours = found["singular_value"][0, 0]
    np.testing.assert_allclose(ours, expected, rtol=0, atol=1e-10 * expected[0])
    resolved = expected > 1e-6 * expected[0]
    np.testing.assert_allclose(ours[resolved], expected[resolved], rtol=1e-6)
    storage.save(tmp_path / "spectrum.npz", found, kind=spectrum.KIND, digest="d")


@pytest.mark.parametrize("variant", ["deep_small", "deep_large", "deep_he"])
def test_a_deep_network_with_zero_biases_has_rank_4_at_initialization(variant):
    assert (source_spectrum(variant)["rank"][0] == 4).all()


@pytest.mark.parametrize(("variant", "step", "replica"), [("deep_he", 1, 0), ("deep_he", 1, 2), ("deep_small", 1, 1), ("shallow", 0, 1)])
def test_invariants(variant, step, replica):
    found, run = source_spectrum(variant), source_run(variant)
    network, parameters = SOURCE[variant][0], run["parameters"][step, replica]
    matrix, grid = (linearization.jacobian(parameters, sines()[key], network=network)[:, 0] for key in ("train_x", "grid_x"))
    values, features, right = (found[key][step, replica] for key in ("singular_value", "feature", "right_vector"))
    assert values.shape == (min(matrix.shape),)
    assert (np.diff(values) <= 0).all()
    assert values[-1] >= 0
    np.testing.assert_allclose(np.sum(values**2), np.sum(matrix**2), rtol=1e-12)
    np.testing.assert_allclose(features, matrix @ right, atol=1e-10 * values[0])
    np.testing.assert_allclose(found["feature_grid"][step, replica], grid @ right, atol=1e-10 * values[0])
    np.testing.assert_allclose(right.T @ right, np.eye(10), atol=1e-8)
    np.testing.assert_allclose(np.linalg.norm(features, axis=0), values[:10], atol=1e-10 * values[0])
    assert found["rank"][step, replica] == np.linalg.matrix_rank(matrix, tol=1e-10 * values[0])
    assert found["error_bound"][step, replica] < 1e-11 * values[0]


@pytest.mark.parametrize("hidden", [[6], [9, 9]])
def test_features_on_the_grid_are_those_of_a_jacobian_by_autograd_there(hidden):
    (network, run), data = bending(hidden), wave()
    stored = {"step": run["step"], "jacobian": jacobian(run, data["train_x"], network=network, replica=0)}
    found = spectrum.measure(data, run, stored, network, data, features=4)
    widths = list(pairwise([1, *hidden, 1]))
    model = nn.Sequential(*[part for sizes in widths for part in (nn.Linear(*sizes), nn.ReLU())][:-1]).double()
    for here in [(0, 0), (0, 1), (1, 0), (2, 0), (2, 1)]:
        nn.utils.vector_to_parameters(torch.as_tensor(run["parameters"][here]), model.parameters())
        on_points, on_grid = (oracle.linearization(model, data[key][:, 0]) for key in ("train_x", "grid_x"))
        left, values, right = np.linalg.svd(on_points)
        sign = np.sign(np.sum(found["feature"][here] * left[:, :4], axis=0))
        tolerance = 1e-6 * values[0]
        np.testing.assert_allclose(found["feature"][here], sign * left[:, :4] * values[:4], atol=tolerance)
        np.testing.assert_allclose(on_points @ found["right_vector"][here], found["feature"][here], atol=tolerance)
        np.testing.assert_allclose(found["feature_grid"][here], sign * (on_grid @ right[:4].T), atol=tolerance)


def test_variation_is_0_for_a_constant_feature_and_1_for_one_of_mean_0():
    assert spectrum._variation(np.full(5, -3.0)) == 0
    assert spectrum._variation(np.array([1.0, -1.0, 2.0, -2.0])) == 1
    assert source_spectrum("deep_small")["feature_variation"][1].max() < 1e-3
    assert source_spectrum("deep_he")["feature_variation"][1, 0] > 0.1


def test_a_network_that_has_diverged_has_no_spectrum():
    found = source_spectrum("deep_large")
    assert found["available"].tolist() == [[True] * 3, [False] * 3]
    for key in ("exists_singular_value", "exists_rank", "exists_feature_variation"):
        np.testing.assert_array_equal(found[key], found["available"])
    assert np.isnan(found["singular_value"][1]).all()
    assert np.isnan(found["feature_grid"][1]).all()


def test_at_steps_between_the_first_and_the_last_only_replica_0_has_a_spectrum():
    run = train(sines(), **source_settings("shallow", replicas=3, steps=30, save_every=10))
    found = measured("shallow", run)
    assert found["step"].tolist() == [0, 10, 20, 30]
    assert found["available"].tolist() == [[True] * 3, [True, False, False], [True, False, False], [True] * 3]
    assert not np.array_equal(found["singular_value"][0, 0], found["singular_value"][1, 0])


def test_a_network_trained_on_other_points_has_their_singular_values_too(tmp_path):
    shifted = sines(50, 0.4)
    run = train(shifted, **source_settings("shallow", replicas=2, steps=20))
    found = measured("shallow", run, shifted)
    for replica in (0, 1):
        for key, data in {"singular_value": sines(), "singular_value_own_points": shifted}.items():
            matrix = linearization.jacobian(run["parameters"][1, replica], data["train_x"], network=SHALLOW)[:, 0]
            expected = np.linalg.svd(matrix, compute_uv=False)
            np.testing.assert_allclose(found[key][1, replica], expected, atol=1e-10 * expected[0])
    storage.save(tmp_path / "spectrum.npz", found, kind=spectrum.KIND, digest="d")
    assert "singular_value_own_points" not in source_spectrum("shallow")


def test_stored_jacobian_is_what_replica_0_is_read_from():
    run = few(source_run("shallow"), 2)
    stored = {"step": run["step"], "jacobian": 2 * jacobian(run, sines()["train_x"], network=SHALLOW, replica=0)}
    found = spectrum.measure(sines(), run, stored, SHALLOW, sines())
    plain = source_spectrum("shallow")
    np.testing.assert_allclose(found["singular_value"][:, 0], 2 * plain["singular_value"][:, 0], atol=1e-9)
    np.testing.assert_array_equal(found["singular_value"][:, 1], plain["singular_value"][:, 1])


def test_several_outputs_are_rows_of_one_matrix(tmp_path):
    run, data = tiny_run(), tiny_data()
    stored = {"step": run["step"], "jacobian": jacobian(run, data["train_x"], network=TINY, replica=0)}
    found = spectrum.measure(data, run, stored, TINY, data, features=4)
    expected = np.linalg.svd(stored["jacobian"][1].reshape(90, -1), compute_uv=False)
    np.testing.assert_allclose(found["singular_value"][1, 0], expected, atol=1e-12)
    storage.save(tmp_path / "spectrum.npz", found, kind=spectrum.KIND, digest="d")


def test_same_input_gives_the_same_bytes():
    first, second = (measured("deep_he", few(source_run("deep_he"), 2)) for _ in range(2))
    assert {key: array.tobytes() for key, array in first.items()} == {key: array.tobytes() for key, array in second.items()}
