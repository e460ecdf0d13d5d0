import numpy as np
import pytest
import torch

from scripts.common import mean_field, storage
from scripts.common.seeds import replica_seeds
from scripts.simulations.gradient_flow import KIND, simulate

SCALES = [0.01, 0.1, 1.0, 2.0]
ACTIVATIONS = ["tanh", "relu", "linear"]


def source_run(init_scale, num_layers=10, activation="tanh", seed=42):
    """The source's function, line by line."""
    np.random.seed(seed)  # noqa: NPY002
    weights = []
    layer_outputs = []
    x = np.random.randn(100, 10)  # noqa: NPY002
    layer_outputs.append(x)
    for _ in range(num_layers):
        w = np.random.randn(10, 10) * init_scale  # noqa: NPY002
        weights.append(w)
        z = layer_outputs[-1] @ w
        if activation == "tanh":
            a = np.tanh(z)
        elif activation == "relu":
            a = np.maximum(0, z)
        else:
            a = z
        layer_outputs.append(a)
    grad = np.ones_like(layer_outputs[-1])
    gradient_norms = []
    for i in reversed(range(num_layers)):
        if activation == "tanh":
            grad = grad * (1 - layer_outputs[i + 1] ** 2)
        elif activation == "relu":
            grad = grad * (layer_outputs[i + 1] > 0)
        grad = grad @ weights[i].T
        gradient_norms.append(np.linalg.norm(grad))
    return gradient_norms[::-1], [np.linalg.norm(out) for out in layer_outputs], weights, x


@pytest.fixture(scope="module", params=ACTIVATIONS)
def run(request):
    return request.param, simulate(replica_seeds(42, 3), activation=request.param, scales=SCALES)


def test_replica_0_has_the_numbers_of_the_source(run):
    activation, found = run
    for level, scale in enumerate(SCALES):
        gradients, outputs, _, _ = source_run(scale, activation=activation)
        np.testing.assert_allclose(found["simplified_gradient_norm"][0, level], gradients, rtol=1e-9)
        np.testing.assert_allclose(found["output_norm"][0, level], outputs[1:], rtol=1e-9)
        assert found["output_norm_ratio"][0, level] == pytest.approx(outputs[-1] / outputs[0])
        assert found["gradient_ratio"][0, level] == pytest.approx(gradients[0] / gradients[-1])
        assert found["gradient_factor"][0, level] == pytest.approx((gradients[0] / gradients[-1]) ** (1 / 9))


def test_other_replicas_have_derived_seeds(run):
    activation, found = run
    gradients, outputs, _, _ = source_run(1.0, activation=activation, seed=replica_seeds(42, 3)[2])
    np.testing.assert_allclose(found["simplified_gradient_norm"][2, 2], gradients, rtol=1e-9)
    np.testing.assert_allclose(found["output_norm"][2, 2], outputs[1:], rtol=1e-9)


@pytest.mark.parametrize("level", [1, 2])
def test_true_gradients_are_those_of_automatic_differentiation(run, level):
    activation, found = run
    _, _, weights, x = source_run(SCALES[level], activation=activation)
    last, target = np.random.randn(1, 10) / np.sqrt(10), np.random.randn(1, 100)  # noqa: NPY002 - goes on where the source ends
    function = {"tanh": torch.tanh, "relu": torch.relu, "linear": lambda z: z}[activation]
    parameters = [torch.tensor(weight, requires_grad=True) for weight in weights]
    inputs = [torch.tensor(x, requires_grad=True)]
    for parameter in parameters:
        inputs.append(function(inputs[-1] @ parameter))
    loss = ((inputs[-1] @ torch.tensor(last.T) - torch.tensor(target.T)) ** 2).mean() / 2
    gradients = torch.autograd.grad(loss, [*inputs[:-1], *parameters])
    norms = [gradient.norm().item() for gradient in gradients]
    np.testing.assert_allclose(found["gradient_norm"][0, level], norms[:10], rtol=1e-9)
    np.testing.assert_allclose(found["weight_gradient_norm"][0, level], norms[10:], rtol=1e-9)
    assert found["weight_gradient_ratio"][0, level] == pytest.approx(norms[10] / norms[19])


def test_the_simplified_gradient_is_that_of_the_sum_of_all_outputs():
    _, _, weights, x = source_run(1.0)
    inputs = torch.tensor(x, requires_grad=True)
    values = inputs
    for weight in weights:
        values = torch.tanh(values @ torch.tensor(weight))
    values.sum().backward()
    found = simulate([42], activation="tanh", scales=[1.0])
    assert inputs.grad is not None
    assert found["simplified_gradient_norm"][0, 0, 0] == pytest.approx(inputs.grad.norm().item())


def test_theory_is_closed_for_linear_and_rectified_units(run, tmp_path):
    activation, found = run
    if activation != "tanh":
        share = 1 if activation == "linear" else 0.5
        np.testing.assert_allclose(found["gradient_factor_theory"][1], np.sqrt(10 * share) * np.array(SCALES))
    else:
        by_layer = mean_field.variances(10.0, 10, activation={"kind": "tanh"}, weight_variance=10.0)
        slopes = [mean_field.susceptibility(one, activation={"kind": "tanh"}, weight_variance=10.0) for one in by_layer]
        assert found["gradient_factor_theory"][0, 2] == pytest.approx(np.prod(slopes[:-1]) ** (1 / 18))
    storage.save(tmp_path / "flow.npz", found, kind=KIND, digest="d")
