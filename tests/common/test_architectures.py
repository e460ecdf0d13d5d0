"""Networks as functions against PyTorch's own modules, replica by replica, in float64; and in training."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from scripts.common import architectures, bounds, forward_pass, networks, predictions
from scripts.common.architectures import Layers
from scripts.common.configuration import load_report
from scripts.common.errors import UserError
from scripts.common.forward_pass import Mode
from scripts.common.plan import Plan
from scripts.common.training import train
from scripts.common.yaml_file import read_yaml
from tests.copies import editable_study, mini_copy, problems, working_in
from tests.examples import TINY, tiny_data, tiny_run, tiny_settings

GATED = {"kind": "gated", "widths": [5, 4]}
REPLICAS, INPUTS, OUTPUTS, SAMPLES = 3, 6, 2, 7


class Gated(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList(
            [nn.Linear(INPUTS, 5), nn.Linear(INPUTS, 5), nn.Linear(5, 4), nn.Linear(5, 4), nn.Linear(4, OUTPUTS)]
        ).double()

    def forward(self, x):
        for first, second in ((0, 1), (2, 3)):
            x = nn.functional.glu(torch.cat([self.layers[first](x), self.layers[second](x)], dim=1), dim=1)
        return self.layers[4](x)


def scaled(x, layers, *, width):
    """A network with a parameter of its own, and one place more than two."""
    tokens = layers.linear(x.unflatten(1, (2, -1)).transpose(1, 2), width).mean(2)
    return layers.linear(tokens * torch.exp(layers.parameter(tokens, width, 1)), layers.outputs)


def test_predictions_and_gradients_are_those_of_modules():
    torch.manual_seed(0)
    models = [Gated() for _ in range(REPLICAS)]
    tensors = [torch.stack(list(of_all)).detach().requires_grad_() for of_all in zip(*(m.parameters() for m in models), strict=True)]
    x = torch.rand(REPLICAS, INPUTS, SAMPLES, dtype=torch.float64)
    found = forward_pass.forward(tensors, x, network=GATED)
    gradients = torch.autograd.grad(found.square().sum(), tensors)
    for replica, model in enumerate(models):
        expected = model(x[replica].T).T
        torch.testing.assert_close(found[replica], expected)
        expected.square().sum().backward()
        for gradient, parameter in zip(gradients, model.parameters(), strict=True):
            torch.testing.assert_close(gradient[replica], parameter.grad)


def test_shapes_and_names_are_those_that_the_function_asks_for(monkeypatch):
    assert forward_pass.shapes(GATED, inputs=INPUTS, outputs=OUTPUTS) == {
        f"{number}.{name}": shape
        for number, (out, below) in enumerate([(5, 6), (5, 6), (4, 5), (4, 5), (2, 4)])
        for name, shape in (("weight", (out, below)), ("bias", (out,)))
    }
    monkeypatch.setattr(architectures, "scaled", scaled, raising=False)
    found = forward_pass.shapes({"kind": "scaled", "width": 3}, inputs=6, outputs=1)
    assert found == {"0.weight": (3, 3), "0.bias": (3,), "1.weight": (3, 1), "2.weight": (1, 3), "2.bias": (1,)}


def test_what_is_no_function_has_the_layers_of_before():
    assert forward_pass.shapes(TINY, inputs=3, outputs=2) == networks.shapes(TINY, inputs=3, outputs=2)
    with pytest.raises(UserError, match=r"^network.kind: what is measured here takes networks of the kinds perceptron, .* not 'gated'"):
        networks.layers(GATED, inputs=3, outputs=2)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda x, layers: layers.linear(x, layers.outputs + 1),
        lambda x, layers: layers.linear(x, layers.outputs).mean(2),
        lambda x, layers: x[:, : layers.outputs],
        lambda x, layers: layers.linear(x, layers.outputs) + layers.parameter(x, layers.outputs, 1),
    ],
    ids=["outputs", "samples", "no layer", "a parameter last"],
)
def test_a_function_that_does_not_end_in_its_outputs(monkeypatch, wrong):
    monkeypatch.setattr(architectures, "wrong", wrong, raising=False)
    with pytest.raises(
        UserError, match=r"network 'wrong' returns values of the shape .*end it with: return layers.linear\(values, layers.outputs\)"
    ):
        forward_pass.layers_of({"kind": "wrong"}, inputs=INPUTS, outputs=OUTPUTS)


def test_training_lowers_the_loss_and_is_the_same_for_fewer_replicas(monkeypatch):
    monkeypatch.setattr(architectures, "scaled", scaled, raising=False)
    data = tiny_data()
    for network in (GATED, {"kind": "scaled", "width": 4}):
        if network["kind"] == "scaled":
            data = data | {f"{part}_x": np.repeat(data[f"{part}_x"], 2, axis=1) for part in ("train", "test")}
        settings = tiny_settings(network=network, engine="autograd", steps=60)
        run = train(data, **settings)
        assert (run["train_loss"][-1] < 0.7 * run["train_loss"][0]).sum() >= 3
        assert (run["diverged_at"] == -1).all()
        fewer = train(data, **settings | {"replicas": 2})
        np.testing.assert_array_equal(fewer["parameters"], run["parameters"][:, :2])


def test_divergence_is_found_at_its_step():
    settings = tiny_settings(network=GATED, engine="autograd", optimizer={"kind": "sgd", "learning_rate": 1e30, "momentum": 0.0})
    run = train(tiny_data(), **settings)
    assert (run["diverged_at"] > 0).all()
    first = run["diverged_at"].min()
    assert np.isfinite(train(tiny_data(), **settings | {"steps": int(first) - 1})["train_loss"][-1]).any() or first == 1


def test_no_bound_is_known():
    assert bounds.output_bound(GATED, inputs=3, outputs=2, norm=lambda _: 1.0, largest_input=1.0) == math.inf


def test_linear_layers_are_watched():
    seen = []
    tensors = [torch.zeros(2, *shape) for shape in forward_pass.shapes(GATED, inputs=3, outputs=1).values()]
    mode = Mode(watch=lambda layer, below, values: seen.append((layer.kind, below.shape[1], values.shape[1])))
    forward_pass.forward(tensors, torch.zeros(3, 4), network=GATED, mode=mode)
    assert seen == [("linear", 3, 5), ("linear", 3, 5), ("linear", 5, 4), ("linear", 5, 4), ("linear", 4, 1)]


def test_layers_may_have_axes_between_units_and_samples():
    values = torch.rand(2, 3, 4, 5, dtype=torch.float64)
    weight, bias = torch.rand(2, 6, 3, dtype=torch.float64), torch.rand(2, 6, dtype=torch.float64)
    found = Layers(1, iter([weight, bias])).linear(values, 6)
    torch.testing.assert_close(found, torch.einsum("roi,rixn->roxn", weight, values) + bias[:, :, None, None])


@pytest.mark.parametrize("network", [GATED, TINY, {**TINY, "normalization": "layer"}], ids=["gated", "plain", "normalized"])
def test_predictions_of_stored_networks_are_those_of_the_forward_pass(network):
    run, data = tiny_run(network=network, engine="autograd"), tiny_data()
    found = predictions.of_all(run["parameters"], data["test_x"], network=network, outputs=data["train_y"].shape[1])
    expected = [
        forward_pass.predict_all(saved, data["test_x"], network=network, outputs=data["train_y"].shape[1]) for saved in run["parameters"]
    ]
    np.testing.assert_allclose(found, np.array(expected), rtol=1e-9, atol=1e-12)


@pytest.fixture(scope="module")
def copied(tmp_path_factory):
    return mini_copy(tmp_path_factory.mktemp("architectures"))


@pytest.fixture
def study(copied, monkeypatch):
    with working_in(copied) as folder:
        yield editable_study(folder, monkeypatch)


def test_a_study_names_a_function_and_its_options(study):
    study["variants"]["wide"] |= {"network": {"kind": "gated", "widths": [3]}, "engine": "autograd", "jacobian": "none"}
    study["measurements"]["spectrum"] = {"features": 3, "variants": ["narrow"]}
    study["figures"]["values_wide"]["variants"] = ["narrow"]
    study["sweeps"] = {
        "widths": {"variant": "wide", "over": [{"name": "width", "settings": {"network.widths": [[2], [4]]}, "levels": ["few", "more"]}]}
    }
    variant = load_report(read_yaml("config/report.yaml"))[1]["mini"].variants["wide"]
    assert variant.network.options() == variant.model_dump()["network"] == {"kind": "gated", "widths": [3]}
    plan = Plan(read_yaml("config/report.yaml"))
    assert plan._recipes["train", "mini/wide"].settings["network"] == {"kind": "gated", "widths": [3]}
    levels = plan._recipes["sweep", "mini/widths"].settings["levels"]
    assert [level["network"] for level in levels.values()] == [{"kind": "gated", "widths": [2]}, {"kind": "gated", "widths": [4]}]


@pytest.mark.parametrize(
    ("network", "expected"),
    [
        ({"kind": "gate"}, ".network.kind: unknown kind of network 'gate'; known: perceptron, convolutional, recurrent, attention, gated"),
        ({"kind": "gated"}, ".network: network 'gated' needs the option 'widths', a list, each entry a whole number of at least 1; add it"),
        ({"kind": "gated", "widths": [0]}, ".network.widths: wrong value [0]; allowed: a list, each entry a whole number of at least 1"),
        ({"kind": "gated", "widths": [1], "hidden": [2]}, ".network.hidden: network 'gated' has no option 'hidden'; its options: widths"),
        ({"hidden": [2], "widths": [1]}, ".network.widths: unknown key; allowed: kind, hidden, depth, width, channels, kernel, activation"),
    ],
)
def test_what_is_wrong_with_a_network_is_told(study, network, expected):
    study["variants"]["wide"] |= {"network": network, "engine": "autograd", "jacobian": "none"}
    assert [problem for problem in problems(read_yaml("config/report.yaml")) if f"variants.wide{expected}" in problem]


def test_the_other_engines_and_jacobians_are_refused_by_name(study):
    study["variants"]["wide"] |= {"network": {"kind": "gated", "widths": [3]}}
    found = problems(read_yaml("config/report.yaml"))
    assert (
        "config/studies/mini.yaml: variants.wide.network.kind: wrong value 'gated'; allowed: 'perceptron' with the stacked engine" in found
    )
    assert "config/studies/mini.yaml: variants.wide.jacobian: wrong value 'stored'; allowed: 'none' with a gated network" in found
