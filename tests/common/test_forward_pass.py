"""Forward passes against PyTorch's own modules, one replica at a time, in float64, in training and in evaluation mode."""

import math

import numpy as np
import pytest
import torch
from numpy.random import PCG64, Generator
from torch import nn
from torch.nn import functional

from scripts.common import bounds, dropouts, forward_pass, networks
from scripts.common.errors import UserError
from scripts.common.forward_pass import Mode

ACTIVATIONS = {"relu": nn.ReLU, "leaky_relu": nn.LeakyReLU, "tanh": nn.Tanh, "sigmoid": nn.Sigmoid, "prelu": nn.PReLU}
REPLICAS, SAMPLES, OUTPUTS = 3, 6, 4


class LayerNorm2d(nn.GroupNorm):
    """Layer normalization of images with a weight for each channel."""

    def __init__(self, channels):
        super().__init__(1, channels)


def normalization(network, width, *, images):
    kinds = {
        "batch": nn.BatchNorm2d if images else nn.BatchNorm1d,
        "layer": LayerNorm2d if images else nn.LayerNorm,
        "instance": lambda width: nn.InstanceNorm2d(width, affine=True),
        "group": lambda width: nn.GroupNorm(network["groups"], width),
    }
    return [kinds[network["normalization"]](width)] if "normalization" in network else []


def sequential(network):
    """Return the network as PyTorch's modules."""
    layers, below, side = [], 1, 8
    if network["kind"] == "perceptron":
        below = 64
        for width in network["hidden"]:
            layers += [nn.Linear(below, width), *normalization(network, width, images=False), ACTIVATIONS[network["activation"]]()]
            below = width
        return nn.Sequential(*layers, nn.Linear(below, OUTPUTS)).double()
    for channels in network["channels"]:
        layers += [nn.Conv2d(below, channels, 3, padding=1), *normalization(network, channels, images=True)]
        layers += [ACTIVATIONS[network["activation"]](), nn.MaxPool2d(2)]
        below, side = channels, side // 2
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(below * side * side, OUTPUTS)).double()


def convolutional(**options):
    return {"kind": "convolutional", "channels": [4, 6], "kernel": 3, "activation": "relu", **options}


def perceptron(**options):
    return {"kind": "perceptron", "hidden": [6, 8], "activation": "relu", **options}


NETWORKS = {
    "convolutional, batch": convolutional(normalization="batch"),
    "convolutional, layer": convolutional(normalization="layer", activation="tanh"),
    "convolutional, instance": convolutional(normalization="instance"),
    "convolutional, group": convolutional(normalization="group", groups=2, activation="leaky_relu"),
    "perceptron, batch": perceptron(normalization="batch"),
    "perceptron, layer": perceptron(normalization="layer", activation="sigmoid"),
    "perceptron, group": perceptron(normalization="group", groups=2),
    "perceptron, prelu": perceptron(activation="prelu"),
    "perceptron, batch and prelu": perceptron(activation="prelu", normalization="batch"),
}


def examples(network):
    """Return models with all tensors drawn at random, their stacked tensors by name, and images (R, D, N)."""
    torch.manual_seed(0)
    models = [sequential(network) for _ in range(REPLICAS)]
    names = list(networks.shapes(network, inputs=64, outputs=OUTPUTS))
    for model in models:
        for name, tensor in model.state_dict().items():
            if name in names:
                tensor.copy_(torch.rand_like(tensor) if "var" in name else torch.randn_like(tensor) / 2)
    tensors = {name: torch.stack([model.state_dict()[name] for model in models]).clone() for name in names}
    return models, tensors, torch.rand(REPLICAS, 64, SAMPLES, dtype=torch.float64)


def generators(count=REPLICAS):
    return [Generator(PCG64(seed)) for seed in range(count)]


def images_of(model, x):
    return x.T.reshape(-1, 1, 8, 8) if isinstance(model[0], nn.Conv2d) else x.T


@pytest.mark.parametrize("network", NETWORKS.values(), ids=NETWORKS)
def test_names_and_shapes_are_those_of_sequential(network):
    state = sequential(network).state_dict()
    expected = {name: tuple(tensor.shape) for name, tensor in state.items() if not name.endswith("num_batches_tracked")}
    assert networks.shapes(network, inputs=64, outputs=OUTPUTS) == expected


