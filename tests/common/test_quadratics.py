import numpy as np
import pytest

from scripts.common.quadratics import draw_problem


def test_eigenvalues_span_the_condition_number():
    problem = draw_problem([0, 1], dimension=5, condition=1e4)
    for hessian, vectors in zip(problem.hessian, problem.vectors, strict=True):
        np.testing.assert_allclose(np.linalg.eigvalsh(hessian), [1e-4, 1e-3, 1e-2, 1e-1, 1], rtol=1e-9)
        np.testing.assert_allclose(vectors.T @ vectors, np.eye(5), atol=1e-12)
        np.testing.assert_allclose(hessian @ vectors, vectors * problem.eigenvalues, atol=1e-12)
    assert not np.allclose(problem.hessian[0], problem.hessian[1])


def test_problems_of_one_seed_differ_in_their_eigenvalues_alone():
    one, other = (draw_problem([7], dimension=4, condition=condition) for condition in (10.0, 1000.0))
    np.testing.assert_array_equal(one.vectors, other.vectors)
    np.testing.assert_array_equal(one.start, other.start)
    assert one.eigenvalues[0] == pytest.approx(0.1)
    assert draw_problem([7], dimension=1, condition=1000.0).eigenvalues.tolist() == [1.0]


def test_hessian_and_fisher_information_are_those_of_a_least_squares_problem():
    """With inputs X so that X^T X / N = H: the expected product of the scores of one output, for noise of variance 1, is H as well."""
    problem = draw_problem([3], dimension=3, condition=50.0)
    hessian, away = problem.hessian[0], problem.start[0]
    generator = np.random.default_rng(0)
    basis = np.linalg.qr(generator.normal(size=(200, 3)))[0] * np.sqrt(200)
    inputs = basis @ np.linalg.cholesky(hessian).T
    solution = np.array([1.0, -2.0, 0.5])
    outputs = inputs @ solution
    gradient = inputs.T @ (inputs @ (solution + away) - outputs) / 200
    np.testing.assert_allclose(gradient, hessian @ away, rtol=1e-9)
    noise = generator.normal(size=(2000, 200))
    fisher = np.mean([(inputs * one[:, None]).T @ (inputs * one[:, None]) / 200 for one in noise], axis=0)
    np.testing.assert_allclose(fisher, hessian, atol=0.02)
    np.testing.assert_allclose(away - np.linalg.solve(hessian, gradient), 0, atol=1e-10)
