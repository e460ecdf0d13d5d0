import numpy as np
import pytest

from scripts.common import gauss_newton, linearization
from scripts.common.training import train
from tests.examples import tiny_data, tiny_settings, wave

NETWORK = {"kind": "perceptron", "hidden": [6], "activation": "relu"}


def settings(**changes):
    return tiny_settings(
        network=NETWORK,
        engine="gauss_newton",
        optimizer={"kind": "natural_gradient", "damping": 0.1},
        batches={"kind": "full", "seed": 0},
        evaluate_every=1,
        save_every=1,
        **changes,
    )


@pytest.mark.parametrize(("rows", "size"), [(30, 7), (7, 30), (12, 12)])
@pytest.mark.parametrize("damping", [1e-3, 2.0])
def test_a_step_solves_with_the_explicit_fisher_matrix(rows, size, damping):
    generator = np.random.default_rng(0)
    jacobian, residual = generator.normal(size=(rows, size)), generator.normal(size=rows)
    fisher, gradient = np.zeros((size, size)), np.zeros(size)
    for derivative, error in zip(jacobian, residual, strict=True):
        fisher += 2 * np.outer(derivative, derivative) / rows
        gradient += 2 * error * derivative / rows
    expected = -np.linalg.solve(fisher + damping * np.eye(size), gradient)
    np.testing.assert_allclose(gauss_newton.step(jacobian, residual, damping), expected, rtol=1e-8)


def test_one_step_of_training_is_that_step_and_the_loss_never_rises():
    data = wave()
    run = train(data, **settings(steps=25))
    start = run["parameters"][0, 2]
    jacobian = linearization.jacobian(start, data["train_x"], network=NETWORK)[:, 0]
    residual = (linearization.predict(start, data["train_x"], network=NETWORK) - data["train_y"])[:, 0]
    expected = start + gauss_newton.step(jacobian, residual, 0.1)
    np.testing.assert_allclose(run["parameters"][1, 2], expected, rtol=1e-10)
    assert (np.diff(run["train_loss"], axis=0) <= 0).all()
    assert (run["train_loss"][-1] < 0.8 * run["train_loss"][0]).all()


def test_replicas_do_not_depend_on_each_other():
    many, few = train(wave(), **settings()), train(wave(), **settings(replicas=2))
    np.testing.assert_array_equal(many["parameters"][:, :2], few["parameters"])


def test_several_outputs_count_as_further_samples():
    run = train(tiny_data(), **settings())
    assert (run["train_loss"][-1] < run["train_loss"][0]).all()


def test_a_replica_whose_loss_is_not_finite_has_diverged():
    data = wave()
    data["train_y"][3] = np.inf
    run = train(data, **settings(steps=3))
    np.testing.assert_array_equal(run["diverged_at"], 1)
    np.testing.assert_array_equal(run["parameters"][-1], run["parameters"][0])