@pytest.mark.parametrize("training", [True, False], ids=["training", "evaluation"])
@pytest.mark.parametrize("network", NETWORKS.values(), ids=NETWORKS)
def test_predictions_gradients_and_running_statistics_are_those_of_sequential(network, training):
    models, tensors, x = examples(network)
    trained = {name: tensor.requires_grad_() for name, tensor in tensors.items() if networks.is_trained(name)}
    mode = Mode(generators=generators()) if training else forward_pass.EVALUATION
    direction = torch.randn(REPLICAS, OUTPUTS, SAMPLES, dtype=torch.float64)
    found = forward_pass.forward(list(tensors.values()), x, network=network, mode=mode)
    gradients = dict(zip(trained, torch.autograd.grad((found * direction).sum(), list(trained.values())), strict=True))
    for replica, model in enumerate(models):
        model.train(training)
        expected = model(images_of(model, x[replica])).T
        torch.testing.assert_close(found[replica], expected, rtol=0, atol=1e-10)
        (expected * direction[replica]).sum().backward()
        for name, parameter in model.named_parameters():
            torch.testing.assert_close(gradients[name][replica], parameter.grad, rtol=1e-10, atol=1e-10)
        for name, statistic in model.named_buffers():
            if name in tensors:
                torch.testing.assert_close(tensors[name][replica], statistic, rtol=0, atol=1e-10)


def test_initial_values_of_what_no_initialization_fills_are_those_of_sequential():
    network = perceptron(activation="prelu", normalization="batch")
    state = sequential(network).state_dict()
    for layer in networks.layers(network, inputs=64, outputs=OUTPUTS):
        if layer.kind in ("normalization", "activation"):
            for name in layer.tensors:
                assert (state[f"{layer.number}.{name}"] == networks.start(layer, name)).all()


def test_residual_branches_are_added_before_every_second_activation():
    network = {"kind": "perceptron", "hidden": [5] * 5, "activation": "relu", "residual": True}
    generator = torch.Generator().manual_seed(0)
    shapes = networks.shapes(network, inputs=64, outputs=OUTPUTS)
    tensors = [torch.randn(2, *shape, dtype=torch.float64, generator=generator) for shape in shapes.values()]
    x = torch.rand(64, SAMPLES, dtype=torch.float64, generator=generator)
    found = forward_pass.forward(tensors, x, network=network)
    for replica in range(2):
        pairs = [(tensors[place][replica], tensors[place + 1][replica][:, None]) for place in range(0, 12, 2)]
        values = torch.relu(pairs[0][0] @ x + pairs[0][1])
        for (weight_a, bias_a), (weight_b, bias_b) in (pairs[1:3], pairs[3:5]):
            values = torch.relu(values + weight_b @ torch.relu(weight_a @ values + bias_a) + bias_b)
        torch.testing.assert_close(found[replica], pairs[5][0] @ values + pairs[5][1])


RECURRENT = {"kind": "recurrent", "hidden": [5], "activation": "tanh"}
ATTENTION = {"kind": "attention", "hidden": [6], "activation": "relu"}


def drawn(network, replicas=2):
    generator = torch.Generator().manual_seed(1)
    shapes = networks.shapes(network, inputs=64, outputs=OUTPUTS)
    tensors = {name: torch.rand(replicas, *shape, dtype=torch.float64, generator=generator) - 0.3 for name, shape in shapes.items()}
    return tensors, torch.rand(replicas, 64, SAMPLES, dtype=torch.float64, generator=generator)


