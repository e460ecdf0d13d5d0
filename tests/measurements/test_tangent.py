import numpy as np
import pytest

from scripts.common import linearization, storage
from scripts.measurements import tangent
from tests.examples import TINY, bending, tiny_data, tiny_run, wave

NETWORKS = {"narrow": [6], "wide": [20, 20]}  # fewer and more parameters than training points


RATE, MSE = 0.02, {"kind": "mse"}


def measured(data, train, network, *, rate=RATE, subspace=10):
    return tangent.measure(data, train, network, {"kind": "sgd", "learning_rate": rate}, MSE, subspace=subspace)


def matrix(train, network, here, x):
    return linearization.jacobian(train["parameters"][here], x, network=network).reshape(-1, train["parameters"].shape[2])


def left_vectors(train, network, step, replica):
    return np.linalg.svd(matrix(train, network, (step, replica), wave()["train_x"]))[0]


@pytest.mark.parametrize("hidden", NETWORKS.values(), ids=NETWORKS)
def test_regression_on_all_features_is_the_pseudo_inverse_solution(hidden, tmp_path):
    network, train = bending(hidden)
    data = wave()
    found = measured(data, train, network, subspace=3)
    for step, replica in [(0, 0), (0, 1), (2, 0), (2, 1)]:
        here = step, replica
        jacobians = {part: matrix(train, network, here, data[f"{part}_x"]) for part in ("train", "test", "grid")}
        start = {part: linearization.predict(train["parameters"][here], data[f"{part}_x"], network=network)[:, 0] for part in jacobians}
        weights = np.linalg.pinv(jacobians["train"], rcond=1e-10) @ (data["train_y"][:, 0] - start["train"])
        for part in ("train", "test"):
            expected = np.mean((start[part] + jacobians[part] @ weights - data[f"{part}_y"][:, 0]) ** 2)
            np.testing.assert_allclose(found[f"tangent_{part}_loss"][here][-1], expected, rtol=1e-6, atol=1e-12)
        if step == 0:
            np.testing.assert_allclose(
                found["tangent_prediction_grid"][replica], start["grid"] + jacobians["grid"] @ weights, rtol=1e-6, atol=1e-7
            )
    assert found["index_tangent_test_loss"].tolist() == ["5", "10", "20", "50", "all"]
    storage.save(tmp_path / "tangent.npz", found, kind=tangent.KIND, digest="d")


@pytest.mark.parametrize("hidden", NETWORKS.values(), ids=NETWORKS)
def test_linearized_descent_is_gradient_descent_on_the_linearization(hidden):
    network, train = bending(hidden)
    train["step"] = np.array([0, 100, 250])
    data = wave()
    found = measured(data, train, network)
    for replica in range(2):
        jacobians = {part: matrix(train, network, (0, replica), data[f"{part}_x"]) for part in ("train", "test", "grid")}
        outputs = {
            part: linearization.predict(train["parameters"][0, replica], data[f"{part}_x"], network=network)[:, 0] for part in jacobians
        }
        for _ in range(250):
            gradient = jacobians["train"].T @ (2 * (outputs["train"] - data["train_y"][:, 0]) / 30)
            outputs = {part: outputs[part] - RATE * jacobians[part] @ gradient for part in outputs}
        for part in ("train", "test"):
            expected = np.mean((outputs[part] - data[f"{part}_y"][:, 0]) ** 2)
            np.testing.assert_allclose(found[f"linearized_{part}_loss"][replica], expected, rtol=1e-9)
        np.testing.assert_allclose(found["linearized_prediction_grid"][replica], outputs["grid"], atol=1e-9)
        assert found["tangent_train_loss"][0, replica, -1] < found["linearized_train_loss"][replica] - 1e-4


@pytest.mark.parametrize(
    ("optimizer", "loss"),
    [
        ({"kind": "adam"}, MSE),
        ({"kind": "sgd", "learning_rate": 0.1, "momentum": 0.5}, MSE),
        ({"kind": "sgd", "learning_rate": 0.1, "momentum": 0.0}, {"kind": "cross_entropy"}),
    ],
)
def test_linearized_descent_does_not_exist_for_other_training(optimizer, loss):
    network, train = bending([6])
    found = tangent.measure(wave(), train, network, optimizer, loss)
    assert not found["exists_linearized_train_loss"].any()
    assert not found["exists_linearized_test_loss"].any()
    assert np.isnan(found["linearized_prediction_grid"]).all()
    assert found["exists_tangent_test_loss"][0, :, -1].all()


