from typing import Any

import numpy as np
import pytest

from scripts.common import infinite_width, linearization, storage
from scripts.common.errors import UserError
from scripts.measurements.kernel import KIND, measure
from tests.measurements.descent import NETWORK, descended, gram_of, points


def measured(outputs: int = 1, **options: Any) -> storage.Arrays:
    train = descended(outputs)
    return measure(train, gram_of(train, outputs), NETWORK, points(outputs), **options)


@pytest.mark.parametrize("outputs", [1, 2])
def test_the_kernel_is_followed(outputs: int) -> None:
    train, data, found = descended(outputs), points(outputs), measured(outputs)
    infinite = np.kron(infinite_width.of_network(NETWORK, data["train_x"]), np.eye(outputs))
    y = data["train_y"]
    centering = np.kron(np.eye(len(y)) - 1 / len(y), np.eye(outputs))
    target = centering @ y.ravel()
    for replica in range(2):
        jacobians = [
            linearization.jacobian(saved[replica], data["train_x"], network=NETWORK).reshape(y.size, -1) for saved in train["parameters"]
        ]
        kernels = [jacobian @ jacobian.T for jacobian in jacobians]
        for step, kernel in enumerate(kernels):
            here = step, replica
            values = np.linalg.svd(jacobians[step], compute_uv=False) ** 2
            np.testing.assert_allclose(found["ntk_eigenvalue"][here], values[:20], rtol=1e-9, atol=1e-9)
            change = np.linalg.norm(kernel - kernels[0]) / np.linalg.norm(kernels[0])
            assert found["kernel_change"][here] == pytest.approx(change, abs=1e-14)
            distance = np.linalg.norm(kernel - infinite) / np.linalg.norm(infinite)
            assert found["kernel_distance"][here] == pytest.approx(distance)
            centered = centering @ kernel @ centering
            alignment = np.sum(centered * np.outer(target, target)) / np.linalg.norm(centered) / np.linalg.norm(np.outer(target, target))
            assert found["kernel_alignment"][here] == pytest.approx(alignment)
    np.testing.assert_allclose(found["infinite_eigenvalue"][1], np.sort(np.linalg.eigvalsh(infinite))[::-1][:20], rtol=1e-9)
    assert found["kernel_change"][-1].min() > 0.001


def test_alignment_is_1_for_the_target_itself_and_does_not_see_a_constant() -> None:
    train, data = descended(1), points(1)
    kernels = gram_of(train, 1)
    y = data["train_y"]
    kernels["gram"][:] = 3 * y @ y.T + 7
    np.testing.assert_allclose(measure(train, kernels, NETWORK, data)["kernel_alignment"], 1)


def test_of_a_replica_that_diverged_nothing_exists_afterwards() -> None:
    train = descended(1)
    kernels = gram_of(train, 1)
    train["diverged_at"][1] = 3
    train["parameters"][-1, 1] = np.nan
    kernels["gram"][-1, 1] = np.nan
    found = measure(train, kernels, NETWORK, points(1))
    for quantity in ("ntk_eigenvalue", "kernel_change", "kernel_distance", "kernel_alignment"):
        assert found[f"exists_{quantity}"].tolist() == [[True, True], [True, False], [True, False]]
        assert np.isfinite(found[quantity][found[f"exists_{quantity}"]]).all()


def test_a_network_without_an_infinite_limit() -> None:
    train = descended(1)
    with pytest.raises(UserError, match="that of ReLU in the NTK parametrization"):
        measure(train, gram_of(train, 1), {**NETWORK, "activation": "tanh"}, points(1))


def test_the_arrays_are_a_file_of_their_kind(tmp_path: Any) -> None:
    found = measured(eigenvalues=5)
    storage.save(tmp_path / "one.npz", found, kind=KIND, digest="d")
    assert found["ntk_eigenvalue"].shape == (3, 2, 5)