@pytest.mark.parametrize("kind", [None, "batch", "layer"])
def test_a_recurrent_network_is_that_of_cells(kind):
    network = RECURRENT | ({"normalization": kind} if kind else {})
    tensors, x = drawn(network)
    before = {name: tensor.clone() for name, tensor in tensors.items()}
    found = forward_pass.forward(list(tensors.values()), x, network=network, mode=Mode(generators=generators(2)))
    out = max(int(name.partition(".")[0]) for name in tensors)
    for replica in range(2):
        held = {name: tensor[replica] for name, tensor in before.items()}
        state = torch.zeros(SAMPLES, 5, dtype=torch.float64)
        for place, row in enumerate(x[replica].T.reshape(SAMPLES, 8, 8).unbind(1)):
            values = row @ held["0.weight"][:, :8].T + state @ held["0.weight"][:, 8:].T + held["0.bias"]
            if kind == "batch":
                mean, variance = (held[f"1.{name}"][place].clone() for name in ("running_mean", "running_var"))
                values = functional.batch_norm(values, mean, variance, held["1.weight"], held["1.bias"], training=True)
                torch.testing.assert_close(tensors["1.running_mean"][replica, place], mean)
                torch.testing.assert_close(tensors["1.running_var"][replica, place], variance)
            if kind == "layer":
                values = functional.layer_norm(values, (5,), held["1.weight"], held["1.bias"])
            state = torch.tanh(values)
        torch.testing.assert_close(found[replica].T, state @ held[f"{out}.weight"].T + held[f"{out}.bias"])


@pytest.mark.parametrize("kind", [None, "layer"])
def test_attention_is_that_of_pytorch(kind):
    network = ATTENTION | ({"normalization": kind} if kind else {})
    tensors, x = drawn(network)
    found = forward_pass.forward(list(tensors.values()), x, network=network)
    linear = [layer.number for layer in networks.layers(network, inputs=64, outputs=OUTPUTS) if layer.kind == "linear"]
    normal = [layer.number for layer in networks.layers(network, inputs=64, outputs=OUTPUTS) if layer.kind == "normalization"]
    places = torch.arange(8, dtype=torch.float64)
    positions = torch.stack([f(places / 10000 ** (k / 3)) for f in (torch.sin, torch.cos) for k in range(3)], dim=1)  # (T, E)
    for replica in range(2):
        held = {name: tensor[replica] for name, tensor in tensors.items()}

        def apply(place, values, held=held):
            return functional.linear(values, held[f"{linear[place]}.weight"], held[f"{linear[place]}.bias"])

        def normalized(place, values, held=held):
            if kind is None:
                return values
            # over all tokens and units of a sample, as over all positions and channels of an image
            of_sample = (values - values.mean((1, 2), keepdim=True)) / (values.var((1, 2), keepdim=True, correction=0) + 1e-5).sqrt()
            return of_sample * held[f"{normal[place]}.weight"] + held[f"{normal[place]}.bias"]

        values = apply(0, x[replica].T.reshape(SAMPLES, 8, 8)) + positions
        library = nn.MultiheadAttention(6, 1, batch_first=True, dtype=torch.float64)
        library.load_state_dict(
            {
                "in_proj_weight": held[f"{linear[1]}.weight"],
                "in_proj_bias": held[f"{linear[1]}.bias"],
                "out_proj.weight": held[f"{linear[2]}.weight"],
                "out_proj.bias": held[f"{linear[2]}.bias"],
            }
        )
        inner = normalized(0, values)
        values = values + library(inner, inner, inner, need_weights=False)[0]
        values = values + apply(4, torch.relu(apply(3, normalized(1, values))))
        torch.testing.assert_close(found[replica].T, apply(5, values.mean(1)))


@pytest.mark.parametrize("network", [RECURRENT, ATTENTION], ids=lambda network: network["kind"])
@pytest.mark.parametrize("kind", ["batch", "layer"])
def test_evaluation_leaves_running_statistics_as_they_are(network, kind):
    network = network | {"normalization": kind}
    tensors, x = drawn(network)
    tensors = {name: tensor.abs() if "var" in name else tensor for name, tensor in tensors.items()}
    before = {name: tensor.clone() for name, tensor in tensors.items()}
    whole = forward_pass.forward(list(tensors.values()), x, network=network)
    alone = forward_pass.forward(list(tensors.values()), x[:, :, :1], network=network)
    torch.testing.assert_close(whole[:, :, :1], alone)
    assert all(torch.equal(tensors[name], before[name]) for name in tensors)