def test_linearized_descent_that_grows_without_bound_does_not_exist():
    network, train = bending([6])
    train["step"] = np.array([0, 10, 100_000])
    assert not measured(wave(), train, network, rate=10.0)["exists_linearized_test_loss"].any()


def test_features_alone_are_tried_in_order_and_the_best_number_of_them_is_kept():
    network, train = bending([20, 20])
    data = wave()
    found = measured(data, train, network)
    for here in [(0, 0), (0, 1), (2, 0), (2, 1)]:
        jacobian, test = (matrix(train, network, here, data[key]) for key in ("train_x", "test_x"))
        right = np.linalg.svd(jacobian)[2].T
        losses = []
        for size in range(1, np.linalg.matrix_rank(jacobian, tol=1e-9) + 1):
            weights = np.linalg.lstsq(jacobian @ right[:, :size], data["train_y"], rcond=None)[0]
            losses.append(np.mean((test @ right[:, :size] @ weights - data["test_y"]) ** 2))
        np.testing.assert_allclose(found["feature_test_loss"][here], min(losses), rtol=1e-7)
        assert found["feature_count"][here] == np.argmin(losses) + 1
        assert 1 < found["feature_count"][here] < len(losses)
    assert found["exists_feature_count"].tolist() == found["exists_feature_test_loss"].tolist() == [[True] * 2, [False] * 2, [True] * 2]


def test_shares_of_the_jacobian_by_tensor():
    network, train = bending([6])
    found = measured(wave(), train, network)
    columns = matrix(train, network, (1, 1), wave()["train_x"])
    expected = [np.linalg.norm(columns[:, part]) ** 2 for part in (slice(0, 6), slice(6, 12), slice(12, 18), slice(18, 19))]
    np.testing.assert_allclose(found["jacobian_share"][1, 1], np.array(expected) / np.linalg.norm(columns) ** 2, rtol=1e-12)
    assert found["index_jacobian_share"].tolist() == ["0.weight", "0.bias", "2.weight", "2.bias"]


def test_regression_on_the_first_features_is_least_squares_on_them():
    network, train = bending([20, 20])
    data = wave()
    found = measured(data, train, network)
    here = (2, 1)
    jacobian, test = (matrix(train, network, here, data[key]) for key in ("train_x", "test_x"))
    right = np.linalg.svd(jacobian)[2].T
    start, start_test = (linearization.predict(train["parameters"][here], data[key], network=network) for key in ("train_x", "test_x"))
    for place, size in enumerate([5, 10]):
        weights = np.linalg.lstsq(jacobian @ right[:, :size], data["train_y"] - start, rcond=None)[0]
        residual = start + jacobian @ right[:, :size] @ weights - data["train_y"]
        residual_test = start_test + test @ right[:, :size] @ weights - data["test_y"]
        np.testing.assert_allclose(found["tangent_train_loss"][here][place], np.mean(residual**2), rtol=1e-8)
        np.testing.assert_allclose(found["tangent_test_loss"][here][place], np.mean(residual_test**2), rtol=1e-8)


def test_regressions_are_at_the_first_and_last_step_alone_and_on_as_many_features_as_there_are():
    network, train = bending([20, 20])
    found = measured(wave(), train, network)
    ranks = [[np.linalg.matrix_rank(matrix(train, network, (s, r), wave()["train_x"]), tol=1e-9) for r in range(2)] for s in range(3)]
    assert {rank >= 20 for rank in np.ravel(ranks)} == {True, False}
    assert np.max(ranks) <= 30
    for step, replica in np.ndindex(3, 2):
        has = [size <= ranks[step][replica] for size in (1, 2, 5, 10, 20, 50)]
        assert found["exists_alignment"][step, replica].tolist() == has
        for key in ("exists_tangent_train_loss", "exists_tangent_test_loss"):
            assert found[key][step, replica].tolist() == ([*has[2:], True] if step != 1 else [False] * 5)
    assert (np.diff(found["tangent_train_loss"][0][:, [0, 1, 4]]) < 0).all()


