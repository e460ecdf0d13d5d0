import itertools
import math

import numpy as np
import pytest
import torch
from torch import nn

from scripts.common import initializations, parts
from scripts.common.errors import UserError
from tests import oracle

WIDTHS = [1, 20, 20, 1]


def empty(widths):
    return [(torch.full((fan_out, fan_in), torch.nan), torch.full((fan_out,), torch.nan)) for fan_in, fan_out in itertools.pairwise(widths)]


def in_place(function):
    """What the source does: draw for each layer in turn, from the global generator."""

    def apply(module):
        if isinstance(module, nn.Linear):
            function(module.weight)
            nn.init.zeros_(module.bias)

    return apply


EXPECTED = {
    "normal": in_place(lambda weight: nn.init.normal_(weight, 0.0, 0.5 / math.sqrt(weight.shape[1]))),
    "uniform": in_place(lambda weight: nn.init.uniform_(weight, -0.5, 0.5)),
    "he_normal": in_place(lambda weight: nn.init.normal_(weight, 0.0, math.sqrt(2 / weight.shape[1]))),
    "he_uniform": in_place(lambda weight: nn.init.uniform_(weight, -math.sqrt(6 / weight.shape[1]), math.sqrt(6 / weight.shape[1]))),
    "zeros": in_place(nn.init.zeros_),
    "xavier_uniform": in_place(
        lambda weight: nn.init.uniform_(weight, -math.sqrt(6 / sum(weight.shape)), math.sqrt(6 / sum(weight.shape)))
    ),
    "xavier_normal": in_place(lambda weight: nn.init.normal_(weight, 0.0, math.sqrt(2 / sum(weight.shape)))),
    "orthogonal": in_place(lambda weight: nn.init.orthogonal_(weight, math.sqrt(2))),
    "torch_default": lambda _module: None,
}


@pytest.mark.parametrize("kind", EXPECTED)
def test_draws_what_a_torch_model_with_the_same_seed_draws(kind):
    torch.manual_seed(7)
    model = nn.Sequential(*(nn.Linear(fan_in, fan_out) for fan_in, fan_out in itertools.pairwise(WIDTHS)))
    if kind != "torch_default":
        torch.manual_seed(7)
    model.apply(EXPECTED[kind])

    generator = torch.Generator().manual_seed(7)
    options = {"scale": 0.5} if kind in ("uniform", "normal") else {}
    layers = empty(WIDTHS)
    parts.call(initializations, {"kind": kind, **options}, layers, generator=generator)
    for (weight, bias), layer in zip(layers, model, strict=True):
        torch.testing.assert_close(weight, layer.weight.data, rtol=0, atol=0)
        torch.testing.assert_close(bias, layer.bias.data, rtol=0, atol=0)


@pytest.mark.parametrize(
    ("kind", "variance"), [("he_normal", 2 / 400), ("he_uniform", 2 / 400), ("xavier_uniform", 2 / 1000), ("xavier_normal", 2 / 1000)]
)
def test_variance_is_the_one_of_the_paper(kind, variance):
    ((weight, bias),) = layers = empty([400, 600])
    parts.call(initializations, {"kind": kind}, layers, generator=torch.Generator().manual_seed(0))
    assert weight.var().item() == pytest.approx(variance, rel=0.02)
    assert not bias.any()


def test_normal_weights_and_biases_have_the_scales_that_are_asked_for():
    layers = empty([400, 600, 800])
    parts.call(initializations, {"kind": "normal", "scale": 3.0, "bias_scale": 0.2}, layers, generator=torch.Generator().manual_seed(0))
    for weight, bias in layers:
        assert weight.std().item() == pytest.approx(3 / math.sqrt(weight.shape[1]), rel=0.01)
        assert bias.std().item() == pytest.approx(0.2, rel=0.06)


