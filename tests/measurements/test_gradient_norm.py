import numpy as np
import pytest
import torch
from torch import nn

from scripts.common import storage
from scripts.measurements import gradient_norm
from tests import oracle
from tests.examples import SOURCE, TINY, sines, source_run, tiny_data, tiny_run


@pytest.mark.parametrize("variant", SOURCE)
def test_norms_of_replica_0_are_those_of_the_source(variant, tmp_path):
    train = source_run(variant)
    found = gradient_norm.measure(sines(), train, SOURCE[variant][0], {"kind": "mse"})
    expected = oracle.gradient_norms(oracle.build(variant), *oracle.training_data())
    assert found["index_gradient_norm"].tolist() == list(expected)
    np.testing.assert_allclose(found["gradient_norm"][0, 0], list(expected.values()), rtol=1e-5)
    assert found["gradient_norm"].shape == (2, 20, len(expected))
    storage.save(tmp_path / "gradient_norm.npz", found, kind=gradient_norm.KIND, digest="d")


def test_norms_do_not_exist_where_a_replica_has_diverged():
    found = gradient_norm.measure(sines(), source_run("deep_large"), SOURCE["deep_large"][0], {"kind": "mse"})
    assert found["exists_gradient_norm"].tolist() == [[True] * 20, [False] * 20]
    assert np.isfinite(found["gradient_norm"][0]).all()


def test_norms_of_cross_entropy_are_those_of_autograd():
    data, train = tiny_data(), tiny_run()
    found = gradient_norm.measure(data, train, TINY, {"kind": "cross_entropy"})
    model = nn.Sequential(nn.Linear(2, 5), nn.Tanh(), nn.Linear(5, 4), nn.Tanh(), nn.Linear(4, 3)).double()
    nn.utils.vector_to_parameters(torch.as_tensor(train["parameters"][1, 3]), model.parameters())
    nn.CrossEntropyLoss()(model(torch.as_tensor(data["train_x"])), torch.as_tensor(data["train_y"])).backward()
    np.testing.assert_allclose(found["gradient_norm"][1, 3], [layer.weight.grad.norm().item() for layer in model[::2]], rtol=1e-10)