def test_alignment_is_the_share_of_the_projection_by_qr():
    network, train = bending([20, 20])
    data = wave()
    found = measured(data, train, network)
    assert found["index_alignment"].tolist() == [1, 2, 5, 10, 20, 50]
    y = data["train_y"][:, 0]
    for here in np.ndindex(3, 2):
        jacobian = matrix(train, network, here, data["train_x"])
        right = np.linalg.svd(jacobian)[2].T
        for place, size in enumerate([1, 2, 5, 10]):
            basis = np.linalg.qr(jacobian @ right[:, :size])[0]
            np.testing.assert_allclose(found["alignment"][here][place], np.sum((basis @ (basis.T @ y)) ** 2) / np.sum(y**2), rtol=1e-8)


@pytest.mark.parametrize("hidden", NETWORKS.values(), ids=NETWORKS)
def test_alignment_of_the_output_layer_is_that_of_the_outputs_of_the_last_hidden_layer(hidden):
    network, train = bending(hidden)
    data = wave()
    found = measured(data, train, network)
    y = data["train_y"][:, 0]
    for here in np.ndindex(3, 2):
        values, rest = data["train_x"], train["parameters"][here]
        for fan_in, fan_out in zip([1, *hidden], hidden, strict=False):
            weight, bias, rest = np.split(rest, [fan_in * fan_out, (fan_in + 1) * fan_out])
            values = np.maximum(values @ weight.reshape(fan_out, fan_in).T + bias, 0)
        left, singular_values, _ = np.linalg.svd(np.column_stack([values, np.ones(30)]))
        rank = np.sum(singular_values > 1e-10 * singular_values[0])
        assert found["exists_output_alignment"][here].tolist() == [size <= rank for size in (1, 2, 5, 10, 20, 50)]
        shares = [np.sum((left[:, :size].T @ y) ** 2) / np.sum(y**2) for size in (1, 2, 5, 10, 20, 50) if size <= rank]
        np.testing.assert_allclose(found["output_alignment"][here][: len(shares)], shares, rtol=1e-7)


def test_changes_are_those_of_the_jacobian_and_of_its_leading_subspace():
    network, train = bending([20, 20])
    found = measured(wave(), train, network, subspace=4)
    for step, replica in np.ndindex(3, 2):
        first, now = (matrix(train, network, (place, replica), wave()["train_x"]) for place in (0, step))
        np.testing.assert_allclose(found["jacobian_change"][step, replica], np.linalg.norm(now - first) / np.linalg.norm(first), rtol=1e-12)
        cosines = np.linalg.svd(
            left_vectors(train, network, 0, replica)[:, :4].T @ left_vectors(train, network, step, replica)[:, :4], compute_uv=False
        )
        expected = np.sqrt(np.mean(1 - np.minimum(cosines, 1) ** 2))
        np.testing.assert_allclose(found["subspace_change"][step, replica], expected, atol=1e-7)
    assert (found["jacobian_change"][0] == 0).all()
    assert (found["subspace_change"][0] < 1e-14).all()
    assert (found["subspace_change"][1:] > 0.01).all()


def test_change_of_known_spans():
    basis = np.linalg.qr(np.random.default_rng(0).normal(size=(50, 6)))[0]
    turned = basis[:, :3] @ np.linalg.qr(np.random.default_rng(1).normal(size=(3, 3)))[0]
    tilted = np.column_stack([basis[:, 0] * np.cos(1e-9) + basis[:, 4] * np.sin(1e-9), basis[:, 1:3]])
    assert tangent._change(basis[:, :3], turned) < 1e-15
    np.testing.assert_allclose(tangent._change(basis[:, :3], basis[:, 3:]), 1, rtol=1e-12)
    np.testing.assert_allclose(tangent._change(basis[:, :3], basis[:, [0, 1, 5]]), np.sqrt(1 / 3), rtol=1e-12)
    np.testing.assert_allclose(tangent._change(basis[:, :3], tilted), 1e-9 / np.sqrt(3), rtol=1e-5)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([3.0], 1),
        ([2.0] * 7, 7),
        ([2.0, 1.0, 1.0], 2 * np.sqrt(2)),
        ([1.0, 1e-9], 1 + 1e-9 * (1 + 9 * np.log(10))),
    ],
)
def test_effective_rank_of_known_spectra(values, expected):
    np.testing.assert_allclose(tangent._effective_rank(np.array(values)), expected, rtol=1e-12)