def test_dropout_is_drawn_in_training_alone_and_where_it_says():
    network = perceptron(dropout={"kind": "dropout", "rate": 0.5})
    tensors, x = drawn(network, replicas=3)
    names = list(tensors)
    assert names == ["0.weight", "0.bias", "3.weight", "3.bias", "6.weight", "6.bias"]
    held = list(tensors.values())
    found = forward_pass.forward(held, x, network=network, mode=Mode(generators=generators()))
    same = generators()
    values = x
    for place in range(0, 6, 2):
        values = torch.baddbmm(held[place + 1][:, :, None], held[place], values)
        values = dropouts.dropout(torch.relu(values), rate=0.5, generators=same) if place < 4 else values
    torch.testing.assert_close(found, values)
    plain = forward_pass.forward(held, x, network=perceptron())
    torch.testing.assert_close(forward_pass.forward(held, x, network=network), plain)
    assert not torch.allclose(found, plain)


def test_connections_from_the_input_are_kept():
    network = perceptron(dropout={"kind": "drop_connect", "rate": 0.5})
    tensors, x = drawn(network, replicas=3)
    seen, plain = {}, {}
    held = list(tensors.values())
    forward_pass.forward(
        held, x, network=network, mode=Mode(generators(), lambda layer, _below, values: seen.update({layer.number: values}))
    )
    forward_pass.forward(held, x, network=perceptron(), mode=Mode(watch=lambda layer, _below, values: plain.update({layer.number: values})))
    assert list(seen) == list(plain) == [0, 2, 4]
    assert torch.equal(seen[0], plain[0])
    assert not torch.equal(seen[2], plain[2])


def test_predictions_from_flat_parameters_are_those_of_the_tensors():
    network = convolutional(normalization="batch")
    _, tensors, x = examples(network)
    flat = torch.cat([tensor.flatten(1) for tensor in tensors.values()], dim=1).numpy()
    found = forward_pass.predict_all(flat, x[0].T.numpy(), network=network, outputs=OUTPUTS)
    expected = forward_pass.forward(list(tensors.values()), x[0], network=network)
    np.testing.assert_allclose(found, expected.mT.detach().numpy(), rtol=0, atol=1e-12)


BOUNDED = [
    *NETWORKS.values(),
    RECURRENT,
    RECURRENT | {"normalization": "layer"},
    RECURRENT | {"activation": "relu"},
    ATTENTION,
    ATTENTION | {"normalization": "batch"},
    perceptron(hidden=[6] * 5, residual=True),
]


@pytest.mark.parametrize("network", BOUNDED, ids=str)
@pytest.mark.parametrize("norm", [1.0, 30.0])
def test_no_value_exceeds_its_bound(network, norm):
    bound = bounds.output_bound(network, inputs=64, outputs=OUTPUTS, norm=lambda _layer: norm, largest_input=2.0)
    assert math.isfinite(bound)
    shapes = networks.shapes(network, inputs=64, outputs=OUTPUTS)
    generator = torch.Generator().manual_seed(3)
    largest = 0.0
    for _ in range(20):
        flat = torch.randn(REPLICAS, sum(math.prod(shape) for shape in shapes.values()), dtype=torch.float64, generator=generator)
        flat *= norm / flat.norm(dim=1, keepdim=True)
        tensors = dict(zip(shapes, forward_pass.unflatten(flat, shapes), strict=True))
        held = [tensor.abs() * 1e-3 if name.endswith("running_var") else tensor for name, tensor in tensors.items()]
        x = 2 * (2 * torch.rand(64, SAMPLES, dtype=torch.float64, generator=generator) - 1)
        seen = []
        seen.append(
            forward_pass.forward(held, x, network=network, mode=Mode(watch=lambda _layer, _below, values, seen=seen: seen.append(values)))
        )
        largest = max([largest, *(values.abs().max().item() for values in seen)])
    assert largest <= bound
    assert largest > 0


@pytest.mark.parametrize("kind", ["recurrent", "attention"])
def test_rows_of_images_are_asked_for(kind):
    with pytest.raises(UserError, match=f"a {kind} network takes square images; 63 inputs are none"):
        networks.shapes({"kind": kind, "hidden": [4], "activation": "relu"}, inputs=63, outputs=2)


def test_statistics_of_an_odd_side_are_refused():
    with pytest.raises(UserError, match="pooling leaves out a row of an image of 7 by 7 pixels"):
        networks.shapes(convolutional(normalization="batch"), inputs=49, outputs=2)
