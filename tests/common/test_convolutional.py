"""The network against torch.nn.Sequential, one replica at a time, in float64."""

import numpy as np
import pytest
import torch
from torch import nn

from scripts.common import convolutional, forward_pass, networks
from scripts.common.errors import UserError

ACTIVATIONS = {"relu": nn.ReLU, "leaky_relu": nn.LeakyReLU, "tanh": nn.Tanh, "sigmoid": nn.Sigmoid, "linear": nn.Identity}
REPLICAS = 3


def model(network, *, inputs, outputs):
    layers, side, below = [], round(inputs**0.5), 1
    for channels in network["channels"]:
        layers += [
            nn.Conv2d(below, channels, network["kernel"], padding=network["kernel"] // 2),
            ACTIVATIONS[network["activation"]](),
            nn.MaxPool2d(2),
        ]
        below, side = channels, side // 2
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(below * side * side, outputs)).double()


def example(network, *, side, samples=5, seed=0):
    """Return models, their stacked tensors, and images (R, D, N) with many equal pixels."""
    torch.manual_seed(seed)
    models = [model(network, inputs=side * side, outputs=4) for _ in range(REPLICAS)]
    tensors = [torch.stack(of_replicas).detach().requires_grad_() for of_replicas in zip(*(m.parameters() for m in models), strict=True)]
    x = torch.rand(REPLICAS, side * side, samples, dtype=torch.float64)
    x[:, : side * side // 2] = 0
    return models, tensors, x


NETWORKS = [
    ({"kind": "convolutional", "channels": [4, 6], "kernel": 3, "activation": "relu"}, 8),
    ({"kind": "convolutional", "channels": [4, 6], "kernel": 3, "activation": "tanh"}, 8),
    ({"kind": "convolutional", "channels": [3, 2, 5], "kernel": 5, "activation": "leaky_relu"}, 9),
    ({"kind": "convolutional", "channels": [3], "kernel": 1, "activation": "sigmoid"}, 7),
    ({"kind": "convolutional", "channels": [2, 3], "kernel": 3, "activation": "linear"}, 28),
    ({"kind": "convolutional", "channels": [], "kernel": 3, "activation": "relu"}, 4),
]


@pytest.mark.parametrize(("network", "side"), NETWORKS)
def test_names_and_shapes_are_those_of_sequential(network, side):
    expected = {name: tuple(tensor.shape) for name, tensor in model(network, inputs=side * side, outputs=4).named_parameters()}
    found = networks.shapes(network, inputs=side * side, outputs=4)
    assert list(found.items()) == list(expected.items())


def test_the_network_of_the_study_has_some_ten_thousand_parameters():
    shapes = networks.shapes({"kind": "convolutional", "channels": [16, 48], "kernel": 3, "activation": "relu"}, inputs=64, outputs=10)
    assert sum(int(np.prod(shape)) for shape in shapes.values()) == 9050


@pytest.mark.parametrize(("network", "side"), NETWORKS)
def test_predictions_and_gradients_are_those_of_sequential(network, side):
    models, tensors, x = example(network, side=side)
    direction = torch.randn(REPLICAS, 4, x.shape[2], dtype=torch.float64)
    found = forward_pass.forward(tensors, x, network=network)
    gradients = torch.autograd.grad((found * direction).sum(), tensors)
    for replica, one in enumerate(models):
        expected = one(x[replica].T.reshape(-1, 1, side, side)).T
        torch.testing.assert_close(found[replica], expected, rtol=0, atol=1e-13)
        (expected * direction[replica]).sum().backward()
        for (name, parameter), gradient in zip(one.named_parameters(), gradients, strict=True):
            torch.testing.assert_close(gradient[replica], parameter.grad, rtol=1e-12, atol=1e-12, msg=lambda m, name=name: f"{name}: {m}")


def test_replicas_may_share_their_images():
    network, side = NETWORKS[0]
    _, tensors, x = example(network, side=side)
    shared = forward_pass.forward(tensors, x[1], network=network)
    torch.testing.assert_close(shared, forward_pass.forward(tensors, x[1].expand(REPLICAS, *x[1].shape), network=network))
    assert not torch.equal(shared[0], forward_pass.forward(tensors, x, network=network)[0])


@pytest.mark.parametrize("wanted", [True, False])
def test_gradients_of_each_part_by_finite_differences(wanted):
    generator = torch.Generator().manual_seed(1)
    values = torch.randn(2, 2, 5, 4, 2, dtype=torch.float64, generator=generator).requires_grad_(wanted)
    weight = torch.randn(2, 3, 2, 3, 3, dtype=torch.float64, generator=generator).requires_grad_()
    bias = torch.randn(2, 3, dtype=torch.float64, generator=generator).requires_grad_()
    assert torch.autograd.gradcheck(convolutional.convolve, (values, weight, bias))
    if wanted:
        blocks = torch.randn(2, 2, 2, 2, 2, 1, 2, dtype=torch.float64, generator=generator).requires_grad_()
        assert torch.autograd.gradcheck(convolutional.pool, (blocks,))


def test_the_first_of_equal_values_takes_the_gradient():
    values = torch.tensor([[0.0, 0.0, 1.0, 2.0], [0.0, 0.0, 2.0, 2.0], [1.0, 2.0, 3.0, 1.0], [2.0, 1.0, 1.0, 3.0]])
    ours, library = (values.clone().requires_grad_() for _ in range(2))
    weights = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    blocks = ours.reshape(1, 1, 2, 2, 2, 2, 1).permute(0, 1, 3, 5, 2, 4, 6)  # rows and columns within blocks before those of blocks
    (convolutional.pool(blocks)[0, 0, :, :, 0] * weights).sum().backward()
    (nn.functional.max_pool2d(library[None], 2)[0] * weights).sum().backward()
    assert torch.equal(ours.grad, library.grad)
    assert ours.grad.count_nonzero() == 4


def test_one_network_from_its_flat_parameters():
    network, side = NETWORKS[0]
    models, _, x = example(network, side=side)
    flat = nn.utils.parameters_to_vector(models[2].parameters()).detach()
    images = x[2].T
    expected = models[2](images.reshape(-1, 1, side, side)).detach().numpy()
    found = forward_pass.predict_all(flat[None].numpy(), images.numpy(), network=network, outputs=4)[0]
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-13)
    rounded = forward_pass.predict_all(flat[None].float().numpy(), images.numpy(), network=network, outputs=4)[0]
    assert rounded.dtype == np.float64
    np.testing.assert_allclose(rounded, expected, rtol=0, atol=1e-5)


def test_values_that_are_not_finite_pass_through():
    network, side = NETWORKS[0]
    _, tensors, x = example(network, side=side)
    with torch.no_grad():
        tensors[0][1] = torch.nan
        found = forward_pass.forward(tensors, x, network=network)
    assert found[1].isnan().all()
    assert found[[0, 2]].isfinite().all()


@pytest.mark.parametrize(
    ("change", "inputs", "message"),
    [
        ({}, 63, "takes square images; 63 inputs are none"),
        ({"kernel": 4}, 64, "network.kernel: wrong value 4; allowed: an odd number"),
        ({"channels": [2, 2, 2, 2]}, 64, "4 poolings leave nothing of 8 by 8 pixels"),
    ],
)
def test_what_cannot_be_is_refused(change, inputs, message):
    with pytest.raises(UserError, match=message):
        networks.shapes({"kind": "convolutional", "channels": [4], "kernel": 3, "activation": "relu"} | change, inputs=inputs, outputs=10)