def test_orthogonal_keeps_lengths_up_to_the_gain_of_relu():
    ((weight, _),) = layers = empty([30, 30])
    initializations.orthogonal(layers, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(weight.T @ weight, 2 * torch.eye(30), atol=1e-5, rtol=0)


def drawn(kind, widths, seed):
    layers = empty(widths)
    parts.call(initializations, {"kind": kind}, layers, generator=torch.Generator().manual_seed(seed))
    return layers


def assert_same(layers, model):
    for tensor, expected in zip((tensor for layer in layers for tensor in layer), model.parameters(), strict=True):
        torch.testing.assert_close(tensor, expected.data, rtol=0, atol=0)


@pytest.mark.parametrize("width", [10, 40])
def test_elbows_are_those_of_the_source(width):
    for kind in ("elbows_inside", "elbows_as_in_source"):
        assert_same(drawn(kind, [1, width, 1], 3), oracle.elbow_net(width, 3))
    assert_same(drawn("elbows_as_in_source", [1, width, width, 1], 3), oracle.elbow_net_2layer(width, 3)[0])


@pytest.mark.parametrize("width", [10, 40])
def test_units_of_the_second_layer_are_zero_at_their_elbows_which_the_source_misses(width):
    (w1, b1), (w2, b2), _ = drawn("elbows_inside", [1, width, width, 1], 3)
    model, elbows1, elbows2 = oracle.elbow_net_2layer(width, 3)
    np.testing.assert_allclose(-(b1 / w1[:, 0]).numpy(), elbows1, rtol=1e-5)
    expected = -np.diag(w2.double().numpy() @ np.maximum(w1.double().numpy() * elbows2 + b1.double().numpy()[:, None], 0))
    np.testing.assert_allclose(b2.numpy(), expected, rtol=1e-5, atol=1e-7)
    torch.testing.assert_close(w2, model[2].weight.data, rtol=0, atol=0)
    assert (model[2].bias.data - b2).abs().max() > 0.1


def crossings(layers, depth):
    """How many points of a dense grid of [0, 1] have a unit of the hidden layer `depth` (0 the first) at or past zero, by unit."""
    values = torch.linspace(0, 1, 20001, dtype=torch.float64)[:, None]
    for weight, bias in layers[:depth]:
        values = torch.relu(values @ weight.double().T + bias.double())
    weight, bias = layers[depth]
    values = values @ weight.double().T + bias.double()
    return (values.sign().diff(dim=0) != 0).sum(dim=0)


@pytest.mark.parametrize("seed", range(5))
def test_every_unit_of_every_hidden_layer_has_an_elbow_inside(seed):
    layers = drawn("elbows_inside", [1, 40, 40, 20, 1], seed)
    for depth in range(3):
        assert (crossings(layers, depth) > 0).all(), depth
    as_in_source = drawn("elbows_as_in_source", [1, 40, 40, 1], seed)
    assert (crossings(as_in_source, 0) > 0).all()
    assert not (crossings(as_in_source, 1) > 0).all()


@pytest.mark.parametrize("kind", ["elbows_inside", "elbows_as_in_source"])
def test_elbows_need_one_input(kind):
    with pytest.raises(UserError, match="the network has 2 inputs; choose another initialization, or data with one input"):
        drawn(kind, [2, 5, 1], 0)


def test_a_slope_left_of_zero_takes_from_the_variance():
    layers = empty([400, 600])
    parts.call(initializations, {"kind": "he_normal", "slope": 0.5}, layers, generator=torch.Generator().manual_seed(0))
    assert layers[0][0].var().item() == pytest.approx(2 / 1.25 / 400, rel=0.02)


def test_zeros_are_zero():
    for weight, bias in drawn("zeros", [3, 4, 2], 0):
        assert not weight.any()
        assert not bias.any()


def pre_activations(layers, x, place):
    """What layer `place` puts out before its activation, (units, N), of a plain network of ReLU."""
    values = x
    for weight, bias in layers[: place + 1]:
        before = weight @ values + bias[:, None]
        values = torch.relu(before)
    return before


def lsuv(widths, *, seed=0, **options):
    x = 3 * torch.randn(widths[0], 200, generator=torch.Generator().manual_seed(9))
    layers = empty(widths)
    asked = []

    def outputs_of(place):
        asked.append(place)
        return pre_activations(layers, x, place)

    initializations.lsuv(layers, generator=torch.Generator().manual_seed(seed), outputs_of=outputs_of, **options)
    return layers, x, asked


def test_lsuv_gives_every_layer_unit_variance():
    layers, x, asked = lsuv([20, 30, 30, 30, 30, 10], tolerance=1e-3)
    assert asked == sorted(asked)
    assert set(asked) == set(range(5))
    for place, (weight, bias) in enumerate(layers):
        assert pre_activations(layers, x, place).var(correction=0).item() == pytest.approx(1, abs=1e-3)
        assert not bias.any()
        gram = weight.T @ weight if weight.shape[0] > weight.shape[1] else weight @ weight.T
        torch.testing.assert_close(gram / gram[0, 0], torch.eye(len(gram)), atol=1e-5, rtol=0)


def test_lsuv_starts_from_orthonormal_weights_and_stops_after_its_tries():
    near, _, asked = lsuv([20, 30, 10], tolerance=1e9)
    assert asked == [0, 1]
    torch.manual_seed(0)
    for weight, _ in near:
        torch.testing.assert_close(weight, nn.init.orthogonal_(torch.empty_like(weight)), rtol=0, atol=0)
    _, _, asked = lsuv([20, 30, 10], tolerance=1e-12, tries=3)
    assert asked == [0, 0, 0, 1, 1, 1]


def test_lsuv_leaves_a_layer_that_puts_out_nothing():
    layers = empty([4, 4])
    initializations.lsuv(layers, generator=torch.Generator().manual_seed(0), outputs_of=lambda _: torch.zeros(4, 5))
    torch.testing.assert_close(layers[0][0].T @ layers[0][0], torch.eye(4), atol=1e-6, rtol=0)


def test_fixup_blocks_add_nothing_and_the_output_is_zero():
    layers = drawn("fixup", [400] * 8 + [10], 3)  # the first, three blocks of two, the output
    for place, (weight, bias) in enumerate(layers):
        assert not bias.any()
        if place in (2, 4, 6, 7):
            assert not weight.any()
        else:
            assert weight.var().item() == pytest.approx(2 / 400 / (1 if place == 0 else 3), rel=0.02)
    torch.testing.assert_close(layers[0][0], drawn("he_normal", [400, 400], 3)[0][0], rtol=0, atol=0)


@pytest.mark.parametrize("widths", [[5, 5, 2], [5, 5, 5, 2], [5, 5, 5, 5, 5, 2]])
def test_fixup_needs_blocks_of_two(widths):
    with pytest.raises(UserError, match=rf"the network has {len(widths) - 1} layers; give it an odd number of hidden layers, at least 3"):
        drawn("fixup", widths, 0)