def test_effective_rank_is_of_the_singular_values_of_the_jacobian():
    network, train = bending([6])
    values = np.linalg.svd(matrix(train, network, (1, 0), wave()["train_x"]), compute_uv=False)
    shares = values[values > 1e-12] / values.sum()
    expected = np.exp(-np.sum(shares * np.log(shares)))
    np.testing.assert_allclose(measured(wave(), train, network)["effective_rank"][1, 0], expected, rtol=1e-10)


@pytest.mark.parametrize("hidden", NETWORKS.values(), ids=NETWORKS)
@pytest.mark.parametrize("right", [False, True])
def test_factors_make_up_the_matrix_and_are_accurate_far_below_the_largest(hidden, right):
    network, train = bending(hidden)
    jacobian = matrix(train, network, (0, 0), wave()["train_x"])
    factors = tangent._factorize(jacobian, right=right)
    expected = np.linalg.svd(jacobian, compute_uv=False)
    rank = np.sum(expected > 1e-10 * expected[0])
    assert factors.left.shape == (30, rank)
    np.testing.assert_allclose(factors.values, expected[:rank], atol=1e-14 * expected[0])
    np.testing.assert_allclose(factors.left @ (factors.left.T @ jacobian), jacobian, atol=1e-9 * expected[0])
    assert factors.right.shape == (jacobian.shape[1], rank if right else 0)
    if right:
        np.testing.assert_allclose(factors.left * factors.values @ factors.right.T, jacobian, atol=1e-9 * expected[0])
    graded = np.linalg.qr(np.random.default_rng(0).normal(size=(12, 12)))[0] * 10.0 ** -np.arange(12)
    np.testing.assert_allclose(tangent._factorize(graded, right=right).values[:10], 10.0 ** -np.arange(10), rtol=1e-5)


def test_a_subspace_that_the_jacobian_does_not_have_does_not_exist():
    network, train = bending([1])
    found = measured(wave(), train, network, subspace=5)
    assert not found["exists_subspace_change"].any()
    assert found["exists_jacobian_change"].all()


def test_a_replica_that_has_diverged_does_not_exist(tmp_path):
    network, train = bending([6])
    train["parameters"][1, 1, 2] = np.inf
    train["parameters"][2, 1] = np.nan
    found = measured(wave(), train, network, subspace=3)
    for key in ("jacobian_change", "subspace_change", "effective_rank"):
        assert found[f"exists_{key}"].tolist() == [[True, True], [True, False], [True, False]]
        assert np.isnan(found[key][~found[f"exists_{key}"]]).all()
    assert found["exists_alignment"][:, 1, 0].tolist() == [True, False, False]
    assert found["exists_tangent_test_loss"][:, 1, -1].tolist() == [True, False, False]
    storage.save(tmp_path / "tangent.npz", found, kind=tangent.KIND, digest="d")


def test_several_inputs_and_outputs_are_rows_of_one_matrix(tmp_path):
    train, data = tiny_run(), tiny_data()
    found = measured(data, train, TINY)
    jacobian, test = (matrix(train, TINY, (1, 2), data[key]) for key in ("train_x", "test_x"))
    start, start_test = (linearization.predict(train["parameters"][1, 2], data[key], network=TINY).ravel() for key in ("train_x", "test_x"))
    weights = np.linalg.pinv(jacobian, rcond=1e-10) @ (data["train_y"].ravel() - start)
    expected = np.mean((start_test + test @ weights - data["test_y"].ravel()) ** 2)
    np.testing.assert_allclose(found["tangent_test_loss"][1, 2, -1], expected, rtol=1e-7)
    storage.save(tmp_path / "tangent.npz", found, kind=tangent.KIND, digest="d")


def test_same_input_gives_the_same_bytes():
    network, train = bending([20, 20])
    first, second = (measured(wave(), train, network) for _ in range(2))
    assert {key: array.tobytes() for key, array in first.items()} == {key: array.tobytes() for key, array in second.items()}
