"""Singular value decomposition of a tall, wide, or rank-deficient matrix, with a bound on its error that is checked every time.

Jacobians of networks are far from general matrices: the columns of dead units are zero, and the numerical rank is often a tenth of the
size (a network that is linear in pieces has a Jacobian of rank at most a few times the number of pieces). The method uses both, and
draws no random numbers:

1. Columns that are zero are left out. If more columns than rows are left, the transpose is decomposed instead.
2. A basis Q of the range is built in rounds. Each forms the Gram matrix of what is not in the range of Q yet, E = M - Q Q^T M, chooses
   columns of E by Cholesky factorization with pivoting (LAPACK ``dpstrf``), and adds an orthonormal basis of them to Q. The Gram
   matrix, whose accuracy is the square root of the usual, only chooses columns; all values come from M itself. One round reaches about
   1e-8 of the norm of E, so one is enough where the spectrum ends in a gap, and two where it fades out.
3. Q^T M, a small matrix with the same singular values, is decomposed by LAPACK.
4. The norm of E that is left bounds the error of every singular value (Weyl 1912), so it is the certificate: rounds are added until it
   is down at rounding error.

Where three rounds do not reach that, or Q grows beyond half the smaller side of M so that nothing would be saved, LAPACK's full
decomposition (``dgesdd``) is used. Either way singular values are within `Decomposition.error_bound`, at most a few times
max(N, P) * 2.2e-16 * |M|_F, of the true ones. How many vectors are asked for has no influence on the method.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lapack

Matrix = NDArray[np.float64]

ROUNDS = 3
LARGEST_BASIS = 0.5
"""Largest size of the basis, as a share of the smaller side, with which the small decomposition pays."""
LARGEST_EXPONENT = 256
"""Entries as large as 2 to this power, or all as small as its inverse, are scaled first: squares would leave the range of float64."""


class Decomposition(NamedTuple):
    """The singular value decomposition M = U Sigma V^T of a matrix (N, P), with its first F vectors.

    Attributes:
        singular_values: all of them in descending order, (min(N, P),); those that are zero to within `error_bound` may be exactly 0.
        features: U Sigma, (N, F); the entry of largest magnitude of each column is positive.
        right_vectors: V, (P, F); columns beyond the size of the basis are zero, as those of `features` are.
        error_bound: bound on the error of each singular value.
        method: "basis" or "full".
    """

    singular_values: Matrix
    features: Matrix
    right_vectors: Matrix
    error_bound: float
    method: str


def decompose(matrix: Matrix, *, vectors: int) -> Decomposition:
    """Return the singular value decomposition of a finite `matrix` (N, P), float64, with its first `vectors` singular vectors."""
    exponent = int(np.frexp(max(matrix.max(initial=0.0), -matrix.min(initial=0.0)))[1])
    if abs(exponent) > LARGEST_EXPONENT:
        scaled = decompose(np.ldexp(matrix, -exponent), vectors=vectors)
        return scaled._replace(
            singular_values=np.ldexp(scaled.singular_values, exponent),
            features=np.ldexp(scaled.features, exponent),
            error_bound=float(np.ldexp(scaled.error_bound, exponent)),
        )
    kept = np.flatnonzero(matrix.any(axis=0))
    reduced = matrix if len(kept) == matrix.shape[1] else matrix[:, kept]
    wide = reduced.shape[1] > reduced.shape[0]
    left, values, right, error_bound, method = _factorize(reduced.T if wide else reduced, vectors)
    if wide:
        left, right = right, left
    features = np.zeros((matrix.shape[0], vectors))
    right_vectors = np.zeros((matrix.shape[1], vectors))
    found = left.shape[1]
    features[:, :found] = left * values[:found]
    right_vectors[kept, :found] = right
    largest = np.abs(features).argmax(axis=0)
    sign = np.where(features[largest, np.arange(vectors)] < 0, -1.0, 1.0)
    singular_values = np.zeros(min(matrix.shape))
    singular_values[: len(values)] = values
    return Decomposition(singular_values, features * sign, right_vectors * sign, error_bound, method)


def numerical_rank(singular_values: Matrix, *, tolerance: float = 1e-10) -> int:
    """Return how many singular values are above `tolerance` times the largest."""
    return int(np.sum(singular_values > tolerance * singular_values[0]))


def _factorize(matrix: Matrix, vectors: int) -> tuple[Matrix, Matrix, Matrix, float, str]:
    """Return left vectors (N, f), all values, right vectors (P, f), error bound and method, for a matrix with P <= N."""
    rounding = max(matrix.shape) * float(np.finfo(np.float64).eps * np.linalg.norm(matrix))
    basis, coordinates, remainder = _range_basis(matrix, rounding)
    if remainder <= rounding:
        left, values, right = np.linalg.svd(coordinates, full_matrices=False)
        return basis @ left[:, :vectors], values, right[:vectors].T, remainder + rounding, "basis"
    left, values, right = np.linalg.svd(matrix, full_matrices=False)
    return left[:, :vectors], values, right[:vectors].T, rounding, "full"


def _range_basis(matrix: Matrix, rounding: float) -> tuple[Matrix, Matrix, float]:
    """Return an orthonormal basis Q (N, r) of the range of `matrix` M, Q^T M (r, P), and the norm of M - Q Q^T M.

    The norm is infinite where the basis would be larger than pays.
    """
    basis, coordinates = np.empty((matrix.shape[0], 0)), np.empty((0, matrix.shape[1]))
    remainder, norm = matrix, float(np.linalg.norm(matrix))
    for _ in range(ROUNDS):
        if norm <= rounding:
            break
        _, pivots, rank, _ = lapack.dpstrf(np.asfortranarray(remainder.T @ remainder), overwrite_a=True)
        if basis.shape[1] + rank > LARGEST_BASIS * matrix.shape[1]:
            return basis, coordinates, np.inf
        chosen = remainder[:, np.sort(pivots[:rank] - 1)]
        added, _ = np.linalg.qr(chosen - basis @ (basis.T @ chosen))
        along = added.T @ remainder  # added^T M, as what is added is orthogonal to the basis so far
        remainder = remainder - added @ along
        norm = float(np.linalg.norm(remainder))
        basis, coordinates = np.hstack([basis, added]), np.vstack([coordinates, along])
    return basis, coordinates, norm
