import numpy as np
import pytest
import torch
from torch import nn

from scripts.common import linearization, storage
from scripts.common.training import train
from scripts.jacobian import jacobian
from tests import oracle
from tests.examples import DEEP, SHALLOW, TINY, pieces, pieces_settings, sines, source_run, tiny_data, tiny_run


def test_jacobian_is_that_of_the_source_sample_by_sample():
    train = source_run("deep_he")
    points = sines()["train_x"][:200]
    found = jacobian(train, points, network=DEEP, replica=0)
    assert found.shape == (2, 200, 1, 1321)
    assert found.dtype == np.float64
    model = oracle.build("deep_he").double()
    for step in (0, 1):
        nn.utils.vector_to_parameters(torch.as_tensor(train["parameters"][step, 0]).double(), model.parameters())
        np.testing.assert_allclose(found[step, :, 0], oracle.linearization(model, points[:, 0]), rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("hidden", [(10,), (40,), (10, 10), (40, 40)], ids=str)
def test_jacobian_by_tensor_is_that_of_the_source_on_features(hidden):
    trained = train(pieces(), **pieces_settings(*hidden))
    points = pieces()["train_x"]
    network = pieces_settings(*hidden)["network"]
    found = jacobian(trained, points, network=network, replica=0)
    net = oracle.elbow_net(*hidden, seed=0) if len(hidden) == 1 else oracle.elbow_net_2layer(hidden[0], seed=0)[0]
    for step, parameters in enumerate(trained["parameters"][:, 0]):
        nn.utils.vector_to_parameters(torch.tensor(parameters), net.parameters())
        expected = oracle.linearization(net, points[:, 0])
        begin = 0
        for name, tensor in net.named_parameters():
            of_tensor = slice(begin, begin + tensor.numel())
            assert np.abs(expected[:, of_tensor]).max() > 0.05
            np.testing.assert_allclose(found[step, :, 0, of_tensor], expected[:, of_tensor], rtol=1e-5, atol=1e-5, err_msg=name)
            begin = of_tensor.stop
        assert begin == found.shape[-1]


def test_jacobian_takes_a_network_with_several_inputs_and_outputs():
    train, points = tiny_run(), tiny_data()["grid_x"]
    found = jacobian(train, points, network=TINY, replica=2)
    size = train["parameters"].shape[2]
    assert found.shape == (2, 7, 3, size)
    step = 1e-6
    for parameter in (0, 9, 20, size - 1):
        shifted = train["parameters"][1, 2] + step * np.eye(size)[parameter]
        moved, back = shifted, 2 * train["parameters"][1, 2] - shifted
        expected = (predictions(moved, points) - predictions(back, points)) / (2 * step)
        np.testing.assert_allclose(found[1, :, :, parameter], expected, rtol=1e-5, atol=1e-8)


def predictions(parameters, points):
    model = nn.Sequential(nn.Linear(2, 5), nn.Tanh(), nn.Linear(5, 4), nn.Tanh(), nn.Linear(4, 3)).double()
    nn.utils.vector_to_parameters(torch.as_tensor(parameters), model.parameters())
    with torch.no_grad():
        return model(torch.as_tensor(points)).numpy()


def test_jacobian_in_float32_is_close_to_that_in_float64():
    parameters, points = source_run("deep_he")["parameters"][1, 0], sines()["grid_x"]
    single = linearization.jacobian(parameters, points, network=DEEP, dtype=np.float32)
    assert single.dtype == np.float32
    np.testing.assert_allclose(single, linearization.jacobian(parameters, points, network=DEEP), rtol=1e-3, atol=1e-3)


def test_jacobian_of_a_network_that_is_not_finite_is_not_a_number():
    found = jacobian(source_run("deep_large"), sines()["grid_x"], network=DEEP, replica=0)
    assert np.isfinite(found[0]).all()
    assert np.isnan(found[1]).all()


def test_jacobian_is_a_file_of_its_kind(tmp_path):
    train = source_run("shallow")
    found = jacobian(train, sines()["grid_x"][:5], network=SHALLOW, replica=0)
    storage.save(tmp_path / "jacobian.npz", {"step": train["step"], "jacobian": found}, kind=storage.JACOBIAN, digest="d")
    np.testing.assert_array_equal(storage.load(tmp_path / "jacobian.npz", kind="jacobian")["jacobian"], found)
