import numpy as np
import torch
from torch import nn

from scripts.common import storage
from scripts.measurements import gradient_features
from tests.examples import bending, wave


def test_features_are_the_derivatives_of_autograd_at_the_first_and_last_step(tmp_path):
    network, train = bending([5, 4])
    found = gradient_features.measure(train, network, wave(), points=11)
    assert found["step"].tolist() == [0, 20]
    np.testing.assert_allclose(found["grid_x"][:, 0], np.linspace(0, 1, 11), atol=1e-15)
    model = nn.Sequential(nn.Linear(1, 5), nn.ReLU(), nn.Linear(5, 4), nn.ReLU(), nn.Linear(4, 1)).double()
    for place, step in enumerate((0, 2)):
        nn.utils.vector_to_parameters(torch.as_tensor(train["parameters"][step, 0]), model.parameters())
        for point, x in enumerate(found["grid_x"]):
            model.zero_grad()
            model(torch.as_tensor(x)).backward()
            expected = np.concatenate([p.grad.numpy().ravel() for p in model.parameters()])
            np.testing.assert_allclose(found["feature"][place, point], expected, atol=1e-13)
    assert found["parameter_name"].tolist() == [name for name, _ in model.named_parameters()]
    assert found["parameter_size"].tolist() == [p.numel() for p in model.parameters()]
    storage.save(tmp_path / "gradient_features.npz", found, kind=gradient_features.KIND, digest="d")


def test_points_are_evenly_chosen_from_the_grid_with_its_ends():
    network, train = bending([3])
    chosen = gradient_features.measure(train, network, wave(), points=7)["grid_x"][:, 0]
    np.testing.assert_allclose(chosen, np.linspace(0, 1, 7), atol=0.0051)  # half of the grid's spacing
    assert chosen[[0, -1]].tolist() == [0, 1]
    assert set(chosen) <= set(wave()["grid_x"][:, 0])
    np.testing.assert_array_equal(gradient_features.measure(train, network, wave())["grid_x"], wave()["grid_x"])


def test_a_run_saved_once_has_one_step_and_what_is_not_finite_is_not_a_number():
    network, train = bending([3], moments=1)
    assert gradient_features.measure(train, network, wave())["feature"].shape == (1, 101, 10)
    network, train = bending([3])
    train["parameters"][2, 0, 1] = np.inf
    found = gradient_features.measure(train, network, wave())["feature"]
    assert np.isfinite(found[0]).all()
    assert np.isnan(found[1]).all()
