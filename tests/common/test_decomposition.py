import numpy as np
import pytest

from scripts.common.decomposition import decompose, numerical_rank


def orthonormal(generator, rows, columns):
    return np.linalg.qr(generator.normal(size=(rows, columns)))[0]


def with_spectrum(values, rows, columns, seed=0):
    """A matrix of the given singular values."""
    generator = np.random.default_rng(seed)
    return orthonormal(generator, rows, len(values)) * values @ orthonormal(generator, columns, len(values)).T


def with_zero_columns(matrix, columns):
    out = np.zeros((matrix.shape[0], columns))
    out[:, :: columns // matrix.shape[1]][:, : matrix.shape[1]] = matrix
    return out


CASES = {
    "gap": (with_spectrum(np.geomspace(10, 1e-3, 20), 150, 90), "basis"),
    "fading out": (with_spectrum(10.0 ** -np.arange(0, 20, 0.5), 150, 90), "basis"),
    "fading out slowly": (with_spectrum(10.0 ** -np.arange(0, 12, 0.3), 120, 90), "basis"),
    "of rank 1": (with_spectrum(np.array([3.0]), 50, 40), "basis"),
    "with zero columns": (with_zero_columns(with_spectrum(np.geomspace(1, 1e-4, 8), 60, 30), 90), "basis"),
    "wide": (with_spectrum(np.geomspace(1, 1e-6, 10), 40, 130), "basis"),
    "a cluster": (with_spectrum(np.r_[5.0, [2.0] * 6, 1.0], 80, 60), "basis"),
    "full rank": (np.random.default_rng(0).normal(size=(60, 40)), "full"),
    "full rank and wide": (np.random.default_rng(0).normal(size=(40, 60)), "full"),
    "one column": (np.arange(5.0)[:, None], "full"),
    "one entry": (np.array([[-2.0]]), "full"),
    "zero": (np.zeros((6, 4)), "basis"),
    "huge": (with_spectrum(np.geomspace(1e200, 1e194, 10), 60, 40), "basis"),
    "tiny": (with_spectrum(np.geomspace(1e-200, 1e-206, 10), 60, 40), "basis"),
}
cases = pytest.mark.parametrize(("matrix", "method"), CASES.values(), ids=CASES.keys())


@cases
def test_singular_values_are_those_of_lapack_within_the_stated_bound(matrix, method):
    found = decompose(matrix, vectors=3)
    expected = np.linalg.svd(matrix, compute_uv=False)
    assert found.method == method
    assert found.singular_values.shape == expected.shape
    np.testing.assert_array_less(np.abs(found.singular_values - expected), found.error_bound + 1e-300)
    assert found.error_bound <= 1e-11 * expected[0]
    resolved = expected > 1e-10 * expected[0]
    np.testing.assert_allclose(found.singular_values[resolved], expected[resolved], rtol=1e-4)


@pytest.mark.parametrize("matrix", [matrix for matrix, _ in CASES.values()], ids=CASES.keys())
def test_invariants(matrix):
    vectors = 5
    found = decompose(matrix, vectors=vectors)
    values = found.singular_values
    scale = max(values[0], 1e-300)
    assert (values >= 0).all()
    assert (np.diff(values) <= 0).all()
    np.testing.assert_allclose(np.linalg.norm(values / scale), np.linalg.norm(matrix / scale), rtol=1e-12)
    np.testing.assert_allclose(matrix @ found.right_vectors / scale, found.features / scale, atol=1e-11, err_msg="J V = U Sigma")
    known = min(vectors, numerical_rank(values)) if values[0] else 0
    gram = found.right_vectors.T @ found.right_vectors
    np.testing.assert_allclose(gram[:known, :known], np.eye(known), atol=1e-10)
    np.testing.assert_allclose(np.linalg.norm(found.features / scale, axis=0)[:known], values[:known] / scale, rtol=1e-4)
    assert all(column[np.abs(column).argmax()] >= 0 for column in found.features.T), "the largest entry of a feature is positive"


def test_features_and_right_vectors_are_those_of_lapack_up_to_sign():
    matrix = CASES["gap"][0]
    found = decompose(matrix, vectors=10)
    left, values, right = np.linalg.svd(matrix, full_matrices=False)
    sign = np.sign(np.sum(found.right_vectors * right[:10].T, axis=0))
    np.testing.assert_allclose(found.right_vectors, right[:10].T * sign, atol=1e-9)
    np.testing.assert_allclose(found.features, (left * values)[:, :10] * sign, atol=1e-9)


def test_span_of_a_cluster_is_that_of_lapack():
    matrix = CASES["a cluster"][0]
    ours = decompose(matrix, vectors=7).right_vectors[:, 1:]
    theirs = np.linalg.svd(matrix, full_matrices=False)[2][1:7].T
    np.testing.assert_allclose(ours @ ours.T, theirs @ theirs.T, atol=1e-10)


def test_more_vectors_than_there_are_come_out_as_zero():
    found = decompose(CASES["of rank 1"][0], vectors=4)
    assert found.features.shape == (50, 4)
    assert found.right_vectors.shape == (40, 4)
    assert not found.features[:, 2:].any()
    assert not found.right_vectors[:, 2:].any()
    assert decompose(np.ones((3, 2)), vectors=5).features.shape == (3, 5)


def test_number_of_vectors_changes_nothing_else():
    matrix = CASES["fading out"][0]
    few, many = decompose(matrix, vectors=0), decompose(matrix, vectors=20)
    assert few.singular_values.tobytes() == many.singular_values.tobytes()


def test_same_matrix_gives_the_same_bytes():
    matrix = CASES["fading out"][0]
    first, second = decompose(matrix, vectors=8), decompose(matrix.copy(), vectors=8)
    assert first.features.tobytes() == second.features.tobytes()
    assert first.singular_values.tobytes() == second.singular_values.tobytes()


def test_numerical_rank_counts_values_above_its_tolerance():
    values = np.array([2.0, 1.0, 3e-10, 1e-10, 0.0])
    assert numerical_rank(values) == 3
    assert numerical_rank(values, tolerance=1e-3) == 2
    assert numerical_rank(np.zeros(3)) == 0
